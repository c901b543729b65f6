/**
 * What a value looks like: whether there is a table in it, or something to plot. Goes by the value,
 * since the results of web procedures have no type.
 */
import { isNumber, parse } from "./exact.js";

const NAMED = new Set(["NaN", "Infinity", "-Infinity"]);
const isScalar = (value) => value === null || typeof value !== "object" || isNumber(value);
const isNumeric = (value) => isNumber(value) || NAMED.has(value);

/** Whether all are numbers, and one at least is a real one. */
const allNumeric = (values) =>
  values.length > 0 && values.every(isNumeric) && values.some(isNumber);
const isShort = (value) =>
  isScalar(value) || (Array.isArray(value) && value.length <= 16 && value.every(isScalar));

/**
 * A table: `{columns: [{name, numeric}], rows: [[value]]}`, or null. Rows are records, or lists, or single
 * values; a record of lists of one length is read by columns.
 */
export function tableOf(value) {
  if (Array.isArray(value) && value.length) {
    if (value.every((row) => row instanceof Map)) {
      const names = [...new Set(value.flatMap((row) => [...row.keys()]))];
      const rows = value.map((row) =>
        names.map((name) => (row.has(name) ? row.get(name) : undefined)),
      );
      return names.length && rows.every((row) => row.every(fits)) ? table(names, rows) : null;
    }
    if (value.every((row) => Array.isArray(row) && row.every(fits))) {
      const width = value.reduce((widest, row) => Math.max(widest, row.length), 0);
      if (!width) return null;
      return table(
        Array.from({ length: width }, (_, i) => `${i + 1}`),
        value,
      );
    }
    return value.every(isScalar)
      ? table(
          ["value"],
          value.map((item) => [item]),
        )
      : null;
  }
  const lists = columnsIn(value);
  if (!lists) return null;
  const [first] = lists;
  return table(
    lists.map(([name]) => name),
    first[1].map((_, i) => lists.map(([, list]) => list[i])),
  );
}

/** The entries of a map: names that stand for numbers as numbers. */
export function pairsOf(keyType, value) {
  const isText = ["string", "char", "bool"].includes(keyType);
  return [...value].map(([name, item]) => [isText ? name : parse(name), item]);
}

const fits = (value) =>
  value === undefined ||
  isShort(value) ||
  (value instanceof Map && [...value.values()].every(isScalar));

function table(names, rows) {
  const numeric = (i) =>
    rows.every((row) => row[i] === undefined || row[i] === null || isNumeric(row[i]));
  return { columns: names.map((name, i) => ({ name, numeric: numeric(i) })), rows };
}

/** The lists of a record that has nothing else, two at least and all of one length; else null. */
function columnsIn(value) {
  if (!(value instanceof Map) || value.size < 2) return null;
  const entries = [...value];
  const { length } = entries[0][1] ?? [];
  if (!length) return null;
  return entries.every(
    ([, list]) => Array.isArray(list) && list.length === length && list.every(isScalar),
  )
    ? entries
    : null;
}

const number = (value) => {
  const plain = isNumber(value) ? Number(value) : NaN;
  return Number.isFinite(plain) ? plain : null;
};

const AXES = ["x", "t", "time", "times", "xs"];

/** What can be plotted: `{x, xName, series: [{name, values}], points}`, or null. */
export function seriesOf(value) {
  if (Array.isArray(value) && value.length > 1) {
    if (allNumeric(value))
      return over(
        value.map((_, i) => i),
        "",
        [{ name: "value", values: value.map(number) }],
      );
    if (isWideMatrix(value)) {
      const x = value[0].map((_, i) => i);
      return over(
        x,
        "",
        value.map((row, i) => ({ name: `row ${i + 1}`, values: row.map(number) })),
      );
    }
  }
  const found = Array.isArray(value) || columnsIn(value) ? tableOf(value) : null;
  if (!found || found.rows.length < 2 || found.columns.length > 7) return null;
  const columns = found.columns
    .map(({ name }, i) => ({ name, cells: found.rows.map((row) => row[i] ?? null) }))
    .filter(({ cells }) => allNumeric(cells.filter((cell) => cell !== null)));
  if (!columns.length || (columns.length < 2 && found.columns.length < 2)) return null;
  const isPairs = Array.isArray(value) && Array.isArray(value[0]);
  if (isPairs && columns.length !== found.columns.length) return null;
  const at =
    columns.length < 2
      ? -1
      : Math.max(
          0,
          columns.findIndex(({ name }) => AXES.includes(name.toLowerCase())),
        );
  const x = at < 0 ? found.rows.map((_, i) => i) : columns[at].cells.map(number);
  const rest = columns.filter((_, i) => i !== at);
  const named =
    isPairs && rest.length === 1
      ? ["x", [{ ...rest[0], name: "y" }]]
      : [columns[at]?.name ?? "", rest];
  return over(
    x,
    named[0],
    named[1].map(({ name, cells }) => ({ name, values: cells.map(number) })),
  );
}

/** A few long rows of one length: each is a curve. */
function isWideMatrix(value) {
  const { length } = Array.isArray(value[0]) ? value[0] : [];
  return (
    value.length <= 6 &&
    length > 7 &&
    value.every((row) => row.length === length && allNumeric(row))
  );
}

/** Sorts by x, as the plot needs it; what goes back and forth is drawn as points. */
function over(x, xName, series) {
  const order = x.map((_, i) => i).filter((i) => x[i] !== null);
  const ascending = order.every((at, i) => i === 0 || x[order[i - 1]] < x[at]);
  if (ascending && order.length === x.length) return { x, xName, series, points: false };
  if (!ascending) order.sort((a, b) => x[a] - x[b]);
  return {
    x: order.map((i) => x[i]),
    xName,
    series: series.map(({ name, values }) => ({ name, values: order.map((i) => values[i]) })),
    points: !ascending,
  };
}
