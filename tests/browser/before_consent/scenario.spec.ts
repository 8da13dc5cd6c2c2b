/**
 * Promise: on every kind of page, with every capture kind on, hilo requests, sets and stores nothing before a grant, and in the task after
 * a withdrawal, which is far sooner than a tenth of a second, nothing of hilo's is left in the page but the refusal itself.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { startBrowser, startSite, until, withSnippet, type Json } from "../scenario.ts";
import { scripts } from "./pages.ts";

/** Every kind that is off unless the site asks for it. */
const ALL = 'data-engagement="on" data-search data-products="jsonld"';
const names = Object.keys(scripts);

const browser = await startBrowser();
const site = await startSite((path) => {
  const { body, attributes = "" } = scripts[names[Number(/^\/(\d+)/.exec(path)?.[1])]!] ?? { body: "" };
  return withSnippet(body, `${ALL} ${attributes}`);
});
after(async () => {
  await browser.close();
  await site.close();
});

/** What came from the page at this place of the list. */
const from = (at: number) => site.sent.filter(({ headers }) => new RegExp(`^/${at}(/|$)`).test(new URL(headers.referer!).pathname));

/** Everything that a page can keep on a device. It is taken as it is at that moment: Playwright's own calls take longer. */
const KEPT = `async () => [
  ...Object.keys(localStorage), ...Object.keys(sessionStorage), ...document.cookie.split("; ").filter(Boolean),
  ...(await indexedDB.databases()).map(({ name }) => name), ...(await caches.keys()),
  ...(await navigator.serviceWorker.getRegistrations()).map(({ scope }) => scope),
]`;

/** A visitor's acts: they reach every kind that listens. */
async function act(page: Json) {
  for (const field of await page.locator(".type").all()) await field.fill("canary");
  for (const link of await page.locator(".click").all()) await link.click();
  for (const frame of page.frames().slice(1)) await frame.locator("input").fill("canary");
  await page.mouse.move(50, 50);
  await page.mouse.wheel(0, 200);
  await page.keyboard.press("Tab");
}

const pages: Json[] = [];

test("twenty pages send, set and store nothing before a grant", async () => {
  assert.equal(names.length, 20);
  for (const [at, name] of names.entries()) {
    const page: Json = await (await browser.newContext()).newPage();
    page.problems = [];
    page.on("pageerror", (error: Error) => page.problems.push(error.message));
    await page.goto(`${site.url}/${at}${scripts[name]!.query ?? ""}`);
    await page.waitForFunction(() => !(window as Json)["hilo"].q);
    pages.push(page);
  }
  await site.quiet();
  for (const page of pages) await act(page);
  await site.quiet();
  for (const [at, page] of pages.entries()) {
    assert.deepEqual(from(at).map(({ call }) => call), [], names[at]);
    assert.deepEqual(await page.evaluate(`(${KEPT})()`), [], names[at]);
    assert.deepEqual(await page.context().cookies(), [], names[at]);
    const { analytics, advertising } = await page.evaluate(() => (window as Json)["hilo"].consent.state());
    assert.deepEqual([analytics, advertising], ["unset", "unset"], names[at]);
  }
  assert.deepEqual(site.sent, []);
});

test("a grant lets what each page waited with out, and no value of a field", async () => {
  for (const page of pages) await page.evaluate(() => (window as Json)["hilo"].consent.grant("functional", "analytics", "personalization", "advertising"));
  await until(() => pages.every((_, at) => from(at).some(({ call }) => call === "batch")));
  for (const page of pages) await act(page);
  await site.quiet();
  for (const [at, page] of pages.entries()) {
    assert.ok(from(at).some(({ call }) => call === "batch"), names[at]);
    assert.ok(await page.evaluate(() => (window as Json)["hilo"].anonymousId()), names[at]);
    assert.ok((await page.evaluate(`(${KEPT})()`)).length > 1, names[at]);
  }
  const told = new Set(site.events().map((event) => event["event"] ?? event["type"]));
  for (const one of ["page", "Product Viewed", "Product List Viewed", "Form Started", "Banner Clicked", "Contact Clicked", "Products Searched"]) assert.ok(told.has(one), `${one}: ${[...told]}`);
  assert.ok(!JSON.stringify(site.sent.map(({ body }) => body)).includes("canary"));
});

test("in the task after a withdrawal only the refusal is left, and nothing but the refusal is sent", async () => {
  site.sent.length = 0;
  for (const [at, page] of pages.entries()) {
    const { left, ids } = await page.evaluate(`(async () => {
      hilo.consent.withdraw();
      await new Promise((resolve) => setTimeout(resolve));
      return { left: await (${KEPT})(), ids: [hilo.anonymousId(), hilo.sessionId()] };
    })()`);
    // The refusal waits under a key of its own until the collector has it.
    assert.deepEqual(left.filter((key: string) => !/^hilo\.(c$|r\.d)/.test(key)), [], names[at]);
    assert.deepEqual(ids, [null, null], names[at]);
  }
  for (const page of pages) await act(page);
  await site.quiet();
  for (const [at, page] of pages.entries()) {
    assert.deepEqual([...new Set(from(at).map(({ call }) => call))], ["consent"], names[at]);
    assert.deepEqual(await page.evaluate(`(${KEPT})()`), ["hilo.c"], names[at]);
    assert.deepEqual(page.problems, [], names[at]);
    await page.context().close();
  }
});
