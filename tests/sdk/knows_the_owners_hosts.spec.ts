/**
 * Promise: a visitor is handed over to the hosts that the site lists and to no other one. A star stands for exactly one label.
 */
import assert from "node:assert/strict";
import { test } from "node:test";

import { isListed } from "../../js/sdk/src/more/domains/calls.ts";

for (const [domains, host, isOne] of [
  ["blog.example shop.example", "shop.example", true],
  [["blog.example", "shop.example"], "shop.example", true],
  ["blog.example, shop.example", "shop.example", true],
  ["shop.example", "www.shop.example", false],
  ["shop.example", "myshop.example", false],
  ["*.shop.example", "www.shop.example", true],
  ["*.shop.example", "a.www.shop.example", false],
  ["*.shop.example", "shop.example", false],
  ["*.shop.example", "*.shop.example.evil", false],
  ["", "", false],
  ["shop.example", "", false],
  [undefined, "shop.example", false],
  ["*", "shop.example", false],
] as const) {
  test(`"${String(domains)}" and the host "${host}": ${isOne}`, () => assert.equal(isListed(host, domains), isOne));
}
