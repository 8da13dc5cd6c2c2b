/**
 * Promise (N10): a collector that an extension, a content security policy or a name that nobody knows keeps from the page costs the
 * page nothing: no error, no line of hilo's in the console, and a queue that stays inside its bound.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { passed, startBrowser, startSite, watchErrors, withSnippet } from "../scenario.ts";
import { burst, open, pageErrors, record } from "./visits.ts";

const TOLD = 1_200;
/** `queue/mod.rs` keeps a thousand, and room for a group. */
const EVENTS_MAX = 1_032;

const browser = await startBrowser();
after(() => browser.close());

for (const [what, attributes, csp, blocks] of [
  ["an extension", "", undefined, true],
  ["a content security policy", "", "default-src 'self'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; connect-src 'self' https://only.example; report-uri /reports", false],
  ["a name that nobody knows", 'data-endpoint="http://collector.invalid/_h"', undefined, false],
] as const) {
  test(`N10: ${what} between page and collector costs the page nothing`, async () => {
    const site = await startSite(() => withSnippet("", csp ? 'data-endpoint="http://collector.invalid/_h"' : attributes), csp);
    const context = record(await browser.newContext());
    if (blocks) await context.route("**/v1/*", (route) => route.abort("blockedbyclient"));
    let told: string[] = [];
    context.on("page", (page) => (told = watchErrors(page)));
    const page = await open(context, site.url);
    await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
    await burst(page, "Blocked", TOLD);
    await passed(page, 3_000);
    const stored = await page.evaluate(() =>
      Object.entries(localStorage).filter(([key]) => key.startsWith("hilo.q.")).flatMap(([, text]) => text.split("\r")).length,
    );
    assert.ok(stored > EVENTS_MAX / 2 && stored <= EVENTS_MAX, `${stored} events are kept`);
    assert.equal(await page.evaluate(() => document.title), "A page");
    assert.deepEqual(told, []);
    assert.deepEqual(pageErrors, []);
    assert.deepEqual(site.sent, []);
    await context.close();
    await site.close();
  });
}
