/**
 * Promise: a keepalive request that fails while its page lives is sent again at once without keepalive. A large batch leaves the page
 * compressed, without a preflight, except where the page is about to end.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { bound, leave, startBrowser, startSite, until, withSnippet } from "../scenario.ts";
import { burst, drained, expectAll, grantedPage, pageErrors, record } from "./visits.ts";

const browser = await startBrowser();
const site = await startSite(() => withSnippet(""));
after(async () => {
  await browser.close();
  await site.close();
});

/** A granted page with the second file, which compresses. */
async function visit() {
  const context = record(await browser.newContext());
  const page = await grantedPage(context, site.url);
  await bound(page, () => page.reload());
  await drained(page);
  return { context, page };
}

test("a batch whose keepalive the browser refuses is sent at once without it", async () => {
  const { context, page } = await visit();
  await page.evaluate(() => {
    const plain = fetch;
    const order: string[] = ((window as any).order = []);
    window.fetch = (url, init) => {
      order.push(init?.keepalive ? "refused" : "sent");
      if (!init?.keepalive) return plain(url, init);
      setTimeout(() => order.push("a timer"));
      return Promise.reject(new TypeError("too much keepalive"));
    };
  });
  await page.evaluate(() => ((window as any).hilo.track("Refused 0"), (window as any).hilo.flush()));
  await until(() => site.events().some((event) => event["event"] === "Refused 0"));
  await page.waitForFunction(() => (window as any).order.includes("a timer"));
  assert.deepEqual(await page.evaluate(() => (window as any).order.slice(0, 3)), ["refused", "sent", "a timer"], "no timer is waited for");
  await drained(page);
  assert.equal(expectAll(site, "Refused", 1), 0);
  assert.deepEqual(pageErrors, []);
  await context.close();
});

test("more than the browser's 64 KiB of keepalive at once arrive from a page that is hidden and lives", async () => {
  const { context, page } = await visit();
  await page.evaluate(() => {
    for (let n = 0; n < 200; n++) (window as any).hilo.track(`Much ${n}`, { text: `${n} `.repeat(100) });
    Object.defineProperty(document, "hidden", { get: () => true });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await drained(page);
  assert.equal(expectAll(site, "Much", 200), 0);
  assert.deepEqual(pageErrors, []);
  await context.close();
});

test("a large batch is compressed and stays a simple request, a small one is not", async () => {
  const { context, page } = await visit();
  site.sent.length = 0;
  await burst(page, "Large", 50);
  await page.evaluate(() => (window as any).hilo.flush());
  await drained(page);
  assert.equal(expectAll(site, "Large", 50), 0);
  const large = site.sent.filter(({ call }) => call === "batch").find(({ body }) => body["batch"].length > 20)!;
  const { bytes, body, headers } = large;
  console.log(`${body["batch"].length} events: ${bytes} of ${JSON.stringify(body).length} bytes`);
  assert.ok(bytes < JSON.stringify(body).length / 3);
  assert.deepEqual([headers["content-encoding"], headers["content-type"]], [undefined, undefined]);
  site.sent.length = 0;
  await page.evaluate(() => ((window as any).hilo.track("Small"), (window as any).hilo.flush()));
  await until(() => site.sent.length);
  assert.equal(site.sent[0]!.headers["content-type"], "text/plain;charset=UTF-8");
  assert.deepEqual(pageErrors, []);
  await context.close();
});

test("a collector that does not know compressed bodies gets them plain", async () => {
  const { context, page } = await visit();
  site.answer((one) => (one.headers["content-type"] ? { status: 200 } : { status: 400 }));
  await burst(page, "Old", 50);
  await drained(page);
  site.answer(() => ({ status: 200 }));
  assert.equal(new Set(site.events().filter((event) => /^Old /.test(event["event"])).map((event) => event["event"])).size, 50);
  assert.deepEqual(pageErrors, []);
  await context.close();
});

test("what a page sends as it is left is not compressed, because nothing may wait then", async () => {
  const { context, page } = await visit();
  site.sent.length = 0;
  await page.evaluate(() => {
    for (let n = 0; n < 30; n++) (window as any).hilo.track(`Leaving ${n}`);
  });
  await leave(page, "location.href = 'about:blank'");
  await until(() => site.events().some((event) => event["event"] === "Leaving 29"));
  const last = site.sent.filter(({ call }) => call === "batch").at(-1)!;
  assert.equal(last.headers["content-type"], "text/plain;charset=UTF-8");
  assert.deepEqual(pageErrors, []);
  await context.close();
});
