/**
 * Promise: the page never sees an exception of ours, without storage, without wasm and without a collector.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { expectEvents, SHUT, startBrowser, startSite, until, watchErrors, withSnippet } from "../scenario.ts";

const browser = await startBrowser();
after(() => browser.close());

const EVERY_CALL = `(h) => { h.page("x"); h.track("y", { a: 1 }); h.track(); h.track(7, "no"); h.identify(null); h.identify("c1"); h.group("g");
  h.consent.grant("analytics", "nonsense"); h.use(() => { throw new Error("the site's own") }); h.track("z"); h.flush(); h.reset(); h.debug(true);
  const cyclic = {}; cyclic.self = cyclic; h.track("cyclic", cyclic); return [h.anonymousId?.() ?? null, h.sessionId?.() ?? null]; }`;

async function watched(options: { init?: () => void; csp?: string; block?: string }) {
  const site = await startSite(() => withSnippet(""), options.csp);
  const context = await browser.newContext();
  if (options.init) await context.addInitScript(options.init);
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  const told = watchErrors(page);
  if (options.block) await page.route(options.block, (route) => route.abort());
  await page.goto(site.url);
  const close = async () => {
    await context.close();
    await site.close();
  };
  return { site, page, errors, told, close };
}

test("where storage throws, the tracker uses memory and tells the collector so", async () => {
  const init = () => {
    for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, { get() { throw new DOMException("blocked", "SecurityError"); } });
  };
  const { site, page, errors, close } = await watched({ init });
  await page.waitForFunction(() => !(window as any).hilo.q);
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  await page.evaluate(() => (window as any).hilo.track("Seen"));
  await site.quiet();
  expectEvents(site.events(), ["page", "track Seen"]);
  assert.ok(site.sent.filter((one) => one.call === "batch").every((one) => one.body["context"].hilo.persistence === "memory"));
  assert.deepEqual(errors, []);
  await close();
});

test("where storage is full, the tracker uses memory", async () => {
  const init = () => (Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); });
  const { site, page, errors, close } = await watched({ init });
  await page.waitForFunction(() => !(window as any).hilo.q);
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  await page.evaluate(() => (window as any).hilo.track("Seen"));
  await site.quiet();
  expectEvents(site.events(), ["page", "track Seen"]);
  assert.deepEqual(errors, []);
  await close();
});

test("every call is harmless where the module may not run in any form", async () => {
  const { site, page, errors, told, close } = await watched({ csp: SHUT });
  await until(() => told.length);
  assert.deepEqual(await page.evaluate(`(${EVERY_CALL})(hilo)`), [null, null]);
  await site.quiet();
  assert.deepEqual([errors, site.sent], [[], []]);
  await close();
});

test("every call is harmless where the module does not compile and its JavaScript does not arrive", async () => {
  const init = () => void delete (globalThis as any).WebAssembly;
  const { site, page, errors, told, close } = await watched({ init, block: "**/hilo.*.mjs" });
  await until(() => told.length);
  await page.evaluate(`(${EVERY_CALL})(hilo)`);
  await site.quiet();
  assert.deepEqual([errors, site.sent], [[], []]);
  await close();
});

test("every call is harmless where the script does not arrive", async () => {
  const { site, page, errors, close } = await watched({ block: "**/hilo.js" });
  await page.evaluate(`(${EVERY_CALL})(hilo)`);
  await site.quiet();
  assert.deepEqual([errors, site.sent], [[], []]);
  await close();
});

test("wrong arguments and a failing plugin of the site throw nothing", async () => {
  const { page, errors, close } = await watched({});
  await page.waitForFunction(() => !(window as any).hilo.q);
  await page.evaluate(`(${EVERY_CALL})(hilo)`);
  assert.deepEqual(errors, []);
  await close();
});

test("after a logout the visitor has another anonymous id", async () => {
  const { site, page, close } = await watched({});
  await page.waitForFunction(() => !(window as any).hilo.q);
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  await page.waitForFunction(() => (window as any).hilo.anonymousId());
  const before = await page.evaluate(() => (window as any).hilo.anonymousId());
  await page.evaluate(() => (window as any).hilo.identify("ana"));
  await page.evaluate(() => (window as any).hilo.reset());
  assert.notEqual(await page.evaluate(() => (window as any).hilo.anonymousId()), before);
  await page.evaluate(() => (window as any).hilo.track("After"));
  await site.quiet();
  const after = site.events().find((event) => event["event"] === "After")!;
  assert.ok(after["anonymousId"] !== before && after["userId"] === undefined);
  await close();
});

for (const [what, reply] of [
  ["a service worker's page", { status: 200, headers: { "content-type": "text/html" }, text: "<!doctype html><title>You are offline</title>" }],
  ["a portal's JSON", { status: 200, text: '{"success":true}' }],
  ["an empty answer", { status: 204, text: "" }],
  ["a firewall's 400", { status: 400, text: "<h1>Bad Request</h1>" }],
  ["a firewall's 413 as JSON", { status: 413, text: '{"error":"Payload Too Large","message":"no"}' }],
  ["a proxy's 403", { status: 403, text: '{"error":{"code":403,"message":"forbidden"}}' }],
  ["another API's 400", { status: 400, text: '{"error":{"code":"bad_request","message":"no"}}' }],
  ["a gateway's 403", { status: 403, text: '{"error":{"code":"access_denied","message":"no"}}' }],
  ["a web server's 410", { status: 410, text: '{"error":{"code":"gone","message":"gone"}}' }],
] as const) {
  test(`${what} in the collector's place costs no event, and one error tells the developer`, async () => {
    const { site, page, errors, told, close } = await watched({});
    await page.waitForFunction(() => !(window as any).hilo.q);
    site.answer(() => reply);
    await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
    await page.evaluate(() => (window as any).hilo.track("Kept"));
    await site.quiet();
    assert.ok(site.sent.length > 1, "the tracker tries again");
    site.answer(() => ({ status: 200 }));
    site.sent.length = 0;
    await page.evaluate(() => (window as any).hilo.flush());
    await page.waitForFunction(() => Object.keys(localStorage).every((key) => !/^hilo\.[qr]\./.test(key)), null, { timeout: 20_000 });
    expectEvents(site.events(), ["page", "track Kept"]);
    assert.ok(site.sent.some((one) => one.call === "consent"));
    assert.equal(told.length, 1, told.join());
    assert.match(told[0]!, /does not answer as one/);
    assert.deepEqual(errors, []);
    await close();
  });
}
