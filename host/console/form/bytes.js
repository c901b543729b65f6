/**
 * Bytes: a file, or typed as text or as base64.
 */
import { bytes as size } from "../lib/format.js";
import { Icon, Segments, html } from "../parts/ui.js";
import { idOf, useFault } from "./fault.js";
import { LongText } from "./text.js";
import { Upload } from "./upload.js";

const KINDS = [
  ["file", "File"],
  ["text", "Text"],
  ["base64", "Base64"],
];

export function BytesField({ draft, onChange, path, name }) {
  const fault = useFault(path);
  const take = async (file) =>
    onChange({
      ...draft,
      kind: "file",
      name: file.name,
      bytes: new Uint8Array(await file.arrayBuffer()),
    });
  return html`
    <div class="tools">
      <${Segments}
        name=${`${idOf(path)}-kind`}
        label=${`${name} as`}
        options=${KINDS}
        value=${draft.kind}
        onChange=${(kind) => onChange({ ...draft, kind })}
      />
      <${Upload} label=${`${name}: file`} onFile=${take}>Choose a file<//>
    </div>
    ${
      draft.kind === "file"
        ? draft.bytes
          ? html`
            <p class="chosen-file">
              <${Icon} name="file" />
              <span>${draft.name}</span><span class="faint">${size(draft.bytes.length)}</span>
            </p>
          `
          : html`
            <p class="faint">
              ${draft.name ? `No file: ${draft.name} has to be chosen again, since a browser keeps no files over a reload.` : "No file yet. It can also be dropped here."}
            </p>
          `
        : html`
          <${LongText}
            id=${idOf(path)}
            class=${draft.kind === "base64" ? "mono" : ""}
            aria-label=${`${name}, as ${draft.kind}`}
            rows="2"
            name=${name}
            value=${draft.text}
            onChange=${(text) => onChange({ ...draft, text })}
            ...${fault.attributes}
          />
        `
    }
    ${fault.note}
  `;
}
