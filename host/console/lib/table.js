/**
 * Lists of records or tuples from CSV, as drafts; `tarp call` reads them by the same rules. Nothing that
 * is in the text is left out, and what does not fit its column is refused with its line.
 */
import { checkLengths, split } from "./csv.js";
import { Fault, mayBeNumber } from "./number.js";
import { Notes, cellOf, hasDecimalCommas, titled, valueOf } from "./numbers.js";
import { isFloat, isNumeric, kindOf } from "./types.js";

const BOOLS = { true: true, yes: true, 1: true, false: false, no: false, 0: false };
const present = (type) => (kindOf(type) === "option" ? present(type.option) : type);

/**
 * The drafts of each line's cells, in the order of the columns, `[{name, type}]`, of a record or else a
 * tuple: `{rows: [[draft]], notes}`. Throws a Fault.
 */
export function readRows(text, columns, isRecord) {
  const bySpaces = columns.every(({ type }) => isNumeric(present(type)));
  const { rows: all, comments, delimiter } = split(text, bySpaces);
  const notes = new Notes();
  notes.comments = comments;
  if (all.length) checkLengths(all);
  const { order, rows } = isRecord ? byNames(all, columns) : byPosition(all, columns, notes);
  const floats = rows.flatMap((row) =>
    columns.flatMap(({ type }, i) =>
      order[i] >= 0 && isFloat(present(type)) ? [cellOf(row, order[i])] : [],
    ),
  );
  const isDecimal = hasDecimalCommas(floats, delimiter);
  const draft = (row, { type }, at) =>
    at < 0 ? { some: false, draft: "" } : cellDraft(cellOf(row, at), type, isDecimal, notes);
  return {
    rows: rows.map((row) => columns.map((column, i) => draft(row, column, order[i]))),
    notes: notes.told(),
  };
}

/**
 * Which cell each field has, -1 where none. The first line has the fields' names; without any of them
 * the cells are the fields in their order, where that line cannot be one of titles.
 */
function byNames(rows, fields) {
  if (!rows.length) return { order: [], rows };
  const [{ line, cells }, ...rest] = rows;
  const titles = cells.map(plain);
  const names = fields.map(({ name }) => name);
  if (!titles.some((title) => names.includes(title)) && cells.some(mayBeNumber)) {
    if (cells.length === fields.length) return { order: fields.map((_, i) => i), rows };
    throw new Fault(`line ${line}: ${cells.length} cells for ${fields.length} fields`);
  }
  const unknown = cells.find((_, i) => !names.includes(titles[i]));
  if (unknown !== undefined)
    throw new Fault(
      `there is no field \`${unknown}\`; the first line has titles: ${names.join(",")}`,
    );
  const twice = titles.find((title, i) => titles.indexOf(title) !== i);
  if (twice !== undefined) throw new Fault(`two columns have the title \`${twice}\``);
  const missing = fields.find(
    ({ name, type }) => !titles.includes(name) && kindOf(type) !== "option",
  );
  if (missing) throw new Fault(`there is no column for the field \`${missing.name}\``);
  return { order: names.map((name) => titles.indexOf(name)), rows: rest };
}

function byPosition(all, columns, notes) {
  // Where there is text among the columns, a line of it may be anything.
  const hasNumbers = columns.some(({ type }) => isNumeric(present(type)));
  const { titles, rows } = hasNumbers ? titled(all) : { titles: [], rows: all };
  notes.titles = titles;
  const odd = rows.find(({ cells }) => cells.length !== columns.length);
  if (odd)
    throw new Fault(`line ${odd.line}: ${odd.cells.length} cells for ${columns.length} values`);
  return { order: columns.map((_, i) => i), rows };
}

/** A title as a name: `Taken at` is `taken_at`. */
const plain = (title) => title.split(/[ -]+/).filter(Boolean).join("_").toLowerCase();

function cellDraft(cell, type, isDecimal, notes) {
  const { text, place } = cell;
  if (isNumeric(present(type))) {
    const value = valueOf(cell, type, isDecimal, notes);
    if (kindOf(type) !== "option") return value.replaceAll('"', "");
    return value === "null"
      ? { some: false, draft: "" }
      : { some: true, draft: value.replaceAll('"', "") };
  }
  switch (kindOf(type)) {
    case "bool":
      if (!(text.toLowerCase() in BOOLS))
        throw new Fault(`${place}: expected true or false, got \`${text}\``);
      return BOOLS[text.toLowerCase()];
    case "enum":
      if (!type.enum.includes(text))
        throw new Fault(`${place}: \`${text}\` is none of ${type.enum.join(", ")}`);
      return text;
    case "option":
      return text === ""
        ? { some: false, draft: "" }
        : { some: true, draft: cellDraft(cell, type.option, isDecimal, notes) };
    default:
      return text;
  }
}
