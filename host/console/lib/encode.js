/**
 * Drafts become the text of JSON: never through JavaScript's numbers, so every digit arrives. What
 * does not fit is reported by its path, such as `points[2].x`.
 */
import { base64 } from "./bytes.js";
import { parseCsv } from "./csv.js";
import { casesOf, partsOf, payloadOf } from "./draft.js";
import { columnsOf, isBytes, isFloat, isInteger, isMatrix, kindOf, rangeOf } from "./types.js";

const INTEGER = /^[+-]?\d+$/;
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const NAMED = { nan: "NaN", inf: "Infinity", infinity: "Infinity" };

/** What is wrong with a draft. */
class Fault extends Error {}

/** The JSON text of arguments, `{name: type's value}`, and the faults by path. */
export function encodeArguments(parameters, drafts) {
  const faults = new Map();
  const members = parameters.map(
    ({ name, type }, i) => `${JSON.stringify(name)}: ${encode(type, drafts[i], name, faults)}`,
  );
  return { text: `{${members.join(", ")}}`, faults };
}

/** The JSON text of a draft; faults go into the map, with `null` in their place. */
export function encode(type, draft, path, faults) {
  const inner = (type, draft, step) => encode(type, draft, path + step, faults);
  switch (kindOf(type)) {
    case "bool":
      return String(draft);
    case "string":
    case "enum":
      return JSON.stringify(draft);
    case "flags":
      return `[${draft.map((name) => JSON.stringify(name)).join(", ")}]`;
    case "record": {
      const members = type.record.map(
        ({ name, type }, i) =>
          `${JSON.stringify(name)}: ${inner(type, draft.parts[i], `.${name}`)}`,
      );
      return `{${members.join(", ")}}`;
    }
    case "tuple":
      return `[${partsOf(type)
        .map((part, i) => inner(part.type, draft.parts[i], `[${i}]`))
        .join(", ")}]`;
    case "option": {
      if (!draft.some) return "null";
      const value = inner(type.option, draft.draft, "");
      return kindOf(type.option) === "option" ? `{"some": ${value}}` : value;
    }
    case "variant":
    case "result": {
      const chosen = casesOf(type).find((one) => one.name === draft.name);
      const name = JSON.stringify(chosen.name);
      const value = chosen.type
        ? inner(chosen.type, payloadOf(draft, chosen), `.${chosen.name}`)
        : "null";
      return kindOf(type) === "variant" && !chosen.type ? name : `{${name}: ${value}}`;
    }
    case "list":
      if (columnsOf(type)) return encodeRows(type, draft, path, faults);
      if (draft.items) {
        return `[${draft.items.map((item, i) => inner(type.list, item.draft, `[${i}]`)).join(", ")}]`;
      }
  }
  try {
    return leaf(type, draft);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    faults.set(path, error.message);
    return "null";
  }
}

function encodeRows(type, draft, path, faults) {
  const columns = columnsOf(type);
  const record = kindOf(type.list) === "record";
  const rows = draft.rows.map((row, i) => {
    const cells = columns.map((column, j) => {
      const step = record ? `[${i}].${column.name}` : `[${i}][${j}]`;
      const value = encode(column.type, row.cells[j], path + step, faults);
      return record ? `${JSON.stringify(column.name)}: ${value}` : value;
    });
    return record ? `{${cells.join(", ")}}` : `[${cells.join(", ")}]`;
  });
  return `[${rows.join(", ")}]`;
}

function leaf(type, draft) {
  if (isInteger(type)) return integer(type, draft);
  if (isFloat(type)) return float(draft);
  if (type === "char") {
    if ([...draft].length !== 1) throw new Fault("Exactly one character.");
    return JSON.stringify(draft);
  }
  if (isBytes(type)) return JSON.stringify(bytesText(draft));
  return numbers(type, draft);
}

function integer(type, text) {
  const digits = text.trim().replaceAll("_", "");
  if (!INTEGER.test(digits))
    throw new Fault(digits ? `“${digits}” is not a whole number.` : "A whole number is needed.");
  const value = BigInt(digits.replace(/^\+/, ""));
  const [low, high] = rangeOf(type);
  if (value < low || value > high) throw new Fault(`${value} is out of range: ${low} to ${high}.`);
  return String(value);
}

function float(text) {
  const trimmed = text.trim().replaceAll("_", "");
  if (JSON_NUMBER.test(trimmed)) return trimmed;
  const [, sign, word] = /^([+-]?)(.*)$/.exec(trimmed.toLowerCase());
  if (NAMED[word]) return JSON.stringify((sign === "-" && word !== "nan" ? "-" : "") + NAMED[word]);
  const number = Number(trimmed);
  if (!trimmed || Number.isNaN(number))
    throw new Fault(trimmed ? `“${trimmed}” is not a number.` : "A number is needed.");
  return Number.isFinite(number) ? String(number) : JSON.stringify(String(number));
}

function bytesText({ kind, text, bytes }) {
  if (kind === "file") {
    if (!bytes) throw new Fault("Choose a file.");
    return base64(bytes);
  }
  if (kind === "text") return base64(new TextEncoder().encode(text));
  const digits = text.replace(/\s/g, "");
  try {
    atob(digits);
  } catch {
    throw new Fault("This is not base64.");
  }
  return digits;
}

/** What was made of long lists, since a form asks again at each key. */
const made = new WeakMap();

function numbers(type, draft) {
  let outcome = made.get(draft);
  if (!outcome) {
    try {
      outcome = { text: isMatrix(type) ? matrix(type.list, draft) : row(type, words(draft)) };
    } catch (fault) {
      outcome = { fault };
    }
    made.set(draft, outcome);
  }
  if (outcome.fault) throw outcome.fault;
  return outcome.text;
}

/** The words of a list: separated by commas, semicolons, spaces or lines. A heading is left out. */
export function words({ text, file }) {
  const all = (file?.text ?? text)
    .trim()
    .split(/[\s,;]+/)
    .filter(Boolean);
  return all.length > 1 && !isWord(all[0]) && all.slice(1).every(isWord) ? all.slice(1) : all;
}

const isWord = (word) =>
  !Number.isNaN(Number(word)) || word.replace(/^[+-]/, "").toLowerCase() in NAMED;

function row(type, words, place = "") {
  const one = isInteger(type.list) ? (word) => integer(type.list, word) : float;
  const items = words.map((word, i) => {
    try {
      return one(word);
    } catch (fault) {
      throw new Fault(`Item ${i + 1}${place}: ${fault.message}`);
    }
  });
  return `[${items.join(", ")}]`;
}

function matrix(type, { text, file }) {
  const rows = parseCsv(file?.text ?? text);
  const items = rows.map((cells, i) =>
    row(
      type,
      cells.filter((cell) => cell.trim()),
      ` of row ${i + 1}`,
    ),
  );
  return `[${items.join(", ")}]`;
}
