/**
 * Promise: before the tracker is there, and where it never comes, each call returns what the types promise and none throws.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { SHUT, startBrowser, startSite, until, watchErrors, withSnippet, type Json } from "../scenario.ts";

const browser = await startBrowser();
const site = await startSite(() =>
  withSnippet(`<script>
window.stub = hilo;
window.results = {};
window.settled = {};
for (const call of ["hilo.anonymousId()", "hilo.sessionId()", "hilo.consent.state()", "hilo.cart.lines()", "hilo.cart.totals()", "hilo.track('Early')",
  "hilo.cart.checkout()", "hilo.cart.ordered('o-1')", "hilo.optIn('email', { text: 'News?', version: '1' })", "hilo.optOut('email')",
  "hilo.consent.on((state) => (window.ended = state))()", "hilo.cart.on(() => {})()", "hilo.consent.on((state) => (window.told = state))"]) {
  const result = eval(call);
  results[call] = result && result.then ? "promise" : typeof result === "function" ? "function" : result === undefined ? "nothing" : result;
  if (result && result.then) result.then((value) => (settled[call] = value ?? null));
}
</script>`),
);
const closed = await startSite(() => withSnippet(""), SHUT);
after(async () => {
  await browser.close();
  await site.close();
  await closed.close();
});

const PROMISED: Json = {
  "hilo.anonymousId()": null,
  "hilo.sessionId()": null,
  "hilo.consent.state()": { functional: "unset", analytics: "unset", personalization: "unset", advertising: "unset", sale_share: "unset", revision: 0 },
  "hilo.cart.lines()": [],
  "hilo.cart.totals()": {},
  "hilo.track('Early')": "nothing",
  "hilo.cart.checkout()": "promise",
  "hilo.cart.ordered('o-1')": "promise",
  "hilo.optIn('email', { text: 'News?', version: '1' })": "promise",
  "hilo.optOut('email')": "promise",
  "hilo.consent.on((state) => (window.ended = state))()": "nothing",
  "hilo.cart.on(() => {})()": "nothing",
  "hilo.consent.on((state) => (window.told = state))": "function",
};
const PROMISES = Object.keys(PROMISED).filter((call) => PROMISED[call] === "promise");

async function visit(block?: string, hold?: boolean) {
  const page = await (await browser.newContext()).newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  const told = watchErrors(page);
  let go = () => {};
  const held = new Promise<void>((resolve) => (go = resolve));
  if (block) await page.route(block, (route) => (hold ? held.then(() => route.continue()) : route.abort()));
  await page.goto(site.url, { waitUntil: hold ? "commit" : "load" });
  await page.waitForFunction(() => (window as any).results);
  assert.deepEqual(await page.evaluate(() => (window as any).results), PROMISED);
  return { page, errors, told, go };
}
const settled = (page: Json) => page["evaluate"](() => Object.entries((window as any).settled));

test("promises of the stub settle with the tracker, and an ended callback stays silent", async () => {
  const { page, errors, go } = await visit("**/hilo.js", true);
  assert.deepEqual(await settled(page), []);
  go();
  await page.waitForFunction(() => !(window as any).hilo.q);
  await page.waitForFunction((count) => Object.keys((window as any).settled).length === count, PROMISES.length, { timeout: 30_000 });
  await page.evaluate(() => (window as any).hilo.consent.grant("functional"));
  assert.equal(await page.evaluate(() => (window as any).told.functional), "granted");
  assert.equal(await page.evaluate(() => (window as any).ended), undefined);
  assert.deepEqual(errors, []);
  await page.context().close();
});

test("a site that held on to the stub reaches the tracker", async () => {
  const { page, errors } = await visit();
  await page.waitForFunction(() => !(window as any).hilo.q);
  await page.evaluate(() => (window as any).stub.consent.grant("analytics"));
  assert.equal(await page.evaluate(() => (window as any).hilo.consent.state().analytics), "granted");
  await page.evaluate(() => (window as any).stub.consent.deny("analytics"));
  assert.equal(await page.evaluate(() => (window as any).hilo.consent.state().analytics), "denied");
  assert.equal(await page.evaluate(() => (window as any).stub.cart.checkout()), null);
  assert.deepEqual(errors, []);
  await page.context().close();
});

test("where the script is blocked, promises settle with null at once, and one error names the script", async () => {
  const { page, errors, told } = await visit("**/hilo.js");
  await page.waitForFunction((count) => Object.keys((window as any).settled).length === count, PROMISES.length);
  assert.deepEqual((await settled(page)).map(([, value]: [string, unknown]) => value), PROMISES.map(() => null));
  assert.equal(await page.evaluate(() => (window as any).hilo.cart.checkout()), null);
  await until(() => told.length);
  assert.deepEqual(told, [`hilo needs ${site.url}/_h/hilo.js`]);
  assert.deepEqual(errors, []);
  await page.context().close();
});

test("acts on the cart in a page that may not run the module in any form, before and after its script gave up, are kept for the next page", async () => {
  const page = await (await browser.newContext()).newPage();
  const told = watchErrors(page);
  let go = () => {};
  const held = new Promise<void>((resolve) => (go = resolve));
  await page.route("**/hilo.js", (route) => held.then(() => route.continue()));
  await page.goto(closed.url, { waitUntil: "commit" });
  await page.waitForFunction(() => (window as any).hilo);
  await page.evaluate(() => (window as any).hilo.cart.add({ product_id: "before", currency: "EUR" }));
  go();
  await until(() => told.length);
  await page.evaluate(() => (window as any).hilo.cart.add({ product_id: "after", currency: "EUR" }, 2));
  assert.equal(await page.evaluate(() => (window as any).hilo.cart.checkout()), null);
  await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pagehide")));
  const stored = await page.evaluate(() => Object.entries(localStorage).filter(([key]) => key.startsWith("hilo.w")).map(([, text]) => JSON.parse(text)));
  assert.deepEqual(stored.flat().map(([name, [line, count]]) => [name, line.product_id, count ?? 1]), [["cart.add", "before", 1], ["cart.add", "after", 2]]);
  await page.context().close();
});
