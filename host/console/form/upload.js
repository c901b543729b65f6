/**
 * A button that lets one choose a file, and takes one that is dropped on it.
 */
import { Icon, html, useState } from "../parts/ui.js";

export function Upload({ label, accept, onFile, children }) {
  const [over, setOver] = useState(false);
  const drop = (event) => {
    event.preventDefault();
    setOver(false);
    if (event.dataTransfer.files[0]) onFile(event.dataTransfer.files[0]);
  };
  const hover = (event) => {
    event.preventDefault();
    setOver(true);
  };
  const choose = (event) => {
    if (event.target.files[0]) onFile(event.target.files[0]);
    // The same file may be chosen again after it was changed.
    event.target.value = "";
  };
  return html`
    <label
      class=${`upload button quiet small ${over ? "over" : ""}`}
      onDragOver=${hover}
      onDragLeave=${() => setOver(false)}
      onDrop=${drop}
    >
      <input type="file" aria-label=${label} accept=${accept} onChange=${choose} />
      <${Icon} name="file" />${children}
    </label>
  `;
}
