/**
 * Promise: coming back to a page is a view, whether the browser kept the page alive or loads it again.
 *
 * Playwright switches the back/forward cache off, so this file starts the browser with it. The page tells the test whether it was
 * kept (`pageshow` with `persisted`), because a reload would pass for the wrong reason.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { leave, startBrowser, startSite, withSnippet } from "../scenario.ts";

const site = await startSite((path) => withSnippet(`<h1>${path}</h1><a href="/next">next</a>`));
const kept = await startBrowser({ ignoreDefaultArgs: ["--disable-back-forward-cache"] });
const plain = await startBrowser();
after(async () => {
  await Promise.all([kept.close(), plain.close()]);
  await site.close();
});

for (const [name, browser, isKept] of [
  ["kept alive by the browser", kept, true],
  ["loaded again", plain, false],
] as const) {
  test(`back to a page that was ${name}: one more view, same session, same visitor`, async () => {
    site.sent.length = 0;
    const page = await (await browser.newContext()).newPage();
    await page.addInitScript(() => {
      addEventListener("pageshow", (event) => ((window as any).wasKept = event.persisted));
    });
    await page.goto(`${site.url}/`);
    await page.waitForFunction(() => !(window as any).hilo.q);
    await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
    await page.waitForFunction(() => (window as any).hilo.anonymousId());
    await site.quiet();
    await page.click("a");
    await page.waitForURL("**/next");
    await page.waitForFunction(() => (window as any).hilo?.anonymousId?.());
    await site.quiet();
    await leave(page, "history.back()");
    await page.waitForFunction((url) => location.href === url && (window as any).hilo?.anonymousId?.(), `${site.url}/`);
    await site.quiet();
    assert.equal(await page.evaluate(() => (window as any).wasKept), isKept);
    const views = site.events().map((event) => [event["type"], event["context"].page.path]);
    assert.deepEqual(views, [["page", "/"], ["page", "/next"], ["page", "/"]]);
    assert.equal(new Set(site.events().map((event) => event["messageId"])).size, 3, "three views, none reported twice");
    assert.equal(new Set(site.events().map((event) => event["anonymousId"])).size, 1);
    assert.equal(new Set(site.events().map((event) => event["context"].hilo.session.id)).size, 1);
    await page.context().close();
  });
}
