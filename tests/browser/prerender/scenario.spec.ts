/**
 * Promise: a page that the browser prerenders is no visit. It leaves no trace until the visitor sees it; then its events have the
 * time of that moment.
 *
 * Headless browsers turn a prerender into a prefetch, so the page plays the browser's part.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { startBrowser, startSite, withSnippet } from "../scenario.ts";

const SHIM = `<script>
localStorage.setItem("hilo.c", "1|6|");
let isShown = false;
Object.defineProperty(document, "prerendering", { configurable: true, get: () => !isShown });
window.show = () => { isShown = true; window.shownAt = Date.now(); document.dispatchEvent(new Event("prerenderingchange")); };
</script>`;
const browser = await startBrowser();
const site = await startSite(() => SHIM + withSnippet('<script>hilo.track("Product Viewed");</script>'));
after(async () => {
  await browser.close();
  await site.close();
});

test("a prerendered page leaves no trace until the visitor sees it, and then has the time of that moment", async () => {
  const page = await (await browser.newContext()).newPage();
  const sockets: string[] = [];
  page.on("websocket", (socket) => sockets.push(socket.url()));
  await page.goto(site.url);
  await site.quiet();
  assert.deepEqual([site.sent.length, sockets.length], [0, 0]);
  assert.deepEqual(await page.evaluate(() => Object.keys({ ...localStorage, ...sessionStorage })), ["hilo.c"]);

  await page.evaluate(() => (window as any).show());
  await site.quiet();
  const events = site.events();
  assert.deepEqual(events.map((event) => event["event"] ?? event["type"]), ["page", "Product Viewed"]);
  const shownAt = await page.evaluate(() => (window as any).shownAt);
  for (const { timestamp } of events as any[]) assert.ok(Date.parse(timestamp) >= shownAt - 1, timestamp);
  await page.context().close();
});
