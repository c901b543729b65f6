/**
 * A summary of some numbers.
 *
 * @typedef {object} Summary
 * @property {number} count how many there are
 * @property {number} mean their arithmetic mean
 */

/**
 * Counts numbers and gives their arithmetic mean.
 *
 * @param {number[]} values
 * @returns {Summary}
 */
export function summarise(values) {
  if (values.length === 0) {
    throw new RangeError("values is empty");
  }
  const sum = values.reduce((sum, value) => sum + value, 0);
  return { count: values.length, mean: sum / values.length };
}

/**
 * Greets somebody.
 *
 * @param {string} name whom to greet
 * @param {string} greeting what to say
 */
export function greet(name, greeting = "Hello") {
  return `${greeting}, ${name}!`;
}
