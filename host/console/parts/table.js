/**
 * A table of a result: numbers to the right, a few hundred rows at a time.
 */
import { isNumber, write } from "../lib/exact.js";
import { count } from "../lib/format.js";
import { html, useState } from "./ui.js";

const STEP = 200;

export function Table({ table, label }) {
  const [shown, setShown] = useState(STEP);
  const rows = table.rows.slice(0, shown);
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label=${label}>
      <table class="data">
        <thead>
          <tr>
            <th scope="col" class="index"><span class="unseen">Row</span></th>
            ${table.columns.map(
              (column) => html`
              <th scope="col" class=${column.numeric ? "number" : ""}>${column.name}</th>
            `,
            )}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (row, i) => html`
              <tr key=${i}>
                <th scope="row" class="index">${i + 1}</th>
                ${table.columns.map(
                  (column, j) => html`
                  <td class=${column.numeric ? "number" : ""}>${cell(row[j])}</td>
                `,
                )}
              </tr>
            `,
          )}
        </tbody>
      </table>
    </div>
    ${
      table.rows.length > shown &&
      html`
      <p class="more">
        ${count(shown)} of ${count(table.rows.length)} rows
        <button type="button" class="quiet small" onClick=${() => setShown(shown + 1000)}>Show more</button>
      </p>
    `
    }
  `;
}

/** A value in a cell, as text. */
export function cell(value) {
  if (value === undefined) return "";
  if (value === null) return html`<span class="none">none</span>`;
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return value ? "true" : "false";
  return isNumber(value) ? String(value) : write(value);
}
