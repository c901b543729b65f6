/**
 * Lists of numbers, and lists of such lists: typed, pasted, or from a file of CSV. A file stays out of
 * the text field, since it may have a million numbers.
 */
import { textOf } from "../lib/csv.js";
import { numbersOf } from "../lib/encode.js";
import { plural } from "../lib/format.js";
import { Fault } from "../lib/number.js";
import { columnsIn } from "../lib/numbers.js";
import { isMatrix } from "../lib/types.js";
import { Icon, html, useState } from "../parts/ui.js";
import { idOf, useFault } from "./fault.js";
import { LongText } from "./text.js";
import { Upload } from "./upload.js";

const ACCEPT = ".csv,.tsv,.txt,text/csv,text/plain";

export function NumbersField({ type, draft, onChange, path, label, name }) {
  const fault = useFault(path);
  const matrix = isMatrix(type);
  const { file } = draft;
  const [unread, setUnread] = useState(null);
  const made = numbersOf(type, draft);
  const take = async (chosen) => {
    try {
      const file = await readFile(chosen, matrix);
      setUnread(null);
      onChange({ text: draft.text, file });
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault;
      setUnread(fault.message);
    }
  };
  return html`
    ${
      file
        ? html`<${FromFile} file=${file} onChange=${(file) => onChange({ ...draft, file })} name=${name} />`
        : html`
          <${LongText}
            id=${idOf(path)}
            class="mono"
            aria-label=${label}
            rows=${Math.min(8, Math.max(matrix ? 3 : 2, draft.text.split("\n", 9).length))}
            placeholder=${matrix ? "1, 2, 3\n4, 5, 6" : "1, 2, 3"}
            name=${name}
            value=${draft.text}
            onChange=${(text) => onChange({ text, file: null })}
            ...${fault.attributes}
          />
        `
    }
    ${fault.note}
    <p class="tools">
      <${Upload} label=${`${name}: file of CSV`} accept=${ACCEPT} onFile=${take}>CSV file<//>
      <span class="faint">${hint(made, matrix)}</span>
    </p>
    ${made.notes?.map((note) => html`<p class="note" key=${note}>${sentence(note)}</p>`)}
    ${unread && html`<p class="fault" role="alert">${sentence(unread)}</p>`}
    ${file && made.fault && !fault.note && html`<p class="note">${sentence(made.fault.message)}</p>`}
  `;
}

const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}.`;

function hint({ count, fault }, matrix) {
  if (fault) return matrix ? "rows, each on a line" : "commas, spaces or lines between them";
  return matrix
    ? `${plural(count, "row")}; each on a line`
    : `${plural(count, "number")}; commas, spaces or lines between them`;
}

/** A file, with the columns to choose from where it has several and one list is wanted. */
async function readFile(chosen, matrix) {
  const text = await textOf(chosen);
  let columns = null;
  try {
    columns = matrix ? null : columnsIn(text);
  } catch (fault) {
    // What is wrong with the text is said where it is read.
    if (!(fault instanceof Fault)) throw fault;
  }
  return { name: chosen.name, text, columns, column: null };
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
          value=${file.column ?? ""}
          onChange=${(event) => onChange({ ...file, column: event.target.value || null })}
        >
          <option value="">choose a column</option>
          ${file.columns.map(
            (column, i) => html`<option key=${i} value=${String(i + 1)}>${column}</option>`,
          )}
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
