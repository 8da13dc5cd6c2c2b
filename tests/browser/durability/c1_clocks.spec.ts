/**
 * Promise (C1): a page clock that is ten years off, that jumps, or that tells no time, changes neither the time that the collector derives
 * nor the tracker's rhythm.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { type Json, startBrowser, startSite, until, withSnippet } from "../scenario.ts";
import { drained, grantedPage, pageErrors, record } from "./visits.ts";

const TEN_YEARS_MS = 10 * 365 * 86_400_000;
const DERIVED_MS_MAX = 2_000;

const browser = await startBrowser();
const arrived = new Map<string, number>();
const site = await startSite(() => withSnippet(""));
site.answer(({ call, body }) => {
  if (call === "batch") for (const event of body["batch"]) arrived.set(event.event, Date.now() - (Date.parse(body["sentAt"]) - Date.parse(event.timestamp)));
  return { status: 200 };
});
after(async () => {
  await browser.close();
  await site.close();
});

/** Tracks an event, and returns how far the time that a collector derives is from the server's own. */
async function derived(page: Json, name: string) {
  const happened = Date.now();
  await page["evaluate"]((name: string) => (window as any).hilo.track(name), name);
  await until(() => arrived.has(name), 20_000);
  return Math.abs(arrived.get(name)! - happened);
}

for (const [what, offset] of [["ten years ahead", TEN_YEARS_MS], ["ten years behind", -TEN_YEARS_MS]] as const) {
  test(`C1: a page clock ${what} tells the right time of an event`, async () => {
    const context = record(await browser.newContext());
    await context.addInitScript((ms) => {
      const now = Date.now;
      Date.now = () => now() + ms;
    }, offset);
    const page = await grantedPage(context, site.url);
    assert.ok((await derived(page, `Clock ${what}`)) < DERIVED_MS_MAX);
    assert.deepEqual(pageErrors, []);
    await context.close();
  });
}

for (const [what, offset] of [["forward", TEN_YEARS_MS], ["back", -TEN_YEARS_MS]] as const) {
  test(`C1: a page clock that jumps ten years ${what} in the session loses no event, and the next event has the right time`, async () => {
    const context = record(await browser.newContext());
    const page = await grantedPage(context, site.url);
    await page.evaluate(() => (window as any).hilo.track("Before the jump"));
    await page.evaluate((ms) => {
      const now = Date.now;
      Date.now = () => now() + ms;
    }, offset);
    assert.ok((await derived(page, `Jump ${what}`)) < DERIVED_MS_MAX, "timers go by another clock");
    await drained(page);
    assert.equal(site.events().filter((event) => event["event"] === "Before the jump").length, 1);
    site.sent.length = 0;
    assert.deepEqual(pageErrors, []);
    await context.close();
  });
}

test("C1: a page clock that tells no time costs no event", async () => {
  const context = record(await browser.newContext());
  await context.addInitScript(() => (Date.now = () => NaN));
  const page = await grantedPage(context, site.url);
  assert.ok((await derived(page, "No time")) < DERIVED_MS_MAX);
  assert.deepEqual(pageErrors, []);
  await context.close();
});
