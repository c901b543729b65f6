import assert from "node:assert/strict";
import test from "node:test";

import { greet, summarise } from "./@name@.js";

test("numbers are summarised", () => {
  assert.deepEqual(summarise([1, 2, 6]), { count: 3, mean: 3 });
});

test("no numbers have no mean", () => {
  assert.throws(() => summarise([]), /values is empty/);
});

test("a greeting has a default", () => {
  assert.equal(greet("Ada"), "Hello, Ada!");
});
