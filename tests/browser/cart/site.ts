/**
 * A shop in front of the real collector, in real browser contexts, for the scenarios of the cart. In: a context and the tag's attributes.
 * Out: an opened page, and what its cart shows, waits for and stores.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { startCollector } from "../../collector/mf.ts";
import { claimsOf, signToken } from "../../collector/tokens.ts";
import { startBrowser } from "../scenario.ts";

export { passed } from "../scenario.ts";

export type Json = any;

const dist = fileURLToPath(new URL("../../../js/sdk/dist/", import.meta.url));
const stub = readFileSync(`${dist}stub.js`, "utf8").trim();
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

export const browser = await startBrowser();
export const collector = await startCollector({
  front: [{ name: "front", modules: true, script: FRONT, compatibilityDate: "2026-08-01", bindings: { STUB: stub, BODY }, serviceBindings: { COLLECTOR: "collector" } }],
});

/** Ends the browser and the collector, when a file's tests are over. */
export async function end() {
  await browser.close();
  await collector.dispose();
}

export const MUG = { product_id: "mug", currency: "EUR", price: "19.99", name: "Mug" };
export const CUP = { product_id: "cup", currency: "EUR", price: 5, options: { color: "red", size: 2 } };

/** Opens a page, in a context of its own unless one is given. Collects the page's errors and its calls to the collector. */
export async function open(context?: Json, query = "") {
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
export async function until<T>(check: () => Promise<T>, ms = 15_000): Promise<T> {
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
export const cart = (page: Json, name: string, ...args: unknown[]) => page.evaluate(([name, args]: Json) => (window as Json).hilo.cart[name](...args), [name, args]);
export const quantities = async (page: Json) => Object.fromEntries(((await cart(page, "lines")) as Json[]).map((line) => [line.product_id, line.quantity]));
export const status = (page: Json) => page.evaluate(() => new Promise((resolve) => (window as Json).hilo.cart.on((state: Json) => resolve(state.status))));
export const shows = (page: Json, expected: Json) => until(async () => assert.deepEqual(await quantities(page), expected));
export const settled = (page: Json) => until(async () => assert.equal(((await status(page)) as Json).pending, 0));
export const storedKeys = (page: Json) => page.evaluate(() => [Object.keys(localStorage), Object.keys(sessionStorage)].flat().sort());

export async function close(...pages: Json[]) {
  for (const page of pages) {
    assert.deepEqual(page.problems, []);
    await page.context().close();
  }
}

/** Opens an empty page whose window has `load`, as the package gives it to a site that bundles. */
export async function openPackage() {
  const page = await open(undefined, "?key=none"); // the tag's tracker has no valid key; the test starts its own
  await page.route("**/pkg/*", (route: Json) => {
    const name = new URL(route.request().url()).pathname.replace("/pkg/", "");
    return route.fulfill({ body: readFileSync(dist + name), contentType: name.endsWith(".wasm") ? "application/wasm" : "text/javascript" });
  });
  await page.goto(`${collector.url}/plain`);
  await page.addScriptTag({ type: "module", content: 'import { load } from "/pkg/index.js"; window.load = load;' });
  await page.waitForFunction(() => (window as Json).load);
  return page;
}

export async function signIn(page: Json, user: string) {
  const token = signToken(claimsOf(user));
  await page.evaluate(([user, token]: Json) => (window as Json).hilo.identify(user, {}, { token }), [user, token]);
}

/** Holds the hub's answers to orders until the function that it returns is called. */
export async function holdOrders(context: Json) {
  const { promise: isOver, resolve: release } = Promise.withResolvers<void>();
  await context.route("**/v1/cart/ordered", async (route: Json) => (await isOver, route.continue().catch(() => {}))); // the page may be gone
  return release;
}
export const seen = (page: Json): Promise<Json[]> => page.evaluate(() => (window as Json).seen);
export const forgetSeen = (page: Json) => page.evaluate(() => ((window as Json).seen.length = 0));
