/**
 * Promise: a logout leaves nothing of the cart on the device, neither by an answer that comes later nor by a checkout that has begun.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { browser, cart, close, CUP, end, MUG, open, settled, shows, signIn, storedKeys, until, type Json } from "./site.ts";

after(end);

test("a logout leaves nothing of the cart on the device, and the next visitor has an empty cart", async () => {
  const page = await open();
  const user = `v${Date.now()}`;
  await signIn(page, user);
  await cart(page, "add", MUG);
  await settled(page);
  // The hub closes the sockets of this login, those of other tabs too.
  const leaves = page.waitForRequest((request: Json) => request.url().endsWith("/v1/cart/leave"));
  await page.evaluate(() => (window as Json).hilo.reset());
  assert.match((await leaves).headers()["x-hilo-user-token"] ?? "", /^[\w-]+\.[\w-]+\.[\w-]+$/);
  await shows(page, {});
  await until(async () => assert.deepEqual(await storedKeys(page), []));
  await cart(page, "add", CUP);
  await settled(page);
  await shows(page, { cup: 1 });
  const other = await open();
  await signIn(other, user);
  await shows(other, { mug: 1 });
  await close(page, other);
});

test("an answer that arrives after a logout brings nothing of the customer's cart back", async () => {
  const context: Json = await browser.newContext();
  await context.addInitScript(() => delete (window as Json).WebSocket); // the page asks, so that the answer can be held
  const [page, other, user] = [await open(context), await open(), `x${Date.now()}`];
  for (const device of [page, other]) await signIn(device, user);
  await cart(page, "add", MUG);
  await settled(page);
  await cart(other, "add", CUP);
  await settled(other);
  const { promise: isOver, resolve: release } = Promise.withResolvers<void>();
  await page.route("**/v1/cart?*", async (route: Json) => {
    const response = await route.fetch();
    await isOver;
    await route.fulfill({ response });
  });
  const asked = page.waitForRequest("**/v1/cart?*");
  await page.evaluate(() => window.dispatchEvent(new Event("online")));
  await asked;
  await page.evaluate(() => {
    (window as Json).told.length = 0;
    (window as Json).hilo.reset();
  });
  release();
  await until(async () => assert.deepEqual(await storedKeys(page), []));
  assert.deepEqual([...new Set(await page.evaluate(() => (window as Json).told))], [0]);
  await close(page, other);
});

test("a checkout that began before a logout is not the next visitor's", async () => {
  const page = await open();
  await cart(page, "add", MUG);
  await settled(page);
  const { promise: isOver, resolve: release } = Promise.withResolvers<void>();
  await page.route("**/v1/cart/checkout", async (route: Json) => {
    const response = await route.fetch();
    await isOver;
    await route.fulfill({ response });
  });
  const asked = page.waitForRequest("**/v1/cart/checkout");
  const checkout = page.evaluate(() => ((window as Json).checkout = (window as Json).hilo.cart.checkout()) && 1);
  await asked;
  await page.evaluate(() => (window as Json).hilo.reset());
  release();
  await checkout;
  assert.equal(await page.evaluate(() => (window as Json).checkout), null);
  await cart(page, "add", CUP);
  const stored = await page.evaluate(() => localStorage["hilo.cart"].split("\n")[0]);
  assert.equal(JSON.parse(stored).checkout, "");
  await settled(page);
  await close(page);
});
