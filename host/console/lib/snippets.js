/**
 * The call in a form as text to copy: Python, curl, JavaScript.
 */
import { addressOf } from "./api.js";
import { textOf, unbase64 } from "./bytes.js";
import { isNumber, parse } from "./exact.js";
import { hasWide, isBytes, kindOf } from "./types.js";

/** Longer arguments are read from a file. */
const LONGEST = 2000;
export const isLong = (body) => body.length > LONGEST;

const KEYWORDS = new Set(
  (
    "False None True and as assert async await break class continue def del elif else except finally for from " +
    "global if import in is lambda nonlocal not or pass raise return try while with yield"
  ).split(" "),
);
/** What the Python client's host has itself, so that no procedure is found under it. */
const TAKEN = new Set(["close", "job", "jobs", "problems", "procedures", "refresh", "url"]);
const isIdentifier = (name) => /^[A-Za-z]\w*$/.test(name) && !KEYWORDS.has(name);

export function python(procedure, body, asJob) {
  const steps = procedure.name.split("/");
  const dotted = steps.every(isIdentifier) && !TAKEN.has(steps[0]);
  const target = dotted ? `host.${steps.join(".")}` : `host[${quoted(procedure.name)}]`;
  const lines = ["import tarp", "", `with tarp.connect(${quoted(location.origin)}) as host:`];
  let given;
  if (isLong(body)) {
    lines.unshift("import json");
    lines.push('    with open("arguments.json") as file:', "        arguments = json.load(file)");
    given = "**arguments";
  } else {
    given = keywords(procedure.parameters, parse(body));
  }
  if (asJob) {
    lines.push(`    job = ${target}.submit(${given})`, "    print(job.result())");
  } else {
    lines.push(`    print(${target}(${given}))`);
  }
  return lines.join("\n");
}

/** The arguments; on lines of their own where they are long. */
function keywords(parameters, values) {
  const texts = parameters.map(({ name, type }) => [name, literal(type, values.get(name))]);
  const plain = texts
    .filter(([name]) => isIdentifier(name))
    .map(([name, text]) => `${name}=${text}`);
  const odd = texts
    .filter(([name]) => !isIdentifier(name))
    .map(([name, text]) => `${quoted(name)}: ${text}`);
  const all = [...plain, ...(odd.length ? [`**{${odd.join(", ")}}`] : [])];
  const line = all.join(", ");
  return line.length <= 60 || all.length < 2
    ? line
    : `\n${all.map((one) => `        ${one},\n`).join("")}    `;
}

const quoted = (text) =>
  JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

/** A value as Python writes it. */
export function literal(type, value) {
  if (value === null) return "None";
  if (isNumber(value)) return String(value);
  if (type === "f32" || type === "f64") return `float(${quoted(value)})`;
  if (typeof value === "boolean") return value ? "True" : "False";
  switch (kindOf(type)) {
    case "list":
      return isBytes(type)
        ? bytesLiteral(value)
        : `[${value.map((item) => literal(type.list, item)).join(", ")}]`;
    case "tuple": {
      const items = value.map((item, i) => literal(type.tuple[i], item));
      return `(${items.join(", ")}${items.length === 1 ? "," : ""})`;
    }
    case "flags":
      return value.length ? `{${value.map(quoted).join(", ")}}` : "set()";
    case "option":
      if (kindOf(type.option) !== "option") return literal(type.option, value);
      return `{"some": ${literal(type.option, value.get("some"))}}`;
    case "record":
      return mapping(value, (name) => type.record.find((field) => field.name === name).type);
    case "variant":
      if (typeof value === "string") return quoted(value);
      return mapping(value, (name) => type.variant.find((one) => one.name === name).type);
    case "result":
      return mapping(value, (name) => type.result[name]);
    default:
      return quoted(value);
  }
}

const mapping = (value, typeOf) =>
  `{${[...value].map(([name, item]) => `${quoted(name)}: ${literal(typeOf(name), item)}`).join(", ")}}`;

function bytesLiteral(text) {
  const bytes = unbase64(text);
  const plain = textOf(bytes);
  if (plain !== null && /^[\x20-\x7e\n\t]*$/.test(plain)) return `b${quoted(plain)}`;
  return `b"${[...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")}"`;
}

/** A text as one word of a shell. */
export const shell = (text) => `'${text.replaceAll("'", "'\\''")}'`;

export function curl(procedure, body, asJob) {
  const lines = [
    asJob ? "curl -i -H 'Prefer: respond-async'" : "curl",
    "-H 'Content-Type: application/json'",
    isLong(body) ? "--data-binary @arguments.json" : `-d ${shell(body)}`,
    shell(location.origin + addressOf(procedure.name)),
  ];
  return lines.join(" \\\n  ");
}

export function javascript(procedure, body, asJob) {
  const headers = [
    '"Content-Type": "application/json"',
    ...(asJob ? ['"Prefer": "respond-async"'] : []),
  ];
  // As text: `JSON.stringify` would round long integers.
  const sent = isLong(body) ? "await file.text()" : script(body);
  const wide =
    !asJob && hasWide(procedure.result)
      ? ["// Its integers may be longer than JavaScript's numbers hold."]
      : [];
  const last = asJob
    ? ["const job = await reply.json();", "console.log(job.id);"]
    : [...wide, "const { result } = await reply.json();", "console.log(result);"];
  return [
    `const reply = await fetch(${JSON.stringify(location.origin + addressOf(procedure.name))}, {`,
    '  method: "POST",',
    `  headers: { ${headers.join(", ")} },`,
    `  body: ${sent},`,
    "});",
    "if (!reply.ok) throw new Error((await reply.json()).message);",
    ...last,
  ].join("\n");
}

/** A text as JavaScript writes it, in the quotes that it has fewer of. */
function script(text) {
  if (!text.includes("'")) return `'${text.replaceAll("\\", "\\\\")}'`;
  return JSON.stringify(text);
}
