// Values between the component's types and the author's, guided by types as data (see codec.rs):
//
//     "boolean" "number" "bigint" "string" {typed: NAME} {array: T} {set: T} {map: [K, V]} {dict: T}
//     {tuple: [T]} {option: {of: T, null}} {enum: {cases: [[WIRE, VALUE]]}} {record: {fields: [[NAME, WIRE, T]]}}
//     {union: {tag: NAME, enum, cases: [[WIRE, VALUE, FIELDS]]}}
//
// On the component's side are numbers for integers of 64 bits as well, which is why larger ones than a
// number can hold exactly are refused instead of rounded. Only a typed array of them goes out as it is.

/** A value that does not fit. */
export class Mismatch extends TypeError {
  name = "TypeError";
  #path = "";
  #what;

  constructor(what) {
    super(what);
    this.#what = what;
  }

  /** The same, one level further out. */
  inside(part) {
    this.#path = part + this.#path;
    return this;
  }

  /** With the whole value's own name, as the outermost. */
  within(whole) {
    this.message = `${whole}${this.#path && `, at ${this.#path.replace(/^\./, "")}`}: ${this.#what}`;
    return this;
  }
}

/** From the component to the author. */
export function decode(type, value) {
  if (typeof type === "string") return type === "bigint" ? bigint(value) : value;
  const [[kind, of]] = Object.entries(type);
  switch (kind) {
    case "typed":
      return typed(of, value);
    case "array":
      return plain(of) ? value : each(value, (item) => decode(of, item));
    case "set":
      return new Set(each(value, (item) => decode(of, item)));
    case "map":
      return new Map(each(value, ([key, item]) => [decode(of[0], key), decode(of[1], item)]));
    case "dict":
      return Object.fromEntries(each(value, ([key, item]) => [key, decode(of, item)]));
    case "tuple":
      return of.map((type, index) => part(`[${index}]`, () => decode(type, value[index])));
    case "option":
      if (value === null || value === undefined) return of.null ? null : undefined;
      return decode(of.of, value);
    case "enum":
      return of.cases.find(([wire]) => wire === value)[1];
    case "record":
      return decodeFields(of.fields, value, {});
    case "union": {
      const name = of.enum ? value : value.tag;
      const [, tag, fields] = of.cases.find(([wire]) => wire === name);
      return decodeFields(fields, value.val, { [of.tag]: tag });
    }
  }
  throw new Error(`unknown type ${kind}`);
}

/** From the author to the component. */
export function encode(type, value) {
  if (typeof type === "string") {
    if (typeof value !== type) expected(type === "bigint" ? "a bigint such as 1n" : `a ${type}`, value);
    return type === "bigint" ? integer(value) : value;
  }
  const [[kind, of]] = Object.entries(type);
  switch (kind) {
    case "typed":
      return untyped(of, value);
    case "array":
      if (!Array.isArray(value)) expected("an array", value);
      if (of === "bigint") return BigInt64Array.from(each(value, whole));
      return each(value, (item) => encode(of, item));
    case "set":
      if (!(value instanceof Set)) expected("a Set", value);
      return each([...value], (item) => encode(of, item));
    case "map":
      if (!(value instanceof Map)) expected("a Map", value);
      return each([...value], ([key, item]) => [encode(of[0], key), encode(of[1], item)]);
    case "dict":
      if (!isObject(value)) expected("an object", value);
      return Object.entries(value).map(([key, item]) => [key, part(`.${key}`, () => encode(of, item))]);
    case "tuple":
      if (!Array.isArray(value) || value.length !== of.length) expected(`an array of ${of.length}`, value);
      return of.map((type, index) => part(`[${index}]`, () => encode(type, value[index])));
    case "option":
      return value === null || value === undefined ? null : encode(of.of, value);
    case "enum": {
      const found = of.cases.find(([, known]) => known === value);
      if (!found) expected(of.cases.map(([, known]) => JSON.stringify(known)).join(" or "), value);
      return found[0];
    }
    case "record":
      if (!isObject(value)) expected("an object", value);
      return encodeFields(of.fields, value);
    case "union": {
      if (!isObject(value)) expected("an object", value);
      const found = of.cases.find(([, known]) => known === value[of.tag]);
      if (!found) {
        const known = of.cases.map(([, known]) => JSON.stringify(known)).join(" or ");
        part(`.${of.tag}`, () => expected(known, value[of.tag]));
      }
      const [wire, , fields] = found;
      if (of.enum) return wire;
      return { tag: wire, val: fields.length === 0 ? undefined : encodeFields(fields, value) };
    }
  }
  throw new Error(`unknown type ${kind}`);
}

function decodeFields(fields, value, into) {
  for (const [name, wire, type] of fields) {
    const field = part(`.${name}`, () => decode(type, value[wire]));
    // A field that was left out is not there, as in what JSON.parse gives.
    if (field !== undefined) into[name] = field;
  }
  return into;
}

function encodeFields(fields, value) {
  const record = {};
  for (const [name, wire, type] of fields) {
    record[wire] = part(`.${name}`, () => encode(type, value[name]));
  }
  return record;
}

const plain = (type) => type === "number" || type === "string" || type === "boolean";
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isBig = (array) => array === "BigInt64Array" || array === "BigUint64Array";

function each(values, convert) {
  const { length } = values;
  const converted = new Array(length);
  let index = 0;
  try {
    for (; index < length; index++) converted[index] = convert(values[index]);
  } catch (error) {
    throw error instanceof Mismatch ? error.inside(`[${index}]`) : error;
  }
  return converted;
}

function part(name, convert) {
  try {
    return convert();
  } catch (error) {
    throw error instanceof Mismatch ? error.inside(name) : error;
  }
}

function typed(array, value) {
  if (value.constructor.name === array) return value;
  return globalThis[array].from(isBig(array) ? each(value, bigint) : value);
}

function untyped(array, value) {
  if (value?.constructor?.name !== array) expected(`a ${array}`, value);
  return array === "Uint8Array" || isBig(array) ? value : Array.from(value);
}

/** A bigint of 64 bits, which a typed array holds exactly. */
function whole(value) {
  if (typeof value !== "bigint") expected("a bigint such as 1n", value);
  if (BigInt.asIntN(64, value) !== value) throw new Mismatch(`${value} does not fit into an integer of 64 bits`);
  return value;
}

function bigint(value) {
  if (typeof value === "bigint") return value;
  if (!Number.isSafeInteger(value)) throw new Mismatch(TOO_LARGE);
  return BigInt(value);
}

function integer(value) {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new Mismatch(TOO_LARGE);
  return number;
}

const TOO_LARGE = "an integer beyond ±9007199254740991 would lose digits; pass it as a text";

function expected(what, value) {
  throw new Mismatch(`expected ${what}, got ${describe(value)}`);
}

function describe(value) {
  if (value === undefined || value === null) return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "object") return `a ${value.constructor?.name ?? "object"}`;
  if (typeof value === "string") return value.length > 40 ? "a string" : `the string ${JSON.stringify(value)}`;
  return `the ${typeof value} ${String(value)}`;
}
