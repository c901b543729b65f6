// `setTimeout` and its like, which QuickJS does not have, and the loop that makes them come true while an
// asynchronous procedure waits.

import clock from "wasi:clocks/monotonic-clock@0.2.0";

import { atBegin } from "./begin.mjs";

/** Turns without a timer after which a promise that has not settled never will. */
const MAX_TURNS = 1_000_000;

/** Those that are to come, by their handle. */
const timers = new Map();
let handles = 0;

const now = () => clock.now() / 1e6;

function start(callback, after, repeat, given) {
  const delay = Math.max(Number(after) || 0, repeat ? 1 : 0);
  timers.set(++handles, { at: now() + delay, callback, given, every: repeat ? delay : undefined });
  return handles;
}

globalThis.setTimeout = (callback, after, ...given) => start(callback, after, false, given);
globalThis.setInterval = (callback, after, ...given) => start(callback, after, true, given);
globalThis.setImmediate = (callback, ...given) => start(callback, 0, false, given);
globalThis.clearTimeout = (handle) => void timers.delete(handle);
globalThis.clearInterval = globalThis.clearTimeout;
globalThis.clearImmediate = globalThis.clearTimeout;

// Timers that the module started while it was built belong to no call.
atBegin(() => timers.clear());

/** Runs timers until the promise has settled; gives what it gives. */
export async function settle(promise) {
  let settled = false;
  const note = () => {
    settled = true;
  };
  Promise.resolve(promise).then(note, note);
  for (let turns = 0; ; ) {
    // Whatever is ready comes before the next timer.
    for (let ready = 0; ready < 100 && !settled; ready++) await null;
    if (settled) return promise;
    if (timers.size > 0) {
      turns = 0;
      fireNext();
    } else if ((turns += 100) > MAX_TURNS) {
      throw new Error("it waits for a promise that nothing will ever settle");
    }
  }
}

function fireNext() {
  let next;
  for (const entry of timers) {
    if (!next || entry[1].at < next[1].at) next = entry;
  }
  const [handle, timer] = next;
  const wait = timer.at - now();
  if (wait > 0) clock.subscribeDuration(Math.ceil(wait * 1e6)).block();
  if (timer.every === undefined) timers.delete(handle);
  else timer.at += timer.every;
  timer.callback(...timer.given);
}
