/**
 * The call in a form as text to copy: Python, curl, JavaScript, `tarp call`. Bytes that come of it go
 * into a file, and of a job its result is waited for.
 *
 * `more` has `extension`, what kind of bytes the result was when it was seen, and `texts`, the arguments'
 * JSON by name, where they need not be read again from the body, which may be long.
 */
import { addressOf } from "./api.js";
import { hostAddress } from "./base.js";
import { unbase64 } from "./bytes.js";
import { parse, write } from "./exact.js";
import { TAKEN, isIdentifier, keywords, literal, quoted } from "./python.js";
import { hasWide, isBytes, isFloat, isNumbers, kindOf } from "./types.js";

/** Longer arguments are read from a file. */
const MAX_LENGTH = 2000;
export const isLong = (body) => body.length > MAX_LENGTH;

const resultOf = ({ result }) =>
  result !== null && kindOf(result) === "result" ? result.result.ok : result;
const givesBytes = (procedure) => {
  const type = resultOf(procedure);
  return type !== null && isBytes(type);
};
const stem = (name) => name.replace(/[^\w.-]+/g, "_");
const outputOf = (procedure, { extension = "bin" } = {}) => `${stem(procedure.name)}.${extension}`;
const present = (type) => (kindOf(type) === "option" ? present(type.option) : type);

const textsOf = (body) => new Map([...parse(body)].map(([name, value]) => [name, write(value)]));
const among = ({ parameters }, texts) => parameters.filter(({ name }) => texts.has(name));

/** The arguments that are read from files of their own: `[{name, file, make}]`. */
export function files(procedure, body, { texts = textsOf(body) } = {}) {
  if (!isLong(body)) return [];
  return among(procedure, texts)
    .filter(({ name }) => isLong(texts.get(name)))
    .map(({ name, type }) => {
      const text = texts.get(name);
      if (!text.startsWith('"')) return { name, file: `${name}.json`, make: () => text };
      return isBytes(present(type))
        ? { name, file: `${name}.bin`, make: () => unbase64(JSON.parse(text)) }
        : { name, file: `${name}.txt`, make: () => JSON.parse(text) };
    });
}

export function python(procedure, body, asJob, more) {
  const steps = procedure.name.split("/");
  const dotted = steps.every(isIdentifier) && !TAKEN.has(steps[0]);
  const target = dotted ? `host.${steps.join(".")}` : `host[${quoted(procedure.name)}]`;
  const { texts = textsOf(body) } = more ?? {};
  const long = new Map(files(procedure, body, { texts }).map((one) => [one.name, one.file]));
  const given = keywords(
    among(procedure, texts).map(({ name, type }) => [
      name,
      long.has(name) ? reading(type, long.get(name)) : literal(type, parse(texts.get(name))),
    ]),
  );
  const reads = [...long.values()].map((file) => file.split(".").pop());
  const imports = [
    ...(reads.includes("json") ? ["import json"] : []),
    ...(long.size ? ["from pathlib import Path"] : []),
  ];
  const came = asJob ? `${target}.submit(${given}).result()` : `${target}(${given})`;
  const last = givesBytes(procedure)
    ? [`    result = ${came}`, "", `with open(${quoted(outputOf(procedure, more))}, "wb") as file:`, "    file.write(result)"]
    : [`    print(${came})`];
  return [
    ...(imports.length ? [...imports, ""] : []),
    "import tarp",
    "",
    `with tarp.connect(${quoted(hostAddress)}) as host:`,
    ...last,
  ].join("\n");
}

/** A long argument from its file. What is not finite stands there in quotes. */
function reading(type, file) {
  const path = `Path(${quoted(file)})`;
  if (file.endsWith(".bin")) return `${path}.read_bytes()`;
  if (file.endsWith(".txt")) return `${path}.read_text(encoding="utf-8")`;
  const value = `json.loads(${path}.read_text(encoding="utf-8"))`;
  const numbers = present(type);
  if (isNumbers(numbers) && isFloat(numbers.list)) return `[float(x) for x in ${value}]`;
  return value;
}

/** A text as one word of a shell. */
export const shell = (text) => `'${text.replaceAll("'", "'\\''")}'`;

const joined = (words) => words.join(" \\\n  ");

export function curl(procedure, body, asJob, more) {
  const address = shell(hostAddress + addressOf(procedure.name));
  const sent = [
    "-H 'Content-Type: application/json'",
    isLong(body) ? "--data-binary @arguments.json" : `-d ${shell(body)}`,
  ];
  const taken = givesBytes(procedure)
    ? ["-H 'Accept: application/octet-stream'", `-o ${shell(outputOf(procedure, more))}`]
    : [];
  if (!asJob) return joined(["curl", ...sent, ...taken, address]);
  const jobs = `${hostAddress}/-/jobs`;
  return [
    `job=$(${joined(["curl -sS -H 'Prefer: respond-async'", ...sent, address])} |`,
    "  grep -oE '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}' | head -n 1)",
    `while curl -sS "${jobs}/$job" | grep -qE '"state":"(queued|running)"'; do sleep 1; done`,
    ["curl -sS", ...taken, `"${jobs}/$job/result"`].join(" "),
  ].join("\n");
}

export function javascript(procedure, body, asJob, more) {
  const isFile = givesBytes(procedure);
  const headers = (names) => `{ ${names.join(", ")} }`;
  const accept = isFile ? ['"Accept": "application/octet-stream"'] : [];
  const prefer = asJob ? ['"Prefer": "respond-async"'] : [];
  const used = [...(isLong(body) ? ["readFile"] : []), ...(isFile ? ["writeFile"] : [])];
  // As text: `JSON.stringify` would round long integers.
  const sent = isLong(body) ? 'await readFile("arguments.json")' : script(body);
  const wide = hasWide(procedure.result)
    ? ["// Its integers may be longer than JavaScript's numbers hold."]
    : [];
  const last = isFile
    ? [
        `await writeFile(${JSON.stringify(outputOf(procedure, more))}, new Uint8Array(await reply.arrayBuffer()));`,
      ]
    : [...wide, "const { result } = await reply.json();", "console.log(result);"];
  const waiting = [
    "const { id } = await reply.json();",
    "// An answer that says so is no outcome yet.",
    "for (let type = \"OperationInProgress\"; type === \"OperationInProgress\"; ) {",
    `  reply = await fetch(\`${hostAddress}/-/jobs/\${id}/result?wait=60\`${accept.length ? `, { headers: ${headers(accept)} }` : ""});`,
    "  type = reply.ok ? null : (await reply.clone().json()).type;",
    "}",
    "if (!reply.ok) throw new Error((await reply.json()).message);",
  ];
  return [
    ...(used.length ? [`import { ${used.join(", ")} } from "node:fs/promises";`, ""] : []),
    `${asJob ? "let" : "const"} reply = await fetch(${JSON.stringify(hostAddress + addressOf(procedure.name))}, {`,
    '  method: "POST",',
    `  headers: ${headers(['"Content-Type": "application/json"', ...(asJob ? prefer : accept)])},`,
    `  body: ${sent},`,
    "});",
    "if (!reply.ok) throw new Error((await reply.json()).message);",
    ...(asJob ? waiting : []),
    ...last,
  ].join("\n");
}

/** A text as JavaScript writes it, in the quotes that it has fewer of. */
function script(text) {
  if (!text.includes("'")) return `'${text.replaceAll("\\", "\\\\")}'`;
  return JSON.stringify(text);
}

export function tarp(procedure, body, asJob, more) {
  const { texts = textsOf(body) } = more ?? {};
  const long = new Map(files(procedure, body, { texts }).map((one) => [one.name, one.file]));
  const words = among(procedure, texts).map(({ name, type }) => {
    const value = long.has(name) ? `@${long.get(name)}` : wordOf(type, parse(texts.get(name)));
    return word(`${name}=${value}`);
  });
  const target = `tarp call ${asJob ? "--job " : ""}${hostAddress} ${word(procedure.name)}`;
  const output = givesBytes(procedure) ? [`-o ${word(outputOf(procedure, more))}`] : [];
  const all = [target, ...words, ...output];
  const line = all.join(" ");
  return line.length <= 78 ? line : joined(all);
}

/** A word of a shell, in quotes where it needs them. */
export const word = (text) => (/^[\w./:=@,+-]+$/.test(text) ? text : shell(text));

/** A value as `tarp call` reads it by its type: text as it is where that is clear, all else as JSON. */
function wordOf(type, value) {
  const inner = present(type);
  if (isBytes(inner) && typeof value === "string") {
    // Base64, unless its word means something else.
    return ["", "null"].includes(value) ? JSON.stringify([...unbase64(value)]) : value;
  }
  const isText = ["string", "char", "enum"].includes(kindOf(inner)) && typeof value === "string";
  if (isText && /^[\p{L}\p{N}_][\p{L}\p{N}_ .,:/-]*$/u.test(value) && value !== "null") return value;
  return write(value);
}
