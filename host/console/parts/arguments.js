/**
 * The arguments that something is of: each in brief, all of them to copy and to save.
 */
import { Copy, Download, fileName, html } from "./ui.js";

/** Longer ones are cut. */
const MAX_LENGTH = 160;

const cut = (text) => (text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text);

/** `texts` is a Map from names to their JSON; `label` is for who does not see where they stand. */
export function Arguments({ texts, label }) {
  if (!texts.size) return html`<p class="faint given-none">Without arguments.</p>`;
  return html`
    <dl class="given-arguments" aria-label=${label}>
      ${[...texts].map(
        ([name, text]) => html`<div key=${name}><dt>${name}</dt><dd>${cut(text)}</dd></div>`,
      )}
    </dl>
  `;
}

/** The JSON object that they are. */
export const objectOf = (texts) =>
  `{${[...texts].map(([name, text]) => `${JSON.stringify(name)}: ${text}`).join(", ")}}`;

export function SaveArguments({ texts, name }) {
  const make = () => objectOf(texts);
  return html`
    <${Copy} text=${make} label="Copy" />
    <${Download} name=${fileName(`${name}-arguments`, "json")} make=${make} type="application/json">JSON<//>
  `;
}
