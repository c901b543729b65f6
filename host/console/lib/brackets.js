/**
 * Lists of numbers in brackets, as JSON, Python and NumPy write them: `[1, 2]`, `(1, 2)`,
 * `array([1., 2.])`, `[[1. 2.]\n [3. 4.]]`, `((1, 2), (3, 4))`. Tuples are read alike.
 */
import { element } from "./element.js";
import { Fault, cureOfEllipsis, shortened, trimmed } from "./number.js";
import { kindOf } from "./types.js";

/** What Python writes in front of an array's brackets. */
const ARRAY = /^(?:array|np\.array|numpy\.array|tensor)(?=\p{White_Space}*\()/u;
const SPACE = /\p{White_Space}*/uy;
const WORD = /[^\p{White_Space},[\]()]*/uy;
const OPTIONS = new Set(["", "dtype", "device", "requires_grad"]);

/** Whether a text is a list in brackets. */
export const isMeant = (text) => text[0] === "[" || text[0] === "(" || ARRAY.test(text);

/** The JSON texts of a list's items; throws a Fault. */
export function readBrackets(text, type, notes) {
  const reader = new Reader(text, notes);
  const array = ARRAY.exec(text);
  const items = array ? reader.array(array[0], type) : reader.list(type);
  reader.skip();
  if (reader.at < text.length)
    throw new Fault(`\`${shortened(reader.rest())}\` follows the end of the list`);
  if (reader.hasCommas && reader.hasSpaces)
    throw new Fault("some numbers have commas between them, and some only spaces");
  return items;
}

class Reader {
  constructor(text, notes) {
    this.text = text;
    this.notes = notes;
    this.at = 0;
    /** Which item of each list around it, from 1. */
    this.place = [];
    this.hasCommas = false;
    this.hasSpaces = false;
  }

  rest() {
    return this.text.slice(this.at);
  }

  /** `array([1., 2.], dtype=float32)` of NumPy, `array('d', [1.0, 2.0])` of Python. */
  array(name, type) {
    this.at += name.length;
    this.skip();
    this.take("(");
    this.skip();
    if (this.isAt("'") || this.isAt('"')) {
      this.quoted();
      this.skip();
      this.take(",");
      this.skip();
    }
    const items = this.list(type);
    this.skip();
    // What follows are the array's type and shape, which say nothing of its numbers.
    const end = this.text.lastIndexOf(")");
    if (end < this.at) throw new Fault("a `)` is missing at its end");
    const other = this.text
      .slice(this.at, end)
      .split(",")
      .find((option) => !OPTIONS.has(trimmed(option.split("=")[0])));
    if (other !== undefined) throw new Fault(`\`${shortened(trimmed(other))}\` follows the list`);
    this.at = end + 1;
    return items;
  }

  list(type) {
    const tuple = kindOf(type) === "tuple" ? type.tuple : null;
    if (!tuple && kindOf(type) !== "list") throw this.fault("a list is in the place of a number");
    const close = { "[": "]", "(": ")" }[this.text[this.at]];
    if (!close) {
      const found = this.word();
      const cure = cureOfEllipsis(found);
      throw this.fault(`a list in brackets is needed, not \`${shortened(found)}\`${cure}`);
    }
    this.at++;
    const items = [];
    let endsWithComma = false;
    this.place.push(0);
    for (;;) {
      const hadSpace = this.skip();
      if (this.take(close)) break;
      if (this.at >= this.text.length) throw new Fault(`a \`${close}\` is missing at its end`);
      if (items.length && !endsWithComma) {
        if (this.take(",")) {
          this.hasCommas = true;
          endsWithComma = true;
          continue;
        }
        if (!hadSpace && !this.isAt("[") && !this.isAt("(")) {
          const found = this.word() || [...this.rest()][0];
          throw this.fault(`\`${shortened(found)}\` is not what can follow`);
        }
        this.hasSpaces = true;
      }
      this.place[this.place.length - 1] = items.length + 1;
      if (items.length === tuple?.length)
        throw this.fault(`there are more than ${itemsOf(tuple.length)}`);
      items.push(this.item(tuple ? tuple[items.length] : type.list));
      endsWithComma = false;
    }
    this.place.pop();
    if (tuple && items.length < tuple.length)
      throw this.fault(`${items.length} came, and it takes ${itemsOf(tuple.length)}`);
    if (close === ")" && items.length === 1 && !endsWithComma)
      throw this.fault("one number in parentheses is no list; [ ] make one");
    return items;
  }

  item(type) {
    if (["list", "tuple"].includes(kindOf(type)) || this.isAt("[") || this.isAt("(")) {
      return `[${this.list(type).join(", ")}]`;
    }
    const text = this.isAt('"') || this.isAt("'") ? this.quoted() : this.number();
    if (!text) throw this.fault("a number is missing");
    try {
      return element(text, type, this.notes, () => shown(this.place));
    } catch (fault) {
      throw this.fault(fault.message);
    }
  }

  /** A word; of `np.float64(1.5)` and `np.nan`, which Python writes of single numbers, the number. */
  number() {
    const word = this.word();
    const [, sign, bare] = /^(-?)(?:np|numpy|math)\.(.*)$/s.exec(word) ?? [];
    if (bare === undefined) return word;
    const isScalar = !sign && /^(?:float|int|uint)/.test(bare) && this.isAt("(");
    const inside = isScalar && /^\(([^)]*)\)/.exec(this.rest());
    if (!inside) return sign + bare;
    this.at += inside[0].length;
    return inside[1].replace(/^['"]+|['"]+$/g, "");
  }

  word() {
    return this.match(WORD);
  }

  quoted() {
    const end = this.text.indexOf(this.text[this.at], this.at + 1);
    if (end < 0) throw this.fault("a quote is opened and not closed");
    const text = trimmed(this.text.slice(this.at + 1, end));
    this.at = end + 1;
    return text;
  }

  isAt(char) {
    return this.text[this.at] === char;
  }

  take(char) {
    if (!this.isAt(char)) return false;
    this.at++;
    return true;
  }

  /** Passes white space; whether there was any. */
  skip() {
    return this.match(SPACE) !== "";
  }

  match(pattern) {
    pattern.lastIndex = this.at;
    const [found] = pattern.exec(this.text);
    this.at += found.length;
    return found;
  }

  fault(message) {
    return new Fault(this.place.length ? `${shown(this.place)}: ${message}` : message);
  }
}

/** The items of a tuple, for a message. */
const itemsOf = (count) => (count === 1 ? "1 item" : `${count} items`);

function shown(place) {
  if (place.length === 1) return `item ${place[0]}`;
  return place.length === 2 ? `row ${place[0]}, item ${place[1]}` : `item ${place.join(", ")}`;
}
