/**
 * Promise: every tab and every device of a visitor shows the same cart, after edits without a network too. Before the first act the page
 * stores and requests nothing. Real browser contexts, the real collector.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { browser, cart, close, collector, CUP, end, MUG, open, passed, quantities, settled, shows, signIn, status, storedKeys, type Json } from "./site.ts";

after(end);

test("before the first act the page requests and stores nothing; the first act does both", async () => {
  const page = await open();
  await page.evaluate(() => (window as Json).hilo.cart.on(() => {}));
  assert.deepEqual(await cart(page, "lines"), []);
  await passed(page, 1_000);
  assert.deepEqual([page.calls, await storedKeys(page), await page.context().cookies()], [[], [], []]);
  await cart(page, "add", MUG, 2);
  await shows(page, { mug: 2 });
  await settled(page);
  assert.deepEqual(await storedKeys(page), ["hilo.cart"]);
  assert.deepEqual((await page.context().cookies()).map((cookie: Json) => cookie.name), ["hilo-cart"]);
  assert.ok(page.calls.includes("POST /_h/v1/cart/ops"));
  assert.deepEqual(await cart(page, "totals"), { EUR: "39.98" });
  await close(page);
});

test("fifty clicks show at once and go out together; a reload keeps them", async () => {
  const page = await open();
  await cart(page, "add", CUP);
  await settled(page);
  page.calls.length = 0;
  const shown = await page.evaluate((line: Json) => {
    for (let i = 0; i < 50; i += 1) (window as Json).hilo.cart.add(line);
    return (window as Json).hilo.cart.lines()[0].quantity;
  }, CUP);
  assert.equal(shown, 51);
  await settled(page);
  assert.ok(page.calls.filter((call: string) => call.endsWith("/ops")).length <= 2, page.calls.join());
  await page.reload();
  await shows(page, { cup: 51 });
  const [line] = await cart(page, "lines");
  await cart(page, "remove", line);
  await shows(page, {});
  await close(page);
});

test("the site gets no empty cart while the stored cart is not open yet", async () => {
  const page = await open();
  await cart(page, "add", MUG);
  await settled(page);
  for (const act of ["reload", "second tab"]) {
    const next = act === "reload" ? page : await page.context().newPage();
    await next.goto(collector.url);
    await next.waitForFunction(() => (window as Json).told.length);
    assert.deepEqual([...new Set(await next.evaluate(() => (window as Json).told))], [1], act);
  }
  await close(page);
});

for (const [what, file] of [["the tracker", "**/hilo.js"], ["the cart's code", "**/hilo-cart.*.js"], ["the cart's module", /hilo-cart\.\w+\.(wasm|mjs)$/]] as const) {
  test(`an article that is put in before ${what} has loaded counts once, though the page is left`, async () => {
    const page: Json = await (await browser.newContext()).newPage();
    let isHeld = true;
    await page.route(file, async (route: Json) => {
      while (isHeld) await new Promise((resolve) => setTimeout(resolve, 20));
      await route.continue().catch(() => {}); // the page may be gone
    });
    await page.goto(collector.url, { waitUntil: "commit" });
    const asked = file === "**/hilo.js" ? undefined : page.waitForRequest(file);
    await page.waitForFunction(() => (window as Json).hilo && document.querySelector("#add"));
    if (asked) await page.waitForFunction(() => !(window as Json).hilo.q);
    await cart(page, "add", MUG, 2);
    await cart(page, "remove", CUP);
    await asked;
    await page.goto(`${collector.url}/plain`);
    assert.equal((await storedKeys(page)).length, 1);
    isHeld = false;
    await page.goto(collector.url);
    await page.waitForFunction(() => !(window as Json).hilo.q);
    await shows(page, { mug: 2 });
    await settled(page);
    await page.reload();
    await shows(page, { mug: 2 });
    assert.deepEqual(await storedKeys(page), ["hilo.cart"]);
    isHeld = true;
    await page.goto(collector.url, { waitUntil: "commit" });
    await page.waitForFunction(() => (window as Json).hilo && document.querySelector("#add"));
    void cart(page, "ordered", `order-${what}`).catch(() => {}); // the page is left before the call is done
    await passed(page, 100);
    await page.goto(`${collector.url}/plain`);
    isHeld = false;
    await page.goto(collector.url);
    await page.waitForFunction(() => (window as Json).told.length);
    await settled(page);
    assert.deepEqual([...new Set(await page.evaluate(() => (window as Json).told))], [0]);
    await page.context().close();
  });
}

test("edits without a network survive a reload and arrive when the network is back", async () => {
  const context: Json = await browser.newContext();
  await context.addInitScript(() => delete (window as Json).WebSocket); // the page polls instead
  const page = await open(context);
  await cart(page, "add", MUG);
  await settled(page);
  await page.route("**/v1/cart/**", (route: Json) => route.abort());
  await page.route("**/v1/cart?*", (route: Json) => route.abort());
  await cart(page, "add", MUG, 2);
  await cart(page, "add", CUP);
  await page.reload();
  await shows(page, { mug: 3, cup: 1 });
  assert.equal(((await status(page)) as Json).pending, 2);
  await page.unroute("**/v1/cart/**");
  await page.unroute("**/v1/cart?*");
  await page.evaluate(() => window.dispatchEvent(new Event("online")));
  await settled(page);
  page.problems.length = 0; // the browser reports the requests that failed
  await context.addInitScript(() => localStorage.clear()); // after the old page has stored its cart once more
  await page.reload();
  await cart(page, "add", CUP);
  await shows(page, { mug: 3, cup: 2 });
  await close(page);
});

test("two tabs of one browser share one replica, and the second tab goes on when the first is closed", async () => {
  const first = await open();
  await cart(first, "add", MUG);
  await settled(first);
  const second = await open(first.context());
  await shows(second, { mug: 1 });
  await cart(second, "add", MUG, 2);
  assert.deepEqual(await quantities(second), { mug: 3 }, "at once");
  await shows(first, { mug: 3 });
  await first.close();
  await cart(second, "add", CUP);
  await shows(second, { mug: 3, cup: 1 });
  await settled(second);
  await close(second);
});

test("two devices of a customer show the same cart, after opposite edits too", async () => {
  const user = `u${Date.now()}`;
  const [phone, desk] = [await open(), await open()];
  await cart(phone, "add", MUG, 2); // as a guest
  await settled(phone);
  await signIn(phone, user);
  await signIn(desk, user);
  await shows(desk, { mug: 2 });
  await Promise.all([cart(phone, "add", MUG), cart(desk, "add", CUP, 4), cart(desk, "dec", MUG)]);
  await shows(phone, { mug: 2, cup: 4 });
  await shows(desk, { mug: 2, cup: 4 });
  await desk.context().setOffline(true);
  await cart(desk, "set", MUG, 9);
  await cart(phone, "add", MUG);
  await desk.context().setOffline(false);
  await shows(phone, { mug: 10, cup: 4 });
  await shows(desk, { mug: 10, cup: 4 });
  desk.problems.length = 0;
  await close(phone, desk);
});
