/**
 * A button that lets one choose a file, or the same without a button, for files that are dropped. What
 * cannot be taken is said, and nothing is taken of it.
 */
import { Icon, html, useState } from "../parts/ui.js";

export function Upload({ label, accept, onFile, children, hidden = false }) {
  const [wrong, setWrong] = useState(null);
  const choose = async (event) => {
    const files = [...event.target.files];
    // The same file may be chosen again after it was changed.
    event.target.value = "";
    if (!files.length) return;
    if (files.length > 1) {
      setWrong(`One file at a time: of these ${files.length}, none was taken.`);
      return;
    }
    try {
      await onFile(files[0]);
      setWrong(null);
    } catch (error) {
      setWrong(`${files[0].name} was not taken: ${error.message}.`);
    }
  };
  const input = html`
    <input type="file" aria-label=${label} accept=${accept} hidden=${hidden} onChange=${choose} />
  `;
  return html`
    ${
      hidden
        ? input
        : html`<label class="upload button quiet small">${input}<${Icon} name="file" />${children}</label>`
    }
    ${wrong && html`<span class="fault" role="alert">${wrong}</span>`}
  `;
}
