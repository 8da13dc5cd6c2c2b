/**
 * Promise: a quantity that a site gives for a line counts as the units that it begins, as the hub counts an order's. A value that is
 * no quantity becomes a number that the cart's module refuses, so it never empties a line.
 */
import assert from "node:assert/strict";
import { test } from "node:test";

import { units } from "../../js/sdk/src/cart/line.ts";

const REFUSED = 0xffffffff;

function check(given: unknown, expected: number) {
  assert.equal(units(given), expected, String(given));
}

test("a quantity counts as the units that it begins", () => {
  for (const [given, expected] of [[undefined, 1], [2, 2], ["3", 3], [1.5, 2], ["1.5", 2], [0.5, 1], [0, 0]] as const) check(given, expected);
});

test("the noise of a calculation begins no unit", () => {
  check(0.1 * 3 * 10, 3);
  check(3.0000000000000004, 3);
  check(2.9999999999999996, 3);
});

test("a value that is no quantity is refused", () => {
  for (const given of [-1, -0.5, "two", NaN, Infinity, {}]) check(given, REFUSED);
});
