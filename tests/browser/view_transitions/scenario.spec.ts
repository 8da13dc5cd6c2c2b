/**
 * Promise: a View Transition is no view of its own. A route that changes within one is one view with its own title, a document that is
 * reached by one is one view, and clicks count while and after it runs.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { openBound, startBrowser, startSite, withSnippet, type Json } from "../scenario.ts";

const GRANT = '<script>hilo.consent.grant("functional", "analytics");</script>';
const APP = `<style>@view-transition { navigation: auto; } ::view-transition-group(*) { animation-duration: 300ms; }</style>
<h1>Home</h1><a id="away" href="https://press.example/" target="_blank">Press</a> <a id="next" href="/next">Next</a>
<script>
function go(path, title) {
  const transition = document.startViewTransition(async () => {
    history.pushState(null, "", path);
    await new Promise((resolve) => setTimeout(resolve, 50));
    document.querySelector("h1").textContent = document.title = title;
  });
  return transition.finished.then(() => "finished", (error) => error.message);
}
addEventListener("pagereveal", (event) => (window.wasTransition = !!event.viewTransition));
</script>`;

const browser = await startBrowser();
const site = await startSite((path) => withSnippet(APP + GRANT).replace("A page", path === "/next" ? "Next page" : "Home"));
after(async () => {
  await browser.close();
  await site.close();
});

const told = () =>
  [...new Map(site.events().map((event) => [event["messageId"], event])).values()].map(({ type, event, context }) => [event ?? type, context.page.path, context.page.title].join(" "));

/** Opens the app. No other site than this one answers. */
async function open() {
  site.sent.length = 0;
  return openBound(browser, site.url, (page) => page.context().route(/\.example\//, (route) => route.fulfill({ body: "another site" })));
}

test("a route within a View Transition is one view with its own title, and a click while it runs counts", async () => {
  const page = await open();
  const finished = page.evaluate(() => (window as Json)["go"]("/mug", "Mug"));
  await page.locator("#away").dispatchEvent("click");
  assert.equal(await finished, "finished");
  await page.click("#away");
  assert.equal(await page.evaluate(() => (window as Json)["go"]("/cup", "Cup")), "finished");
  await site.quiet();
  assert.deepEqual(told(), ["page / Home", "page /mug Mug", "Link Clicked /mug Mug", "page /cup Cup"], "a click that a script makes is no visitor's");
  await page.context().close();
});

test("a document that is reached by a View Transition is one view, of the same visit", async () => {
  const page = await open();
  await page.click("#next");
  await page.waitForURL("**/next");
  await page.waitForFunction(() => (window as Json)["hilo"]?.anonymousId?.());
  await site.quiet();
  assert.equal(await page.evaluate(() => (window as Json)["wasTransition"]), true, "the browser ran a transition");
  assert.deepEqual(told(), ["page / Home", "page /next Next page"]);
  assert.equal(new Set(site.events().map((event) => event["context"].hilo.session.id)).size, 1);
  await page.context().close();
});
