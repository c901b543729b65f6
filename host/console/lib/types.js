/**
 * Facts about the types of procedures, as `/-/procedures` writes them: a string for a scalar, else an
 * object with one key.
 */

const BITS = { s8: 8, u8: 8, s16: 16, u16: 16, s32: 32, u32: 32, s64: 64, u64: 64 };

/** `list`, `record`, …; for a scalar its own name. */
export function kindOf(type) {
  return typeof type === "string" ? type : Object.keys(type)[0];
}

export const isInteger = (type) => typeof type === "string" && type in BITS;
export const isFloat = (type) => type === "f32" || type === "f64";
export const isNumeric = (type) => isInteger(type) || isFloat(type);
export const isBytes = (type) => kindOf(type) === "list" && type.list === "u8";

/** A list of numbers that are no bytes. */
export const isNumbers = (type) =>
  kindOf(type) === "list" && isNumeric(type.list) && type.list !== "u8";

/** A list of lists of numbers. */
export const isMatrix = (type) => kindOf(type) === "list" && isNumbers(type.list);

/** What fits into one cell of a table, and into one column of CSV. */
export function isCell(type) {
  const kind = kindOf(type);
  // An option is absent where its cell is empty, which no truth value or name can be.
  return typeof type === "string" || kind === "enum" || (kind === "option" && isTyped(type.option));
}

const isTyped = (type) => isNumeric(type) || type === "string" || type === "char";

/**
 * The type with `{list, set: true}` for each `{set}` in it: forms and tables show a set as a list, and only its
 * word and its notation in Python are others.
 */
export function withLists(type) {
  if (type === null || typeof type === "string") return type;
  const [[kind, inner]] = Object.entries(type);
  if (kind === "set") return { list: withLists(inner), set: true };
  if (kind === "enum" || kind === "flags") return type;
  const part = (one) => (one?.name === undefined ? withLists(one) : { ...one, type: withLists(one.type) });
  if (Array.isArray(inner)) return { [kind]: inner.map(part) };
  if (kind === "map") return { map: { key: inner.key, value: withLists(inner.value) } };
  if (kind === "result") return { result: { ok: withLists(inner.ok), err: withLists(inner.err) } };
  return { [kind]: withLists(inner) };
}

/** The columns of a list of records or tuples whose fields are cells; else null. */
export function columnsOf(type) {
  if (kindOf(type) !== "list") return null;
  const item = type.list;
  if (kindOf(item) === "record")
    return item.record.every((f) => isCell(f.type)) ? item.record : null;
  if (kindOf(item) === "tuple" && item.tuple.every(isCell)) {
    return item.tuple.map((type, i) => ({ name: `${i + 1}`, type }));
  }
  return null;
}

/** The smallest and the largest integer. */
export function rangeOf(type) {
  const bits = BigInt(BITS[type]);
  return type.startsWith("u")
    ? [0n, (1n << bits) - 1n]
    : [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n];
}

/** Whether somewhere inside there are integers that JavaScript's numbers cannot hold. */
export function hasWide(type) {
  if (type === null) return false;
  if (typeof type === "string") return type === "s64" || type === "u64";
  const inner = Object.values(type)[0];
  if (Array.isArray(inner)) {
    return inner.some(
      (part) => typeof part === "object" && hasWide("name" in part ? part.type : part),
    );
  }
  // The keys of a map are names in JSON.
  if (kindOf(type) === "map") return hasWide(inner.value);
  return kindOf(type) === "result" ? hasWide(inner.ok) || hasWide(inner.err) : hasWide(inner);
}

/** The type in WIT's words, short enough for a label: records and the like by their kind. */
export function brief(type) {
  if (type === null) return "_";
  if (typeof type === "string") return type;
  switch (kindOf(type)) {
    case "list":
      return `${type.set ? "set" : "list"}<${brief(type.list)}>`;
    case "option":
      return `option<${brief(type.option)}>`;
    case "map":
      return `map<${brief(type.map.key)}, ${brief(type.map.value)}>`;
    case "tuple":
      return `tuple<${type.tuple.map(brief).join(", ")}>`;
    case "result": {
      const { ok, err } = type.result;
      if (ok === null && err === null) return "result";
      return err === null ? `result<${brief(ok)}>` : `result<${brief(ok)}, ${brief(err)}>`;
    }
    default:
      return kindOf(type);
  }
}
