/**
 * Promise: a view is told once it is left, with the time that the visitor used it, the time that it was visible, and how far it was
 * read. A view that is shown again goes on. A page that the browser kept alive is a new view.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import type { Page } from "../../../js/node_modules/playwright-core/index.d.ts";
import { actsOf, leave, openBound, passed, startBrowser, startSite, until, withSnippet, type Json } from "../scenario.ts";

const GRANT = '<script>hilo.consent.grant("functional", "analytics");</script>';
/** Hides the page as a phone does that is put away. */
const HIDE = `<script>let isAway = false;
Object.defineProperty(document, "hidden", { configurable: true, get: () => isAway });
window.put = (away) => { isAway = away; document.dispatchEvent(new Event("visibilitychange")); };</script>`;
const LONG = `${HIDE}<h1>Top</h1><button>Press</button><div style="height:5000px"></div>`;
const BOX = '<body style="margin:0;overflow:hidden"><main style="height:100vh;overflow:auto"><div style="height:5000px"></div></main>';
const ON = 'data-engagement';
const PAGES: Record<string, [body: string, attributes?: string]> = {
  "/": [LONG + GRANT, ON],
  "/box": [BOX + GRANT, ON],
  "/unanswered": [LONG, ON],
  "/kept": [GRANT, ON],
  "/usual": [LONG + GRANT],
  "/next": [GRANT],
};

const browser = await startBrowser({ ignoreDefaultArgs: ["--disable-back-forward-cache"] });
const site = await startSite((path) => withSnippet(...(PAGES[path] ?? [LONG + GRANT, ON])));
after(async () => {
  await browser.close();
  await site.close();
});

async function open(path: string) {
  site.sent.length = 0;
  return openBound(browser, site.url + path);
}

const engaged = () => actsOf(site).filter((event) => event["event"] === "Page Engaged").map((event) => event["properties"] as Json);

function expectBetween(value: number, low: number, high: number, what: string) {
  assert.ok(value >= low && value <= high, `${what} is ${value}, not from ${low} to ${high}`);
}

/** Presses a button and a key, and scrolls to `share` of the page. */
async function use(page: Page, share: number, box = "document.scrollingElement") {
  await page.click("button").catch(() => {});
  await page.keyboard.press("Shift");
  await page.evaluate(([box, share]) => {
    const element = new Function(`return ${box}`)() as Element;
    element.scrollTop = element.scrollHeight * (share as number) - element.clientHeight;
  }, [box, share] as const);
}

test("a view is told when it is left, with its times, its acts and how far it was read", async () => {
  const page = await open("/");
  await use(page, 0.5);
  await passed(page, 1_500);
  await page.evaluate(() => addEventListener("pagehide", () => (sessionStorage["lived"] = performance.now())));
  await page.goto(`${site.url}/next`);
  const lived = Number(await page.evaluate(() => sessionStorage["lived"]));
  await until(() => engaged().length);
  await site.quiet();
  assert.equal(engaged().length, 1);
  const [view] = engaged() as [Json];
  assert.equal(view["path"], "/");
  // The view began before the second file was there.
  expectBetween(view["engaged_ms"], 1_500 + 1_000, lived + 1, "the time of use");
  expectBetween(view["visible_ms"], view["engaged_ms"], lived + 1, "the visible time");
  expectBetween(view["scroll_max_pct"], 49, 51, "the depth");
  assert.ok(view["height_px"] > 5_000 && view["scroll_max_px"] > 2_000);
  assert.deepEqual([view["interactions"], view["part"]], [2, 1]);
  await page.context().close();
});

test("a page that scrolls in a part of it is read as far as that part", async () => {
  const page = await open("/box");
  await use(page, 0.8, "document.querySelector('main')");
  await passed(page, 1_200);
  await page.goto(`${site.url}/next`);
  await until(() => engaged().length);
  await site.quiet();
  expectBetween(engaged()[0]!["scroll_max_pct"], 79, 81, "the depth");
  await page.context().close();
});

test("a view that is hidden and shown again goes on under the next number, and the hidden time does not count", async () => {
  const page = await open("/");
  const put = (away: boolean) => page.evaluate((away) => (window as any).put(away), away);
  await put(true);
  await until(() => engaged().length);
  await site.quiet();
  assert.equal(engaged().length, 1, "the last safe moment of a phone");
  const shown = await page.evaluate(async () => {
    const began = performance.now();
    (window as any).put(false);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    (window as any).put(true);
    return performance.now() - began;
  });
  await until(() => engaged().length > 1);
  await site.quiet();
  assert.deepEqual(engaged().map((view) => view["part"]), [1, 2]);
  expectBetween(engaged()[1]!["visible_ms"], 1_499, shown + 1, "the visible time");
  await page.context().close();
});

test("each view of a single-page app is told with its own path", async () => {
  const page = await open("/");
  await passed(page, 1_200);
  const seen = await page.evaluate(async () => {
    const passed = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    const began = performance.now();
    history.pushState(null, "", "/second");
    await passed(300);
    history.replaceState(null, "", "/second?variant=2");
    await passed(1_200);
    history.back();
    await new Promise((resolve) => addEventListener("popstate", resolve));
    return performance.now() - began;
  });
  await until(() => engaged().length > 1);
  await site.quiet();
  assert.deepEqual(engaged().map((view) => [view["path"], view["part"]]), [["/", 1], ["/second", 1]]);
  expectBetween(engaged()[1]!["engaged_ms"], 1_499, seen + 1, "the time of the second view");
  await page.context().close();
});

test("a page that the browser kept alive is a new view when the visitor comes back", async () => {
  const page = await open("/kept");
  await page.evaluate(() => {
    let shownAt = 0;
    addEventListener("pageshow", ({ persisted }) => (((window as any).wasKept = persisted), (shownAt = performance.now())));
    addEventListener("pagehide", () => (sessionStorage["shown"] = performance.now() - shownAt));
  });
  await passed(page, 1_200);
  await leave(page, "location.assign('/next')");
  await page.waitForURL("**/next");
  await site.quiet();
  await leave(page, "history.back()");
  await page.waitForFunction(() => (window as any).wasKept);
  await passed(page, 1_500);
  await leave(page, "location.assign('/next')");
  await page.waitForURL("**/next");
  const shown = Number(await page.evaluate(() => sessionStorage["shown"]));
  await until(() => engaged().length > 1);
  await site.quiet();
  assert.deepEqual(engaged().map((view) => [view["path"], view["part"]]), [["/kept", 1], ["/kept", 1]]);
  // The tracker's own listener comes before the page's or after it.
  expectBetween(engaged()[1]!["visible_ms"], 1_499, shown + 100, "the time since the return");
  await page.context().close();
});

test("before a grant nothing is sent, and a view that was left then is told after it", async () => {
  const page = await open("/unanswered");
  await passed(page, 1_200);
  await page.evaluate(() => history.pushState(null, "", "/second"));
  await site.quiet();
  assert.equal(site.sent.length, 0);
  assert.deepEqual(await page.evaluate(() => Object.keys({ ...localStorage, ...sessionStorage })), []);
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  await site.quiet();
  assert.deepEqual(engaged().map((view) => view["path"]), ["/unanswered"]);
  await page.context().close();
});

test("a page that does not ask for it tells no engagement", async () => {
  const page = await open("/usual");
  await use(page, 0.5);
  await passed(page, 1_500);
  await page.goto(`${site.url}/next`);
  await site.quiet();
  assert.deepEqual(engaged(), []);
  await page.context().close();
});
