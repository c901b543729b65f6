// Randomness. The state of QuickJS is stored in the component with whatever its own generator was seeded
// with, so that every call would get the same numbers; here they come from the host.

import random from "wasi:random/random@0.2.0";

import { atBegin } from "./begin.mjs";

/** Random bytes from the host. */
const bytes = (count) => Uint8Array.from(random.getRandomBytes(count));

/** The state of xoshiro128**, seeded in the first call that asks for a number. */
let state;

function next() {
  state ??= new Uint32Array(bytes(16).buffer);
  const rotate = (x, by) => (x << by) | (x >>> (32 - by));
  const result = Math.imul(rotate(Math.imul(state[1], 5), 7), 9) >>> 0;
  const shifted = state[1] << 9;
  state[2] ^= state[0];
  state[3] ^= state[1];
  state[1] ^= state[2];
  state[0] ^= state[3];
  state[2] ^= shifted;
  state[3] = rotate(state[3], 11);
  return result;
}

Math.random = () => ((next() >>> 5) * 0x4000000 + (next() >>> 6)) / 2 ** 53;

// What was drawn while the module was built must not be continued by every call.
atBegin(() => {
  state = undefined;
});

globalThis.crypto = {
  getRandomValues(array) {
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(bytes(array.byteLength));
    return array;
  },
  randomUUID() {
    const b = bytes(16);
    b[6] = (b[6] & 0x0f) | 0x40;
    b[8] = (b[8] & 0x3f) | 0x80;
    const hex = Array.from(b, (it) => it.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  },
};
