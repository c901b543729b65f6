/**
 * Lists of records or tuples from CSV, and of tuples in brackets, as drafts; `tarp call` reads them by the same rules. Nothing that
 * is in the text is left out, and what does not fit its column is refused with its line.
 */
import { isMeant, readBrackets } from "./brackets.js";
import { bare, checkLengths, close, split } from "./csv.js";
import { Fault, mayBeNumber, shortened, trimmed, unmarked } from "./number.js";
import { Notes } from "./notes.js";
import { cellOf, hasDecimalCommas, titled, valueOf } from "./numbers.js";
import { isFloat, isNumeric, kindOf } from "./types.js";

const BOOLS = new Map([
  ["true", true],
  ["yes", true],
  ["1", true],
  ["false", false],
  ["no", false],
  ["0", false],
]);
const present = (type) => (kindOf(type) === "option" ? present(type.option) : type);

const areNumbers = (columns) => columns.every(({ type }) => isNumeric(present(type)));
const isText = (type) => ["string", "char"].includes(kindOf(present(type)));
const plainText = (text) => trimmed(unmarked(text));
const isBracketed = (text, columns, isRecord) =>
  !isRecord && areNumbers(columns) && isMeant(plainText(text));

/** Whether a text is a table for these columns, and not one cell. */
export const isTable = (text, columns, isRecord) =>
  /[\n\t]/.test(trimmed(text)) || isBracketed(text, columns, isRecord);

/**
 * The drafts of each line's cells, in the order of the columns, `[{name, type}]`, of a record or else a
 * tuple: `{rows: [[draft]], notes}`. Throws a Fault.
 */
export function readRows(text, columns, isRecord) {
  if (isBracketed(text, columns, isRecord)) return bracketed(plainText(text), columns);
  const table = split(text, kindFor(columns, isRecord));
  const { rows: all, delimiter } = table;
  const notes = new Notes();
  notes.lines(table);
  if (all.length) {
    if (all[0].cells.length > columns.length || (isRecord && hasNames(all[0], columns))) close(all);
    checkLengths(all);
  }
  const { order, rows } = isRecord ? byNames(all, columns) : byPosition(all, columns, notes);
  const floats = rows.flatMap((row) =>
    columns.flatMap(({ type }, i) =>
      order[i] >= 0 && isFloat(present(type)) ? [cellOf(row, order[i])] : [],
    ),
  );
  const isDecimal = hasDecimalCommas(floats, delimiter);
  const draft = (row, { type }, at) =>
    at < 0
      ? { some: false, draft: "" }
      : cellDraft(row.cells[at], cellOf(row, at), type, isDecimal, notes);
  return {
    rows: rows.map((row) => columns.map((column, i) => draft(row, column, order[i]))),
    notes: notes.told(),
  };
}

/** What the cells of the columns are, for `split`. */
function kindFor(columns, isRecord) {
  if (areNumbers(columns)) return "numbers";
  if (!columns.some(({ type }) => isText(type))) return "words";
  return isRecord ? "titled" : "text";
}

const hasNames = ({ cells }, fields) =>
  cells.some((title) => fields.some(({ name }) => name === plain(title)));

/** Tuples of numbers in brackets: `((1, 2), (3, 4))`. */
function bracketed(text, columns) {
  const notes = new Notes();
  const rows = readBrackets(text, { list: { tuple: columns.map(({ type }) => type) } }, notes);
  // JSON texts of numbers, none of which has a comma.
  const draft = (row) =>
    row
      .slice(1, -1)
      .split(", ")
      .map((value, i) => numberDraft(value, columns[i].type));
  return { rows: rows.map(draft), notes: notes.told() };
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
  if (!hasNames(rows[0], fields) && cells.some((cell) => mayBeNumber(bare(cell)))) {
    if (cells.length === fields.length) return { order: fields.map((_, i) => i), rows };
    throw new Fault(`line ${line}: ${cells.length} cells for ${fields.length} fields`);
  }
  const unknown = cells.find((_, i) => !names.includes(titles[i]));
  if (unknown !== undefined)
    throw new Fault(
      `there is no field \`${shortened(bare(unknown))}\`; the first line has titles: ${names.join(",")}`,
    );
  const second = titles.findIndex((title, i) => titles.indexOf(title) !== i);
  if (second >= 0)
    throw new Fault(
      `columns ${titles.indexOf(titles[second]) + 1} and ${second + 1} both have the title of the field ` +
        `\`${titles[second]}\`; rename or remove one of them`,
    );
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
const plain = (title) => bare(title).split(/[ -]+/).filter(Boolean).join("_").toLowerCase();

/** The draft of a number's JSON text. */
function numberDraft(value, type) {
  if (kindOf(type) !== "option") return value.replaceAll('"', "");
  return value === "null"
    ? { some: false, draft: "" }
    : { some: true, draft: value.replaceAll('"', "") };
}

/** Text is what the cell has, with the spaces around it. */
function cellDraft(whole, cell, type, isDecimal, notes) {
  const { text, place } = cell;
  if (isNumeric(present(type))) {
    return numberDraft(valueOf(cell, type, isDecimal, notes), type);
  }
  switch (kindOf(type)) {
    case "bool": {
      const value = BOOLS.get(text.toLowerCase());
      if (value === undefined)
        throw new Fault(`${place}: expected true or false, got \`${shortened(text)}\``);
      return value;
    }
    case "enum":
      if (!type.enum.includes(text))
        throw new Fault(`${place}: \`${shortened(text)}\` is none of ${type.enum.join(", ")}`);
      return text;
    case "option":
      return (isText(type) ? whole : text) === ""
        ? { some: false, draft: "" }
        : { some: true, draft: cellDraft(whole, cell, type.option, isDecimal, notes) };
    default:
      return whole;
  }
}
