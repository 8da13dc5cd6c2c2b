/**
 * Promise: a page sends its events together. After the first ones a batch waits for others, and leaves at once where waiting
 * could lose something. What all events share stands once in an envelope.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { startBrowser, startSite, until, withSnippet } from "../scenario.ts";

const EVENTS = 10;
const BETWEEN_MS = 2_000;

const browser = await startBrowser();
const site = await startSite(() => withSnippet(""));
after(async () => {
  await browser.close();
  await site.close();
});

/** A granted visitor's page whose first events have arrived. */
async function visit() {
  site.sent.length = 0;
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${site.url}/`);
  await page.waitForFunction(() => !(window as any).hilo.q);
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  await until(() => site.events().length > 0);
  await site.quiet();
  site.sent.length = 0;
  return page;
}

const track = (page: Awaited<ReturnType<typeof visit>>, name: string) => page.evaluate((name: string) => (window as any).hilo.track(name), name);
const batches = () => site.sent.filter(({ call }) => call === "batch");

test("ten events in twenty seconds are at most five requests, and ids, session and page stand once in each", async () => {
  const page = await visit();
  const id = await page.evaluate(() => (window as any).hilo.anonymousId());
  for (let n = 0; n < EVENTS; n++) {
    await track(page, "Product Viewed");
    await page.waitForTimeout(BETWEEN_MS);
  }
  await site.quiet();
  assert.equal(site.events().length, EVENTS);
  assert.ok(batches().length <= EVENTS / 2, `${batches().length} requests`);
  const together = batches().filter(({ body }) => body["batch"].length > 1);
  assert.ok(together.length > 0);
  for (const { body } of together) {
    const text = JSON.stringify(body);
    assert.equal(text.split(`"${id}"`).length - 1, 1, text);
    assert.equal(text.split(`"${site.url}/"`).length - 1, 1, "the page's address");
  }
  await page.context().close();
});

test("an order, a flush and a page that is left do not wait", async () => {
  const page = await visit();
  for (const [name, hurry] of [["Order Completed", ""], ["Product Viewed", "hilo.flush()"], ["Product Added", "location.href = '/next'"]] as const) {
    const before = batches().length;
    const began = Date.now();
    await track(page, name);
    if (hurry) await page.evaluate((code: string) => void setTimeout(() => new Function(code)()), hurry);
    await until(() => JSON.stringify(batches().slice(before)).includes(name));
    assert.ok(Date.now() - began < 3_000, `${name} after ${Date.now() - began} ms`);
  }
  await page.context().close();
});
