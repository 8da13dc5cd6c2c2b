/**
 * Promise: a storage that is missing, damaged or foreign costs the page no error and the visitor no cart.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { browser, cart, close, collector, CUP, end, MUG, open, passed, quantities, settled, shows, status, storedKeys, until, type Json } from "./site.ts";

after(end);

test("a browser without storage keeps the cart in memory, and the status tells it", async () => {
  const context: Json = await browser.newContext();
  await context.addInitScript(() => {
    for (const name of ["localStorage", "sessionStorage"]) {
      Object.defineProperty(window, name, { get() { throw new DOMException("blocked", "SecurityError"); } });
    }
  });
  const page = await open(context);
  await cart(page, "add", MUG);
  await settled(page);
  await shows(page, { mug: 1 });
  assert.equal(((await status(page)) as Json).persistent, false);
  await close(page);
});

test("a browser without Web Locks keeps the cart in its tab, and tells a touchpoint once", async () => {
  const context: Json = await browser.newContext();
  await context.addInitScript(() => Object.defineProperty(navigator, "locks", { value: undefined }));
  const page = await open(context);
  const told: string[] = [];
  page.on("request", (request: Json) => told.push(...((request.postData() ?? "") as string).match(/cart-[0-9a-f]{16}-\d+/g) ?? []));
  await page.evaluate(() => (window as Json).hilo.consent.grant("analytics"));
  await until(async () => assert.ok(await page.evaluate(() => (window as Json).hilo.anonymousId())));
  await cart(page, "add", MUG);
  await shows(page, { mug: 1 });
  await page.reload();
  await shows(page, { mug: 1 });
  await page.evaluate(() => (window as Json).hilo.flush());
  await settled(page);
  await until(async () => assert.ok(told.length));
  await passed(page, 500);
  assert.equal(told.length, 1, told.join());
  await close(page);
});

test("calls without a line, and rubbish in storage, change nothing", async () => {
  const page = await open();
  await cart(page, "add", MUG, 2);
  for (const name of ["add", "set", "dec", "remove"]) for (const line of [undefined, null, 7, {}]) await cart(page, name, line, 1);
  await settled(page);
  assert.deepEqual(await quantities(page), { mug: 2 });
  await page.goto(`${collector.url}/plain`);
  await page.evaluate((line: Json) => {
    const left = ["{", "null", "[null]", '{"a":1}', '[["toString",[]]]', '[["cart.add",[]],["cart.set"]]', "[[9,0]]", '[["attributes",["{","",null]]]', JSON.stringify([["dataLayer", ["purchase"]], ["cart.add", [line, 1]]])];
    left.forEach((text, i) => localStorage.setItem(`hilo.w${i}`, text));
  }, CUP);
  await page.goto(collector.url);
  await page.waitForFunction(() => !(window as Json).hilo.q);
  await shows(page, { mug: 2, cup: 1 });
  await settled(page);
  assert.deepEqual(await storedKeys(page), ["hilo.cart"]);
  await close(page);
});

test("what a closed page left of acts is done for seven days, and then counts as dropped", async () => {
  const page = await open();
  await page.goto(`${collector.url}/plain`);
  await page.evaluate((line: Json) => {
    const day = 86_400_000;
    for (const days of [6, 8]) localStorage.setItem(`hilo.w${days}`, JSON.stringify([["cart.add", [line, days], Date.now() - days * day]]));
    localStorage.setItem("hilo.wtab", JSON.stringify([[Date.now() - 8 * day, 0, 1, ["cup", "", "EUR", "500", "", "", ""], false]]));
  }, MUG);
  await page.goto(collector.url);
  await page.waitForFunction(() => !(window as Json).hilo.q);
  await shows(page, { mug: 6 });
  await settled(page);
  assert.deepEqual(await storedKeys(page), ["hilo.cart"]);
  const dropped = page.waitForRequest((request: Json) => request.url().endsWith("/v1/batch"));
  await page.evaluate(() => (window as Json).hilo.consent.grant("functional", "analytics"));
  assert.deepEqual(JSON.parse((await dropped).postData()).context.hilo.dropped, { expired: 2 });
  await close(page);
});

test("a damaged cart in storage is no error for the page, and the hub's cart comes back", async () => {
  const page = await open();
  await cart(page, "add", MUG, 2);
  await settled(page);
  const text = await page.evaluate(() => localStorage.getItem("hilo.cart"));
  for (const rubbish of [text.slice(0, text.length / 2), "{", "\ud800\n\n", "x".repeat(1 << 20), `{}\n${"k\t".repeat(99)}`]) {
    await page.goto(`${collector.url}/plain`);
    await page.evaluate((text: string) => ["hilo.cart", "hilo.w1"].forEach((key) => localStorage.setItem(key, text)), rubbish);
    await page.goto(collector.url);
    await page.waitForFunction(() => !(window as Json).hilo.q);
    await cart(page, "add", CUP);
    await until(async () => assert.equal((await quantities(page)).mug, 2, rubbish.slice(0, 40)));
  }
  await close(page);
});
