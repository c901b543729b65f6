/**
 * A value as people want to see it: plotted, in a table, as text, as a picture; and as JSON.
 */
import { unbase64 } from "../lib/bytes.js";
import { isNumber, write } from "../lib/exact.js";
import { count, plural } from "../lib/format.js";
import { pairsOf, seriesOf, tableOf } from "../lib/shape.js";
import { isBytes, kindOf } from "../lib/types.js";
import { writeCsv } from "../lib/write-csv.js";
import { Bytes } from "./picture.js";
import { Plot } from "./plot.js";
import { Table, cell } from "./table.js";
import { Code, Copy, Download, Segments, fileName, html, useMemo, useState } from "./ui.js";

/** Longer JSON is only for saving. */
const MAX_LENGTH = 200_000;

/** `type` is the result's type where it is known; `name` names files. */
export function Value({ value, type = null, name }) {
  const shapes = useMemo(() => shapesOf(value, type), [value, type]);
  const views = [
    shapes.series && ["plot", "Plot"],
    shapes.table && ["table", "Table"],
    !shapes.table && ["value", "Value"],
    ["json", "JSON"],
  ].filter(Boolean);
  const [wanted, setWanted] = useState(null);
  if (type !== null && isBytes(type) && typeof value === "string") {
    return html`<${Bytes} bytes=${unbase64(value)} name=${name} />`;
  }
  const nested = value !== null && typeof value === "object" && !isNumber(value);
  const view = views.some(([one]) => one === wanted) ? wanted : views[0][0];
  return html`
    <div class="value">
      ${
        nested &&
        html`
        <${Segments}
          name=${`view-${name}`}
          label="How to show the result"
          options=${views}
          value=${view}
          onChange=${setWanted}
        />
      `
      }
      ${view === "plot" && html`<${Series} shape=${shapes.series} />`}
      ${view === "table" && html`<${Table} table=${shapes.table} label="The result as a table" />`}
      ${view === "value" && html`<${Tree} value=${value} type=${type} name=${name} top />`}
      ${view === "json" && html`<${Json} value=${value} />`}
      <p class="more">
        ${shapes.table && html`<span>${plural(shapes.table.rows.length, "row")}</span>`}
        <${Copy} text=${() => (typeof value === "string" ? value : write(value))} label="Copy" />
        <${Download} name=${fileName(name, "json")} make=${() => write(value, "  ")} type="application/json">
          JSON
        <//>
        ${
          shapes.table &&
          html`
          <${Download} name=${fileName(name, "csv")} make=${() => csvOf(shapes.table)} type="text/csv">CSV<//>
        `
        }
      </p>
    </div>
  `;
}

/** What it can be shown as; the entries of a map are pairs, where it has no columns. */
function shapesOf(value, type) {
  const found = { table: tableOf(value), series: seriesOf(value) };
  if (found.table || type === null || kindOf(type) !== "map" || !(value instanceof Map)) return found;
  const pairs = pairsOf(type.map.key, value);
  const table = tableOf(pairs);
  if (!table) return found;
  const columns = table.columns.map((column, i) => ({ ...column, name: ["key", "value"][i] }));
  return { table: { ...table, columns }, series: seriesOf(pairs) };
}

function Json({ value }) {
  const text = useMemo(() => write(value, "  "), [value]);
  const cut = text.length > MAX_LENGTH;
  return html`
    <${Code} text=${cut ? `${text.slice(0, MAX_LENGTH)}…` : text} label="The result as JSON" />
    ${
      cut &&
      html`
      <p class="note">These are the first ${count(MAX_LENGTH)} characters; the file has all of them.</p>
    `
    }
  `;
}

export function Series({ shape, height }) {
  const { x, series } = shape;
  const finite = series.flatMap(({ values }) => values).filter((value) => value !== null);
  const low = finite.reduce((a, b) => Math.min(a, b), Infinity);
  const high = finite.reduce((a, b) => Math.max(a, b), -Infinity);
  const names = series.length > 1 ? ` in ${series.length} series` : "";
  const label = `Plot of ${plural(x.length, "point")}${names}, from ${low} to ${high}`;
  return html`
    <${Plot}
      ...${shape}
      label=${label}
      height=${height}
      legend=${series.length > 1 || height === undefined}
    />
  `;
}

function csvOf({ columns, rows }) {
  const text = (value) =>
    value === undefined || value === null ? "" : typeof value === "string" ? value : write(value);
  return writeCsv([
    columns.map(({ name }) => name),
    ...rows.map((row) => columns.map((_, i) => text(row[i]))),
  ]);
}

/** A value in depth: records as lists of names and values. */
function Tree({ value, type, name, top = false }) {
  if (value === null)
    return top
      ? html`<p class="note">Nothing (<code>null</code>).</p>`
      : html`<span class="none">none</span>`;
  if (type !== null && isBytes(type) && typeof value === "string")
    return html`<${Bytes} bytes=${unbase64(value)} name=${name} />`;
  if (typeof value === "string")
    return html`
      <div class=${top ? "text result-text" : "text"}>
        ${value === "" ? html`<span class="none">empty text</span>` : value}
      </div>
    `;
  if (isNumber(value) || typeof value === "boolean")
    return html`<div class=${top ? "big" : "mono"}>${String(value)}</div>`;
  if (value instanceof Map) {
    if (!value.size) return html`<p class="none">empty</p>`;
    return html`
      <dl class="record">
        ${[...value].map(
          ([key, item]) => html`
            <dt>${key}</dt>
            <dd><${Part} value=${item} type=${innerType(type, key)} name=${key} /></dd>
          `,
        )}
      </dl>
    `;
  }
  if (!value.length) return html`<p class="none">empty list</p>`;
  return html`
    <ol class="items">
      ${value.slice(0, 200).map(
        (item, i) => html`
        <li key=${i}><${Part} value=${item} type=${innerType(type, i)} name=${`${name}_${i}`} /></li>
      `,
      )}
    </ol>
  `;
}

/** A part of a value: a small plot or table where it has one. */
function Part({ value, type, name }) {
  if (value !== null && typeof value === "object" && !isNumber(value)) {
    const series = seriesOf(value);
    if (series && series.x.length > 7) return html`<${Series} shape=${series} height=${140} />`;
    const table = tableOf(value);
    if (table && table.columns.length === 1)
      return html`<span class="mono">${value.map((item, i) => html`${i ? ", " : ""}${cell(item)}`)}</span>`;
    if (table) return html`<${Table} table=${table} label=${name} />`;
  }
  return html`<${Tree} value=${value} type=${type} name=${name} />`;
}

/** The type of a part, as far as it matters: which texts are bytes. */
function innerType(type, step) {
  if (type === null || type === undefined) return null;
  const named = (parts) => parts.find((part) => part.name === step)?.type ?? null;
  switch (kindOf(type)) {
    case "record":
      return named(type.record);
    case "variant":
      return named(type.variant);
    case "result":
      return type.result[step] ?? null;
    case "tuple":
      return type.tuple[step] ?? null;
    case "list":
      return type.list;
    case "map":
      return type.map.value;
    case "option":
      return innerType(type.option, step);
    default:
      return null;
  }
}
