/** An item of a list of numbers, whatever stands around it. */
import { Fault, isGap, readNumber } from "./number.js";
import { isFloat, kindOf } from "./types.js";

/** A type without the options around it. */
export const present = (type) => (kindOf(type) === "option" ? present(type.option) : type);

/** An item of a list: a number, or a gap. */
export function element(text, type, notes, place) {
  const inner = present(type);
  if (!isGap(text)) return readNumber(text, inner);
  const isOption = kindOf(type) === "option";
  if (isOption || isFloat(inner)) {
    notes.gap(isOption, place);
    return isOption ? "null" : '"NaN"';
  }
  throw new Fault(
    text === ""
      ? `a number is missing, and ${type} has no NaN for that`
      : `\`${text}\` is no number, and ${type} has no NaN for a gap`,
  );
}
