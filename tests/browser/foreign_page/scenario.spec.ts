/**
 * Promise: on a page that changed the browser's own functions, or that loads the tracker twice, hilo tells what it tells elsewhere, and
 * the page's errors are the page's. The page changes them before the tracker comes.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

import { actsOf, startBrowser, startSite, until, withSnippet, type Json } from "../scenario.ts";

const browser = await startBrowser();
after(() => browser.close());

/** What a page did to the browser, as a script that runs before all others. */
const CHANGES: Record<string, string> = {
  "Prototype.js gives lists, texts and dates a toJSON": `for (const type of [Array, String, Number, Date]) type.prototype.toJSON = function () {
    return type === Array ? "[" + this.map((one) => JSON.stringify(one)).join(",") + "]" : String(this); };`,
  "MooTools and others add enumerable names to every object": `for (const type of [Array, Object, String, Function]) type.prototype.extra = function () {};
    for (const type of [Array, String, Function]) type.prototype.first = 7;`,
  "a monitor wraps fetch, XMLHttpRequest and sendBeacon": `const { fetch: own } = window; window.fetch = function (url, options = {}) {
    return own.call(this, url, { ...options, headers: { ...options.headers } }).then((answer) => answer.clone()); };
    navigator.sendBeacon = () => { throw new Error("no beacon"); };
    const { open } = XMLHttpRequest.prototype; XMLHttpRequest.prototype.open = function (...args) { return open.apply(this, args); };`,
  "a router wraps history and its events": `for (const name of ["pushState", "replaceState"]) { const own = history[name]; history[name] = function (...args) {
    const result = own.apply(this, args); dispatchEvent(new Event(name)); return result; }; }`,
  "a zone wraps promises, timers and listeners": `const Own = Promise; class ZonePromise extends Own { then(...args) { return super.then(...args.map((act) => act && ((value) => act(value)))); } }
    window.Promise = ZonePromise;
    const wrapped = new WeakMap(); const { addEventListener: add, removeEventListener: remove } = EventTarget.prototype;
    EventTarget.prototype.addEventListener = function (kind, act, options) {
      if (!wrapped.has(act)) wrapped.set(act, function (event) { return typeof act === "function" ? act.call(this, event) : act.handleEvent(event); });
      return add.call(this, kind, wrapped.get(act), options); };
    EventTarget.prototype.removeEventListener = function (kind, act, options) { return remove.call(this, kind, wrapped.get(act) ?? act, options); };
    for (const name of ["setTimeout", "setInterval", "queueMicrotask", "requestIdleCallback"]) { const own = window[name]; window[name] = (act, ...rest) => own.call(window, (...args) => act(...args), ...rest); }`,
  "an old polyfill replaces JSON, Promise and Array's methods": `const { parse, stringify } = JSON;
    window.JSON = { parse: (text) => parse(String(text)), stringify: (value) => stringify(value) };
    const Own = Promise; window.Promise = function (act) { return new Own(act); };
    Object.assign(Promise, { resolve: (value) => Own.resolve(value), reject: (error) => Own.reject(error), all: (all) => Own.all([...all]), race: (all) => Own.race([...all]), prototype: Own.prototype });
    Array.prototype.flat = function () { return [].concat(...this); }; Array.prototype.includes = function (one) { return this.indexOf(one) >= 0; };`,
  "a hardened page freezes what everything inherits from": `for (const type of [Object, Array, String, Function, Promise, Map, Set, EventTarget, Event, Error]) Object.freeze(type.prototype), Object.freeze(type);
    Object.freeze(JSON); Object.freeze(Math); Object.freeze(Reflect);`,
  "a page hides what browsers have since ES2022": `for (const name of ["requestIdleCallback", "navigation", "CompressionStream", "scheduler", "BroadcastChannel", "structuredClone"]) delete window[name];
    delete Crypto.prototype.randomUUID; delete AbortSignal.timeout; delete Document.prototype.prerendering; delete Navigator.prototype.locks;
    delete Promise.withResolvers; delete Array.prototype.toSorted; delete Object.groupBy;`,
};
const BODY = `<form onsubmit="event.preventDefault()"><input name="email"></form>
<script>window.dataLayer = window.dataLayer || []; hilo.consent.grant("functional", "analytics");
hilo.track("Seen", { tags: ["a", "b"], lines: [{ sku: "M", price: 12.5 }], when: "2026-11-30" });
dataLayer.push({ event: "add_to_cart", ecommerce: { currency: "EUR", items: [{ item_id: "MUG", price: "4,245.42", quantity: 2 }] } });</script>`;

async function visit(page: (path: string) => string, prepare: (page: Json) => Promise<unknown> = async () => {}) {
  const site = await startSite(page);
  const tab: Json = await (await browser.newContext()).newPage();
  const errors: string[] = [];
  tab["on"]("pageerror", (error: Error) => errors.push(error.stack ?? error.message));
  await prepare(tab);
  await tab["goto"](site.url);
  const close = async () => {
    assert.deepEqual(errors, []);
    await tab["context"]().close();
    await site.close();
  };
  return { site, page: tab, close };
}

for (const [what, script] of Object.entries(CHANGES)) {
  test(`${what}, and hilo tells the same`, async () => {
    const { site, page, close } = await visit(() => `<script>{ ${script} }</script>${withSnippet(BODY, 'data-cart="dataLayer"')}`);
    await until(() => actsOf(site).length >= 2, 20_000);
    await page["evaluate"](() => history.pushState(null, "", "/next"));
    await until(() => site.events().filter(({ type }) => type === "page").length >= 2, 20_000);
    await page["fill"]("[name=email]", "canary@example.com");
    await page["goto"](`${site.url}/left`);
    await until(() => actsOf(site).some(({ event }) => event === "Form Abandoned"), 20_000);
    const acts = Object.fromEntries(actsOf(site).map(({ event, properties }) => [event, properties]));
    assert.deepEqual(Object.keys(acts).sort(), ["Form Abandoned", "Form Started", "Product Added", "Seen"]);
    assert.deepEqual(acts["Seen"], { tags: ["a", "b"], lines: [{ sku: "M", price: 12.5 }], when: "2026-11-30" });
    assert.equal(acts["Product Added"].price, 4245.42);
    assert.deepEqual(site.sent.filter(({ call }) => call === "consent").flatMap(({ body }) => body["consent"].changes.map((one: Json) => one["state"])), ["granted", "granted"]);
    await close();
  });
}

/** Another version of the script, in a folder of its own: the same with another text at its end. */
const OLDER = "/older/hilo.js";
const CDN = fileURLToPath(new URL("../../../js/sdk/dist/cdn/", import.meta.url));
const older = (page: Json) =>
  page["route"]("**/older/*", (route: Json) => {
    const name = new URL(route["request"]().url()).pathname.replace("/older/", "");
    const contentType = name.endsWith(".wasm") ? "application/wasm" : "text/javascript";
    return route["fulfill"]({ contentType, body: name === "hilo.js" ? `${readFileSync(CDN + name, "utf8")}\n// older` : readFileSync(CDN + name) });
  });

for (const [what, second] of [
  ["twice", "/_h/hilo.js"],
  ["in two versions", OLDER],
] as const) {
  test(`a page that loads the tracker ${what} has one tracker, on the visitor's next page too`, async () => {
    const tag = `<script async src="${second}" data-key="wk_t" data-endpoint="/_h"></script>`;
    const html = withSnippet("<script>hilo.consent.grant('analytics'); hilo.track('Seen')</script>");
    const { site, page, close } = await visit(() => html.replace("<script async", `${tag}<script async`) + tag, older);
    await page["waitForFunction"](() => !(window as Json)["hilo"].q);
    await site.quiet();
    await page["goto"](`${site.url}/next`);
    await site.quiet();
    const told = [...new Map(site.events().map((event) => [event["messageId"], event])).values()].map(({ type, event }) => event ?? type);
    assert.deepEqual(told.sort(), ["Seen", "Seen", "page", "page"]);
    await close();
  });
}
