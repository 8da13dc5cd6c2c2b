/**
 * Promise (N2): a network that is there for 200 ms and away for 300 ms, for a minute, costs no event.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { startBrowser, startSite, withSnippet } from "../scenario.ts";
import { drained, expectAll, grantedPage, pageErrors, record } from "./visits.ts";

const MINUTE_MS = 60_000;

const browser = await startBrowser();
const site = await startSite(() => withSnippet(""));
after(async () => {
  await browser.close();
  await site.close();
});

test("N2: a minute of a flapping network costs no event", async () => {
  const context = record(await browser.newContext());
  const page = await grantedPage(context, site.url);
  let told = 0;
  for (const end = Date.now() + MINUTE_MS; Date.now() < end; ) {
    await context.setOffline(false);
    await page.waitForTimeout(200);
    await context.setOffline(true);
    await page.evaluate((n) => (window as any).hilo.track(`Flap ${n}`), told++);
    await page.waitForTimeout(300);
  }
  await context.setOffline(false);
  await drained(page, 90_000);
  expectAll(site, "Flap", told);
  assert.deepEqual(pageErrors, []);
  await context.close();
});
