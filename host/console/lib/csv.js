/**
 * CSV as people have it: RFC 4180, and also with semicolons, tabs or spaces between the cells. One
 * delimiter for all of a text, and nothing is passed over in silence: `docs/numbers.md` has the rules,
 * which `tarp call` follows as well.
 */
import { Fault } from "./number.js";

const isSpace = (char) => char === " " || char === "\t" || char === "\u00a0" || char === "\u202f";

const LINE = /[^\n\r]*/y;

/** A cell without what may be around a number, a name or a title, and is no part of it. */
export function bare(text) {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text[start])) start++;
  while (start < end && isSpace(text[end - 1])) end--;
  return text.slice(start, end);
}

const isComment = (line) => line[0] === "#" && line.slice(0, 4).toLowerCase() !== "#n/a";

/** The delimiter of `sep=;`, which Excel writes and reads as a first line. In quotes it is a cell. */
const NAMED = /^sep=([^\n\r])$/iu;

/**
 * The lines of a text: `{rows: [{line, cells, isOpen}], comments, delimiter, isNamed, outerTab}`. Throws a
 * Fault. `kind` says what the cells are:
 *
 * - `numbers`: spaces around them are no part of them, and may separate them;
 * - `words`, none of which is text: spaces around them are no part of them;
 * - `text`, among others: spaces are a part of a cell, as in RFC 4180, and `#` begins no comment;
 * - `titled`: such text below a line of titles, before which there may be comments.
 *
 * `outerTab` is the first line that has a tab at one of its ends, where tabs are not the delimiter.
 */
export function split(text, kind) {
  const keepsSpaces = kind === "text" || kind === "titled";
  const reader = new Reader(text.replace(/^\uFEFF/, ""), keepsSpaces);
  const rows = [];
  let comments = 0;
  let blank = 0;
  let outerTab = 0;
  const named = NAMED.exec(reader.restOfLine())?.[1] ?? null;
  if (named !== null) {
    if (!"\t;,".includes(named))
      throw new Fault(
        `line 1: \`sep=${named}\` names what is between cells; only a tab, a semicolon or a comma can be that`,
      );
    reader.delimiter = named;
    reader.nextLine();
  }
  while (!reader.isAtEnd()) {
    const whole = reader.restOfLine();
    const start = bare(whole);
    // What is between tabs are cells, empty ones too.
    const isBlank = keepsSpaces
      ? !whole
      : !start && !(reader.delimiter === "\t" && whole.includes("\t"));
    if (isBlank) {
      if (rows.length) blank ||= reader.line;
      reader.nextLine();
    } else if (!rows.length && kind !== "text" && isComment(start)) {
      comments++;
      reader.nextLine();
    } else if (blank) {
      throw new Fault(`line ${blank} is blank, and lines with cells follow`);
    } else {
      if (!rows.length && named === null) reader.delimiter = delimiterOf(reader.rest(), kind);
      if (reader.delimiter !== "\t" && (whole.startsWith("\t") || whole.endsWith("\t")))
        outerTab ||= reader.line;
      rows.push(whole.includes('"') ? reader.row() : reader.plainRow(start, whole));
    }
  }
  return { rows, comments, delimiter: reader.delimiter, isNamed: named !== null, outerTab };
}

/** Refuses lines of several lengths. */
export function checkLengths(rows) {
  const odd = rows.find((row) => row.cells.length !== rows[0].cells.length);
  if (!odd) return;
  const cells = ({ cells: { length } }) => (length === 1 ? "1 cell" : `${length} cells`);
  const [first] = rows;
  throw new Fault(
    `line ${first.line} has ${cells(first)}, and line ${odd.line} has ${cells(odd)}`,
  );
}

/** The text of a file; throws a Fault for what is not UTF-8. */
export async function textOf(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const mark = `${bytes[0]} ${bytes[1]}`;
  if (mark === "255 254" || mark === "254 255")
    throw new Fault(`${file.name} is text in UTF-16; save it as UTF-8`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Fault(`${file.name} is not text in UTF-8`);
  }
}

/**
 * The first of tab, semicolon and comma that there is outside of quotes, in the first line or else below
 * it; else spaces, where they may separate and there are any between words below that line, or in the only
 * one; else null.
 */
function delimiterOf(text, kind) {
  const keepsSpaces = kind === "text" || kind === "titled";
  const found = new Set();
  const line = text.split(/[\n\r]/, 1)[0];
  // Around numbers, tabs at an end of the line are as good as spaces.
  const start = keepsSpaces ? -1 : line.length - line.replace(/^[ \t\u00a0\u202f]+/, "").length;
  const end = keepsSpaces ? line.length : start + bare(line).length;
  let quoted = false;
  let atStart = true;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === '"' && (quoted || atStart)) quoted = !quoted;
    else if (!quoted) {
      // Further lines count only where the first has no delimiter.
      if (found.size && (char === "\n" || char === "\r")) break;
      if (char === ";" || char === "," || (char === "\t" && i > start && (i < end || i > line.length)))
        found.add(char);
      atStart = /[\t;,\n\r]/.test(char) || (isSpace(char) && !keepsSpaces);
    }
  }
  const delimiter = ["\t", ";", ","].find((one) => found.has(one));
  if (delimiter || kind !== "numbers") return delimiter ?? null;
  const [first, ...below] = text.split(/[\n\r]/).filter(bare);
  const hasSpaces = (line) => bare(line).includes(" ");
  return (below.length ? below.some(hasSpaces) : hasSpaces(first)) ? " " : null;
}

/** Takes a delimiter at the end of every line, or of every line but the last, for no beginning of a cell. */
export function close(rows) {
  if (!rows.length) return;
  const last = rows.at(-1);
  const before = rows.slice(0, -1);
  const isContinued =
    before.length > 0 &&
    before.every((row) => row.isOpen && row.cells.length === last.cells.length + 1);
  if (!isContinued && !rows.every((row) => row.isOpen)) return;
  for (const row of rows.filter((row) => row.isOpen)) {
    row.cells.pop();
    row.isOpen = false;
  }
}

class Reader {
  constructor(text, keepsSpaces) {
    this.text = text;
    /** Whether spaces are a part of a cell. */
    this.keepsSpaces = keepsSpaces;
    this.at = 0;
    this.line = 1;
    this.delimiter = null;
  }
  isAtEnd() {
    return this.at >= this.text.length;
  }
  rest() {
    return this.text.slice(this.at);
  }
  restOfLine() {
    LINE.lastIndex = this.at;
    return LINE.exec(this.text)[0];
  }
  nextLine(length = this.restOfLine().length) {
    this.at += length;
    if (this.text.startsWith("\r\n", this.at)) this.at += 2;
    else if (!this.isAtEnd()) this.at++;
    this.line++;
  }
  /** A line without quotes. */
  plainRow(trimmed, whole) {
    const { line, delimiter, keepsSpaces } = this;
    this.nextLine(whole.length);
    if (delimiter === null)
      return { line, cells: [keepsSpaces ? whole : trimmed], isOpen: false };
    const all = delimiter === " " ? trimmed.split(" ").filter(Boolean) : whole.split(delimiter);
    const cells = keepsSpaces ? all : all.map(bare);
    return { line, cells, isOpen: cells.length > 1 && cells.at(-1) === "" };
  }
  row() {
    const { line } = this;
    const cells = [];
    let isOpen = false;
    for (;;) {
      if (!this.keepsSpaces) this.skipSpaces();
      if (this.delimiter === " " && this.isAtLineEnd() && cells.length) break;
      isOpen = cells.length > 0 && this.isAtLineEnd();
      cells.push(this.text[this.at] === '"' ? this.quoted() : this.bare());
      if (this.isAtEnd() || this.text[this.at] !== this.delimiter) break;
      this.at++;
    }
    this.nextLine();
    return { line, cells, isOpen };
  }
  bare() {
    const start = this.at;
    const { delimiter } = this;
    this.at = this.find((char) => char === "\n" || char === "\r" || char === delimiter);
    const cell = this.text.slice(start, this.at);
    if (!this.keepsSpaces) return bare(cell);
    if (bare(cell).startsWith('"')) throw this.aroundQuotes();
    return cell;
  }
  aroundQuotes() {
    return new Fault(`line ${this.line}: there are spaces around the quotes of a cell; leave them out`);
  }
  quoted() {
    const opened = this.line;
    let cell = "";
    this.at++;
    for (;;) {
      const end = this.text.indexOf('"', this.at);
      if (end < 0) throw new Fault(`line ${opened}: a quote is opened and not closed`);
      const part = this.text.slice(this.at, end);
      this.line += part.split("\n").length - 1;
      cell += part;
      this.at = end + 1;
      if (this.text[this.at] !== '"') break;
      cell += '"';
      this.at++;
    }
    const behind = this.at;
    if (this.delimiter !== " ") this.skipSpaces();
    if (!this.isAtLineEnd() && this.text[this.at] !== this.delimiter)
      throw new Fault(`line ${this.line}: text follows a quote that is closed`);
    if (this.keepsSpaces && this.at > behind) throw this.aroundQuotes();
    return cell;
  }
  skipSpaces() {
    const { delimiter } = this;
    this.at = this.find((char) => !isSpace(char) || (char === "\t" && delimiter === "\t"));
  }
  isAtLineEnd() {
    const char = this.text[this.at];
    return char === undefined || char === "\n" || char === "\r";
  }
  /** The first place from here on where a character is so, or the end. */
  find(isSo) {
    let at = this.at;
    while (at < this.text.length && !isSo(this.text[at])) at++;
    return at;
  }
}
