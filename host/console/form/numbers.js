/**
 * Lists of numbers, and lists of such lists: typed, pasted, or from a file of CSV. A file stays out of
 * the text field, since it may have a million numbers.
 */
import { parseCsv } from "../lib/csv.js";
import { words } from "../lib/encode.js";
import { plural } from "../lib/format.js";
import { isMatrix } from "../lib/types.js";
import { Icon, html, useMemo } from "../parts/ui.js";
import { idOf, useFault } from "./field.js";
import { Upload } from "./upload.js";

const ACCEPT = ".csv,.tsv,.txt,text/csv,text/plain";

export function NumbersField({ type, draft, onChange, path, label, name }) {
  const fault = useFault(path);
  const matrix = isMatrix(type);
  const { file } = draft;
  const found = useMemo(
    () => (matrix ? parseCsv(file?.text ?? draft.text).length : words(draft).length),
    [draft],
  );
  const take = async (chosen) =>
    onChange({ text: draft.text, file: readFile(chosen.name, await chosen.text(), matrix) });
  return html`
    ${
      file
        ? html`<${FromFile} file=${file} onChange=${(file) => onChange({ ...draft, file })} name=${name} />`
        : html`
          <textarea
            id=${idOf(path)}
            class="mono"
            aria-label=${label}
            rows=${Math.min(8, Math.max(matrix ? 3 : 2, draft.text.split("\n").length))}
            spellcheck=${false}
            placeholder=${matrix ? "1, 2, 3\n4, 5, 6" : "1, 2, 3"}
            value=${draft.text}
            onInput=${(event) => onChange({ text: event.target.value, file: null })}
            ...${fault.attributes}
          ></textarea>
        `
    }
    ${fault.note}
    <p class="tools">
      <${Upload} label=${`${name}: file of CSV`} accept=${ACCEPT} onFile=${take}>CSV file<//>
      <span class="faint">
        ${matrix ? `${plural(found, "row")}; each on a line` : `${plural(found, "number")}; commas, spaces or lines between them`}
      </span>
    </p>
  `;
}

/** A file, with the choice of a column where it has several and one is wanted. */
function readFile(name, text, matrix) {
  const rows = matrix ? [] : parseCsv(text);
  const isTable =
    rows.length > 1 && rows.every((row) => row.length === rows[0].length) && rows[0].length > 1;
  return isTable ? pick({ name, rows, columns: headingsOf(rows[0]) }, 0) : { name, text };
}

const isNumberText = (cell) => cell.trim() !== "" && !Number.isNaN(Number(cell));
const headingsOf = (row) =>
  row.map((cell, i) => (isNumberText(cell) ? `column ${i + 1}` : cell.trim()));

function pick(file, column) {
  const hasHeading = file.rows[0].some((cell) => !isNumberText(cell));
  const cells = file.rows.slice(hasHeading ? 1 : 0).map((row) => row[column]);
  return { ...file, column, text: cells.join("\n") };
}

function FromFile({ file, onChange, name }) {
  return html`
    <p class="chosen-file">
      <${Icon} name="file" /><span>${file.name}</span>
      ${
        file.columns &&
        html`
        <select
          aria-label=${`${name}: column of the file`}
          value=${String(file.column)}
          onChange=${(event) => onChange(pick(file, Number(event.target.value)))}
        >
          ${file.columns.map((column, i) => html`<option key=${i} value=${String(i)}>${column}</option>`)}
        </select>
      `
      }
      <button
        type="button"
        class="quiet square"
        aria-label=${`Leave ${file.name} out`}
        onClick=${() => onChange(null)}
      >
        <${Icon} name="minus" />
      </button>
    </p>
  `;
}
