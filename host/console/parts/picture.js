/**
 * A picture, or any other bytes: shown by what they are, always with a way to save them.
 */
import { hexDump, pictureType, textOf } from "../lib/bytes.js";
import { bytes as size } from "../lib/format.js";
import { essenceOf, extensionFor } from "../lib/media.js";
import { Code, Download, fileName, html, useEffect, useState } from "./ui.js";

/** Bytes with the media type that came with them, if one did. */
export function Bytes({ bytes, mediaType = "", name }) {
  const essence = essenceOf(mediaType);
  const picture = essence.startsWith("image/") ? essence : pictureType(bytes);
  const text = picture ? null : textOf(bytes.subarray(0, 1 << 20));
  const kind = picture ?? (essence || "application/octet-stream");
  return html`
    ${
      picture
        ? html`<${Picture} bytes=${bytes} type=${picture} />`
        : bytes.length === 0
          ? html`<p class="note">No bytes.</p>`
          : text !== null
            ? html`<${Code} text=${text} label="The bytes as text" />`
            : html`<${Code} text=${hexDump(bytes)} label="The first bytes" />`
    }
    <p class="more">
      <span>
        ${mediaType && !picture ? `${mediaType}, ` : ""}${picture ? `${picture}, ` : ""}${size(bytes.length)}
      </span>
      ${
        bytes.length > 0 &&
        html`
          <${Download} name=${fileName(name, extensionFor(kind))} make=${() => bytes} type=${kind}>
            Save the bytes
          <//>
        `
      }
    </p>
  `;
}

/** Through `<img>`, where even the scripts of an SVG do not run. */
function Picture({ bytes, type }) {
  const [address, setAddress] = useState(null);
  const [broken, setBroken] = useState(false);
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([bytes], { type }));
    setAddress(made);
    setBroken(false);
    return () => URL.revokeObjectURL(made);
  }, [bytes, type]);
  if (broken) return html`<p class="note bad">The browser cannot show this picture.</p>`;
  return (
    address &&
    html`
      <img
        class="picture"
        src=${address}
        alt=${`The result, a picture (${type})`}
        onError=${() => setBroken(true)}
      />
    `
  );
}
