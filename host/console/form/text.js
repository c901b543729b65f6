/**
 * Text to type. A long one, such as a million numbers that were pasted, is shown as a file is: a
 * browser needs minutes to lay it out.
 */
import { bytes as size } from "../lib/format.js";
import { Icon, html, useEffect, useRef } from "../parts/ui.js";

/** More characters are not laid out. */
export const LONG = 100_000;

/** A `<textarea>` with these properties; `name` names what is typed. */
export function LongText({ value, onChange, name, ...rest }) {
  const isLong = value.length > LONG;
  const button = useRef(null);
  const wasLong = useRef(isLong);
  useEffect(() => {
    // Where it was pasted there is no text area any more.
    if (isLong && !wasLong.current) button.current.focus();
    wasLong.current = isLong;
  }, [isLong]);
  if (isLong) {
    return html`
      <p class="chosen-file" data-invalid=${rest["aria-invalid"]}>
        <${Icon} name="file" />
        <span>Pasted text</span>
        <span class="faint">${size(new Blob([value]).size)}</span>
        <code class="faint">${value.slice(0, 60).replace(/\s+/g, " ")}…</code>
        <button
          type="button"
          class="quiet square"
          ref=${button}
          aria-label=${`Leave the pasted text of ${name} out`}
          aria-describedby=${rest["aria-describedby"]}
          onClick=${() => onChange("")}
        >
          <${Icon} name="minus" />
        </button>
      </p>
    `;
  }
  /** What would be too long with this in place of the selection is not put there. */
  const take = (event, text) => {
    const { selectionStart, selectionEnd } = event.target;
    if (value.length + text.length <= LONG) return;
    event.preventDefault();
    onChange(value.slice(0, selectionStart) + text + value.slice(selectionEnd));
  };
  return html`
    <textarea
      ...${rest}
      value=${value}
      spellcheck=${false}
      onInput=${(event) => onChange(event.target.value)}
      onPaste=${(event) => take(event, event.clipboardData.getData("text/plain"))}
      onDrop=${(event) => take(event, event.dataTransfer.getData("text/plain"))}
    ></textarea>
  `;
}
