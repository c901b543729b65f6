import job from "tarp:procedure/job@0.1.0";

import { editDistance } from "./distance.ts";

/**
 * A word with how often it occurs.
 *
 * @typedef {object} Count
 * @property {string} word in lower case
 * @property {number} times
 */

/**
 * Counts the words of a text, the most frequent first.
 *
 * @param {string} text
 * @param {number} [most] how many words are given; all, where it is left out
 * @returns {Count[]}
 */
export function countWords(text, most) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const word of wordsOf(text)) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return sorted.slice(0, most).map(([word, times]) => ({ word, times }));
}

/**
 * Breaks a text into lines.
 *
 * @param {string} text
 * @param {number} width of the longest line, if no word is longer
 * @param {"left" | "right" | "centre"} align
 */
export function wrap(text, width = 72, align = "left") {
  if (width < 1) throw new RangeError(`a width of ${width} leaves no room for text`);
  const lines = [""];
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const last = lines[lines.length - 1];
    if (last && last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last ? `${last} ${word}` : word;
  }
  return lines.map((line) => aligned(line, width, align)).join("\n");
}

/**
 * Which of some words are most like a given one.
 *
 * A job says how far it has come, and stops when it is asked to.
 *
 * @param {string} word
 * @param {string[]} candidates
 * @param {number} most how many are given
 */
export async function suggest(word, candidates, most = 3) {
  const distances = [];
  for (const [index, candidate] of candidates.entries()) {
    if (job.cancelled()) throw new Error(`stopped after ${index} of ${candidates.length}`);
    job.progress(index, candidates.length, `comparing with ${candidate}`);
    distances.push({ candidate, distance: editDistance(word, candidate) });
  }
  job.log("info", `compared with ${candidates.length} words`);
  distances.sort((a, b) => a.distance - b.distance);
  return distances.slice(0, most).map(({ candidate }) => candidate);
}

/**
 * @param {string} line
 * @param {number} width
 * @param {"left" | "right" | "centre"} align
 */
function aligned(line, width, align) {
  if (align === "left") return line;
  const room = Math.max(width - line.length, 0);
  return " ".repeat(align === "right" ? room : Math.floor(room / 2)) + line;
}

/** @param {string} text */
function wordsOf(text) {
  return text.toLowerCase().match(/\p{Letter}+/gu) ?? [];
}
