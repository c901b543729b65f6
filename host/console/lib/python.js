/**
 * Values as Python writes them.
 */
import { textOf, unbase64 } from "./bytes.js";
import { isNumber } from "./exact.js";
import { isBytes, kindOf } from "./types.js";

const KEYWORDS = new Set(
  (
    "False None True and as assert async await break class continue def del elif else except finally for from " +
    "global if import in is lambda nonlocal not or pass raise return try while with yield"
  ).split(" "),
);
/** What the Python client's host has itself, so that no procedure is found under it. */
export const TAKEN = new Set(["close", "job", "jobs", "problems", "procedures", "refresh", "url"]);
export const isIdentifier = (name) => /^[A-Za-z]\w*$/.test(name) && !KEYWORDS.has(name);

/** Keyword arguments, `[[name, text]]`; on lines of their own where they are long. */
export function keywords(texts) {
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

export const quoted = (text) =>
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
    case "list": {
      if (isBytes(type)) return bytesLiteral(value);
      if (type.set && value.length === 0) return "set()";
      const items = value.map((item) => literal(type.list, item)).join(", ");
      return type.set ? `{${items}}` : `[${items}]`;
    }
    case "tuple": {
      const items = value.map((item, i) => literal(type.tuple[i], item));
      return `(${items.join(", ")}${items.length === 1 ? "," : ""})`;
    }
    case "flags":
      return value.length ? `{${value.map(quoted).join(", ")}}` : "set()";
    case "option":
      if (kindOf(type.option) !== "option") return literal(type.option, value);
      return `{"some": ${literal(type.option, value.get("some"))}}`;
    case "map":
      return `{${[...value]
        .map(([name, item]) => `${keyLiteral(type.map.key, name)}: ${literal(type.map.value, item)}`)
        .join(", ")}}`;
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

function keyLiteral(type, name) {
  if (type === "bool") return name === "true" ? "True" : "False";
  return type === "string" || type === "char" ? quoted(name) : name;
}

const mapping = (value, typeOf) =>
  `{${[...value].map(([name, item]) => `${quoted(name)}: ${literal(typeOf(name), item)}`).join(", ")}}`;

function bytesLiteral(text) {
  const bytes = unbase64(text);
  const plain = textOf(bytes);
  if (plain !== null && /^[\x20-\x7e\n\t]*$/.test(plain)) return `b${quoted(plain)}`;
  return `b"${[...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")}"`;
}

