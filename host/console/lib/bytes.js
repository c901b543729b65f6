/**
 * Bytes: base64 both ways, what kind of picture they are, and whether they are text.
 */

export function base64(bytes) {
  let binary = "";
  // In pieces: the arguments of a call are limited.
  for (let i = 0; i < bytes.length; i += 0x8000) {
    binary += String.fromCharCode.apply(null, bytes.subarray(i, i + 0x8000));
  }
  return btoa(binary);
}

export const unbase64 = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));

const PICTURES = [
  ["image/png", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ["image/jpeg", [0xff, 0xd8, 0xff]],
  ["image/gif", [0x47, 0x49, 0x46, 0x38]],
];

const SVG = /^\s*(?:<\?xml[^>]*>\s*)?(?:<!--[^]*?-->\s*)*(?:<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]/;

/** The media type of a picture by its first bytes, or null. */
export function pictureType(bytes) {
  const found = PICTURES.find(([, start]) => start.every((byte, i) => bytes[i] === byte));
  if (found) return found[0];
  const ascii = (from, to) => String.fromCharCode(...bytes.subarray(from, to));
  if (ascii(0, 4) === "RIFF" && ascii(8, 12) === "WEBP") return "image/webp";
  return SVG.test(ascii(0, 1000)) ? "image/svg+xml" : null;
}

/** The text in a file; throws where it is not in UTF-8, rather than change what is in it. */
export async function textIn(file) {
  const bytes = await file.arrayBuffer();
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Error("it is not text in UTF-8");
  }
}

/** The text that bytes are in UTF-8, or null where they are something else. */
export function textOf(bytes) {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return /[\0-\x08\x0e-\x1f]/.test(text) ? null : text;
  } catch {
    return null;
  }
}

/** The first bytes as a hex dump: offset, sixteen bytes, and what they are in ASCII. */
export function hexDump(bytes, limit = 512) {
  const lines = [];
  for (let at = 0; at < Math.min(bytes.length, limit); at += 16) {
    const row = [...bytes.subarray(at, Math.min(at + 16, limit))];
    const hex = row.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const ascii = row
      .map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "·"))
      .join("");
    lines.push(`${at.toString(16).padStart(6, "0")}  ${hex.padEnd(47)}  ${ascii}`);
  }
  return lines.join("\n");
}
