/**
 * Promise (N8): a page that goes in the middle of a burst loses nothing. Everything is delivered at the latest at the next visit, and an
 * event comes again under its id only where the page could not learn that it had arrived.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import type { Page } from "../../../js/node_modules/playwright-core/index.d.ts";
import { leave, startBrowser, startSite, withSnippet } from "../scenario.ts";
import { burst, drained, expectAll, grantedPage, open, pageErrors, record, settled } from "./visits.ts";

const BURST = 50;

const browser = await startBrowser();
const site = await startSite((path) => (path === "/other" ? "<!doctype html><title>Not ours</title>" : withSnippet("")));
after(async () => {
  await browser.close();
  await site.close();
});

const ends: Record<string, (page: Page) => Promise<unknown>> = {
  "goes on": (page) => leave(page, "location.href = '/next'"),
  "goes elsewhere": (page) => page.goto(`${site.url}/other`),
  closes: (page) => page.close(),
  crashes: (page) => Promise.all([page.waitForEvent("crash"), page.goto("chrome://crash").catch(() => {})]),
};

for (const [how, end] of Object.entries(ends)) {
  test(`N8: a burst of ${BURST} in a page that ${how} is delivered at the latest at the next visit`, async () => {
    const context = record(await browser.newContext());
    const page = await grantedPage(context, site.url);
    await burst(page, how, BURST);
    await end(page);
    const next = await open(context, site.url);
    await drained(next);
    assert.ok(expectAll(site, how, BURST) <= BURST, "at most once more each");
    assert.deepEqual(pageErrors, []);
    await context.close();
  });
}

test("N8: a page that comes back out of the back/forward cache goes on sending", async () => {
  const context = record(await browser.newContext());
  const page = await grantedPage(context, site.url);
  await burst(page, "Before", BURST);
  await page.goto(`${site.url}/other`);
  await page.goBack();
  await burst(page, "After", BURST);
  await page.evaluate(() => (window as any).hilo.flush());
  await drained(page);
  expectAll(site, "Before", BURST);
  expectAll(site, "After", BURST);
  assert.deepEqual(pageErrors, []);
  await context.close();
});

test("N8: a burst in a tab that another tab sends for comes exactly once, however the tab ends", async () => {
  const context = record(await browser.newContext());
  const leader = await grantedPage(context, site.url);
  const page = await open(context, site.url);
  await settled(page, 2);
  await burst(page, "Followed", BURST);
  await page.close();
  await drained(leader);
  assert.equal(expectAll(site, "Followed", BURST), 0);
  assert.deepEqual(pageErrors, []);
  await context.close();
});
