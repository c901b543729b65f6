/**
 * What came of a call: the result or the failure, and beside it the receipt.
 */
import { unbase64 } from "../lib/bytes.js";
import { write } from "../lib/exact.js";
import { bytes, count, micros, plural } from "../lib/format.js";
import { kindOf } from "../lib/types.js";
import { Failure } from "./failure.js";
import { Bytes } from "./picture.js";
import { Printed } from "./printed.js";
import { html } from "./ui.js";
import { Value } from "./value.js";

/** A result is shown as its ok value: an error is a failure. */
export const shownType = (result) =>
  result !== null && kindOf(result) === "result" ? result.result.ok : result;

export function Outcome({ outcome, type = null, name, empty = false }) {
  if (outcome.stopped) return html`<p class="note">Stopped waiting.</p>`;
  return html`
    <div class="outcome">
      ${
        outcome.failure
          ? html`<${Failure} failure=${outcome.failure} status=${outcome.status} />`
          : html`
            <div class="result"><${Body} outcome=${outcome} type=${type} name=${name} empty=${empty} /></div>
            ${outcome.printed && html`<${Printed} printed=${outcome.printed} />`}
          `
      }
      <${Receipt} receipt=${outcome.receipt} took=${outcome.took} status=${outcome.status} />
    </div>
  `;
}

/** An outcome in a few words, for who does not see it come. */
export function spoken(outcome) {
  if (!outcome) return "";
  if (outcome.stopped) return "Stopped waiting.";
  if (outcome.failure)
    return `Failed: ${outcome.failure.get("type")}: ${outcome.failure.get("message")}`;
  if (outcome.bytes) return `Result: ${outcome.mediaType}, ${bytes(outcome.bytes.length)}`;
  const text = Array.isArray(outcome.value)
    ? plural(outcome.value.length, "item")
    : write(outcome.value);
  return `Result: ${text.slice(0, 200)}`;
}

function Body({ outcome, type, name, empty }) {
  if (outcome.bytes)
    return html`<${Bytes} bytes=${outcome.bytes} mediaType=${outcome.mediaType} name=${name} />`;
  // A web procedure's bytes, which no type tells of.
  if (type === null && outcome.mimetype === "application/octet-stream") {
    return html`<${Bytes} bytes=${unbase64(outcome.value)} name=${name} />`;
  }
  if (empty && outcome.value === null)
    return html`<p class="note good">Done. It gives no value.</p>`;
  return html`<${Value} value=${outcome.value} type=${type} name=${name} />`;
}

/** What the call used. */
export function Receipt({ receipt, took, status }) {
  const rows = [
    receipt && ["Run", micros(receipt.run), `${receipt.run} µs in the guest`],
    receipt && [
      "Start",
      micros(receipt.instantiate),
      `${receipt.instantiate} µs to make an instance`,
    ],
    receipt && [
      "Fuel",
      count(receipt.fuel),
      `${receipt.fuel} units, about one for each instruction`,
    ],
    receipt && ["Memory", bytes(receipt.memory), `${receipt.memory} bytes at the most`],
    took !== undefined && ["Round trip", micros(took * 1000), "as this browser saw it"],
    status ? ["Status", String(status), "of HTTP"] : null,
  ].filter(Boolean);
  return html`
    <dl class="receipt" aria-label="Receipt">
      ${rows.map(([name, text, title]) => html`<div title=${title}><dt>${name}</dt><dd>${text}</dd></div>`)}
    </dl>
  `;
}
