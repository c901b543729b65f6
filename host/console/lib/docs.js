/**
 * Documentation taken apart: what it says of single parameters, and the rest. Knows the conventions of
 * Google, numpy, reST and JSDoc, headings of Markdown, and plain lines `name: text`.
 */

const TITLE = /^(?:#+\s*)?(?:args|arguments|params|parameters|keyword args|other parameters)\s*:?\s*$/i;
const REST = /^(\s*):(?:param|parameter|arg|argument|key|keyword)(?:\s+[^:]*?)?\s+\*{0,2}(\w+)\s*:\s*(.*)$/;
const REST_TYPE = /^\s*:type\s+\*{0,2}(\w+)\s*:/;
const JSDOC = /^(\s*)@param\s+(?:\{.*\}\s+)?\[?([\w-]+)[^\]\s]*\]?(?:\s+(?:-\s*)?(.*))?$/;
const LINE = /^(\s*)(?:[-*+]\s+)?(`?\*{0,2}[\w-]+\*{0,2}`?(?:\s*,\s*`?[\w-]+`?)*)(?:\s*\([^)]*\))?(?:\s*:|\s+[-–—])\s+(\S.*)$/;
const NUMPY = /^()(\*{0,2}[\w-]+(?:\s*,\s*\*{0,2}[\w-]+)*)(?:\s*:.*)?$/;

const indent = (line) => /^\s*/.exec(line)[0].length;
const isBlank = (line) => !line.trim();
const snake = (name) =>
  name
    .replace(/[`*]/g, "")
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replaceAll("-", "_")
    .toLowerCase();

/** `{text, parameters}`: a Map from those of `names` that the text speaks of to what it says. */
export function takeApart(text, names) {
  const known = new Set(names);
  const parameters = new Map();
  const lines = text.trim().replaceAll("\t", "    ").split("\n");
  const rest = [];
  let isCode = false;
  for (let at = 0; at < lines.length; ) {
    if (/^\s*(```|~~~)/.test(lines[at])) isCode = !isCode;
    const section = isCode ? null : sectionAt(lines, at);
    if (section) {
      const left = entries(lines.slice(section.start, section.end), known, parameters, section.numpy);
      if (left.some((line) => !isBlank(line))) rest.push(...lines.slice(at, section.start), ...left);
      at = section.end;
      continue;
    }
    const entry = isCode ? null : entryAt(lines, at, known, false);
    if (entry) keep(parameters, entry);
    else rest.push(lines[at]);
    at = entry ? entry.end : at + 1;
  }
  return { text: rest.join("\n").trim(), parameters };
}

/** Where a section of parameters that has its title here begins and ends; null where there is none. */
function sectionAt(lines, at) {
  if (!TITLE.test(lines[at])) return null;
  const after = (start, isEnd) => {
    let end = start;
    while (end < lines.length && !isEnd(end)) end++;
    return end;
  };
  const isRule = (line) => /^\s*-{3,}\s*$/.test(line ?? "");
  if (isRule(lines[at + 1])) {
    const end = after(at + 2, (i) => isRule(lines[i + 1]) && !isBlank(lines[i]));
    return { start: at + 2, end, numpy: true };
  }
  if (lines[at].startsWith("#")) {
    return { start: at + 1, end: after(at + 1, (i) => lines[i].startsWith("#")), numpy: false };
  }
  if (!lines[at].trim().endsWith(":")) return null;
  const base = indent(lines[at]);
  const end = after(
    at + 1,
    (i) => !isBlank(lines[i]) && indent(lines[i]) <= base && !/^\s*[-*+] /.test(lines[i]),
  );
  return { start: at + 1, end, numpy: false };
}

/** Takes the known parameters out of the lines of a section, and gives what is left. */
function entries(lines, known, parameters, isNumpy) {
  const left = [];
  for (let at = 0; at < lines.length; ) {
    const entry = entryAt(lines, at, known, isNumpy);
    if (entry) keep(parameters, entry);
    else left.push(lines[at]);
    at = entry ? entry.end : at + 1;
  }
  return left;
}

function keep(parameters, { names, text }) {
  if (text) for (const name of names) parameters.set(name, text);
}

/** What a line and those that belong to it say of known parameters: `{names, text, end}`, or null. */
function entryAt(lines, at, known, isNumpy) {
  const line = lines[at];
  const type = REST_TYPE.exec(line);
  if (type && known.has(snake(type[1]))) return { names: [], text: "", end: at + 1 };
  const found = REST.exec(line) ?? JSDOC.exec(line) ?? (isNumpy ? NUMPY : LINE).exec(line);
  if (!found) return null;
  const names = found[2].split(",").map((name) => snake(name.trim()));
  if (!names.every((name) => known.has(name))) return null;
  const own = [found[3] ?? ""];
  const base = found[1].length;
  let end = at + 1;
  for (let next = end; next < lines.length; next++) {
    if (isBlank(lines[next])) continue;
    if (indent(lines[next]) <= base) break;
    own.push(...lines.slice(end, next + 1));
    end = next + 1;
  }
  const margin = Math.min(...own.slice(1).filter((one) => !isBlank(one)).map(indent), Infinity);
  const text = own.map((one, i) => (i ? one.slice(Math.min(margin, one.length)) : one)).join("\n");
  return { names, text: text.trim(), end };
}
