/**
 * Lists of records or tuples whose fields are single values: a table to type in, or CSV.
 */
import { textOf } from "../lib/csv.js";
import { blankRow, freshId } from "../lib/draft.js";
import { Fault } from "../lib/number.js";
import { isTable, readRows } from "../lib/table.js";
import { brief, columnsOf, isNumeric, kindOf } from "../lib/types.js";
import { Icon, html, useRef, useState } from "../parts/ui.js";
import { useFault } from "./fault.js";
import { Bare } from "./field.js";
import { Upload } from "./upload.js";

/** More rows are kept, and not drawn. */
const DRAWN = 100;

export function RowsField({ type, draft, onChange, path, name }) {
  const columns = columnsOf(type);
  const isRecord = kindOf(type.list) === "record";
  const adder = useRef(null);
  const { rows } = draft;
  const change = (row, j, cell) =>
    onChange({
      rows: rows.map((old) =>
        old.id === row.id
          ? { id: row.id, cells: row.cells.map((c, k) => (k === j ? cell : c)) }
          : old,
      ),
    });
  const remove = (row) => {
    onChange({ rows: rows.filter((old) => old.id !== row.id) });
    adder.current?.focus();
  };
  // What was made of a table, or why nothing was.
  const [said, say] = useState({ notes: [], fault: null });
  const fill = async (source) => {
    try {
      const { rows, notes } = readRows(await source, columns, isRecord);
      say({ notes, fault: null });
      onChange({ rows: rows.map((cells) => ({ id: freshId(), cells })) });
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault;
      say({ notes: [], fault: fault.message });
    }
  };
  const paste = (event) => {
    const text = event.clipboardData.getData("text");
    // One value goes into its cell; a table is the whole list.
    if (!isTable(text, columns, isRecord)) return;
    event.preventDefault();
    fill(text);
  };
  const step = (i, j) => (isRecord ? `[${i}].${columns[j].name}` : `[${i}][${j}]`);
  return html`
    ${
      rows.length > 0 &&
      html`
      <div class="scroll" role="group" aria-label=${`${name}, rows`}>
        <table class="rows" onPaste=${paste}>
          <thead>
            <tr>
              <th scope="col" class="index"><span class="unseen">Row</span></th>
              ${columns.map(
                (column) => html`
                <th scope="col">${column.name} <span class="type">${brief(column.type)}</span></th>
              `,
              )}
              <th scope="col"><span class="unseen">Remove</span></th>
            </tr>
          </thead>
          <tbody>
            ${rows.slice(0, DRAWN).map(
              (row, i) => html`
                <tr key=${row.id}>
                  <th scope="row" class="index">${i + 1}</th>
                  ${columns.map(
                    (column, j) => html`
                      <td class=${isNumeric(column.type) ? "numeric" : ""}>
                        <${Cell}
                          type=${column.type}
                          draft=${row.cells[j]}
                          onChange=${(cell) => change(row, j, cell)}
                          path=${path + step(i, j)}
                          label=${`${column.name}, row ${i + 1}`}
                        />
                      </td>
                    `,
                  )}
                  <td>
                    <button
                      type="button"
                      class="quiet square"
                      aria-label=${`Remove row ${i + 1} of ${name}`}
                      onClick=${() => remove(row)}
                    >
                      <${Icon} name="minus" />
                    </button>
                  </td>
                </tr>
              `,
            )}
          </tbody>
        </table>
      </div>
    `
    }
    ${
      rows.length > DRAWN &&
      html`
      <p class="faint">The first ${DRAWN} of ${rows.length} rows; all of them are sent.</p>
    `
    }
    <p class="tools">
      <button
        type="button"
        class="quiet small"
        ref=${adder}
        onClick=${() => onChange({ rows: [...rows, blankRow(columns)] })}
      >
        <${Icon} name="plus" />Add row
      </button>
      <${Upload}
        label=${`${name}: file of CSV`}
        accept=".csv,.tsv,.txt,text/csv,text/plain"
        onFile=${(file) => fill(textOf(file))}
      >
        CSV file
      <//>
      ${
        rows.length > 0
          ? html`
            <button type="button" class="quiet small" onClick=${() => onChange({ rows: [] })}>Clear</button>
          <span class="faint">or paste a table into a cell</span>
          `
          : html`<span class="faint">an empty list</span>`
      }
    </p>
    ${said.notes.map((note) => html`<p class="note" key=${note}>${sentence(note)}</p>`)}
    ${said.fault && html`<p class="fault" role="alert">${sentence(said.fault)} Nothing was taken.</p>`}
  `;
}

const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}.`;

/** An option in a cell is absent where the cell is empty. */
function Cell(props) {
  const fault = useFault(props.path);
  if (kindOf(props.type) !== "option") return html`<${Bare} ...${props} name=${props.label} />`;
  const { type, draft, onChange, path, label } = props;
  return html`
    <input
      type="text"
      aria-label=${`${label}; empty for none`}
      placeholder="none"
      value=${draft.some ? draft.draft : ""}
      onInput=${(event) => onChange(typedCell(type, event.target.value))}
      data-path=${path}
      ...${fault.attributes}
    />
    ${fault.note}
  `;
}

/** What is typed for an option is taken as it is, and looked at when all of it is there. */
const typedCell = (type, text) =>
  text.trim() === "" ? { some: false, draft: "" } : { some: true, draft: text };
