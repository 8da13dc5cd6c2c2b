/**
 * Promise (N6): `Retry-After` is obeyed in seconds, up to five minutes. A date or rubbish counts as nothing asked, as
 * `tests/browser/delivery` shows.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { startBrowser, startSite, until, withSnippet } from "../scenario.ts";
import { grantedPage, pageErrors, record } from "./visits.ts";

const browser = await startBrowser();
const site = await startSite(() => withSnippet(""));
after(async () => {
  await browser.close();
  await site.close();
});

for (const [asked, early, late] of [
  ["5", 2_000, 4_000],
  ["1000000000", 290_000, 12_000],
] as const) {
  test(`N6: after Retry-After ${asked} nothing is sent for ${early} ms, and everything ${late} ms later`, async () => {
    const context = record(await browser.newContext());
    const page = await grantedPage(context, site.url);
    await page.clock.install();
    const attempts = () => site.events().filter((event) => event["event"] === `Busy ${asked}`).length;
    let isBusy = true;
    site.answer(() => (isBusy ? { status: 429, headers: { "retry-after": asked } } : { status: 200 }));
    // The answer's body is read in the same task in which the tracker learns of it.
    const answered = page.evaluate(() => {
      const { json } = Response.prototype;
      return new Promise<void>((resolve) => {
        Response.prototype.json = async function () {
          const body = await json.call(this);
          queueMicrotask(resolve);
          return body;
        };
      });
    });
    await page.evaluate((name) => ((window as any).hilo.track(name), (window as any).hilo.flush()), `Busy ${asked}`);
    await page.clock.runFor(100);
    await answered;
    assert.equal(attempts(), 1);
    isBusy = false;
    await page.clock.runFor(early);
    await page.waitForTimeout(300);
    assert.equal(attempts(), 1);
    await page.clock.runFor(late);
    await until(() => attempts() === 2);
    assert.equal(attempts(), 2);
    assert.deepEqual(pageErrors, []);
    await context.close();
  });
}
