/**
 * A failure with all that is known of it. Every word may come from a guest.
 */
import { isNumber, write } from "../lib/exact.js";
import { Printed } from "./printed.js";
import { Code, Icon, html } from "./ui.js";
import { Value } from "./value.js";

const BACKTRACE = "Backtrace of the guest";

const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

/** `failure` is a Map as a failure's body has it, or an exact part of a job. */
export function Failure({ failure, status = 0 }) {
  // Somebody wanted it so.
  if (failure.get("type") === "Cancelled") return html`<p class="note">${sentence(failure.get("message"))}</p>`;
  const value = failure.get("value");
  const isNested = typeof value === "object" && value !== null && !isNumber(value);
  const said = failure.get("message");
  const repeats = value === said || value === undefined;
  return html`
    <div class="failure" role="group" aria-label="Failure">
      <p class="failure-type">
        <${Icon} name="warning" /><strong>${failure.get("type")}</strong>
        ${status > 0 && html`<span class="faint">HTTP ${status}</span>`}
      </p>
      <p class="failure-message">${said}</p>
      ${
        !repeats &&
        html`
        <h3>Its value</h3>
        ${isNested ? html`<${Value} value=${value} name="error" />` : html`<p class="mono">${write(value)}</p>`}
      `
      }
      ${
        failure.get("backtrace") &&
        html`<h3>${BACKTRACE}</h3><${Code} text=${failure.get("backtrace")} label=${BACKTRACE} />`
      }
      <${Printed} printed=${failure} />
    </div>
  `;
}
