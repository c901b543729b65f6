/**
 * Documentation taken apart: what it says of single parameters, and the rest. Knows the conventions of
 * Google, numpy, reST and JSDoc, headings of Markdown, and plain lines `name: text`.
 */

const TITLE = /^(?:#+\s*)?(?:args|arguments|params|parameters|keyword args|other parameters)\s*:?\s*$/i;
/** A pattern where `NAME` stands for a name in any language. */
const pattern = ({ raw: [text] }) => new RegExp(text.replaceAll("NAME", String.raw`[\p{L}\p{M}\p{N}_$\-]+`), "u");
const REST = pattern`^(\s*):(?:param|parameter|arg|argument|key|keyword)(?:\s+[^:]*?)?\s+\*{0,2}(NAME)\s*:\s*(.*)$`;
const REST_TYPE = pattern`^\s*:type\s+\*{0,2}(NAME)\s*:`;
const JSDOC = pattern`^(\s*)@param\s+(?:\{.*\}\s+)?\[?(NAME)[^\]\s]*\]?(?:\s+(?:-\s*)?(.*))?$`;
const LINE = pattern`^(\s*)(?:[\-*+]\s+)?([\x60]?\*{0,2}NAME\*{0,2}[\x60]?(?:\s*,\s*[\x60]?NAME[\x60]?)*)(?:\s*\([^)]*\))?(?:\s*:|\s+[\-–—])\s+(\S.*)$`;
const NUMPY = pattern`^()(\*{0,2}NAME(?:\s*,\s*\*{0,2}NAME)*)(?:\s*:.*)?$`;

const indent = (line) => /^\s*/.exec(line)[0].length;
const isBlank = (line) => !line.trim();
const snake = (name) =>
  name
    .replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, "$1_$2")
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, "$1_$2")
    .replaceAll("-", "_")
    .toLowerCase();

/** The known name that a text means: it itself, or the one that it is in another style. */
function meant(text, known) {
  const name = text.replace(/[`*]/g, "");
  if (known.has(name)) return name;
  const alike = [...known].filter((one) => snake(one) === snake(name));
  return alike.length === 1 ? alike[0] : null;
}

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
  if (type && meant(type[1], known)) return { names: [], text: "", end: at + 1 };
  const found = REST.exec(line) ?? JSDOC.exec(line) ?? (isNumpy ? NUMPY : LINE).exec(line);
  if (!found) return null;
  const names = found[2].split(",").map((name) => meant(name.trim(), known));
  if (!names.every(Boolean)) return null;
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
