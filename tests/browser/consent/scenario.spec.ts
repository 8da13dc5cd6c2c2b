/**
 * Promise: before a grant the page sends and stores nothing; after a withdrawal only the denial stays.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { expectEvents, leave, startBrowser, startSite, withSnippet } from "../scenario.ts";

const browser = await startBrowser();
const site = await startSite(() => withSnippet('<a href="/two">two</a>'));
after(async () => {
  await browser.close();
  await site.close();
});

const residue = async (page: any) => ({
  cookies: (await page.context().cookies()).length,
  storage: await page.evaluate(async () => {
    const databases = await indexedDB.databases();
    return [...Object.keys(localStorage), ...Object.keys(sessionStorage), ...databases.map((d: any) => d.name)];
  }),
});

test("before a grant the page makes no request and leaves no cookie and no storage", async () => {
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${site.url}/?utm_source=mail`);
  await page.waitForFunction(() => !(window as any).hilo.q);
  await page.evaluate(() => (window as any).hilo.track("Product Viewed", { product_id: "1" }));
  await page.evaluate(() => (window as any).hilo.identify("cust_1"));
  await page.click("a");
  await site.quiet();
  assert.equal(site.sent.length, 0);
  assert.deepEqual(await residue(page), { cookies: 0, storage: [] });
  await page.context().close();
});

test("after a grant on the third page the first touch is the visit's landing page", async () => {
  site.sent.length = 0;
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${site.url}/?utm_source=mail&utm_campaign=autumn&gclid=7&email=ana%40example.com`);
  for (const path of ["two", "three"]) {
    await leave(page, `location.href = "/${path}"`);
    await page.waitForURL(`**/${path}`);
  }
  await page.waitForFunction(() => !(window as any).hilo.q);
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  await site.quiet();
  const [first] = site.events();
  expectEvents(site.events(), ["page"]);
  assert.equal(first!["context"].page.path, "/three");
  assert.deepEqual(first!["context"].hilo.session.landing, {
    url: `${site.url}/?utm_source=mail&utm_campaign=autumn&gclid=7&email=redacted`,
    via: "history",
  });
  await page.context().close();
});

test("a denial sends no event, and a withdrawal leaves only the denial in storage", async () => {
  site.sent.length = 0;
  const page = await (await browser.newContext()).newPage();
  await page.goto(site.url);
  await page.waitForFunction(() => !(window as any).hilo.q);
  await page.evaluate(() => (window as any).hilo.consent.deny("analytics", "functional"));
  await page.evaluate(() => (window as any).hilo.track("Product Viewed"));
  await site.quiet();
  // The collector's cookie may hold an id that the page has not, and goes with the denial.
  assert.deepEqual(site.sent.map((one) => [one.call, one.body["anonymousId"]]), [["consent", undefined]]);
  assert.deepEqual((await residue(page)).storage, ["hilo.c"]);
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  await page.evaluate(() => (window as any).hilo.track("Product Viewed"));
  await site.quiet();
  const id = await page.evaluate(() => (window as any).hilo.anonymousId());
  assert.ok(id);
  site.sent.length = 0;
  await page.evaluate(() => (window as any).hilo.consent.withdraw());
  await page.evaluate(() => (window as any).hilo.track("Product Viewed"));
  await site.quiet();
  assert.deepEqual(site.sent.map((one) => one.call), ["consent"]);
  assert.deepEqual((await residue(page)).storage, ["hilo.c"]);
  assert.ok(!(await page.evaluate(() => localStorage.getItem("hilo.c")))!.includes(id));
  await page.context().close();
});

test("Global Privacy Control denies advertising until the visitor grants it", async () => {
  const context = await browser.newContext();
  await context.addInitScript(() => Object.defineProperty(navigator, "globalPrivacyControl", { value: true }));
  const page = await context.newPage();
  await page.goto(site.url);
  await page.waitForFunction(() => !(window as any).hilo.q);
  const state = () => page.evaluate(() => (window as any).hilo.consent.state());
  assert.equal((await state()).advertising, "denied");
  assert.equal((await state()).analytics, "unset");
  await page.evaluate(() => (window as any).hilo.consent.grant("advertising"));
  assert.equal((await state()).advertising, "granted");
  assert.equal((await state()).sale_share, "denied", "a grant lifts it for exactly its purpose");
  await page.reload();
  await page.waitForFunction(() => !(window as any).hilo.q);
  assert.equal((await state()).advertising, "granted", "the choice holds on the next page");
  assert.equal((await state()).sale_share, "denied");
  await context.close();
});

test("Global Privacy Control denies a purpose that was granted before it was switched on", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(site.url);
  await page.waitForFunction(() => !(window as any).hilo.q);
  const state = () => page.evaluate(() => (window as any).hilo.consent.state());
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics", "advertising"));
  assert.equal((await state()).advertising, "granted");
  await context.addInitScript(() => Object.defineProperty(navigator, "globalPrivacyControl", { value: true }));
  await page.reload();
  await page.waitForFunction(() => !(window as any).hilo.q);
  assert.equal((await state()).advertising, "denied");
  assert.equal((await state()).analytics, "granted");
  await page.evaluate(() => (window as any).hilo.consent.grant("advertising"));
  await page.reload();
  await page.waitForFunction(() => !(window as any).hilo.q);
  assert.equal((await state()).advertising, "granted");
  await context.close();
});

/** What consent tools tell of a visitor who has not chosen: each sounds like a yes. */
const NO_CHOICE = {
  "a default of Consent Mode": () => {
    const layer: unknown[] = ((window as any).dataLayer = []);
    const gtag = function (..._: unknown[]) { layer.push(arguments); };
    gtag("config", "G-TEST");
    gtag("consent", "default", { analytics_storage: "denied", ad_storage: "denied", region: ["ES", "DE"] });
    gtag("consent", "default", { analytics_storage: "granted", ad_storage: "granted" });
    layer.push(["consent", "default", { functionality_storage: "granted" }]);
  },
  "an open banner of TCF with legitimate interests": () => {
    const interests = { consents: {}, legitimateInterests: { 2: true, 7: true, 8: true, 9: true } };
    const data = { cmpStatus: "loaded", gdprApplies: true, tcString: "CPexampleexample", listenerId: 1, tcfPolicyVersion: 5, purpose: interests, publisher: interests, vendor: interests };
    (window as any).__tcfapi = (_command: string, _version: number, callback: (data: unknown, isOk: boolean) => void) =>
      [undefined, "cmpuishown"].forEach((eventStatus) => callback({ ...data, eventStatus }, true));
  },
  "a visitor of GPP who did not opt out": () => {
    const usnat = [{ Version: 1, SaleOptOutNotice: 1, SaleOptOut: 2, SharingOptOut: 2, TargetedAdvertisingOptOut: 2 }, { SubsectionType: 1, Gpc: false }];
    const ping = { gppVersion: "1.1", cmpStatus: "loaded", applicableSections: [7], sectionList: [7], gppString: "DBABexample", parsedSections: { usnat } };
    (window as any).__gpp = (_command: string, callback: (event: unknown, isOk: boolean) => void) =>
      ["not ready", "ready"].forEach((signalStatus) => callback({ eventName: "signalStatus", listenerId: 1, data: signalStatus, pingData: { ...ping, signalStatus } }, true));
  },
};
for (const [name, tell] of Object.entries(NO_CHOICE)) {
  test(`${name} grants nothing, so nothing is sent and nothing is stored`, async () => {
    site.sent.length = 0;
    const page = await (await browser.newContext()).newPage();
    await page.addInitScript(tell);
    await page.goto(site.url);
    await page.waitForFunction(() => !(window as any).hilo.q);
    await page.evaluate(() => (window as any).hilo.track("Product Viewed"));
    await site.quiet();
    const { persistence: _, ...state } = await page.evaluate(() => (window as any).hilo.consent.state());
    assert.deepEqual(state, { functional: "unset", analytics: "unset", personalization: "unset", advertising: "unset", sale_share: "unset", revision: 0 });
    assert.deepEqual(site.sent, []);
    assert.deepEqual(await residue(page), { cookies: 0, storage: [] });
    await page.context().close();
  });
}

test("a withdrawal in one tab counts in the other tab at once, and calls its listeners back", async () => {
  const context = await browser.newContext();
  const [one, two] = [await context.newPage(), await context.newPage()];
  for (const page of [one, two]) {
    await page.goto(site.url);
    await page.waitForFunction(() => !(window as any).hilo.q);
  }
  await one.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  await two.waitForFunction(() => (window as any).hilo.consent.state().analytics === "granted");
  await two.evaluate(() => (window as any).hilo.consent.on((state: any) => ((window as any).told = state.analytics)));
  await one.evaluate(() => (window as any).hilo.consent.withdraw());
  await two.waitForFunction(() => (window as any).told === "denied");
  assert.equal(await two.evaluate(() => (window as any).hilo.anonymousId()), null);
  await context.close();
});

test("a logout in one tab is a logout in all tabs, and all tabs share one session", async () => {
  const context = await browser.newContext();
  const [one, two] = [await context.newPage(), await context.newPage()];
  const id = (page: typeof one) => page.evaluate(() => (window as any).hilo.anonymousId());
  for (const page of [one, two]) {
    await page.goto(site.url);
    await page.waitForFunction(() => !(window as any).hilo.q);
    await page.evaluate(() => (window as any).hilo.consent.grant("analytics", "functional"));
  }
  await site.quiet();
  const before = await id(one);
  assert.ok(before);
  assert.equal(await id(two), before);
  const sessions = [one, two].map((page) => page.evaluate(() => (window as any).hilo.sessionId()));
  assert.equal(await sessions[0], await sessions[1]);
  await one.evaluate(() => (window as any).hilo.reset());
  await two.waitForFunction((before) => (window as any).hilo.anonymousId() !== before, before);
  assert.equal(await id(two), await id(one));
  await context.close();
});

test("a choice that is older than the collector allows is asked again", async () => {
  site.sent.length = 0;
  const settings = { purposes: [], noticeVersion: "1", askAgainMonths: 6 };
  site.answer(({ body }) => ({ status: 200, ...(body["hello"] && { body: { success: true, accepted: 1, duplicate: 0, rejected: [], settings } }) }));
  const page = await (await browser.newContext()).newPage();
  const open = async () => {
    await page.goto(site.url);
    await page.waitForFunction(() => !(window as any).hilo.q);
    return page.evaluate(() => (window as any).hilo.consent.state().analytics);
  };
  await open();
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  await site.quiet();
  assert.equal(await open(), "granted");
  // The clock of the page is seven months further.
  await page.addInitScript(() => {
    const { now } = Date;
    Date.now = () => now() + 7 * 30.5 * 86_400_000;
  });
  await site.quiet();
  site.sent.length = 0;
  assert.equal(await open(), "unset");
  await page.evaluate(() => (window as any).hilo.track("Product Viewed"));
  await site.quiet();
  assert.deepEqual(site.sent, []);
  assert.deepEqual((await residue(page)).storage, ["hilo.c"]);
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  await site.quiet();
  expectEvents(site.events(), ["page", "track Product Viewed"]);
  assert.equal(await open(), "granted");
  site.answer(() => ({ status: 200 }));
  await page.context().close();
});

test("a withdrawal that finds no network reaches the collector from the next page", async () => {
  const context = await browser.newContext();
  const open = async () => {
    const page = await context.newPage();
    await page.goto(site.url);
    await page.waitForFunction(() => !(window as any).hilo.q);
    return page;
  };
  const page = await open();
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  await site.quiet();
  site.answer(() => null);
  await page.evaluate(() => (window as any).hilo.consent.withdraw());
  await site.quiet();
  await page.close();
  // What the page tries once more while it is left may still be on its way.
  await site.quiet();
  site.sent.length = 0;
  site.answer(() => ({ status: 200 }));
  const next = await open();
  await site.quiet();
  assert.deepEqual(site.sent.map((one) => [one.call, one.body["anonymousId"], one.body["keepsId"]]), [["consent", undefined, false]]);
  assert.deepEqual((await residue(next)).storage, ["hilo.c"]);
  await context.close();
});
