/**
 * Promise: one tab at a time sends for the cart. A tab that is left, that has ended or whose module still loads neither leads beside
 * another tab nor writes over its cart.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { browser, cart, close, CUP, end, MUG, open, passed, quantities, settled, shows, until, type Json } from "./site.ts";

after(end);

test("an answer that arrives after this tab stopped leading writes nothing and opens no socket", async () => {
  const context: Json = await browser.newContext();
  await context.addInitScript(() => {
    const { WebSocket } = window;
    (window as Json).sockets = 0;
    (window as Json).WebSocket = class extends WebSocket {
      constructor(url: string | URL) {
        super(url);
        (window as Json).sockets += 1;
      }
    };
  });
  const page = await open(context);
  const { promise: isOver, resolve: release } = Promise.withResolvers<void>();
  await page.route("**/v1/cart/ops", async (route: Json) => {
    const response = await route.fetch();
    await isOver;
    await route.fulfill({ response });
  });
  const asked = page.waitForRequest("**/v1/cart/ops");
  await cart(page, "add", MUG);
  await asked;
  await page.evaluate(() => {
    (window as Json).hilo.destroy();
    localStorage["hilo.cart"] = "another tab's";
  });
  const answered = page.waitForResponse("**/v1/cart/ops");
  release();
  await answered;
  await passed(page, 500);
  assert.deepEqual(await page.evaluate(() => [localStorage["hilo.cart"], (window as Json).sockets]), ["another tab's", 0]);
  await close(page);
});

test("a tab that is left while the cart's module loads does not lead beside another tab", async () => {
  const context: Json = await browser.newContext();
  const { promise: isOver, resolve: release } = Promise.withResolvers<void>();
  const wasm = /hilo-cart\.\w+\.(wasm|mjs)$/;
  const first = await open(context);
  await first.route(wasm, async (route: Json) => (await isOver, route.continue()));
  const asked = first.waitForRequest(wasm);
  await cart(first, "add", MUG);
  await asked;
  // The browser puts the page into its back/forward cache.
  await first.evaluate(() => window.dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true })));
  const second = await open(context);
  await shows(second, { mug: 1 });
  await settled(second);
  first.calls.length = 0;
  release();
  await passed(first, 1_000);
  assert.deepEqual(first.calls.filter((call: string) => call.includes("/v1/")), []);
  await first.evaluate(() => window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
  await cart(first, "add", MUG);
  for (const page of [first, second]) await shows(page, { mug: 2 });
  assert.deepEqual(first.calls.filter((call: string) => call.includes("/v1/")), []);
  assert.deepEqual([first.problems, second.problems], [[], []]);
  await context.close();
});

test("a tracker that ended leaves the cart to another tab, whether its cart was open or on its way", { timeout: 90_000 }, async () => {
  for (const file of [null, /hilo-cart\.\w+\.js$/, /hilo-cart\.\w+\.(wasm|mjs)$/]) {
    const context: Json = await browser.newContext();
    const { promise: isOver, resolve: release } = Promise.withResolvers<void>();
    const ended = await open(context);
    if (file) await ended.route(file, async (route: Json) => (await isOver, route.continue()));
    const asked = file ? ended.waitForRequest(file) : until(async () => assert.deepEqual(await quantities(ended), { mug: 1 }));
    await cart(ended, "add", MUG);
    await asked;
    if (!file) await settled(ended);
    await ended.evaluate(() => (window as Json).hilo.destroy());
    const other = await open(context);
    ended.calls.length = 0;
    release();
    await cart(other, "add", CUP);
    await settled(other);
    await passed(ended, 500);
    assert.deepEqual(ended.calls.filter((call: string) => call.includes("/v1/")), [], `${file}`);
    assert.equal(((await quantities(other)) as Json).cup, 1);
    assert.deepEqual([ended.problems, other.problems], [[], []]);
    await context.close();
  }
});
