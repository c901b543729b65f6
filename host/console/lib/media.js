/**
 * Media types, and what files of them are called.
 */
import { pictureType, unbase64 } from "./bytes.js";

const EXTENSIONS = {
  "application/json": "json",
  "application/pdf": "pdf",
  "image/gif": "gif",
  "image/jpeg": "jpg",
  "image/png": "png",
  "image/svg+xml": "svg",
  "image/webp": "webp",
  "text/csv": "csv",
  "text/html": "html",
  "text/plain": "txt",
};

export const essenceOf = (mediaType) => mediaType.split(";")[0].trim().toLowerCase();

/** What a file of this type is called; `bin` where that is not known. */
export const extensionFor = (mediaType) => EXTENSIONS[essenceOf(mediaType)] ?? "bin";

/** What a file with the bytes of an outcome is called; nothing where it is no bytes. */
export function extensionOf({ bytes, mediaType, value }) {
  if (bytes) return extensionFor(mediaType);
  if (typeof value !== "string") return undefined;
  try {
    const picture = pictureType(unbase64(value.slice(0, 32)));
    return picture ? extensionFor(picture) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a terminal can show it. */
export const isText = (mediaType) => /^text\/|[/+](json|xml)$/.test(essenceOf(mediaType));
