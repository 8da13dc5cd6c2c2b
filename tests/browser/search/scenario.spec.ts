/**
 * Promise: where the site asks for it, what a visitor looks for is told once a search, in lower case, and never what looks personal.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { actsOf, bound, openBound, passed, startBrowser, startSite, withSnippet } from "../scenario.ts";

const GRANT = '<script>hilo.consent.grant("functional", "analytics");</script>';
const RESULTS = '<p>Found <b data-hilo-results>1.204 mugs</b></p><form action="/found"><input name="q"><button>Search</button></form>';
const PAGES: Record<string, [body: string, attributes?: string]> = {
  "/usual": [RESULTS + GRANT],
  "/own": [RESULTS + GRANT, 'data-search="buscar"'],
  "/unanswered": [RESULTS, "data-search"],
};

const browser = await startBrowser();
const site = await startSite((path) => withSnippet(...(PAGES[path] ?? [RESULTS + GRANT, "data-search"])));
after(async () => {
  await browser.close();
  await site.close();
});

const told = () => actsOf(site).filter((event) => event["event"] === "Products Searched").map((event) => event["properties"]);

async function open(path: string) {
  site.sent.length = 0;
  return openBound(browser, site.url + path);
}

test("a search is told once, with the number of results, and not again on its next page", async () => {
  const page = await open("/found?q=Blue%20Mug");
  await bound(page, () => page.goto(`${site.url}/found?q=Blue%20Mug&page=2`, { referer: `${site.url}/found?q=Blue%20Mug` }));
  await bound(page, () => page.reload());
  await site.quiet();
  assert.deepEqual(told(), [{ query: "blue mug", results: 1204 }]);
  await page.context().close();
});

test("a search by the site's own form is told, and only there", async () => {
  const page = await open("/start");
  await page.fill("input", "Tea cup");
  await bound(page, () => page.click("button"));
  await site.quiet();
  assert.deepEqual(told(), [{ query: "tea cup", results: 1204 }]);
  const addresses = site.events().map((event) => event["context"].page);
  assert.ok(!JSON.stringify(addresses).includes("Tea"), "no address has what the visitor typed");
  await page.context().close();
});

test("a search in a single-page app is told once its results stand", async () => {
  const page = await open("/app");
  await page.evaluate(() => {
    history.pushState(null, "", "/found?s=Cup");
    setTimeout(() => (document.querySelector("[data-hilo-results]")!.textContent = "7 cups"), 200);
  });
  await passed(page, 1_000);
  await page.evaluate(() => history.pushState(null, "", "/found?s=Cup&page=2"));
  await passed(page, 1_000);
  await page.evaluate(() => history.pushState(null, "", "/found?s=Bowl"));
  await site.quiet();
  assert.deepEqual(told().map(({ query, results }) => [query, results]), [["cup", 7], ["bowl", 7]]);
  await page.context().close();
});

test("what looks personal is not told", async () => {
  const page = await open("/found?q=ana%40shop.example");
  await site.quiet();
  assert.deepEqual(told(), [{ query: "[redacted]", results: 1204 }]);
  const wire = JSON.stringify(site.sent.map((one) => one.body));
  for (const canary of ["ana@", "ana%40"]) assert.ok(!wire.includes(canary), canary);
  await page.context().close();
});

test("a site names its own word for a search", async () => {
  const page = await open("/own?buscar=Taza");
  await site.quiet();
  assert.deepEqual(told(), [{ query: "taza", results: 1204 }]);
  await page.context().close();
});

test("a page that does not ask for it tells no search", async () => {
  const page = await open("/usual?q=Mug");
  await site.quiet();
  assert.deepEqual(told(), []);
  await page.context().close();
});

test("before a grant no search is sent", async () => {
  const page = await open("/unanswered?q=Mug");
  await site.quiet();
  assert.equal(site.sent.length, 0);
  await page.evaluate(() => (window as any).hilo.consent.deny("analytics"));
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  await site.quiet();
  assert.deepEqual(told(), []);
  await page.context().close();
});
