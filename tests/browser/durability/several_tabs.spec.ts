/**
 * Promise: what one tab stores reaches the collector once, whatever the tab that sends for all does: it may stand still again and again, or
 * be hidden while the collector fails.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import type { Page } from "../../../js/node_modules/playwright-core/index.d.ts";
import { passed, startBrowser, startSite, until, withSnippet } from "../scenario.ts";
import { drained, expectAll, grantedPage, open, pageErrors, record, settled } from "./visits.ts";

const browser = await startBrowser();
const site = await startSite(() => withSnippet(""));
after(async () => {
  await browser.close();
  await site.close();
});

/** Opens two tabs of a visitor. The first one leads. */
async function twoTabs() {
  site.answer(() => ({ status: 200 }));
  const context = record(await browser.newContext());
  const tabs = [await grantedPage(context, site.url), await open(context, site.url)] as const;
  await settled(tabs[1], 2);
  await drained(tabs[1]);
  site.sent.length = 0;
  return { context, tabs };
}

const track = (tab: Page, name: string) => tab.evaluate((name) => (window as any).hilo.track(name), name);

test("an order that the tab's own storage alone holds is sent whole", async () => {
  const { context, tabs } = await twoTabs();
  await tabs[1].evaluate(() => {
    const setItem = Storage.prototype.setItem;
    Storage.prototype.setItem = function (this: Storage, key: string, value: string) {
      if (this === localStorage && key.startsWith("hilo.q.")) throw new DOMException("full", "QuotaExceededError");
      setItem.call(this, key, value);
    };
  });
  await track(tabs[1], "Order Completed");
  await tabs[0].close();
  const orders = () => site.events().filter((event) => event["event"] === "Order Completed");
  await until(() => orders().length, 15_000);
  assert.equal(orders().length, 1);
  assert.equal(site.sent.some(({ body }) => body["context"]?.hilo?.dropped?.corrupt), false);
  await context.close();
});

test("a visitor who goes to and fro between two tabs that stand still alternately loses no event", async () => {
  const { context, tabs } = await twoTabs();
  const sessions = [await context.newCDPSession(tabs[0]), await context.newCDPSession(tabs[1])] as const;
  for (const session of sessions) await session.send("Debugger.enable");
  for (let n = 0; n < 8; n++) {
    const [still, seen] = [n % 2, 1 - (n % 2)] as [0 | 1, 0 | 1];
    await sessions[still].send("Debugger.pause");
    void tabs[still].evaluate(() => 1).catch(() => {});
    await track(tabs[seen], `Seen ${n}`);
    await drained(tabs[seen]);
    await sessions[still].send("Debugger.resume");
  }
  expectAll(site, "Seen", 8);
  assert.deepEqual(pageErrors, []);
  await context.close();
});

test("a hidden leader waits between its attempts while the collector fails", async () => {
  const { context, tabs } = await twoTabs();
  await tabs[0].evaluate(() => {
    Object.defineProperty(document, "hidden", { get: () => true });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  site.answer(() => ({ status: 503 }));
  for (let n = 0; n < 20; n++) {
    await track(tabs[1], `Outage ${n}`);
    await passed(tabs[1], 100);
  }
  const attempts = () => site.sent.filter(({ call }) => call === "batch").length;
  assert.ok(attempts() <= 10, `${attempts()} attempts for 20 events`);
  await until(attempts);
  site.answer(() => ({ status: 200 }));
  await drained(tabs[1]);
  expectAll(site, "Outage", 20);
  assert.deepEqual(pageErrors, []);
  await context.close();
});
