/**
 * CSV as people have it: RFC 4180, and also with semicolons, tabs or spaces between the fields.
 */

/** The rows of a text, each a list of strings; empty lines are left out. */
export function parseCsv(text) {
  const separator = separatorOf(text);
  const rows = [];
  let row = [];
  let field = "";
  let quoted = false;
  const endField = () => {
    row.push(field);
    field = "";
  };
  const endRow = () => {
    endField();
    if (row.length > 1 || row[0].trim()) rows.push(separator === " " ? row.filter(Boolean) : row);
    row = [];
  };
  const source = text.replace(/^\uFEFF/, "");
  for (let i = 0; i < source.length; i++) {
    const char = source[i];
    if (quoted) {
      if (char !== '"') field += char;
      else if (source[i + 1] === '"') field += source[++i];
      else quoted = false;
    } else if (char === '"' && !field.trim()) {
      field = "";
      quoted = true;
    } else if (char === separator || (separator === " " && char === "\t")) endField();
    else if (char === "\n") endRow();
    else if (char !== "\r") field += char;
  }
  endRow();
  return rows;
}

/** The first of tab, semicolon and comma that the first line has outside quotes; else a space. */
function separatorOf(text) {
  const line = text
    .trimStart()
    .split("\n", 1)[0]
    .replace(/"[^"]*"/g, "");
  return (
    ["\t", ";", ","].find((candidate) => line.includes(candidate)) ??
    (/\S +\S/.test(line) && !text.includes('"') ? " " : ",")
  );
}

/** Rows as CSV: lines end as RFC 4180 has it. */
export function writeCsv(rows) {
  const field = (cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  return rows.map((row) => row.map(field).join(",") + "\r\n").join("");
}

/**
 * The cells for columns with these names. A first row that has names only is a heading, which may
 * put the columns in another order.
 */
export function arrange(rows, names) {
  if (!rows.length) return [];
  const plain = (text) =>
    text
      .trim()
      .toLowerCase()
      .replace(/[\s-]+/g, "_");
  const heading = rows[0].map(plain);
  const order = names.map((name) => heading.indexOf(plain(name)));
  const body = order.every((at) => at >= 0) ? rows.slice(1) : rows;
  return body.map((row) => names.map((_, i) => (body === rows ? row[i] : row[order[i]]) ?? ""));
}
