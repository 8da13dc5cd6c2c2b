/**
 * Promise: an answer about consent that the visitor gives before the tracker is there counts on whichever page has a tracker first,
 * and nothing but the answer is stored.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

import { SHUT, expectEvents, startBrowser, startSite, until, watchErrors, withSnippet, type Json } from "../scenario.ts";

const browser = await startBrowser();
const site = await startSite(() => withSnippet(""));
const closed = await startSite(() => withSnippet(""), SHUT);
after(async () => {
  await browser.close();
  await site.close();
  await closed.close();
  await bundled.close();
});

const dist = fileURLToPath(new URL("../../../js/sdk/dist/", import.meta.url));
const bundled = await startSite(() => '<!doctype html><title>App</title><script type="module">import { load } from "/pkg/index.js"; window.hilo = await load({ key: "wk_t" });</script>');

const blocked = async (page: Json) => {
  await page["route"]("**/hilo.js", (route: Json) => route["abort"]());
  await page["goto"](site.url);
};
const open = async (page: Json) => {
  await page["unroute"]("**/hilo.js");
  await page["goto"](site.url);
  await page["waitForFunction"](() => !(window as any).hilo.q);
};
const stored = (page: Json) => page["evaluate"](() => ({ ...localStorage }));
const state = (page: Json) => page["evaluate"](() => (window as any).hilo.consent.state());

test("without an answer the stub stores nothing", async () => {
  const page = await (await browser.newContext()).newPage();
  await blocked(page);
  await page.evaluate(() => (window as any).hilo.track("Seen"));
  await page.evaluate(() => (window as any).hilo.identify("ana"));
  await page.goto("about:blank");
  await page.goto(site.url);
  assert.deepEqual(await stored(page), {});
  await page.context().close();
});

test("an answer on a page whose script never loads is kept without an id, and counts with a record on the next page", async () => {
  site.sent.length = 0;
  const page = await (await browser.newContext()).newPage();
  await blocked(page);
  await page.evaluate(() => (window as any).hilo.consent.grant("functional", "analytics"));
  await page.evaluate(() => (window as any).hilo.consent.deny(["advertising"]));
  assert.deepEqual(await stored(page), { "hilo.a": ",grant,functional,analytics;,deny,advertising;" });
  await open(page);
  const { functional, analytics, advertising, personalization, persistence } = await state(page);
  assert.deepEqual([functional, analytics, advertising, personalization], ["granted", "granted", "denied", "unset"]);
  assert.equal(persistence, "local");
  await site.quiet();
  expectEvents(site.events(), ["page"]);
  const changes = site.sent.filter((one) => one.call === "consent").flatMap((one) => one.body["consent"].changes);
  assert.deepEqual(changes.map((change) => [change.purpose, change.state]), [["functional", "granted"], ["analytics", "granted"], ["advertising", "denied"]]);
  assert.ok(!("hilo.a" in (await stored(page))), "the answer was taken once");
  await page.context().close();
});

test("the last of several answers counts, and a later answer in another tab counts more", async () => {
  const context = await browser.newContext();
  const [one, two] = [await context.newPage(), await context.newPage()];
  await open(two);
  await blocked(one);
  await one.evaluate(() => (window as any).hilo.consent.grant("analytics", "advertising"));
  await one.evaluate(() => (window as any).hilo.consent.withdraw());
  await one.evaluate(() => (window as any).hilo.consent.grant("functional"));
  await two.evaluate(() => (window as any).hilo.consent.deny("functional"));
  await open(one);
  const { functional, analytics } = await state(one);
  assert.deepEqual([functional, analytics], ["denied", "unset"], "the answers of the page without a tracker are older");
  await context.close();

  const page = await (await browser.newContext()).newPage();
  await blocked(page);
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics", "advertising"));
  await page.evaluate(() => (window as any).hilo.consent.withdraw());
  await page.evaluate(() => (window as any).hilo.consent.grant("functional"));
  await open(page);
  const last = await state(page);
  assert.deepEqual([last.functional, last.analytics, last.advertising], ["granted", "denied", "denied"]);
  await page.context().close();
});

test("an answer while the script is loading counts on the same page, and callbacks hear of it", async () => {
  site.sent.length = 0;
  const page = await (await browser.newContext()).newPage();
  let go = () => {};
  const held = new Promise<void>((resolve) => (go = resolve));
  await page.route("**/hilo.js", (route) => held.then(() => route.continue()));
  await page.goto(site.url, { waitUntil: "commit" });
  await page.waitForFunction(() => (window as any).hilo);
  await page.evaluate(() => void (window as any).hilo.consent.on((state: any) => ((window as any).told = state.analytics)));
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  go();
  await page.waitForFunction(() => (window as any).told === "granted");
  await site.quiet();
  assert.equal(site.sent.filter((one) => one.call === "consent").length, 1);
  expectEvents(site.events(), ["page"]);
  await page.context().close();
});

test("an answer on a page that may not run the module in any form is kept for the next page", async () => {
  const page = await (await browser.newContext()).newPage();
  const told = watchErrors(page);
  await page.goto(closed.url);
  await until(() => told.length);
  await page.evaluate(() => (window as any).hilo.consent.deny("analytics"));
  assert.deepEqual(await stored(page), { "hilo.a": ",deny,analytics;" });
  await page.context().close();
});

test("the stored answers are bounded, and rubbish in their place is no answer", async () => {
  const page = await (await browser.newContext()).newPage();
  await blocked(page);
  await page.evaluate(() => {
    for (let i = 0; i < 200; i += 1) (window as any).hilo.consent.grant("analytics", "functional");
    (window as any).hilo.consent.deny("analytics");
  });
  assert.equal(await page.evaluate(() => localStorage["hilo.a"].length), 999);
  await open(page);
  assert.deepEqual([(await state(page)).analytics, (await state(page)).functional], ["denied", "granted"]);
  await page.context().close();

  const other = await (await browser.newContext()).newPage();
  await blocked(other);
  await other.evaluate(() => (localStorage["hilo.a"] = "grant,analytics,;,[object Object],destroy;,track,analytics;"));
  await open(other);
  assert.equal((await state(other)).analytics, "unset");
  await other.context().close();
});

test("where all storage is blocked, the answer holds for the page, and the page is told", async () => {
  const context = await browser.newContext();
  await context.addInitScript(() => {
    for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, { get() { throw new DOMException("blocked", "SecurityError"); } });
  });
  const page = await context.newPage();
  let go = () => {};
  const held = new Promise<void>((resolve) => (go = resolve));
  await page.route("**/hilo.js", (route) => held.then(() => route.continue()));
  await page.goto(site.url, { waitUntil: "commit" });
  await page.waitForFunction(() => (window as any).hilo);
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  go();
  await page.waitForFunction(() => !(window as any).hilo.q);
  assert.deepEqual([(await state(page)).analytics, (await state(page)).persistence], ["granted", "memory"]);
  await context.close();
});

test("where localStorage takes nothing, the answer holds for the tab, and an older answer does not come back", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await open(page);
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  await context.addInitScript(() => {
    const { setItem } = Storage.prototype;
    Storage.prototype.setItem = function (...args) {
      if (this === localStorage) throw new DOMException("full", "QuotaExceededError");
      setItem.apply(this, args);
    };
  });
  await open(page);
  await page.evaluate(() => (window as any).hilo.consent.deny("analytics"));
  assert.deepEqual([(await state(page)).analytics, (await state(page)).persistence], ["denied", "tab"]);
  await open(page);
  assert.equal((await state(page)).analytics, "denied", "the next page of the tab has the answer");
  const other = await context.newPage();
  await open(other);
  assert.equal((await state(other)).analytics, "unset", "another tab asks again, and the old grant is gone");
  await context.close();
});

test("an answer in a page whose package finds no module is kept, and counts on the next page", async () => {
  const page = await (await browser.newContext()).newPage();
  const kind = (path: string) => (path.endsWith(".wasm") ? "application/wasm" : "text/javascript");
  await page.route("**/pkg/*", (route) => {
    const path = new URL(route.request().url()).pathname.replace("/pkg/", "");
    return route.fulfill({ body: readFileSync(dist + path), contentType: kind(path) });
  });
  await page.route("**/hilo.wasm", (route) => route.abort());
  await page.goto(bundled.url);
  await page.waitForFunction(() => (window as any).hilo);
  await page.evaluate(() => (window as any).hilo.track("Seen"));
  assert.deepEqual(await stored(page), {});
  await page.evaluate(() => (window as any).hilo.consent.grant("functional", "analytics"));
  await page.evaluate(() => (window as any).hilo.consent.deny(["advertising"]));
  assert.deepEqual(await stored(page), { "hilo.a": ",grant,functional,analytics;,deny,advertising;" });
  await page.unroute("**/hilo.wasm");
  await page.goto(bundled.url);
  await page.waitForFunction(() => (window as any).hilo?.consent.state().analytics === "granted");
  const { functional, advertising, personalization } = await state(page);
  assert.deepEqual([functional, advertising, personalization], ["granted", "denied", "unset"]);
  assert.ok(!("hilo.a" in (await stored(page))), "the answers were taken once");
  await page.context().close();
});
