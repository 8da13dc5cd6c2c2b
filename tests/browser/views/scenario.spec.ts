/**
 * Promise: a view is the page that the visitor saw, with its own title, once. The site's own call replaces the captured view, and
 * what is told on a page comes after the page's view.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { passed, startBrowser, startSite, withSnippet, type Json } from "../scenario.ts";

const GRANT = '<script>hilo.consent.grant("functional", "analytics");</script>';
const VARIANTS = `<script>hilo.ready(() => {
  [101, 102, 103].forEach((v, i) => setTimeout(() => history.replaceState(history.state, "", location.pathname + "?variant=" + v), 100 + 150 * i));
  setTimeout(() => hilo.consent.grant("functional", "analytics"), 800);
});</script>`;
/** A single-page app: a route sets its title late, tells what it shows, and perhaps reports the view itself. */
const APP = `${GRANT}<script>
function go(path, title, isOwn) {
  history.pushState(null, "", path);
  hilo.track("Product Viewed", { title });
  if (isOwn) setTimeout(() => hilo.page(title, { sku: "MUG-1" }), 200);
  setTimeout(() => (document.title = title), 300);
}
</script>`;
const PAGES: Record<string, [body: string, attributes?: string]> = {
  "/products/mug": [VARIANTS],
  "/own": ['<script>hilo.page("Product Page", { sku: "MUG-1" });</script>' + GRANT],
  "/own-after-load": [GRANT + '<script>addEventListener("load", () => hilo.page("Product Page"));</script>'],
  "/off": [GRANT, 'data-pages="false"'],
  "/order": ['<script>hilo.track("Product Viewed");</script>' + GRANT + '<script type="module">document.title = "Mug";</script>'],
  "/app": [APP],
  "/lists": [APP, 'data-pages="query"'],
  "/hash": [APP, 'data-pages="hash"'],
};
const browser = await startBrowser();
const site = await startSite((path) => withSnippet(...(PAGES[path] ?? [GRANT])));
after(async () => {
  await browser.close();
  await site.close();
});

/** Opens a page, does `acts` with a pause after each, and gives what was sent: path, title, and the name of view or act. */
async function visit(path: string, ...acts: string[]) {
  site.sent.length = 0;
  const page = await (await browser.newContext()).newPage();
  await page.goto(site.url + path);
  await page.waitForFunction(() => !(window as any).hilo.q);
  for (const act of acts) {
    await page.evaluate(act);
    // A view waits half a second for its title.
    await passed(page, 650);
  }
  await site.quiet();
  await page.context().close();
  return site.events();
}

const shown = (events: Json[]) => events.map(({ context, name, event }) => [context.page.path, context.page.title, name ?? event]);

test("a variant of an article is no view, and the campaign of the landing is kept", async () => {
  const events = await visit("/products/mug?utm_source=news&utm_medium=email");
  assert.deepEqual(shown(events), [["/products/mug", "A page", undefined]]);
  const { page, hilo } = events[0]!["context"];
  assert.equal(page.search, "?utm_source=news&utm_medium=email");
  assert.match(hilo.session.landing.url, /\?utm_source=news&utm_medium=email$/);
});

for (const path of ["/own", "/own-after-load"]) {
  test(`the view that the site reports replaces the captured view: ${path}`, async () => {
    assert.deepEqual(shown(await visit(path)), [[path, "A page", "Product Page"]]);
  });
}

test("the view that the site reports keeps its properties", async () => {
  const [view] = await visit("/own");
  assert.deepEqual(view!["properties"], { sku: "MUG-1" });
});

test("views that the site switched off are not captured", async () => {
  assert.deepEqual(await visit("/off"), []);
});

test("what was told before the tracker was there comes after the view, whose title is the one that the page's scripts set", async () => {
  const events = await visit("/order");
  assert.deepEqual(shown(events), [["/order", "Mug", undefined], ["/order", "Mug", "Product Viewed"]]);
  assert.ok(events[0]!["timestamp"] < events[1]!["timestamp"], "a page is older than what was done there");
});

test("a route takes the title that comes late, and what is told there comes after its view", async () => {
  const events = await visit("/app", "go('/mug', 'Mug')", "go('/cup', 'Cup')");
  assert.deepEqual(shown(events), [
    ["/app", "A page", undefined],
    ["/mug", "Mug", undefined],
    ["/mug", "Mug", "Product Viewed"],
    ["/cup", "Cup", undefined],
    ["/cup", "Cup", "Product Viewed"],
  ]);
});

test("the view that the site reports after a route replaces the captured view", async () => {
  const events = await visit("/app", "go('/mug', 'Mug', true)");
  assert.deepEqual(shown(events).slice(1), [["/mug", "Mug", "Mug"], ["/mug", "Mug", "Product Viewed"]]);
});

test("a query that the visitor went to is a view where the site wants it, and a replaced one is none", async () => {
  const acts = ["history.pushState(null, '', '?color=blue')", "history.replaceState(null, '', '?color=red')"];
  const searches = (events: Json[]) => events.map((event) => event["context"].page.search);
  assert.deepEqual(searches(await visit("/app", ...acts)), [undefined]);
  assert.deepEqual(searches(await visit("/lists", ...acts)), [undefined, "?color=blue"]);
});

test("a route in the fragment is a view where the site wants it", async () => {
  const acts = ["location.hash = '#/mug'", "location.hash = 'top'", "location.hash = '#/cup'"];
  assert.equal((await visit("/app", ...acts)).length, 1);
  const events = await visit("/hash#/", ...acts.slice(0, 1), ...acts.slice(2));
  assert.deepEqual(events.map((event) => event["context"].page.url.split("#")[1]), ["/", "/mug", "/cup"]);
});
