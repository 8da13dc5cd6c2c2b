/**
 * Promise: what keeps hilo from working is told in one console error with its remedy, and in debug mode each event's outcome is told.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { startBrowser, startSite, until, watchErrors, withSnippet } from "../scenario.ts";

const browser = await startBrowser();
after(() => browser.close());

async function visit(html: string, csp?: string) {
  const site = await startSite(() => html, csp);
  const page = await (await browser.newContext()).newPage();
  const told = watchErrors(page);
  const lines: string[] = [];
  page.on("console", (message) => ["info", "warning"].includes(message.type()) && lines.push(message.text()));
  await page.goto(site.url);
  const close = async () => {
    await page.context().close();
    await site.close();
  };
  return { site, page, told, lines, close };
}

test("a content security policy without wasm-unsafe-eval leads to one error that names the directive", async () => {
  const { site, told, lines, close } = await visit(withSnippet(""), "default-src 'self'; script-src 'self' 'unsafe-inline'");
  await site.quiet();
  assert.equal(told.length, 1, told.join());
  assert.match(told[0]!, /'wasm-unsafe-eval' in script-src/);
  assert.deepEqual(lines, []);
  await close();
});

test("a missing key leads to one error at once, before any consent", async () => {
  const { told, close } = await visit(withSnippet("", "", ""));
  await until(() => told.length);
  assert.equal(told.length, 1);
  assert.match(told[0]!, /no write key: set data-key="wk_…"/);
  await close();
});

for (const [code, status, remedy] of [
  ["unknown_key", 401, /key of a source in hilo\.toml/],
  ["origin_refused", 403, /list it in `origins`/],
  ["key_revoked", 410, /revoked/],
  ["key_exposed", 403, /key_exposed/],
] as const) {
  test(`the refusal ${code} of every call leads to one error that quotes the collector`, async () => {
    const { site, page, told, lines, close } = await visit(withSnippet(""));
    await page.waitForFunction(() => !(window as any).hilo.q);
    const error = { code, message: "the collector's own sentence" };
    site.answer(() => ({ status, body: { ...error, error } }));
    await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
    await site.quiet();
    assert.ok(site.sent.length > 1, "several calls are refused");
    assert.equal(told.length, 1, told.join());
    assert.match(told[0]!, remedy);
    assert.match(told[0]!, /the collector's own sentence/);
    assert.deepEqual(lines, []);
    await close();
  });
}

test("a refusal in the older shape, with its code in error alone, is read as well", async () => {
  const { site, page, told, close } = await visit(withSnippet(""));
  await page.waitForFunction(() => !(window as any).hilo.q);
  site.answer(() => ({ status: 401, body: { error: { code: "unknown_key", message: "no source has this key" } } }));
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  await site.quiet();
  assert.equal(told.length, 1);
  assert.match(told[0]!, /no source has this key/);
  await close();
});

test("where the second file is blocked too, the error is told by its code", async () => {
  const site = await startSite(() => withSnippet("", "", ""));
  const page = await (await browser.newContext()).newPage();
  const told = watchErrors(page);
  await page.route("**/hilo-more*", (route) => route.abort());
  await page.goto(site.url);
  await until(() => told.length);
  assert.match(told[0]!, /^hilo: missing_key/);
  await page.context().close();
  await site.close();
});

test("a blocked file of the cart leads to one error, however often the cart is used", async () => {
  const { page, told, close } = await visit(withSnippet(""));
  await page.waitForFunction(() => !(window as any).hilo.q);
  await page.route("**/hilo-cart*", (route) => route.abort());
  for (let i = 0; i < 3; i += 1) assert.equal(await page.evaluate(() => (window as any).hilo.cart.checkout()), null);
  await until(() => told.length);
  assert.equal(told.length, 1, told.join());
  assert.match(told[0]!, /a file of hilo does not load/);
  await close();
});

test("without trouble and without debug mode the console stays empty", async () => {
  const { site, page, told, lines, close } = await visit(withSnippet(""));
  await page.waitForFunction(() => !(window as any).hilo.q);
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  await site.quiet();
  assert.deepEqual([told, lines], [[], []]);
  await close();
});

test("in debug mode one line an event tells what became of it", async () => {
  const { site, page, told, lines, close } = await visit(withSnippet("", "data-debug"));
  await page.waitForFunction(() => !(window as any).hilo.q);
  site.answer(({ call, body }) => {
    if (call !== "batch") return { status: 200 };
    const index = body["batch"].findIndex((event: any) => event.event === "Bad");
    const rejected = index < 0 ? [] : [{ index, code: "wrong_type", message: "text is needed" }];
    return { status: 200, body: { success: true, accepted: body["batch"].length - rejected.length, duplicate: 0, rejected } };
  });
  await page.evaluate(() => (window as any).hilo.track("Waiting"));
  await until(() => lines.some((line) => line.includes("Waiting")));
  assert.deepEqual(lines, ["hilo: waits for consent: page", "hilo: waits for consent: track Waiting"]);
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  await site.quiet();
  await page.evaluate(() => (window as any).hilo.track("Bad"));
  await site.quiet();
  await page.evaluate(() => (window as any).hilo.consent.deny("analytics"));
  await page.evaluate(() => (window as any).hilo.track("Denied"));
  await until(() => lines.some((line) => line.includes("Denied")));
  assert.deepEqual(lines.slice(2), [
    "hilo: page: accepted",
    "hilo: track Waiting: accepted",
    "hilo: track Bad: rejected, wrong_type: text is needed",
    "hilo: dropped, because the visitor denied analytics: track Denied",
  ]);
  assert.deepEqual(told, []);
  await close();
});
