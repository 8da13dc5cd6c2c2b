/**
 * Promise: a Shopify theme's cart is captured from its own AJAX calls, in whatever way the theme makes them, and no other request is
 * looked at. The page gets its own answers, and its own functions back when the tracker ends. No code on the page is changed.
 *
 * The page stands for a theme: it calls the cart as Shopify's themes do, and the site answers as Shopify does.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import * as captured from "../captured_cart.ts";
import { passed, startBrowser, startSite, withSnippet, type Json } from "../scenario.ts";

const browser = await startBrowser();
const site = await startSite(() => withSnippet('<script>window.Shopify = { currency: { active: "EUR" } };</script>', 'data-cart="shopify" data-debug'));
after(async () => {
  await browser.close();
  await site.close();
});

/** A line as Shopify has it. */
const line = (id: number, quantity: number, more: Json = {}) => ({
  id, key: `${id}:abc`, variant_id: id, product_id: 9, sku: "MUG-BLU", title: `Mug - ${id}`, quantity, price: 2000, final_price: 1800, properties: null, ...more,
});

/** Opens a page whose shop answers calls of the cart; `answers` by path, in order. */
async function open(answers: Record<string, Json[]>) {
  site.sent.length = 0;
  const page: Json = await (await browser.newContext()).newPage();
  page.problems = [];
  page.on("pageerror", (error: Error) => page.problems.push(error.message));
  for (const [path, list] of Object.entries(answers)) {
    await page.route(`**${path}`, (route: Json) => {
      const { status = 200, ...json } = list.shift()!;
      return route.fulfill({ status, json });
    });
  }
  const loaded = page.waitForResponse((response: Json) => /hilo-shop\.\w+\.(wasm|mjs)$/.test(response.url()));
  await page.goto(site.url);
  await loaded;
  await page.waitForFunction(() => !String(window.fetch).includes("native"));
  await page.evaluate(() => (window as Json).hilo.consent.grant("analytics"));
  return page;
}

const shows = (page: Json, expected: string[]) => captured.shows(page, expected, 300);

const told = () => captured.told(site);
const net = () => captured.net(site);

test("lines that are added, changed, updated and cleared are the captured cart, and are told", async () => {
  const page = await open({
    "/cart/add.js": [line(41, 1), { ...line(41, 3) }],
    "/cart/change.js": [{ items: [line(41, 2)], currency: "EUR", item_count: 2 }],
    "/es-mx/cart/update": [{ items: [line(41, 2), line(42, 1, { final_price: 500 })], currency: "EUR" }],
    "/cart/clear.js": [{ items: [], currency: "EUR" }],
  });
  const post = (path: string, body: Json) => page.evaluate(async ([path, body]: [string, Json]) => (await (await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) })).json()).quantity, [path, body]);
  assert.equal(await post("/cart/add.js", { id: 41, quantity: 1 }), 1, "the page reads its own answer");
  await shows(page, ["41 1 18.00 EUR"]);
  await post("/cart/add.js", { id: 41, quantity: 2 });
  await shows(page, ["41 3 18.00 EUR"]);
  await post("/cart/change.js", { line: 1, quantity: 2 });
  await shows(page, ["41 2 18.00 EUR"]);
  await post("/es-mx/cart/update", {});
  await shows(page, ["41 2 18.00 EUR", "42 1 5.00 EUR"]);
  await site.quiet();
  assert.equal(told()[0], "Product Added 41 1");
  assert.deepEqual(net(), { 41: 2, 42: 1 });
  await post("/cart/clear.js", {});
  await shows(page, []);
  await page.goto("about:blank");
  await site.quiet();
  assert.deepEqual(net(), {});
  await page.context().close();
});

test("an XMLHttpRequest with a form's data is read as well, and so are several lines and an engraved one", async () => {
  const page = await open({ "/cart/add": [{ items: [line(41, 1), line(41, 2, { key: "41:xyz", properties: { Engraving: "canary-ana" } })] }] });
  await page.evaluate(
    () =>
      new Promise((done) => {
        const request = new XMLHttpRequest();
        request.open("POST", "/cart/add");
        request.responseType = "json";
        request.onload = done as never;
        const data = new FormData();
        data.append("id", "41");
        request.send(data);
      }),
  );
  await shows(page, ["41 1 18.00 EUR", "41 2 18.00 EUR"]);
  await site.quiet();
  assert.ok(!JSON.stringify(site.sent.map((one) => one.body)).includes("canary"));
  await page.context().close();
});

test("a call that fails, a page and foreign calls change nothing", async () => {
  const page = await open({
    "/cart/add.js": [{ status: 422, message: "sold out", description: "…" }],
    "/cart": [line(41, 7)],
    "/cart/note.js": [line(41, 7)],
    "/api/cart/add.js": [line(41, 7)],
  });
  await page.route("https://other.example/**", (route: Json) => route.fulfill({ json: line(41, 7), headers: { "access-control-allow-origin": "*" } }));
  const status = await page.evaluate(async () => {
    for (const path of ["/cart", "/cart/note.js", "/api/cart/add.js"]) await fetch(path);
    await fetch("https://other.example/cart/add.js");
    return (await fetch("/cart/add.js", { method: "POST" })).status;
  });
  assert.equal(status, 422);
  await passed(page, 1_000);
  await shows(page, []);
  assert.deepEqual(told(), []);
  await page.context().close();
});

test("a cart that is only read corrects an empty captured cart without a touchpoint", async () => {
  const page = await open({ "/cart.js": [{ items: [line(41, 4)], currency: "EUR" }] });
  await page.evaluate(() => fetch("/cart.js").then((answer) => answer.json()));
  await shows(page, ["41 4 18.00 EUR"]);
  await site.quiet();
  assert.deepEqual(told(), []);
  await page.context().close();
});

test("a tracker that ends gives the page's own functions back", async () => {
  const page = await open({});
  const isNative = () => page.evaluate(() => [String(window.fetch), String(XMLHttpRequest.prototype.open)].map((text) => text.includes("native")));
  assert.deepEqual(await isNative(), [false, false]);
  await page.evaluate(() => (window as Json).hilo.destroy());
  assert.deepEqual(await isNative(), [true, true]);
  await page.context().close();
});
