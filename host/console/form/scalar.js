/**
 * Numbers, characters, texts and truth values. Numbers are typed as text, so that no digit is lost.
 */
import { textIn } from "../lib/bytes.js";
import { isInteger, isNumeric, rangeOf } from "../lib/types.js";
import { html } from "../parts/ui.js";
import { idOf, useFault } from "./fault.js";
import { LongText } from "./text.js";
import { Upload } from "./upload.js";

function hint(type) {
  if (!isInteger(type)) return { f32: "0.0", f64: "0.0", char: "one character" }[type];
  const [low, high] = rangeOf(type);
  return high < 100_000n
    ? `${low} to ${high}`
    : low < 0n
      ? "a whole number"
      : "a whole number, 0 or more";
}

export function ScalarField({ type, draft, onChange, path, label }) {
  const fault = useFault(path);
  const input = (event) => onChange(event.target.value);
  if (type === "string") {
    // As many lines as there are, so that a line break can be typed with Shift.
    const submit = (event) => {
      if (event.key !== "Enter" || event.shiftKey || draft.includes("\n")) return;
      event.preventDefault();
      event.target.form?.requestSubmit();
    };
    return html`
      <${LongText}
        id=${idOf(path)}
        aria-label=${label}
        title="Enter calls; Shift+Enter begins a new line"
        rows=${Math.min(12, Math.max(1, draft.split("\n", 13).length))}
        name=${label ?? path}
        value=${draft}
        onChange=${onChange}
        onKeyDown=${submit}
        ...${fault.attributes}
      />
      <${Upload}
        label=${`${label ?? path}: file of text`}
        onFile=${async (file) => onChange(await textIn(file))}
        hidden
      />
      ${fault.note}
    `;
  }
  return html`
    <input
      id=${idOf(path)}
      type="text"
      class=${isNumeric(type) ? "numeric" : "short"}
      aria-label=${label}
      inputmode=${isInteger(type) && type.startsWith("u") ? "numeric" : isNumeric(type) ? "text" : undefined}
      autocomplete="off"
      spellcheck=${false}
      placeholder=${hint(type)}
      value=${draft}
      onInput=${input}
      ...${fault.attributes}
    />
    ${fault.note}
  `;
}

export function BoolField({ draft, onChange, path, label }) {
  return html`
    <span class="switch">
      <input
        id=${idOf(path)}
        type="checkbox"
        role="switch"
        aria-label=${label}
        checked=${draft}
        onChange=${(event) => onChange(event.target.checked)}
      />
      <span class="mono" aria-hidden="true">${String(draft)}</span>
    </span>
  `;
}
