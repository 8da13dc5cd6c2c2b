/**
 * Promise: each guide is visited by a spec of this folder, and no block of its code is left out.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { GUIDES, parse } from "./guide.ts";

const CONSOLE = "The console shows:\n\n```text\nhilo: page: accepted\n```\n";

test("each guide is named by a spec that visits it", () => {
  const here = new URL(".", import.meta.url);
  const specs = readdirSync(here).filter((file) => file.startsWith("runs_")).map((file) => readFileSync(new URL(file, here), "utf8")).join("\n");
  const guides = readdirSync(GUIDES).map((file) => file.replace(".md", "")).filter((name) => name !== "README");
  assert.ok(guides.length >= 14, guides.join(" "));
  assert.deepEqual(guides.filter((name) => !specs.includes(`"${name}"`)), []);
});

test("code stands in the file that the line above it names, and more is added to it", () => {
  const text = "`a.js`:\n\n```js\none();\n```\n\nAdd to `a.js`:\n\n```js\ntwo();\n```\nInto the `<head>` of every page:\n\n```html\n<p>\n```\n";
  const guide = parse("a", text + CONSOLE, "http://x");
  assert.equal(guide.files.get("a.js"), "one();\ntwo();\n");
  assert.deepEqual([guide.head, guide.body, guide.console], ["<p>\n", "", ["hilo: page: accepted"]]);
});

for (const [what, text, why] of [
  ["a block of code without a place", "Then:\n\n```js\none();\n```\n", /no line above it/],
  ["a file that stands twice", "`a.js`:\n```js\none();\n```\n`a.js`:\n```js\ntwo();\n```\n", /stands twice/],
  ["more of a file that is not there", "Add to `a.js`:\n```js\none();\n```\n", /nothing to add to/],
] as const)
  test(`${what} is refused`, () => assert.throws(() => parse("a", text + CONSOLE, "http://x"), why));

test("a guide that does not tell what the console shows is refused", () => {
  assert.throws(() => parse("a", "`a.js`:\n```js\none();\n```\n", "http://x"), /console/);
});

test("the guide with a policy has the hash of today's stub, which snippet.html names", () => {
  const hash = (path: string) => /sha256-[\w+/=]+/.exec(readFileSync(new URL(path, import.meta.url), "utf8"))?.[0];
  assert.equal(hash("../../examples/guides/strict-csp.md"), hash("../../js/sdk/snippet.html"));
});
