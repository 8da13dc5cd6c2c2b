/**
 * Promise: every tab and every device of a visitor shows the same cart, after edits without a network too, and reports each touchpoint
 * once. Before the first act the page stores and requests nothing. Real browser contexts, the real collector.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

import { startCollector } from "../../collector/mf.ts";
import { claimsOf, signToken } from "../../collector/tokens.ts";
import { passed, startBrowser } from "../scenario.ts";

type Json = any;

const stub = readFileSync(fileURLToPath(new URL("../../../js/sdk/dist/stub.js", import.meta.url)), "utf8").trim();
/** Answers each path that is not the collector's with a page that has the snippet. The query becomes the tag's `data-` attributes. */
const FRONT = `
export default {
  fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    if (/^\\/(_h|v1|admin)(\\/|$)/.test(pathname)) return env.COLLECTOR.fetch(request);
    if (pathname === '/plain') return new Response('<!doctype html>', { headers: { 'content-type': 'text/html' } });
    const attributes = [...searchParams].map(([name, value]) => 'data-' + name + '="' + value + '"').join(" ");
    const html = '<!doctype html><meta charset="utf-8"><title>Shop</title><link rel="icon" href="data:,"><script>' + env.STUB +
      '</script><script async src="/_h/hilo.js" data-key="wk_shop" ' + attributes + '></script>' + env.BODY;
    return new Response(html, { headers: { "content-type": "text/html; charset=utf-8" } });
  },
};`;
const BODY = `<section data-hilo-product='{"product_id":"mug","currency":"EUR","price":"19.99","name":"Mug"}'>
<button id="add" data-hilo-add>Add</button><button id="add3" data-hilo-add="3">3</button><button id="remove" data-hilo-remove>Remove</button></section>
<script>window.told = []; window.seen = []; hilo.cart.on(({ lines }) => {
  told.push(lines.length);
  seen.push(Object.fromEntries(lines.map((line) => [line.product_id, line.quantity])));
})</script>`;

const browser = await startBrowser();
const collector = await startCollector({
  front: [{ name: "front", modules: true, script: FRONT, compatibilityDate: "2026-08-01", bindings: { STUB: stub, BODY }, serviceBindings: { COLLECTOR: "collector" } }],
});
after(async () => {
  await browser.close();
  await collector.dispose();
});

const MUG = { product_id: "mug", currency: "EUR", price: "19.99", name: "Mug" };
const CUP = { product_id: "cup", currency: "EUR", price: 5, options: { color: "red", size: 2 } };

/** Opens a page, in a context of its own unless one is given. Collects the page's errors and its calls to the collector. */
async function open(context?: Json, query = "") {
  context ??= await browser.newContext();
  const page: Json = await context.newPage();
  page.problems = [];
  page.calls = [];
  page.on("pageerror", (error: Error) => page.problems.push(error.message));
  page.on("console", (message: Json) => message.type() === "error" && page.problems.push(message.text()));
  page.on("request", (request: Json) => /\/v1\/|hilo-cart/.test(request.url()) && page.calls.push(`${request.method()} ${new URL(request.url()).pathname}`));
  await page.goto(`${collector.url}/${query}`);
  await page.waitForFunction(() => !(window as Json).hilo.q);
  return page;
}

/** Repeats a check until it holds. */
async function until<T>(check: () => Promise<T>, ms = 15_000): Promise<T> {
  const deadline = Date.now() + ms;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Calls `hilo.cart.<name>`. */
const cart = (page: Json, name: string, ...args: unknown[]) => page.evaluate(([name, args]: Json) => (window as Json).hilo.cart[name](...args), [name, args]);
const quantities = async (page: Json) => Object.fromEntries(((await cart(page, "lines")) as Json[]).map((line) => [line.product_id, line.quantity]));
const status = (page: Json) => page.evaluate(() => new Promise((resolve) => (window as Json).hilo.cart.on((state: Json) => resolve(state.status))));
const shows = (page: Json, expected: Json) => until(async () => assert.deepEqual(await quantities(page), expected));
const settled = (page: Json) => until(async () => assert.equal(((await status(page)) as Json).pending, 0));
const storedKeys = (page: Json) => page.evaluate(() => [Object.keys(localStorage), Object.keys(sessionStorage)].flat().sort());

async function close(...pages: Json[]) {
  for (const page of pages) {
    assert.deepEqual(page.problems, []);
    await page.context().close();
  }
}

/** The package's entry as a script that leaves `load` in the window. */
async function bundle() {
  const dist = `${collector.url}/_h`;
  const source = readFileSync(fileURLToPath(new URL("../../../js/sdk/dist/inline.js", import.meta.url)), "utf8");
  return `${source.replace(/export\s*\{\s*(\w+) as load\s*\};?/, "window.load = $1;")} // ${dist}`;
}

async function signIn(page: Json, user: string) {
  const token = signToken(claimsOf(user));
  await page.evaluate(([user, token]: Json) => (window as Json).hilo.identify(user, {}, { token }), [user, token]);
}

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

test("an expired token is fetched anew once, and without a token nothing is sent for a customer", async () => {
  const user = `w${Date.now()}`;
  const now = Math.floor(Date.now() / 1000);
  const stale = signToken(claimsOf(user, { iat: now - 7_200, exp: now - 3_600 }));
  const page = await open(undefined, "?key=none"); // the tag's tracker has no valid key; the test starts its own
  const [good, url] = [signToken(claimsOf(user)), collector.url];
  await page.goto(`${url}/plain`);
  await page.addScriptTag({ type: "module", content: await bundle() });
  await page.waitForFunction(() => (window as Json).load);
  await page.evaluate(
    async ([user, stale, good]: Json) => {
      const state: Json = ((window as Json).asked = { count: 0 });
      const tokenProvider = async () => ((state.count += 1), state.isOut ? "" : good);
      (window as Json).hilo = await (window as Json).load({ key: "wk_shop", tokenProvider });
      (window as Json).hilo.identify(user, {}, { token: stale });
    },
    [user, stale, good],
  );
  await cart(page, "add", MUG);
  await settled(page);
  assert.equal(await page.evaluate(() => (window as Json).asked.count), 1);
  const choice = page.waitForRequest(/\/v1\/consent$/);
  await page.evaluate(() => (window as Json).hilo.consent.deny("advertising"));
  assert.equal((await choice).headers()["x-hilo-user-token"], good, "a choice counts for the customer too");
  page.problems.length = 0; // the browser reports the 401
  await close(page);
  const desk = await open();
  await signIn(desk, user);
  await shows(desk, { mug: 1 });
  await desk.reload(); // the page has the customer's cart in storage, and no token yet
  desk.calls.length = 0;
  await shows(desk, { mug: 1 });
  await cart(desk, "add", MUG);
  await passed(desk, 1_000);
  assert.deepEqual(desk.calls.filter((call: string) => call.includes("/v1/")), []);
  await signIn(desk, user);
  await settled(desk);
  await close(desk);
});

test("an opt-in stands in the ledger with the text that was shown", async () => {
  const page = await open();
  const said = { text: "Write to me about my cart", version: "3", address: "a@shop.example" };
  const entry = await page.evaluate((said: Json) => (window as Json).hilo.optIn("email", said), said);
  assert.equal(entry.state, "pending", "the address is not proven yet");
  assert.equal((await page.evaluate(() => (window as Json).hilo.optOut("email"))).state, "unsubscribed");
  assert.deepEqual(await storedKeys(page), [], "an opt-in stores nothing on the device");
  await close(page);
});

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

/** Opens a page whose tracker asks the site for tokens, and signs `user` in with `token`. `tokens.answer` gives what the page waits for. */
async function openAsking(user: string, token?: string) {
  const page = await open(undefined, "?key=none"); // the tag's tracker has no valid key; the test starts its own
  await page.goto(`${collector.url}/plain`);
  await page.addScriptTag({ type: "module", content: await bundle() });
  await page.waitForFunction(() => (window as Json).load);
  await page.evaluate(
    async ([user, token]: Json) => {
      const tokenProvider = () => new Promise((resolve) => ((window as Json).answer = resolve));
      (window as Json).hilo = await (window as Json).load({ key: "wk_shop", tokenProvider });
      (window as Json).hilo.identify(user, {}, { token });
    },
    [user, token],
  );
  return page;
}

test("a token that the site owes at a logout is not the next visitor's", async () => {
  const user = `y${Date.now()}`;
  const page = await openAsking(user, signToken(claimsOf(user)));
  await cart(page, "add", MUG);
  await settled(page);
  await page.evaluate((user: string) => (window as Json).hilo.identify(user), user);
  await page.waitForFunction(() => (window as Json).answer);
  await page.evaluate(() => (window as Json).hilo.reset());
  await until(async () => assert.deepEqual(await storedKeys(page), []));
  const users: unknown[] = [];
  page.on("request", (request: Json) => /\/v1\/cart/.test(request.url()) && users.push(request.headers()["x-hilo-user-token"]));
  await page.evaluate((token: string) => (window as Json).answer(token), signToken(claimsOf(user)));
  await cart(page, "add", CUP);
  await shows(page, { cup: 1 });
  await settled(page);
  assert.deepEqual([...new Set(users)], [undefined]);
  await close(page);
});

test("a logout while the site owes a token goes out without waiting for another visitor's token", async () => {
  const user = `z${Date.now()}`;
  const now = Math.floor(Date.now() / 1000);
  const page = await openAsking(user, signToken(claimsOf(user, { iat: now - 7_200, exp: now - 3_600 })));
  await page.waitForFunction(() => (window as Json).answer);
  await page.evaluate(() => (window as Json).hilo.reset());
  await page.evaluate(() => (window as Json).answer(""));
  await cart(page, "add", CUP);
  await settled(page);
  await shows(page, { cup: 1 });
  page.problems.length = 0; // the browser reports the 401
  await close(page);
});

test("a checkout that begins while the site owes the customer's token waits for the token", async () => {
  const user = `q${Date.now()}`;
  const page = await openAsking(user);
  await cart(page, "add", MUG);
  await page.waitForFunction(() => (window as Json).answer);
  const checkout = cart(page, "checkout");
  await page.evaluate((token: string) => (window as Json).answer(token), signToken(claimsOf(user)));
  assert.match((await checkout)?.checkout_id ?? "", /^co_/);
  await settled(page);
  await close(page);
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

test("GA4's events in the dataLayer change the cart, pushed before and after the tracker came, in both forms", async () => {
  const page = await open(undefined, "?cart=dataLayer");
  await page.evaluate(() => {
    const layer = ((window as Json).dataLayer ??= []);
    const gtag = function (..._: unknown[]) { layer.push(arguments); };
    const items = [{ item_id: "mug", item_name: "Mug", price: 19.99, quantity: 2 }];
    layer.push({ event: "add_to_cart", ecommerce: { currency: "EUR", items } });
    gtag("event", "add_to_cart", { currency: "EUR", items: [{ item_id: "hat", price: 7 }] });
    gtag("event", "remove_from_cart", { currency: "EUR", items: [{ item_id: "mug", quantity: 1 }] });
    layer.push({ event: "scroll" });
  });
  await shows(page, { mug: 1, hat: 1 });
  await close(page);
});

test("clicks on elements with hilo's attributes change the cart", async () => {
  const page = await open(undefined, "?cart=attributes");
  await page.click("#add");
  await shows(page, { mug: 1 });
  await page.click("#add3");
  await shows(page, { mug: 4 });
  // The module gives a line its price. Until the module has loaded, the line shows the page's fields.
  await until(async () => assert.equal((await cart(page, "lines"))[0].price, "19.99"));
  await page.click("#remove");
  await shows(page, {});
  await close(page);
});

test("each touchpoint is reported once, under the id of its operation, and none without consent", async () => {
  const silent = await open();
  await cart(silent, "add", MUG);
  await settled(silent);
  await passed(silent, 1_500);
  assert.ok(!silent.calls.includes("POST /_h/v1/batch"));
  await close(silent);

  const page = await open(undefined, "?cart=segment");
  await page.evaluate(() => (window as Json).hilo.consent.grant("analytics"));
  await cart(page, "add", MUG, 2);
  await cart(page, "add", MUG);
  await settled(page);
  await cart(page, "dec", MUG);
  await settled(page);
  await page.evaluate(() => (window as Json).hilo.track("Product Added", { product_id: "hat", currency: "EUR", quantity: 2, price: 7 }));
  await shows(page, { mug: 2, hat: 2 });
  await settled(page);
  const checkout = await cart(page, "checkout");
  assert.match(checkout.checkout_id, /^co_[0-9a-f]{32}_[0-9a-f]{32}$/);
  await cart(page, "add", MUG); // after the checkout, so not a part of the order
  await cart(page, "ordered", "o-1", undefined, { shipping: 3.9, coupon: "MAY" });
  await shows(page, { mug: 1 });
  await page.evaluate(() => (window as Json).hilo.flush());
  const id = await page.evaluate(() => (window as Json).hilo.anonymousId());
  const told = await until(async () => {
    const { events } = await collector.admin(`/admin/v1/profiles/a:${id}/events`);
    const all = events.filter((event: Json) => event.event);
    assert.ok(all.length >= 6, all.map((event: Json) => event.event).join());
    return all;
  });
  const names = told.map((event: Json) => event.event).sort();
  assert.deepEqual(names, ["Checkout Started", "Order Completed", "Product Added", "Product Added", "Product Added", "Product Removed"]);
  const { products, cart_id, ...order } = told.find((event: Json) => event.event === "Order Completed").properties;
  const sum = { currency: "EUR", value: 53.98 };
  assert.deepEqual(order, { ...sum, order_id: "o-1", checkout_id: checkout.checkout_id, total: 53.98, shipping: 3.9, coupon: "MAY" });
  assert.deepEqual(products.map((one: Json) => [one.product_id, one.quantity, one.price]), [["hat", 2, 7], ["mug", 2, 19.99]]);
  const begun = told.find((event: Json) => event.event === "Checkout Started").properties;
  assert.deepEqual([begun.currency, begun.value, begun.cart_id], [sum.currency, sum.value, cart_id]);
  const added = told.find((event: Json) => event.event === "Product Added" && event.properties.quantity === 3);
  assert.match(added.messageId, /^cart-[0-9a-f]{16}-1$/);
  assert.equal(added.properties.product_id, "mug");
  assert.equal(added.properties.price, 19.99);
  await close(page);
});

test("an answer in the hub's place loses no order: not a firewall's, not a portal's", async () => {
  const page = await open();
  await cart(page, "add", MUG);
  await settled(page);
  const foreign = [
    { status: 404, body: "<h1>Not Found</h1>" },
    { status: 400, body: '{"error":{"code":"bad_request","message":"Bad Request"}}' },
    { status: 200, body: "<h1>Sign in to the network</h1>" },
    { status: 200, body: '{"success":true}' },
  ];
  let asked = 0;
  await page.route("**/v1/cart/ordered", (route: Json) => {
    asked += 1;
    const reply = foreign.shift();
    return reply ? route.fulfill(reply) : route.continue();
  });
  void cart(page, "ordered", "o-foreign");
  await shows(page, {});
  await settled(page);
  assert.equal(asked, 5, "the hub itself took the order");
  page.problems.length = 0; // the browser reports the answers 404 and 400
  await close(page);
});

/** Holds the hub's answers to orders until the function that it returns is called. */
async function holdOrders(context: Json) {
  const { promise: isOver, resolve: release } = Promise.withResolvers<void>();
  await context.route("**/v1/cart/ordered", async (route: Json) => (await isOver, route.continue().catch(() => {}))); // the page may be gone
  return release;
}
const seen = (page: Json): Promise<Json[]> => page.evaluate(() => (window as Json).seen);
const forgetSeen = (page: Json) => page.evaluate(() => ((window as Json).seen.length = 0));

test("what was ordered leaves every tab at once and stays away, and later edits survive, while the hub does not answer and when it does", async () => {
  const page = await open();
  await cart(page, "add", MUG, 2);
  await cart(page, "add", CUP);
  await settled(page);
  const other = await open(page.context());
  await shows(other, { mug: 2, cup: 1 });
  const release = await holdOrders(page.context());
  for (const tab of [page, other]) await forgetSeen(tab);
  void cart(page, "ordered", "o-part", [{ ...MUG, quantity: 2 }]).catch(() => {}); // the page is left before the call is done
  assert.deepEqual(await quantities(page), { cup: 1 }, "at once");
  await shows(other, { cup: 1 });
  await cart(other, "add", MUG);
  for (const tab of [page, other]) await shows(tab, { mug: 1, cup: 1 });
  await cart(page, "set", CUP, 3);
  assert.ok((await seen(page)).every(({ mug = 0 }) => mug <= 1));
  await page.reload();
  for (const tab of [page, other]) await shows(tab, { mug: 1, cup: 3 });
  release();
  for (const tab of [page, other]) await settled(tab);
  for (const tab of [page, other]) assert.ok((await seen(tab)).every(({ mug = 0 }) => mug <= 1), JSON.stringify(await seen(tab)));
  await page.reload();
  await shows(page, { mug: 1, cup: 3 });
  await close(page);
});

test("an order of a tab that does not lead leaves its cart at once, and an order without a network waits", async () => {
  const page = await open();
  await cart(page, "add", MUG, 2);
  await settled(page);
  const other = await open(page.context());
  await shows(other, { mug: 2 });
  await page.context().setOffline(true);
  await forgetSeen(other);
  void cart(other, "ordered", "o-offline").catch(() => {});
  for (const tab of [page, other]) await shows(tab, {});
  await cart(other, "add", CUP);
  await page.context().setOffline(false);
  for (const tab of [page, other]) await settled(tab);
  for (const tab of [page, other]) await shows(tab, { cup: 1 });
  // The tab may tell that the network is gone before its order arrives at the leader.
  const all: Json[] = await seen(other);
  const ordered = all.findIndex(({ mug }) => !mug);
  assert.ok(ordered >= 0 && all.slice(ordered).every(({ mug }) => !mug), JSON.stringify(all));
  page.problems.length = other.problems.length = 0; // the browser reports the requests that failed
  await close(page);
});

test("an order that is placed while its checkout begins ends the checkout, and the next order takes its own goods", async () => {
  for (const path of ["", "/checkout"]) {
    const page = await open();
    await cart(page, "add", MUG);
    await settled(page);
    const { promise: isOver, resolve: release } = Promise.withResolvers<void>();
    const { promise: isAsked, resolve: ask } = Promise.withResolvers<void>();
    const { pathname } = new URL(`${collector.url}/_h/v1/cart${path}`);
    await page.route((url: URL) => url.pathname === pathname, async (route: Json) => {
      const response = await route.fetch();
      ask();
      await isOver;
      await route.fulfill({ response });
    });
    const checkout = cart(page, "checkout");
    await isAsked;
    const order = cart(page, "ordered", "o-fast");
    await shows(page, {});
    release();
    assert.equal(await checkout, null, `${pathname} was slow`);
    await order;
    await cart(page, "add", CUP);
    await cart(page, "ordered", "o-next");
    assert.deepEqual(await quantities(page), {}, `${pathname} was slow`);
    await close(page);
  }
});

test("an order of goods that are not in the cart leaves the goods of the next order hidden", async () => {
  const page = await open();
  await cart(page, "add", MUG, 2);
  await settled(page);
  const asked: string[] = [];
  const { promise: isOver, resolve: release } = Promise.withResolvers<void>();
  await page.route("**/v1/cart/ordered", async (route: Json) => {
    const { order_id } = route.request().postDataJSON();
    asked.push(order_id);
    if (order_id === "o-mugs") await isOver;
    await route.continue();
  });
  const voucher = cart(page, "ordered", "o-voucher", [{ product_id: "voucher", currency: "EUR" }]);
  const mugs = cart(page, "ordered", "o-mugs", [{ ...MUG, quantity: 2 }]);
  await shows(page, {});
  await forgetSeen(page);
  await until(async () => assert.deepEqual(asked, ["o-voucher", "o-mugs"]));
  assert.deepEqual(await quantities(page), {});
  release();
  await Promise.all([voucher, mugs]);
  await settled(page);
  assert.deepEqual([...(await seen(page)), await quantities(page)].filter(({ mug }) => mug), []);
  await close(page);
});

test("an order of a part of a line counts once, while the hub has told of it and its answer is still to come", async () => {
  const page = await open();
  const frames: Json[] = [];
  page.on("websocket", (socket: Json) => socket.on("framereceived", ({ payload }: Json) => frames.push(payload)));
  await cart(page, "add", MUG, 9);
  await settled(page);
  await until(async () => assert.match(frames.join(), /"t":"view"/));
  const { promise: isOver, resolve: release } = Promise.withResolvers<void>();
  await page.route("**/v1/cart/ordered", async (route: Json) => {
    const response = await route.fetch();
    await isOver;
    await route.fulfill({ response });
  });
  frames.length = 0;
  await forgetSeen(page);
  const order = cart(page, "ordered", "o-told", [{ ...MUG, quantity: 2 }]);
  await until(async () => assert.match(frames.join(), /"t":"(delta|view)"/));
  await passed(page, 200); // for the page to take the frame
  assert.deepEqual(await quantities(page), { mug: 7 });
  release();
  await order;
  await settled(page);
  assert.deepEqual((await seen(page)).filter(({ mug }) => mug !== 7), []);
  await close(page);
});

test("an order that is refused because its cart has moved is tried again with patience", async () => {
  const page = await open();
  await cart(page, "add", MUG, 2);
  await settled(page);
  let asked = 0;
  let hasMoved = true;
  await page.route("**/v1/cart/ordered", (route: Json) => {
    asked += 1;
    return hasMoved ? route.fulfill({ status: 410, json: { error: { code: "cart_merged" } } }) : route.continue();
  });
  for (const [id, line] of [["o-moved", MUG], ["o-moved-voucher", { product_id: "voucher", currency: "EUR" }]] as const) {
    asked = 0;
    hasMoved = true;
    await cart(page, "ordered", id, [line]);
    await shows(page, { mug: 1 });
    await until(async () => assert.ok(asked > 0));
    await passed(page, 2_000);
    assert.ok(asked < 12, `${id} was sent ${asked} times`);
    hasMoved = false;
    await page.evaluate(() => (window as Json).hilo.flush());
    await settled(page);
    await shows(page, { mug: 1 });
  }
  page.problems.length = 0; // the browser reports the answers 410
  await close(page);
});

test("an order that is told again takes nothing more", async () => {
  const page = await open();
  await cart(page, "add", MUG);
  await cart(page, "ordered", "o-again");
  await cart(page, "add", CUP);
  await settled(page);
  const release = await holdOrders(page.context());
  await page.reload(); // the page after the payment, which tells its order
  await shows(page, { cup: 1 });
  await cart(page, "ordered", "o-again");
  assert.deepEqual(await seen(page), [{ cup: 1 }]);
  release();
  await close(page);
});

test("an order that the hub refuses leaves the cart all the same, on other devices too, and the console names the reason", async () => {
  const user = `r${Date.now()}`;
  const [page, desk] = [await open(undefined, "?debug="), await open()];
  const said: string[] = [];
  page.on("console", (message: Json) => said.push(message.text()));
  await signIn(page, user);
  await cart(page, "add", MUG, 2);
  await cart(page, "add", CUP);
  await settled(page);
  await signIn(desk, user);
  await shows(desk, { mug: 2, cup: 1 });
  await forgetSeen(page);
  await cart(page, "ordered", "x".repeat(129), [{ ...MUG, quantity: 1 }, CUP]);
  for (const device of [page, desk]) await shows(device, { mug: 1 });
  await settled(page);
  assert.ok((await seen(page)).every(({ mug, cup }) => mug === 1 && !cup), JSON.stringify(await seen(page)));
  assert.match(said.join(), /refused this: bad_order/);
  page.problems.length = 0;
  await close(page, desk);
});
