/**
 * Promise: what keeps hilo from working is told in one console error with its remedy, and in debug mode each event's outcome is told.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { IS_PLAIN, startBrowser, startSite, until, watchErrors, withSnippet } from "../scenario.ts";

const browser = await startBrowser();
after(() => browser.close());

async function visit(html: string, csp?: string, blocked?: RegExp) {
  const site = await startSite(() => html, csp);
  const page = await (await browser.newContext()).newPage();
  const told = watchErrors(page);
  const lines: string[] = [];
  page.on("console", (message) => ["info", "warning"].includes(message.type()) && lines.push(message.text()));
  if (blocked) await page.route(blocked, (route) => route.abort());
  await page.goto(site.url);
  const close = async () => {
    await page.context().close();
    await site.close();
  };
  return { site, page, told, lines, close };
}

test("a page that loads the tracker neither as WebAssembly nor as JavaScript leads to one error that names the policy's directives", async () => {
  const { site, told, lines, close } = await visit(withSnippet(""), "default-src 'self'; script-src 'self' 'unsafe-inline'", /hilo\.\w+\.mjs$/);
  await site.quiet();
  assert.equal(told.length, 1, told.join());
  assert.match(told[0]!, /cannot start.*script-src and connect-src/);
  assert.deepEqual(lines, []);
  await close();
});

test("a content security policy whose connect-src forbids the page's own host leads to one error that names connect-src", { skip: IS_PLAIN && "the tracker as JavaScript comes in scripts, which connect-src lets in, and a request that fails is silent" }, async () => {
  const policy = "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; connect-src https://other.example";
  const { page, told, close } = await visit(withSnippet(""), policy);
  await page.waitForFunction(() => !(window as any).hilo.q);
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  await until(() => told.length);
  assert.equal(told.length, 1, told.join());
  assert.match(told[0]!, /a file of hilo does not load.*connect-src/);
  await close();
});

for (const [what, reply] of [
  ["a gateway's 502", { status: 502, text: "<html>Bad Gateway</html>" }],
  ["a 404 of the site's own", { status: 404, text: "<html>Not found</html>" }],
  ["the page of a single-page app", { status: 200, text: "<html>" }],
] as const) {
  test(`${what} in the collector's place leads to one error that names address, status and proxy`, async () => {
    const { site, page, told, lines, close } = await visit(withSnippet(""));
    await page.waitForFunction(() => !(window as any).hilo.q);
    site.answer(() => ({ ...reply, headers: { "content-type": "text/html" } }));
    await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
    await site.quiet();
    assert.ok(site.sent.length > 1, "several calls are answered so");
    assert.equal(told.length, 1, told.join());
    assert.match(told[0]!, /the collector behind `endpoint` does not answer as one.*the proxy/);
    assert.ok(told[0]!.includes(`${reply.status} ${site.url}/_h/v1/`), told[0]);
    assert.deepEqual(lines, []);
    await close();
  });
}

test("an act on the cart of a page without any consent tells of a missing collector too", async () => {
  const { site, page, told, close } = await visit(withSnippet(""));
  await page.waitForFunction(() => !(window as any).hilo.q);
  // The recording collector has no cart, so the site answers with 404.
  await page.evaluate(() => (window as any).hilo.cart.add({ product_id: "mug", currency: "EUR", price: "19.99" }));
  await site.quiet();
  assert.equal(told.length, 1, told.join());
  assert.match(told[0]!, /does not answer as one/);
  assert.ok(told[0]!.includes(`404 ${site.url}/_h/v1/cart/ops`), told[0]);
  await close();
});

test("a collector that is busy or failing tells it by a code, and the console stays empty", async () => {
  const { site, page, told, lines, close } = await visit(withSnippet(""));
  await page.waitForFunction(() => !(window as any).hilo.q);
  const error = { code: "unavailable", message: "try again" };
  site.answer(() => ({ status: 503, body: { ...error, error } }));
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  await site.quiet();
  assert.deepEqual([told, lines], [[], []]);
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
  ["origin_refused", 403, /refuses this page's origin/],
  ["key_revoked", 410, /revoked/],
  ["key_exposed", 403, /key_exposed/],
] as const) {
  test(`the refusal ${code} of every call leads to one error that quotes the collector`, async () => {
    const { site, page, told, lines, close } = await visit(withSnippet(""));
    await page.waitForFunction(() => !(window as any).hilo.q);
    const error = { code, message: "the collector's own sentence" };
    site.answer(() => ({ status, body: { ...error, error } }));
    await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
    await until(() => told.length);
    await page.evaluate(() => (window as any).hilo.flush());
    await site.quiet();
    // A revoked key ends the tracker with the first refusal.
    assert.equal(site.sent.length > 1, code !== "key_revoked", `${site.sent.length} calls are refused`);
    assert.equal(told.length, 1, told.join());
    assert.match(told[0]!, remedy);
    assert.match(told[0]!, /the collector's own sentence/);
    assert.doesNotMatch(told[0]!, /list it/, "only the collector can tell what helps");
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

test("where the second file is blocked too, the error is told by its code, and no line is without words", async () => {
  const site = await startSite(() => withSnippet("", "data-debug", ""));
  const page = await (await browser.newContext()).newPage();
  const told = watchErrors(page);
  await page.route("**/hilo-more*", (route) => route.abort());
  await page.goto(site.url);
  const isMissing = (line: string) => /^hilo: a file does not load: check proxy and CSP\. missing_key/.test(line);
  await until(() => told.some(isMissing));
  assert.equal(told.filter(isMissing).length, 1, told.join());
  await page.waitForFunction(() => !(window as any).hilo.q);
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  await site.quiet();
  assert.ok(site.events().length > 0);
  for (const line of told) assert.match(line, /^hilo: a file does not load: check/);
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
  // The page of HILO_PAGE=js begins with a line that tells so.
  if (IS_PLAIN) assert.match(lines.shift()!, /runs as JavaScript/);
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
