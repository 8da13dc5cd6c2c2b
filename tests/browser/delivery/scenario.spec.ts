/**
 * Promise: an event arrives, and after de-duplication once, in spite of failures of network, collector and tab.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { startBrowser, startSite, withSnippet } from "../scenario.ts";

const browser = await startBrowser();
const site = await startSite(() => withSnippet(""));
after(async () => {
  await browser.close();
  await site.close();
});

async function visit() {
  site.sent.length = 0;
  site.answer(() => ({ status: 200 }));
  const page = await (await browser.newContext()).newPage();
  await page.goto(site.url);
  await page.waitForFunction(() => !(window as any).hilo.q);
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  await site.quiet();
  site.sent.length = 0;
  return page;
}

const track = (page: any, name: string) => page.evaluate((event: string) => (window as any).hilo.track(event), name);
const ids = (name: string) => site.events().filter((event) => event["event"] === name).map((event) => event["messageId"]);
const queued = (page: any) => page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith("hilo.q.")).length);

test("an event goes out again under the same id when the collector fails", async () => {
  const page = await visit();
  let failures = 3;
  site.answer((one) => (one.call === "batch" && failures-- > 0 ? { status: 503 } : { status: 200 }));
  await track(page, "Kept");
  await page.waitForFunction(() => Object.keys(localStorage).every((key) => !key.startsWith("hilo.q.")), null, { timeout: 20_000 });
  assert.ok(ids("Kept").length >= 4);
  assert.equal(new Set(ids("Kept")).size, 1);
  await page.context().close();
});

test("a lost answer leads to a repeat, not to a loss", async () => {
  const page = await visit();
  let lost = 1;
  site.answer((one) => (one.call === "batch" && lost-- > 0 ? null : { status: 200 }));
  await track(page, "Kept");
  await page.waitForFunction(() => Object.keys(localStorage).every((key) => !key.startsWith("hilo.q.")), null, { timeout: 20_000 });
  assert.equal(new Set(ids("Kept")).size, 1);
  await page.context().close();
});

test("events without a network wait, and arrive when the network is back", async () => {
  const page = await visit();
  await page.context().setOffline(true);
  for (let i = 0; i < 20; i += 1) await track(page, "Offline");
  assert.equal(await queued(page), 20);
  await page.context().setOffline(false);
  await page.waitForFunction(() => Object.keys(localStorage).every((key) => !key.startsWith("hilo.q.")), null, { timeout: 30_000 });
  assert.equal(new Set(ids("Offline")).size, 20);
  await page.context().close();
});

test("the next visit sends the events of a tab that was closed", async () => {
  const page = await visit();
  site.answer(() => null);
  for (let i = 0; i < 50; i += 1) await track(page, "Left");
  const { context } = { context: page.context() };
  await page.close();
  site.answer(() => ({ status: 200 }));
  const next = await context.newPage();
  await next.goto(site.url);
  await next.waitForFunction(() => (window as any).hilo.anonymousId?.() && Object.keys(localStorage).every((key) => !key.startsWith("hilo.q.")), null, { timeout: 20_000 });
  assert.equal(new Set(ids("Left")).size, 50);
  await context.close();
});

test("the next visit sends the events of a page that crashed", async () => {
  const page = await visit();
  const context = page.context();
  await page.evaluate(() => {
    for (let i = 0; i < 50; i += 1) (window as any).hilo.track("Burst");
  });
  await Promise.all([page.waitForEvent("crash"), page.goto("chrome://crash").catch(() => {})]);
  const next = await context.newPage();
  await next.goto(site.url);
  await next.waitForFunction(() => (window as any).hilo.anonymousId?.() && Object.keys(localStorage).every((key) => !key.startsWith("hilo.q.")), null, { timeout: 20_000 });
  assert.equal(new Set(ids("Burst")).size, 50);
  await context.close();
});

test("a page that is left sends the events that wait", async () => {
  const page = await visit();
  await track(page, "Soon");
  await track(page, "Leaving");
  await page.goto("about:blank");
  await site.quiet();
  assert.equal(new Set(ids("Leaving")).size, 1);
  await page.context().close();
});

test("a bad event does not hold up the other events, and a revoked key deletes the queue", async () => {
  const page = await visit();
  site.answer((one) => (one.body["batch"]?.some((event: any) => event.event === "Poison") ? { status: 400 } : { status: 200 }));
  for (const name of ["Fine", "Poison", "Good"]) await track(page, name);
  await page.waitForFunction(() => Object.keys(localStorage).every((key) => !key.startsWith("hilo.q.")), null, { timeout: 20_000 });
  assert.equal(new Set([...ids("Fine"), ...ids("Good")]).size, 2);
  site.answer(() => ({ status: 410 }));
  await track(page, "Late");
  await page.waitForFunction(() => Object.keys(localStorage).every((key) => !key.startsWith("hilo.q.")), null, { timeout: 20_000 });
  site.sent.length = 0;
  await track(page, "Never");
  await site.quiet();
  assert.deepEqual(site.sent, []);
  await page.context().close();
});

for (const status of [401, 403]) {
  test(`after the refusal ${status} the tracker pauses, and no event is lost`, async () => {
    const page = await visit();
    site.answer(() => ({ status }));
    await track(page, "Kept");
    await site.quiet();
    await track(page, "Later");
    await site.quiet();
    assert.deepEqual(site.sent.map((one) => one.call), ["batch"], "one attempt, then a pause");
    assert.equal(await queued(page), 2);
    site.answer(() => ({ status: 200 }));
    await page.evaluate(() => (window as any).hilo.flush());
    await site.quiet();
    assert.equal(await queued(page), 0);
    assert.deepEqual([new Set(ids("Kept")).size, new Set(ids("Later")).size], [1, 1]);
    await page.context().close();
  });
}

test("the tracker waits as long as the collector asks, and by its own delay after a date or rubbish", async () => {
  for (const [retryAfter, attempts] of [["Wed, 21 Oct 2026 07:28:00 GMT", 2], ["-5", 2], ["0", 2], ["30", 1], ["99999999999999999999", 1]] as const) {
    const page = await visit();
    let failures = 1;
    site.answer(() => (failures-- > 0 ? { status: 429, headers: { "retry-after": retryAfter } } : { status: 200 }));
    await track(page, "Kept");
    await site.quiet();
    assert.equal(ids("Kept").length, attempts, retryAfter);
    await page.context().close();
  }
});

test("a withdrawal deletes the events that wait", async () => {
  const page = await visit();
  site.answer((one) => (one.call === "batch" ? { status: 503, headers: { "retry-after": "30" } } : { status: 200 }));
  await track(page, "Waiting");
  await site.quiet();
  assert.equal(await queued(page), 1);
  site.sent.length = 0;
  site.answer(() => ({ status: 200 }));
  await page.evaluate(() => (window as any).hilo.consent.withdraw());
  assert.deepEqual(await page.evaluate(() => Object.keys(localStorage).filter((key) => /^hilo\.(q|id|s|u)\b/.test(key))), []);
  await page.evaluate(() => (window as any).hilo.flush());
  await site.quiet();
  assert.deepEqual(site.sent.map((one) => one.call), ["consent"]);
  await page.context().close();
});
