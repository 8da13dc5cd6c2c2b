/**
 * Promise: a page sends the cookies of other services that its site names, from the first envelope on, each under its purpose alone, and
 * stores none of them.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { type Json, startBrowser, startSite, until, withSnippet } from "../scenario.ts";

const COOKIES = { _ga: "GA1.1.1380133182.1764792191", _ga_ABC123: "GS1.1.1764792195.2", _ga_OTHER: "GS1.1.1.2", _fbp: "fb.0.1764792191000.1234567890", session: "a-secret-of-the-site" };

const browser = await startBrowser();
after(() => browser.close());

test("cookies that the site names are sent under their purposes, and no others", async () => {
  const site = await startSite((path) => withSnippet("", path === "/named" ? 'data-cookies="_ga _ga_ABC123 _fbp"' : ""));
  const context = await browser.newContext();
  await context.addCookies(Object.entries(COOKIES).map(([name, value]) => ({ name, value, url: site.url })));
  const page = await context.newPage();
  const batches = () => site.sent.filter((one) => one.call === "batch");
  const decide = (call: "grant" | "deny", purposes: string[]) => page.evaluate(([call, purposes]) => (window as any).hilo.consent[call](...purposes!), [call, purposes] as const);
  let acts = 0;
  /** The names of the cookies in the envelope of an event that is told after `act`. */
  const next = async (act: () => Promise<unknown>) => {
    const name = `Act ${(acts += 1)}`;
    await act();
    await page.evaluate((name) => ((window as any).hilo.track(name), (window as any).hilo.flush()), name);
    const envelope = () => batches().find(({ body }) => body["batch"].some((event: Json) => event["event"] === name));
    await until(envelope);
    return envelope()!.body["context"].cookies?.map((one: string) => one.split("=")[0]);
  };
  await page.goto(`${site.url}/named`);
  await page.waitForFunction(() => !(window as any).hilo.q);
  assert.deepEqual(site.sent, [], "nothing is sent before a grant");
  assert.deepEqual(await next(() => decide("grant", ["analytics", "functional"])), ["_ga", "_ga_ABC123"]);
  assert.deepEqual(await next(() => decide("grant", ["advertising"])), ["_ga", "_ga_ABC123", "_fbp"]);
  assert.deepEqual(await next(() => decide("deny", ["advertising"])), ["_ga", "_ga_ABC123"]);
  const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  assert.ok(Object.values(COOKIES).every((value) => !stored.includes(value)), stored);
  assert.equal(await next(() => page.goto(`${site.url}/unnamed`).then(() => page.waitForFunction(() => !(window as any).hilo.q))), undefined);
  await context.close();
  await site.close();
});
