/**
 * One number, as people and programs write it, as the text of JSON: no digit is lost. By the rules of
 * `docs/numbers.md`, as `tarp call` reads them. Knows nothing of lists.
 */
import { isFloat, isInteger, rangeOf } from "./types.js";

/** What is wrong with a text. */
export class Fault extends Error {}

const GAPS = new Set(["na", "n/a", "#n/a", "<na>", "none", "null"]);
const NAMED = { nan: "NaN", inf: "Infinity", infinity: "Infinity" };
const SIGNED = /^([+\-\u2212]?)(.*)$/s;
const DIGITS = "\\d+(?:_\\d+)*";
const DECIMAL = new RegExp(`^(${DIGITS})?(\\.(${DIGITS})?)?(?:[eE]([+-]?${DIGITS}))?$`);
const WITH_RADIX = /^0(?:[xX][\da-fA-F]+(?:_[\da-fA-F]+)*|[oO][0-7]+(?:_[0-7]+)*|[bB][01]+(?:_[01]+)*)$/;
const DECIMAL_COMMA = /^[+\-\u2212]?\d+,\d+(?:[eE][+-]*\d+)?$/;
const THOUSANDS = /^[+\-\u2212]?[1-9]\d{0,2},\d{3}$/;
const GROUPED = /^[+\-\u2212]?(?=.*\d)[\d.,'\u2019 \u00a0\u202f]+$/s;
const LOOK_ALIKE = /^(?=.*[.,])(?=.*\d)[0-9lIOoSB.,_+\-\u2212eE' ]+$/;
/** Marks of byte order and direction, joiners, soft hyphens and controls, but for white space. */
const UNSEEN = /[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/;
const PLAIN = /^-?(?:0|[1-9]\d{0,14})(?:\.\d{1,30})?$/;
const MAX_LENGTH = 40;

const WHITE_SPACE = /\p{White_Space}/u;

/** A text without white space at its ends, as Unicode has it: JavaScript's `trim` has U+FEFF, and not U+0085. */
export function trimmed(text) {
  let start = 0;
  let end = text.length;
  while (start < end && WHITE_SPACE.test(text[start])) start++;
  while (start < end && WHITE_SPACE.test(text[end - 1])) end--;
  return text.slice(start, end);
}

/** A text without the mark of byte order at its beginning. */
export const unmarked = (text) => text.replace(/^\uFEFF/, "");

/** What a message repeats of a text. */
export function shortened(text) {
  const characters = text.length <= MAX_LENGTH ? null : [...text.slice(0, 2 * MAX_LENGTH + 2)];
  return characters && characters.length > MAX_LENGTH
    ? `${characters.slice(0, MAX_LENGTH).join("")}…`
    : text;
}

export const isGapWord = (text) => text.length <= 4 && GAPS.has(text.toLowerCase());

/** Whether a cell says that there is no value: by nothing, or by a word for it. */
export const isGap = (text) => text === "" || isGapWord(text);

/** `1,5`, where the comma cannot be anything but what separates. */
export const hasDecimalComma = (text) => DECIMAL_COMMA.test(text);

/** `1,234`, which is one number to some and another one to others. */
export const mayGroupThousands = (text) => THOUSANDS.test(text);

const isNamed = (body) => body.length <= 8 && body.toLowerCase() in NAMED;

/** Whether this may have been meant as a number, so that it is no title of a column. */
export function mayBeNumber(text) {
  const first = /[\p{Alphabetic}\p{N}]/u.exec(text);
  return (
    isGapWord(text) ||
    isNamed(SIGNED.exec(text)[2]) ||
    (first !== null && /\p{N}/u.test(first[0])) ||
    LOOK_ALIKE.test(text)
  );
}

/** The JSON text of a number of a type; throws a Fault. */
export function readNumber(text, type) {
  // Most numbers are JSON already, and exact: looked at once, since a list may have a million.
  if (type === "f64" && PLAIN.test(text)) return text;
  const [, sign, body] = SIGNED.exec(text);
  const minus = sign === "" || sign === "+" ? "" : "-";
  if (isNamed(body)) {
    if (!isFloat(type)) throw notWhole(text);
    const name = NAMED[body.toLowerCase()];
    return name === "NaN" ? '"NaN"' : `"${minus}${name}"`;
  }
  const { digits, whole } = canonical(text, body);
  if (isInteger(type)) {
    if (!whole) throw notWhole(text);
    return integer(text, minus, digits, type);
  }
  return float(text, minus, digits, whole, type);
}

/** An unsigned number in JSON's notation, and whether it has neither point nor exponent. */
function canonical(text, body) {
  if (WITH_RADIX.test(body)) {
    const value = BigInt(body.toLowerCase().replaceAll("_", ""));
    if (value >= 1n << 64n) throw new Fault(`\`${shortened(body)}\` has more than 64 bits`);
    return { digits: String(value), whole: true };
  }
  const parts = DECIMAL.exec(body);
  if (!parts || (parts[1] === undefined && parts[3] === undefined)) throw notANumber(text);
  const [, whole, point, fraction, power] = parts;
  const plain = (digits) => digits.replaceAll("_", "");
  let digits = plain(whole ?? "").replace(/^0+/, "") || "0";
  if (fraction) digits += `.${plain(fraction)}`;
  if (power !== undefined) digits += `e${plain(power).replace("+", "")}`;
  return { digits, whole: point === undefined && power === undefined };
}

function integer(text, minus, digits, type) {
  const [low, high] = rangeOf(type);
  // Twenty digits are more than 64 bits have.
  const value = digits.length > 20 ? null : BigInt(minus + digits);
  if (value === null || value < low || value > high)
    throw new Fault(`\`${shortened(text)}\` is out of range for ${type}: ${low} to ${high}`);
  return String(value);
}

/** The nearest float to a decimal fraction; an integer is exactly one, or refused. */
function float(text, minus, digits, whole, type) {
  const near = type === "f32" ? nearestSingle(digits) : Number(digits);
  if (!Number.isFinite(near))
    throw new Fault(`\`${shortened(text)}\` is beyond the range of ${type}`);
  // Fifteen digits always fit into 64 bits, and seven into 32.
  if (whole && digits.length > (type === "f32" ? 7 : 15) && String(BigInt(near)) !== digits) {
    const nearest = `${minus}${BigInt(near)}`;
    throw new Fault(
      `\`${shortened(text)}\` is not exactly of ${type}; the nearest is ${nearest}`,
    );
  }
  return minus + digits;
}

const nearestSingle = (digits) => Math.fround(Number(digits));

const notWhole = (text) => new Fault(`\`${shortened(text)}\` is not a whole number`);

/** What NumPy prints in place of most of a long array. */
export const cureOfEllipsis = (text) =>
  text === "..." || text === "…"
    ? ": the array was shortened when it was printed; save it as .npy, or print all of it"
    : "";

function notANumber(text) {
  if (text === "") return new Fault("a number is needed");
  const unseen = UNSEEN.exec(text)?.[0].codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
  const cure = GROUPED.test(text)
    ? ": decimals have a point, and thousands no separator"
    : unseen
      ? `: it has the character U+${unseen}, which is not to be seen`
      : cureOfEllipsis(text);
  return new Fault(`\`${shortened(text)}\` is not a number${cure}`);
}
