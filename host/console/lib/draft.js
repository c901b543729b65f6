/**
 * Drafts: what a form holds while someone fills it in, one for each type. A draft is never changed,
 * only replaced, so that equal ones are the same object. `encode.js` makes JSON of them.
 *
 *     number, char, string   text            bool     true or false
 *     list<u8>               {kind: "text" | "base64" | "file", text, name, bytes}
 *     list<number>, matrix   {text, file: null or {name, text, columns, column}}, where `columns` are the
 *                            names of those to choose from, or null, and `column` is the chosen one's number
 *     list of flat records   {rows: [{id, cells: [draft]}]}; the same for tuples
 *     other lists            {items: [{id, draft}]}
 *     map                    {entries: [{id, key: draft, value: draft}]}
 *     record, tuple          {parts: [draft]}
 *     option                 {some, draft}   enum     name       flags   [name]
 *     variant, result        {name, drafts: {NAME: draft}}
 */
import { Literal, isNumber, write } from "./exact.js";
import { columnsOf, isBytes, isMatrix, isNumbers, isNumeric, kindOf } from "./types.js";

/** Drafts outlive a page, and with them the names in them: those of a later page are greater. */
let last = Math.round(performance.timeOrigin * 1000);
/** A name for an item that stays with it while others come and go. */
export const freshId = () => ++last;

/** The cases of a variant or a result: `[{name, type}]`. */
export function casesOf(type) {
  if (kindOf(type) === "variant") return type.variant;
  return ["ok", "err"].map((name) => ({ name, type: type.result[name] }));
}

/** The parts of a record or a tuple: `[{name, type}]`. */
export function partsOf(type) {
  if (kindOf(type) === "record") return type.record;
  return type.tuple.map((type, i) => ({ name: `${i + 1}`, type }));
}

/** An empty draft. */
export function blank(type) {
  switch (kindOf(type)) {
    case "bool":
      return false;
    case "list":
      if (isBytes(type)) return { kind: "text", text: "", name: "", bytes: null };
      if (isNumbers(type) || isMatrix(type)) return { text: "", file: null };
      return columnsOf(type) ? { rows: [blankRow(columnsOf(type))] } : { items: [] };
    case "map":
      return { entries: [] };
    case "record":
    case "tuple":
      return { parts: partsOf(type).map((part) => blank(part.type)) };
    case "option":
      return { some: false, draft: blank(type.option) };
    case "enum":
      return type.enum[0];
    case "flags":
      return [];
    case "variant":
    case "result":
      return { name: casesOf(type)[0].name, drafts: {} };
    default:
      return "";
  }
}

export const blankRow = (columns) => ({ id: freshId(), cells: columns.map((c) => blank(c.type)) });

/** The draft of a case's payload, which is made when it is first looked at. */
export const payloadOf = (draft, { name, type }) => draft.drafts[name] ?? (type && blank(type));

/** The draft that stands for a value, such as a default; null and what does not fit are blank. */
export function draftOf(type, value) {
  if (value === undefined) return blank(type);
  if (isNumeric(type) || type === "string" || type === "char") return text(value);
  switch (kindOf(type)) {
    case "bool":
      return value === true;
    case "list":
      return listDraft(type, value);
    case "map":
      return mapDraft(type.map, value);
    case "record":
      return { parts: type.record.map((field) => draftOf(field.type, value?.get?.(field.name))) };
    case "tuple":
      return { parts: type.tuple.map((part, i) => draftOf(part, value?.[i])) };
    case "option":
      return optionDraft(type, value);
    case "enum":
      return type.enum.includes(value) ? value : type.enum[0];
    case "flags":
      return Array.isArray(value) ? type.flags.filter((name) => value.includes(name)) : [];
    default:
      return caseDraft(type, value);
  }
}

const text = (value) =>
  isNumber(value) || value instanceof Literal ? String(value) : (value ?? "");

function listDraft(type, value) {
  if (isBytes(type)) return { kind: "base64", text: value, name: "", bytes: null };
  // An object stands for a list of pairs.
  if (value instanceof Map && kindOf(type.list) === "tuple") value = [...value];
  if (!Array.isArray(value)) return blank(type);
  if (isNumbers(type)) return { text: value.map(text).join(", "), file: null };
  if (isMatrix(type)) {
    // Lines are all as long as the first, and not empty; brackets have any rows.
    const isEven = value.every((row) => row.length > 0 && row.length === value[0].length);
    const lines = value.map((row) => row.map(text).join(", "));
    return { text: isEven ? lines.join("\n") : write(value), file: null };
  }
  const columns = columnsOf(type);
  if (!columns)
    return { items: value.map((item) => ({ id: freshId(), draft: draftOf(type.list, item) })) };
  const cell = (row, column, i) =>
    draftOf(column.type, row instanceof Map ? row.get(column.name) : row[i]);
  return {
    rows: value.map((row) => ({ id: freshId(), cells: columns.map((c, i) => cell(row, c, i)) })),
  };
}

function mapDraft({ key, value: inner }, value) {
  if (!(value instanceof Map) && !Array.isArray(value)) return { entries: [] };
  // The names of an object are text, also where they stand for numbers and truth values.
  const keyDraft = (name) => (key === "bool" ? String(name) === "true" : String(name));
  return {
    entries: [...value].map(([name, item]) => ({
      id: freshId(),
      key: keyDraft(name),
      value: draftOf(inner, item),
    })),
  };
}

function optionDraft(type, value) {
  if (value === null) return blank(type);
  // An option in an option is told apart by `{"some": …}`.
  const nested = kindOf(type.option) === "option" && value instanceof Map && value.has("some");
  return { some: true, draft: draftOf(type.option, nested ? value.get("some") : value) };
}

function caseDraft(type, value) {
  const name = value instanceof Map ? [...value.keys()][0] : value;
  const found = casesOf(type).find((one) => one.name === name);
  if (!found) return blank(type);
  const payload =
    value instanceof Map && found.type ? draftOf(found.type, value.get(name)) : undefined;
  return { name, drafts: payload === undefined ? {} : { [name]: payload } };
}

/** A value of an unknown type as text for people. */
export const shown = (value) => (typeof value === "string" ? value : write(value));
