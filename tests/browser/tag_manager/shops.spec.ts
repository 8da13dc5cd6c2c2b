/**
 * Promise: what shop systems push to their `dataLayer` becomes the right events with exact amounts, once each, with no code on the page
 * changed. The pushes and the events are those of `tests/shops/`, which a native test reads too.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";

import { startBrowser, startSite, withSnippet, type Json } from "../scenario.ts";

const file = (name: string) => JSON.parse(readFileSync(new URL(`../../shops/${name}.json`, import.meta.url), "utf8")) as Json;
const [pushes, events] = [file("pushes"), file("events")];

const browser = await startBrowser();
const site = await startSite((path) => withSnippet(`<script>window.dataLayer = []; hilo.consent.grant("analytics");</script><p>${path}</p>`, 'data-cart="dataLayer"'));
after(async () => {
  await browser.close();
  await site.close();
});

/** A push as the shop's script makes it: `gtag` passes its arguments. */
const PUSH = `(entry) => "0" in entry ? (function () { dataLayer.push(arguments); })(entry[0], entry[1], entry[2]) : dataLayer.push(entry)`;

const minor = (value: unknown) => Math.round(Number(value) * 100);

function check(name: string, found: Json, expected: Json) {
  for (const [key, value] of Object.entries(expected)) {
    const amount = /^(.+)_minor$/.exec(key)?.[1];
    if (amount) assert.equal(minor(found[amount]), value, `${name}: ${key} ${JSON.stringify(found)}`);
    else if (key === "products") value.forEach((one: Json, at: number) => check(name, found["products"][at], one));
    // The cart names a variant by the hash of its line, and hilo writes no flags.
    else if (key === "variant") assert.match(found["options_hash"], /^\d+$/, name);
    else if (key !== "event" && key !== "flags") assert.deepEqual(found[key], value, `${name}: ${key}`);
  }
}

for (const [name, expected] of Object.entries(events)) {
  // A checkout begins at the hub: `checkout.spec.ts`.
  if (name === "ua_checkout") continue;
  test(`${name} becomes ${expected.event ?? expected.join(" and ")}`, async () => {
    site.sent.length = 0;
    const page: Json = await (await browser.newContext()).newPage();
    await page.goto(`${site.url}/${name}`);
    await page.waitForFunction(() => String((window as Json)["dataLayer"].push).includes("apply"));
    const push = (entry: Json) => page.evaluate(`(${PUSH})(${JSON.stringify(entry)})`);
    // A removal needs a line.
    const lines = pushes[name][1] === "remove_from_cart" ? pushes[name][2].items : [];
    if (lines.length) {
      await push({ 0: "event", 1: "add_to_cart", 2: { items: lines } });
      await site.quiet();
    }
    await push(pushes[name]);
    if (lines.length) {
      // A change of the cart is told once it is final, such as when the page is left.
      await page.waitForFunction(() => !(window as Json)["hilo"].cart.lines().length);
      await page.goto("about:blank");
    }
    await site.quiet();
    const acts = site.events().filter((event) => event["type"] === "track").slice(lines.length);
    assert.deepEqual(acts.map((event) => event["event"]), Array.isArray(expected) ? expected : [expected.event]);
    if (!Array.isArray(expected)) check(name, acts[0]!["properties"], expected);
    assert.ok(!JSON.stringify(site.sent.map((one) => one.body)).includes("never-read"));
    await page.context().close();
  });
}
