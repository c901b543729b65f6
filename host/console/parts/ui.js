/**
 * The small pieces that every page is made of. All text becomes text nodes: nothing here, or anywhere
 * in the console, takes HTML.
 */
import { html, useEffect, useRef, useState } from "../vendor/htm-3.1.1/standalone.module.js";

export * from "../vendor/htm-3.1.1/standalone.module.js";

/** Icons as paths of 24 by 24 units, drawn with the text's colour. */
const ICONS = {
  sun: "M12 4V2m0 20v-2m8-8h2M2 12h2m13.7-5.7 1.4-1.4M4.9 19.1l1.4-1.4m11.4 0 1.4 1.4M4.9 4.9l1.4 1.4M16 12a4 4 0 1 1-8 0 4 4 0 0 1 8 0Z",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z",
  plus: "M12 5v14M5 12h14",
  minus: "M6 6l12 12M18 6 6 18",
  copy: "M9 9h10v11H9zM5 15V4h10",
  check: "m5 12.5 4.5 4.5L19 7.5",
  back: "m14 6-6 6 6 6",
  down: "M12 4v11m-5-4.5 5 5 5-5M5 20h14",
  leave: "M14 4H5v16h9M10 12h10m-4-4 4 4-4 4",
  file: "M13 3H6v18h12V8zm0 0v5h5",
  warning: "M12 9v4.5m0 3v.5M12 3.5 2.5 20h19z",
};

export const Icon = ({ name }) => html`
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d=${ICONS[name]} /></svg>
`;

/** A button that copies a text, or what a function makes when it is pressed, and says so. */
export function Copy({ text, label = "Copy" }) {
  const [copied, setCopied] = useState(false);
  const timer = useRef(null);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = async () => {
    await write(typeof text === "function" ? text() : text);
    setCopied(true);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setCopied(false), 2000);
  };
  return html`
    <button type="button" class="quiet small" onClick=${copy}>
      <${Icon} name=${copied ? "check" : "copy"} />
      <span aria-live="polite">${copied ? "Copied" : label}</span>
    </button>
  `;
}

/** Writes to the clipboard; over plain HTTP to another machine there is only the old way. */
async function write(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

/** A choice among few, as a row of radio buttons. `options` is `[[value, label]]`. */
export function Segments({ name, label, options, value, onChange }) {
  return html`
    <fieldset class="segments">
      <legend class="unseen">${label}</legend>
      ${options.map(
        ([option, text]) => html`
          <label key=${option} class=${option === value ? "chosen" : ""}>
            <input type="radio" name=${name} checked=${option === value} onChange=${() => onChange(option)} />
            ${text}
          </label>
        `,
      )}
    </fieldset>
  `;
}

/** Gives the browser a file to save. */
export function Download({ name, make, type, children }) {
  const save = () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([make()], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  };
  return html`
    <button type="button" class="quiet small" onClick=${save}><${Icon} name="down" />${children}</button>
  `;
}

/** Text in a fixed pitch; long lines and many of them scroll in it. */
export const Code = ({ text, label }) => html`
  <pre tabindex="0" role="region" aria-label=${label}><code>${text}</code></pre>
`;

export const Note = ({ kind = "plain", children }) =>
  html`<p class=${`note ${kind}`}>${children}</p>`;

/** The time now, anew every second, in a component that shows how long ago something was. */
export function useNow(interval = 1000) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), interval);
    return () => clearInterval(timer);
  }, [interval]);
  return now;
}

/** A file name from a procedure's name. */
export const fileName = (name, extension) => `${name.replace(/[^\w.-]+/g, "_")}.${extension}`;
