/**
 * Promise (N1): a thousand events of a visitor without a network, whose tab is closed, arrive once when the visitor comes back an hour later.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { startBrowser, startSite, withSnippet } from "../scenario.ts";
import { burst, drained, expectAll, grantedPage, open, pageErrors, record } from "./visits.ts";

const HOUR_MS = 3_600_000;
/**
 * What a closing page still sends has ended within this time, also on a busy machine. The network is back later. The browser's switch for
 * the network ends with the page, so the last request may come in spite of it. The visitor's next page knows nothing of that one.
 */
const LEFT_MS = 3_000;

const browser = await startBrowser();
const site = await startSite(() => withSnippet(""));
after(async () => {
  await browser.close();
  await site.close();
});

test("N1: 1,000 events of an hour offline in a closed tab are delivered once", async () => {
  const context = record(await browser.newContext());
  const page = await grantedPage(context, site.url);
  await context.setOffline(true);
  await burst(page, "Offline", 1_000);
  await page.close();
  await new Promise((resolve) => setTimeout(resolve, LEFT_MS));
  site.sent.length = 0;
  await context.setOffline(false);
  await context.addInitScript((ms) => {
    const now = Date.now;
    Date.now = () => now() + ms;
  }, HOUR_MS);
  const next = await open(context, site.url);
  await drained(next);
  assert.equal(expectAll(site, "Offline", 1_000), 0, "nothing was on its way, so nothing comes twice");
  assert.deepEqual(pageErrors, []);
  await context.close();
});
