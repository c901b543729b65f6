// `TextEncoder` and `TextDecoder`, which QuickJS does not have: UTF-8 only.

const REPLACEMENT = 0xfffd;

/** The bytes of a text. */
export function encodeUtf8(text) {
  const bytes = [];
  for (const character of text) {
    let point = character.codePointAt(0);
    if (point >= 0xd800 && point < 0xe000) point = REPLACEMENT;
    if (point < 0x80) bytes.push(point);
    else if (point < 0x800) bytes.push(0xc0 | (point >> 6), 0x80 | (point & 63));
    else if (point < 0x10000) bytes.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
    else bytes.push(0xf0 | (point >> 18), 0x80 | ((point >> 12) & 63), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
  }
  return Uint8Array.from(bytes);
}

/** The text of bytes; `malformed` is called for what is no UTF-8 and gives the code point instead. */
export function decodeUtf8(bytes, malformed = () => REPLACEMENT) {
  const points = [];
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at++];
    if (first < 0x80) {
      points.push(first);
      continue;
    }
    const more = first >= 0xc2 && first < 0xe0 ? 1 : first >= 0xe0 && first < 0xf0 ? 2 : first >= 0xf0 && first < 0xf5 ? 3 : 0;
    let point = first & (0x3f >> more);
    // The second byte's range excludes what is too long, a surrogate, or beyond Unicode.
    let low = { 0xe0: 0xa0, 0xf0: 0x90 }[first] ?? 0x80;
    let high = { 0xed: 0x9f, 0xf4: 0x8f }[first] ?? 0xbf;
    let left = more;
    for (; left > 0 && bytes[at] >= low && bytes[at] <= high; left--, low = 0x80, high = 0xbf) {
      point = (point << 6) | (bytes[at++] & 63);
    }
    points.push(more === 0 || left > 0 ? malformed() : point);
  }
  let text = "";
  for (let at = 0; at < points.length; at += 4096) {
    text += String.fromCodePoint(...points.slice(at, at + 4096));
  }
  return text;
}

globalThis.TextEncoder = class TextEncoder {
  encoding = "utf-8";

  encode(text = "") {
    return encodeUtf8(String(text));
  }
};

globalThis.TextDecoder = class TextDecoder {
  encoding = "utf-8";

  constructor(label = "utf-8", { fatal = false, ignoreBOM = false } = {}) {
    if (!/^\s*(utf-?8|unicode-1-1-utf-8)\s*$/i.test(label)) {
      throw new RangeError(`the encoding ${label} is not known here, only utf-8`);
    }
    Object.assign(this, { fatal, ignoreBOM });
  }

  decode(input = new Uint8Array()) {
    const bytes = ArrayBuffer.isView(input)
      ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
      : new Uint8Array(input);
    const text = decodeUtf8(bytes, () => {
      if (this.fatal) throw new TypeError("the bytes are no UTF-8");
      return REPLACEMENT;
    });
    return !this.ignoreBOM && text.startsWith("\ufeff") ? text.slice(1) : text;
  }
};
