/**
 * Promise (C1): a page clock that is ten years off, that jumps, or that tells no time, changes neither the time that the collector derives
 * nor the tracker's rhythm. A slow machine, which pauses between two readings of its clocks, changes no event's place or time.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { type Json, startBrowser, startSite, until, withSnippet } from "../scenario.ts";
import { drained, grantedPage, pageErrors, record } from "./visits.ts";

const TEN_YEARS_MS = 10 * 365 * 86_400_000;

const browser = await startBrowser();
/** When an event arrived, and when it happened by what the collector derives. */
const arrived = new Map<string, { at: number; derived: number }>();
const site = await startSite(() => withSnippet(""));
site.answer(({ call, body }) => {
  const at = Date.now();
  if (call === "batch") for (const event of body["batch"]) arrived.set(event.event, { at, derived: at - (Date.parse(body["sentAt"]) - Date.parse(event.timestamp)) });
  return { status: 200 };
});
after(async () => {
  await browser.close();
  await site.close();
});

/** Tracks an event, and asserts that the time that a collector derives is one between the call and the arrival. */
async function isTimed(page: Json, name: string) {
  const began = Date.now();
  await page["evaluate"]((name: string) => (window as any).hilo.track(name), name);
  await until(() => arrived.has(name), 20_000);
  const { at, derived } = arrived.get(name)!;
  // Each of the page's two times may be cut to a whole millisecond.
  assert.ok(began - 1 <= derived && derived <= at + 1, `${began} <= ${derived} <= ${at}`);
}

for (const [what, offset] of [["ten years ahead", TEN_YEARS_MS], ["ten years behind", -TEN_YEARS_MS]] as const) {
  test(`C1: a page clock ${what} tells the right time of an event`, async () => {
    const context = record(await browser.newContext());
    await context.addInitScript((ms) => {
      const now = Date.now;
      Date.now = () => now() + ms;
    }, offset);
    const page = await grantedPage(context, site.url);
    await isTimed(page, `Clock ${what}`);
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
    await isTimed(page, `Jump ${what}`);
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
  await isTimed(page, "No time");
  assert.deepEqual(pageErrors, []);
  await context.close();
});

test("C1: where the machine pauses between two readings of its clocks, events of one moment keep their order and their time", async () => {
  site.sent.length = 0;
  const context = record(await browser.newContext());
  await context.addInitScript(() => {
    const { now } = performance;
    let readings = 0;
    performance.now = () => now.call(performance) + 20 * (readings++ % 3);
  });
  const page = await grantedPage(context, site.url);
  const [began, ended] = await page.evaluate(() => {
    const began = Date.now();
    for (let n = 0; n < 20; n++) (window as any).hilo.track(`Moment ${n}`);
    return [began, Date.now()];
  });
  await page.evaluate(() => (window as any).hilo.flush());
  const moments = () => site.events().filter((event) => /^Moment /.test(event["event"]));
  await until(() => moments().length >= 20);
  assert.deepEqual(moments().map((event) => event["event"]), Array.from({ length: 20 }, (_, n) => `Moment ${n}`));
  for (const { timestamp } of moments() as Json[]) assert.ok(began! <= Date.parse(timestamp) && Date.parse(timestamp) <= ended!, timestamp);
  assert.deepEqual(pageErrors, []);
  await context.close();
});
