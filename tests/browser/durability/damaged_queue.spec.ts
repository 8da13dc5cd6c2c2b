/**
 * Promise: of a stored queue that was damaged the whole events arrive, and the next envelope counts the others.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { startBrowser, startSite, withSnippet } from "../scenario.ts";
import { drained, expectAll, grantedPage, open, pageErrors, record } from "./visits.ts";

const browser = await startBrowser();
const site = await startSite((path) => (path === "/other" ? "<!doctype html><title>Not ours</title>" : withSnippet("")));
after(async () => {
  await browser.close();
  await site.close();
});

/** What happens to the text of the third of three stored events, or beside it. */
const damages: Record<string, (whole: string) => Record<string, string>> = {
  "cut off": (whole) => ({ "hilo.q.1.1": whole.slice(0, -40) }),
  "cut off and closed": (whole) => ({ "hilo.q.1.1": `${whole.slice(0, -40)}}` }),
  "half a character": (whole) => ({ "hilo.q.1.1": whole.slice(0, -40) + "\ud83d" }),
  "other types": (whole) => ({ "hilo.q.1.1": whole.slice(0, whole.lastIndexOf("\r")) + "\r[1,2]", "hilo.q.2.1": "null", "hilo.q.3.1": "{}" }),
  "random text": (whole) => ({ "hilo.q.1.1": whole.slice(0, whole.lastIndexOf("\r")) + "\r" + String.fromCharCode(...Array.from({ length: 500 }, (_, n) => (n * 7_919) % 65_536)) }),
  "three million characters": (whole) => ({ "hilo.q.1.1": whole.slice(0, -40), "hilo.q.2.1": "x".repeat(3_000_000) }),
};

for (const [what, damage] of Object.entries(damages)) {
  test(`of a stored queue with ${what} the whole events arrive`, async () => {
    site.sent.length = 0;
    const context = record(await browser.newContext());
    const page = await grantedPage(context, site.url);
    await context.setOffline(true);
    await page.evaluate(() => [0, 1, 2].forEach((n) => (window as any).hilo.track(`Stored ${n}`)));
    const [key, whole] = await page.evaluate(() => Object.entries(localStorage).find(([key]) => key.startsWith("hilo.q."))!);
    await context.setOffline(false);
    await page.goto(`${site.url}/other`);
    site.sent.length = 0;
    await page.evaluate(([key, stored]) => {
      localStorage.removeItem(key);
      for (const [name, text] of Object.entries(stored)) localStorage.setItem(name, text);
    }, [key, damage(whole)] as const);
    const next = await open(context, site.url);
    await drained(next);
    assert.equal(expectAll(site, "Stored", 2), 0);
    await next.evaluate(() => ((window as any).hilo.track("Next"), (window as any).hilo.flush()));
    await drained(next);
    const dropped = site.sent.filter(({ call }) => call === "batch").reduce((sum, { body }) => sum + (body["context"].hilo.dropped?.corrupt ?? 0), 0);
    assert.equal(dropped, Object.keys(damage(whole)).length, "each damaged event is counted");
    assert.deepEqual(pageErrors, []);
    await context.close();
  });
}
