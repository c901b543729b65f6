/**
 * Lists of numbers from text, as the text of JSON, by the rules of `docs/numbers.md`: what is read,
 * what is said of it, and what is refused. `tests/values/number-text.json` has a case of each;
 * `tarp call` follows the same rules.
 */
import { isMeant, readBrackets } from "./brackets.js";
import { bare, checkLengths, close, split } from "./csv.js";
import { element, present } from "./element.js";
import {
  Fault,
  hasDecimalComma,
  mayBeNumber,
  mayGroupThousands,
  shortened,
  trimmed,
  unmarked,
} from "./number.js";
import { Notes } from "./notes.js";
import { isFloat, kindOf } from "./types.js";

const AS_LIST = "a list over several lines is one in brackets: [ ]";

/**
 * The numbers of a text for a list, or for a list of lists: `{text, count, notes}`, of which `count`
 * is that of its items. `column` is that which is wanted, by title or number. Throws a Fault.
 */
export function readNumbers(source, type, column = null) {
  const notes = new Notes();
  const text = trimmed(unmarked(source));
  let items;
  if (isMeant(text)) {
    if (column !== null)
      throw new Fault(`it is a list in brackets, which has no column \`${column}\``);
    items = readBrackets(text, type, notes);
  } else {
    items = lines(source, type, column, notes);
  }
  return { text: `[${items.join(", ")}]`, count: items.length, notes: notes.told() };
}

/** The titles of a table's columns, or their numbers; null where there is one column, or one line. */
export function columnsIn(source) {
  if (isMeant(trimmed(unmarked(source)))) return null;
  const { rows } = split(source, "numbers");
  close(rows);
  if (rows.length < 2 || rows[0].cells.length < 2) return null;
  const { titles } = titled(rows);
  return rows[0].cells.map((_, i) => titles[i] || `column ${i + 1}`);
}

function lines(source, type, column, notes) {
  const table = split(source, "numbers");
  const { rows: all, delimiter } = table;
  close(all);
  notes.lines(table);
  checkOuterTabs(table);
  const { titles, rows } = titled(all);
  notes.titles = titles;
  const element = elementOf(type);
  if (kindOf(type.list) !== "list") {
    if (column === null) return list(table, titles, rows, element, notes);
    checkLengths(all);
    const index = find(column, titles, all);
    return values(
      rows.map((row) => cellOf(row, index)),
      element,
      delimiter,
      notes,
    );
  }
  if (column !== null)
    throw new Fault(`all columns are wanted, and not \`${column}\` alone`);
  if (kindOf(type.list.list) === "list") throw new Fault("such lists are written in brackets");
  checkLengths(all);
  const width = all[0]?.cells.length ?? 0;
  const cells = rows.flatMap((row) => row.cells.map((_, i) => cellOf(row, i)));
  const numbers = values(cells, element, delimiter, notes);
  return rows.map((_, i) => `[${numbers.slice(i * width, (i + 1) * width).join(", ")}]`);
}

/** Refuses lines such as `1,5` with a tab beside it, where either may be the delimiter. */
function checkOuterTabs({ rows, delimiter, outerTab }) {
  if (!outerTab || delimiter !== ",") return;
  const whole = ({ cells }) => cells.join(",");
  const row = rows.find(({ line }) => line === outerTab);
  if (row && rows.every((row) => hasDecimalComma(whole(row))))
    throw new Fault(
      `line ${outerTab}: \`${shortened(whole(row))}\` is one number where the tab separates, and two where ` +
        "the comma does: decimals have a point; without the tab there are two",
    );
}

/** The numbers of the only line, or of the only column. */
function list({ rows: all, delimiter }, titles, rows, element, notes) {
  if (all.length === 1) {
    const cells = all[0].cells.map((text, i) => ({ text, place: `item ${i + 1}` }));
    return values(cells, element, delimiter, notes);
  }
  try {
    checkLengths(all);
  } catch (fault) {
    throw new Fault(`${fault.message}; ${AS_LIST}`);
  }
  const width = all[0]?.cells.length ?? 0;
  if (width > 1) {
    const named = titles.length ? ` (${titles.map(shortened).join(", ")})` : "";
    // As `1,5` in each line is seen here.
    const mayBeDecimal =
      delimiter === "," && width === 2 && all.every(({ cells }) => /^\d*$/.test(cells[1]));
    const comma = mayBeDecimal ? " (decimals have a point)" : "";
    throw new Fault(
      `there are ${width} columns${named}${comma}, and one list of numbers is wanted; ${AS_LIST}`,
    );
  }
  return values(
    rows.map((row) => cellOf(row, 0)),
    element,
    delimiter,
    notes,
  );
}

/** The titles, where the first line has some, and the lines below. */
export function titled(rows) {
  const [first, ...rest] = rows;
  const isTitles =
    rest.length > 0 &&
    first.cells.some((cell) => bare(cell) !== "") &&
    !first.cells.some((cell) => mayBeNumber(bare(cell)));
  return isTitles ? { titles: first.cells.map(bare), rows: rest } : { titles: [], rows };
}

/** The index of a column by its title, or by its number from 1. */
function find(column, titles, rows) {
  const width = rows[0]?.cells.length ?? 0;
  if (/^\d+$/.test(column)) {
    if (Number(column) >= 1 && Number(column) <= width) return Number(column) - 1;
    throw new Fault(`there is no column ${Number(column)}; the columns are 1 to ${width}`);
  }
  const index = titles.indexOf(column);
  if (index >= 0 && titles.indexOf(column, index + 1) >= 0)
    throw new Fault(`several columns have the title \`${column}\`; choose one by its number`);
  if (index >= 0) return index;
  const cure = titles.length
    ? `the columns are ${titles.join(", ")}`
    : `the first line is no line of titles, and 1 to ${width} choose one by its number`;
  throw new Fault(`there is no column \`${column}\`; ${cure}`);
}

/** A cell without the spaces around it, and where it is. */
export function cellOf(row, column) {
  const place =
    row.cells.length === 1 ? `line ${row.line}` : `line ${row.line}, column ${column + 1}`;
  return { text: bare(row.cells[column]), place };
}

const elementOf = (type) => (kindOf(type) === "list" ? elementOf(type.list) : type);

/** Cells as numbers, all by the same decimal sign. */
function values(cells, type, delimiter, notes) {
  const isDecimal = isFloat(present(type)) && hasDecimalCommas(cells, delimiter);
  return cells.map((cell) => valueOf(cell, type, isDecimal, notes));
}

/** A cell as a number, or as a gap. */
export function valueOf({ text, place }, type, isDecimal, notes) {
  let plain = text;
  if (isDecimal && hasDecimalComma(text)) {
    notes.comma ??= text;
    plain = text.replace(",", ".");
  }
  try {
    return element(plain, type, notes, () => place);
  } catch (fault) {
    throw new Fault(`${place}: ${fault.message}`);
  }
}

/** Whether commas are decimal: where they cannot be anything else, and none has a point. */
export function hasDecimalCommas(cells, delimiter) {
  const withComma = cells.filter(({ text }) => hasDecimalComma(text));
  // Elsewhere a comma may be a delimiter, of this line or of a list that goes on.
  if (!withComma.length || (delimiter !== ";" && delimiter !== "\t")) return false;
  const [first] = withComma;
  if (withComma.every(({ text }) => mayGroupThousands(text)))
    throw new Fault(
      `${first.place}: \`${first.text}\` is one number with a decimal comma and another with a comma` +
        " between thousands: decimals have a point, and thousands no separator",
    );
  const other = cells.find(({ text }) => text.includes(".") && mayBeNumber(text));
  if (other)
    throw new Fault(
      `${other.place}: \`${shortened(other.text)}\` has a decimal point, and ` +
        `\`${shortened(first.text)}\` at ${first.place} a decimal comma`,
    );
  return true;
}
