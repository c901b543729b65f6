/**
 * Drafts become the text of JSON: never through JavaScript's numbers, so every digit arrives. What
 * does not fit is reported by its path, such as `points[2].x`.
 */
import { base64 } from "./bytes.js";
import { casesOf, partsOf, payloadOf } from "./draft.js";
import { Fault, readNumber, trimmed } from "./number.js";
import { readNumbers } from "./numbers.js";
import { columnsOf, isBytes, isNumeric, kindOf } from "./types.js";

/** The JSON text of arguments, `{name: type's value}`, by name too, and the faults by path. */
export function encodeArguments(parameters, drafts) {
  const faults = new Map();
  const texts = new Map(
    parameters.map(({ name, type }, i) => [name, encode(type, drafts[i], name, faults)]),
  );
  const members = [...texts].map(([name, text]) => `${JSON.stringify(name)}: ${text}`);
  return { text: `{${members.join(", ")}}`, texts, faults };
}

/** What was made of drafts that are objects, since a form asks again at each key. */
const known = new WeakMap();

/** The JSON text of a draft; faults go into the map, with `null` in their place. */
export function encode(type, draft, path, faults) {
  if (typeof draft !== "object") return encodeAnew(type, draft, path, faults);
  let one = known.get(draft);
  if (one?.type !== type) {
    const own = new Map();
    one = { type, text: encodeAnew(type, draft, "", own), faults: own };
    known.set(draft, one);
  }
  for (const [step, message] of one.faults) faults.set(path + step, message);
  return one.text;
}

function encodeAnew(type, draft, path, faults) {
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
    case "map":
      return encodeMap(type.map, draft, path, faults);
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

/** An object, whose names are the keys; each comes once. */
function encodeMap({ key, value }, { entries }, path, faults) {
  const names = new Set();
  const members = entries.map((entry, i) => {
    const step = `${path}[${i}]`;
    const own = new Map();
    const text = encode(key, entry.key, `${step}.key`, own);
    const name = text.startsWith('"') ? text : `"${text}"`;
    if (!own.size && names.has(name)) own.set(`${step}.key`, `The key ${text} comes twice.`);
    names.add(name);
    for (const [place, message] of own) faults.set(place, message);
    return `${name}: ${encode(value, entry.value, `${step}.value`, faults)}`;
  });
  return `{${members.join(", ")}}`;
}

function leaf(type, draft) {
  if (isNumeric(type)) return readNumber(trimmed(draft), type);
  if (type === "char") {
    if ([...draft].length !== 1) throw new Fault("Exactly one character.");
    return JSON.stringify(draft);
  }
  if (isBytes(type)) return JSON.stringify(bytesText(draft));
  const { fault, text } = numbersOf(type, draft);
  if (fault) throw fault;
  return text;
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

/** The numbers of a draft: `{text, count, notes}` as `readNumbers` has them, or `{fault}`. */
export function numbersOf(type, draft) {
  let outcome = made.get(draft);
  if (!outcome) {
    try {
      outcome = readDraft(type, draft);
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault;
      outcome = { fault };
    }
    made.set(draft, outcome);
  }
  return outcome;
}

function readDraft(type, { text, file }) {
  if (!file) return readNumbers(text, type);
  if (file.columns && !file.column)
    throw new Fault(`choose one of the ${file.columns.length} columns of ${file.name}`);
  return readNumbers(file.text, type, file.column ?? null);
}
