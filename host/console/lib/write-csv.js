/**
 * Tables as CSV, so that `csv.js` and `tarp call` read the same cells.
 */

/** What could be taken for a delimiter, for the end of a line, or for something before all cells. */
const NEEDS_QUOTES = /[",;\t\r\n]|^\uFEFF|^sep=/i;

/** Rows as CSV that is read as the same: lines end as RFC 4180 has it. */
export function writeCsv(rows) {
  const field = (cell) => (NEEDS_QUOTES.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  return rows.map((row) => row.map(field).join(",") + "\r\n").join("");
}
