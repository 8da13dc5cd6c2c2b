/**
 * Promise: a page sends its events together. After the first ones a batch waits for others, and leaves at once where waiting
 * could lose something. What all events share stands once in an envelope.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { leave, sendsWithin, startBrowser, startSite, until, withSnippet } from "../scenario.ts";

const EVENTS = 10;
const BETWEEN_MS = 2_000;
/** Less than what an event waits for others. */
const WAIT_MS = 4_000;
/** The event that is told right before the page is left. */
const LAST = "Product Added";

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
  // Timers of the page, as those of the tracker are.
  await page.evaluate(
    async ([count, ms]) => {
      for (let n = 0; n < count; n++) {
        (window as any).hilo.track("Product Viewed");
        await new Promise((resolve) => setTimeout(resolve, ms));
      }
    },
    [EVENTS, BETWEEN_MS] as const,
  );
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
  for (const [name, hurry] of [["Order Completed", ""], ["Product Viewed", "hilo.flush()"], [LAST, "location.href = '/next'"]] as const) {
    const before = batches().length;
    const isSent = await sendsWithin(page, name, WAIT_MS);
    await track(page, name);
    if (hurry) await leave(page, hurry);
    const came = () => batches().slice(before).find(({ body }) => JSON.stringify(body).includes(name));
    await until(came);
    if (name !== LAST) assert.ok(await isSent(), name);
    // The next page would send what this one left behind.
    else assert.equal(new URL(came()!.headers.referer!).pathname, "/");
  }
  await page.context().close();
});
