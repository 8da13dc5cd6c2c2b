/**
 * Promise: every view is reported once, in pages and in single-page apps.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { expectEvents, startBrowser, startSite, withSnippet } from "../scenario.ts";

const browser = await startBrowser();
const site = await startSite((path) => withSnippet(`<h1>${path}</h1><a href="/next">next</a>`));
after(async () => {
  await browser.close();
  await site.close();
});

async function visit() {
  site.sent.length = 0;
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${site.url}/`);
  await page.waitForFunction(() => !(window as any).hilo.q);
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  return page;
}

test("a single-page app reports each address once, a redirect once, and a fragment never", async () => {
  const page = await visit();
  await page.waitForFunction(() => (window as any).hilo.anonymousId());
  const go = (act: string) => page.evaluate(async (code) => {
    new Function(code)();
    await new Promise((resolve) => setTimeout(resolve, 60));
  }, act);
  await go("history.pushState(null, '', '/list'); document.title = 'List'");
  await go("history.pushState(null, '', '/old'); history.replaceState(null, '', '/product')");
  await go("location.hash = 'top'");
  await go("history.replaceState(null, '', '/product#bottom')");
  await go("history.back()");
  await go("history.back()");
  await site.quiet();
  const views = site.events().map((event) => [event["context"].page.path, event["context"].page.referrer?.replace(site.url, "")]);
  assert.deepEqual(views, [["/", undefined], ["/list", "/"], ["/product", "/list"], ["/list", "/product"]]);
  assert.equal(site.events()[1]!["context"].page.title, "List");
  assert.equal(new Set(site.events().map((event) => event["context"].hilo.session.id)).size, 1, "one session");
  await page.context().close();
});

test("each full load of a page is one view, and all of them share a session with one landing page", async () => {
  const page = await visit();
  await page.click("a");
  await page.waitForURL("**/next");
  await site.quiet();
  expectEvents(site.events(), ["page", "page"]);
  const landings = site.events().filter((event) => event["context"].hilo.session.landing);
  assert.equal(landings.length, 1);
  await page.context().close();
});

test("two tabs share one visitor and one session", async () => {
  const page = await visit();
  await page.waitForFunction(() => (window as any).hilo.anonymousId());
  const other = await page.context().newPage();
  await other.goto(`${site.url}/other`);
  await site.quiet();
  expectEvents(site.events(), ["page", "page"]);
  const facts = site.events().map((event) => [event["anonymousId"], event["context"].hilo.session.id].join());
  assert.equal(new Set(facts).size, 1);
  await page.context().close();
});

test("a page that loads the tracker twice has one tracker", async () => {
  const twice = await startSite(() => withSnippet("") + withSnippet(""));
  const page = await (await browser.newContext()).newPage();
  await page.goto(twice.url);
  await page.waitForFunction(() => (window as any).hilo && !(window as any).hilo.q);
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  await twice.quiet();
  expectEvents(twice.events(), ["page"]);
  await page.context().close();
  await twice.close();
});

test("calls before the tracker has loaded keep their order and their time", async () => {
  const early = await startSite(() =>
    withSnippet("").replace("</script><script async", ';window.early=Date.now();hilo.consent.grant("analytics");hilo.track("First");hilo.track("Second");window.late=Date.now()</script><script async'),
  );
  const page = await (await browser.newContext()).newPage();
  await page.goto(early.url);
  await early.quiet();
  const [began, ended] = await page.evaluate(() => [(window as any).early, (window as any).late]);
  const acts = early.events().filter((event) => event["type"] === "track");
  assert.deepEqual(acts.map((event) => event["event"]), ["First", "Second"]);
  const at = Date.parse(acts[0]!["timestamp"]);
  assert.ok(began <= at && at <= ended, `${began} <= ${at} <= ${ended}`);
  await page.context().close();
  await early.close();
});
