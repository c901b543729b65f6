/**
 * JSON without a loss: what `JSON.parse` would round stays as it was sent.
 *
 * Objects become Maps (any key is safe, and their order stays), integers beyond 2^53 BigInts, and
 * numbers that JavaScript would print otherwise (`1.0`, `-0`, `1e5`) Literals. Knows nothing of
 * types.
 */

/** A number with the text it was sent as. */
export class Literal {
  constructor(text) {
    this.text = text;
  }
  valueOf() {
    return Number(this.text);
  }
  toString() {
    return this.text;
  }
}

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const WORDS = { t: ["true", true], f: ["false", false], n: ["null", null] };

/** Reads one JSON value; throws a SyntaxError that names the place. */
export function parse(text) {
  let at = 0;

  const wrong = (expected) => {
    const found = at < text.length ? JSON.stringify(text[at]) : "the end";
    throw new SyntaxError(`expected ${expected} at character ${at}, found ${found}`);
  };
  const space = () => {
    const code = text.charCodeAt(at);
    if (code === 32 || (code >= 9 && code <= 13)) {
      SPACE.lastIndex = at;
      SPACE.test(text);
      at = SPACE.lastIndex;
    }
  };
  const string = () => {
    const start = at++;
    let plain = true;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === 34) break;
      if (code === 92) {
        plain = false;
        at++;
      } else if (!(code >= 32)) wrong("the end of a string");
      at++;
    }
    at++;
    // A string is exact in JSON.parse, which knows the escapes.
    return plain ? text.slice(start + 1, at - 1) : JSON.parse(text.slice(start, at));
  };
  const number = () => {
    NUMBER.lastIndex = at;
    const found = NUMBER.exec(text);
    if (!found) wrong("a value");
    at = NUMBER.lastIndex;
    return numberOf(found[0], !found[1] && !found[2]);
  };
  const array = () => {
    const items = [];
    at++;
    space();
    if (text[at] === "]") return (at++, items);
    for (;;) {
      items.push(value());
      space();
      if (text[at] === "]") return (at++, items);
      if (text[at] !== ",") wrong("`,` or `]`");
      at++;
    }
  };
  const object = () => {
    const entries = new Map();
    at++;
    space();
    if (text[at] === "}") return (at++, entries);
    for (;;) {
      space();
      if (text[at] !== '"') wrong("a key");
      const key = string();
      space();
      if (text[at] !== ":") wrong("`:`");
      at++;
      entries.set(key, value());
      space();
      if (text[at] === "}") return (at++, entries);
      if (text[at] !== ",") wrong("`,` or `}`");
      at++;
    }
  };
  const value = () => {
    space();
    const first = text[at];
    if (first === "{") return object();
    if (first === "[") return array();
    if (first === '"') return string();
    const word = WORDS[first];
    if (word && text.startsWith(word[0], at)) {
      at += word[0].length;
      return word[1];
    }
    return number();
  };

  const result = value();
  space();
  if (at < text.length) wrong("the end");
  return result;
}

/** A number from its text in JSON. */
function numberOf(text, integer) {
  const number = Number(text);
  if (integer && !Number.isSafeInteger(number)) return BigInt(text);
  return String(number) === text ? number : new Literal(text);
}

/** Whether a parsed value is a number in any of its three forms. */
export function isNumber(value) {
  return typeof value === "number" || typeof value === "bigint" || value instanceof Literal;
}

/** Writes a parsed value as JSON; with `indent`, in lines, where short ones stay whole. */
export function write(value, indent = "", width = 72) {
  return indent ? pretty(value, indent, width, "") : flat(value);
}

function flat(value) {
  if (isNumber(value)) return String(value);
  if (Array.isArray(value)) return `[${value.map(flat).join(", ")}]`;
  if (value instanceof Map) {
    const entries = [...value].map(([key, item]) => `${JSON.stringify(key)}: ${flat(item)}`);
    return `{${entries.join(", ")}}`;
  }
  return JSON.stringify(value);
}

function pretty(value, indent, width, margin) {
  const nested = Array.isArray(value) || value instanceof Map;
  if (!nested) return flat(value);
  const count = value.size ?? value.length;
  // Only what may be short is written flat first; otherwise nesting would cost its square.
  if (count <= width / 2) {
    const line = flat(value);
    if (margin.length + line.length <= width) return line;
  }
  const inner = margin + indent;
  if (Array.isArray(value)) {
    const items = value.map((item) => inner + pretty(item, indent, width, inner));
    return `[\n${items.join(",\n")}\n${margin}]`;
  }
  const entries = [...value].map(
    ([key, item]) => `${inner}${JSON.stringify(key)}: ${pretty(item, indent, width, inner)}`,
  );
  return `{\n${entries.join(",\n")}\n${margin}}`;
}
