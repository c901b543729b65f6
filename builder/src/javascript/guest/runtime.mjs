// What stands between a component and the author's functions, inside the component: values on their
// way in and out, thrown errors, and what JavaScript programs expect of their surroundings.
//
// The generated entry (see entry.rs) calls `procedure` for each function, with types as data.

import { begin } from "./begin.mjs";
import { report } from "./failure.mjs";
import "./random.mjs";
import { settle } from "./timers.mjs";
import { decode, encode, Mismatch } from "./values.mjs";

/**
 * The export for a function.
 *
 * @param {{ name: string, parameters: { name: string, rest: boolean, type: any }[], result: any }} about
 * @param {Function} implementation
 */
export function procedure({ name, parameters, result }, implementation) {
  const call = (values) => {
    begin();
    const given = [];
    parameters.forEach((parameter, index) => {
      const value = at(`the argument \`${parameter.name}\` of \`${name}\``, () => decode(parameter.type, values[index]));
      if (parameter.rest) given.push(...value);
      else given.push(value);
    });
    return implementation(...given);
  };
  const answer = (value) =>
    result === null ? undefined : at(`what \`${name}\` gives`, () => encode(result, value));
  return {
    sync: (...values) => {
      try {
        return answer(call(values));
      } catch (error) {
        throw report(error);
      }
    },
    async: async (...values) => {
      try {
        return answer(await settle(call(values)));
      } catch (error) {
        throw report(error);
      }
    },
  };
}

/** Completes the message about a value that does not fit. */
function at(what, convert) {
  try {
    return convert();
  } catch (error) {
    throw error instanceof Mismatch ? error.within(what) : error;
  }
}
