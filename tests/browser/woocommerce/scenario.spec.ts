/**
 * Promise: WooCommerce's cart is captured from what its Store API says after any of its signals, of blocks and of jQuery. A signal alone
 * puts nothing into the cart. No code on the page is changed.
 *
 * The page stands for a shop: jQuery's events and the store of blocks are the parts that WooCommerce's own scripts use.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import * as captured from "../captured_cart.ts";
import { passed, startBrowser, startSite, until, withSnippet, type Json } from "../scenario.ts";

/** jQuery's events, as `trigger` calls them: the document's own listeners do not see them. */
const JQUERY = `<script>
const heard = {};
window.isListening = () => !!heard.wc_fragments_refreshed?.size;
window.jQuery = () => ({
  on(names, act) { for (const name of names.split(" ")) (heard[name] ??= new Set()).add(act); return this; },
  off(names, act) { for (const name of names.split(" ")) heard[name]?.delete(act); return this; },
  trigger(name) { heard[name]?.forEach((act) => act()); },
});
</script>`;
/** The data store of blocks. */
const STORE = `<script>
let cart = { items: [] };
const listeners = new Set();
window.isReady = true;
window.setCart = (items) => { cart = { items }; listeners.forEach((one) => one()); };
window.wp = { data: {
  select: (name) => (name === "wc/store/cart" ? { getCartData: () => cart, hasFinishedResolution: () => window.isReady } : undefined),
  subscribe: (one) => (listeners.add(one), () => listeners.delete(one)),
} };
</script>`;
const PAGES: Record<string, string> = { "/classic": JQUERY, "/blocks": STORE + JQUERY };

const browser = await startBrowser();
const site = await startSite((path) => withSnippet((PAGES[path] ?? "") + "<p>A shop</p>", 'data-cart="woocommerce"'));
after(async () => {
  await browser.close();
  await site.close();
});

/** A line as the Store API has it. */
const line = (id: number, quantity: number, price = "2000", more: Json = {}) => ({
  key: `k${id}`, id, quantity, name: `Mug ${id}`, sku: "MUG", prices: { price, currency_code: "EUR", currency_minor_unit: 2 }, ...more,
});

async function open(path: string, isGranted = true) {
  site.sent.length = 0;
  const page: Json = await (await browser.newContext()).newPage();
  page.asked = 0;
  page.items = [];
  page.problems = [];
  page.on("pageerror", (error: Error) => page.problems.push(error.message));
  await page.route("**/wp-json/wc/store/v1/cart", (route: Json) => ((page.asked += 1), route.fulfill({ json: { items: page.items } })));
  const loaded = page.waitForResponse((response: Json) => /hilo-shop\.\w+\.(wasm|mjs)$/.test(response.url()));
  await page.goto(site.url + path);
  if (isGranted) await page.evaluate(() => (window as Json).hilo.consent.grant("analytics"));
  await loaded;
  // The shop's file listens: to jQuery's events, or to the store.
  await page.waitForFunction(() => (window as Json).isListening());
  // The first look at a store comes 300 ms later.
  await passed(page, 400);
  return page;
}

const shows = (page: Json, expected: string[]) => captured.shows(page, expected, 700);

const told = () => captured.told(site);
const net = () => captured.net(site);

const trigger = (page: Json, name: string) => page.evaluate((name: string) => (window as Json).jQuery(document.body).trigger(name), name);
const block = (page: Json, name: string) => page.evaluate((name: string) => document.body.dispatchEvent(new CustomEvent(name, { bubbles: true })), name);

test("jQuery's signals lead to one request, and the answer's difference is told", async () => {
  const page = await open("/classic");
  page.items = [line(41, 1)];
  await trigger(page, "added_to_cart");
  await trigger(page, "wc_fragments_refreshed");
  await shows(page, ["41 1 20.00 EUR"]);
  assert.equal(page.asked, 1, "one act, one request");
  page.items = [line(41, 3), line(42, 1, "550")];
  await trigger(page, "updated_wc_div");
  await shows(page, ["41 3 20.00 EUR", "42 1 5.50 EUR"]);
  page.items = [line(42, 1, "550")];
  await trigger(page, "removed_from_cart");
  await shows(page, ["42 1 5.50 EUR"]);
  await page.goto("about:blank");
  await site.quiet();
  assert.equal(told()[0], "Product Added 41 1");
  assert.deepEqual(net(), { 42: 1 });
  await page.context().close();
});

test("a signal without a change is no act, and without consent no request is made", async () => {
  const page = await open("/classic");
  await block(page, "wc-blocks_added_to_cart");
  await until(() => page.asked);
  await shows(page, []);
  assert.equal(page.asked, 1);
  await site.quiet();
  assert.deepEqual(told(), []);
  await page.context().close();

  const silent = await open("/classic", false);
  silent.items = [line(41, 1)];
  await trigger(silent, "added_to_cart");
  await shows(silent, []);
  assert.equal(silent.asked, 0);
  await silent.context().close();
});

test("the store of blocks is the truth where a page has it, and no request is made", async () => {
  const page = await open("/blocks");
  await page.evaluate((items: Json[]) => (window as Json).setCart(items), [line(41, 2)]);
  await shows(page, ["41 2 20.00 EUR"]);
  await page.evaluate((items: Json[]) => (window as Json).setCart(items), [line(41, 1), line(41, 1, "2500", { key: "k2", item_data: [{ name: "Engraving", value: "canary" }] })]);
  await shows(page, ["41 1 20.00 EUR", "41 1 25.00 EUR"]);
  await page.evaluate(() => (window as Json).setCart([]));
  await shows(page, []);
  await page.goto("about:blank");
  await site.quiet();
  assert.equal(page.asked, 0);
  assert.equal(told()[0], "Product Added 41 2");
  assert.deepEqual(net(), {});
  assert.ok(!JSON.stringify(site.sent.map((one) => one.body)).includes("canary"));
  await page.context().close();
});

test("a cart from before is taken over without a touchpoint", async () => {
  const page = await open("/blocks");
  await page.evaluate(() => ((window as Json).isReady = false));
  await page.evaluate((items: Json[]) => (window as Json).setCart(items), [line(41, 2)]);
  await shows(page, []);
  page.items = [line(41, 2)];
  await page.evaluate(() => (window as Json).jQuery(document.body).trigger("wc_fragments_refreshed"));
  await shows(page, ["41 2 20.00 EUR"]);
  await site.quiet();
  assert.deepEqual(told(), []);
  await page.context().close();
});
