/**
 * Promise: a click on a link to another site, a file, a contact or a share is one event, and so is a click on what the site marked. It
 * counts wherever the link stands and whatever the page does with the click. Nothing is read inside private parts.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import type { Page } from "../../../js/node_modules/playwright-core/index.d.ts";
import { MORE, actsOf, leave, openBound, startBrowser, startSite, withSnippet, type Json } from "../scenario.ts";

const GRANT = '<script>hilo.consent.grant("functional", "analytics");</script>';
/** The page stays where it is, and stops each click on its way. */
const STAY = `<script>for (const name of ["click", "auxclick"]) {
  document.addEventListener(name, (event) => { event.preventDefault(); event.stopPropagation(); }, true);
}</script>`;
const LINKS = `${STAY}
<p><a id="outbound" href="https://press.example/review?ref=1"><b>Read   the
 review</b></a> <a id="own" href="https://pay.example/">Pay</a> <a id="inside" href="/next">Next</a> <b id="nothing">Nothing</b></p>
<p><a id="file" href="/manual.pdf">Manual</a> <a id="phone" href="tel:+34(600)123456">+34 (600) 123 456</a>
<a id="contact" data-hilo-contact="Sales" href="mailto:sales@shop.example">Write</a>
<a id="share" href="https://twitter.com/intent/tweet?text=Mug">Share</a></p>
<svg id="drawing" width="20" height="20"><a href="https://press.example/drawing"><rect width="20" height="20"/></a></svg>
<map name="areas"><area shape="rect" coords="0,0,20,20" href="https://press.example/area"></map>
<img usemap="#areas" width="20" height="20" src="data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==">
<section data-hilo-product='{"product_id":"mug","price":"19.99"}'>
<button id="marked" data-hilo-track="Product Clicked" data-hilo-position="3" data-hilo-list-id="home"><i>Mug</i></button></section>
<p data-hilo-track="Banner Clicked"><a id="around" href="https://press.example/banner">Banner</a></p>
<div data-hilo-private><a id="private" href="https://clinic.example/">Clinic</a><button id="hidden" data-hilo-track="Diagnosis Opened">Open</button>
<form><input name="parentElement"><a id="odd" href="https://clinic.example/odd">Odd</a></form></div>
<x-card><i id="slotted">Card</i></x-card>
<script>customElements.define("x-card", class extends HTMLElement {
  connectedCallback() {
    this.attachShadow({ mode: "open" }).innerHTML = '<a id="deep" href="https://press.example/deep">Deep</a><a href="https://press.example/card"><slot></slot></a>';
  }
});</script>
<iframe id="frame" src="/frame" width="200" height="60"></iframe>`;
const FRAME = '<!doctype html><a id="framed" target="_blank" href="https://press.example/framed">Framed</a>';
const AWAY = '<a id="away" href="/away">Away</a>';
const PAGES: Record<string, [body: string, attributes?: string]> = {
  "/": [LINKS + GRANT, 'data-domains="pay.example other.example"'],
  "/unanswered": [LINKS],
  "/off": [LINKS + GRANT, 'data-clicks="off"'],
  "/leaving": [AWAY + GRANT],
};

const browser = await startBrowser();
const site = await startSite((path) => (path === "/frame" ? FRAME : withSnippet(...(PAGES[path] ?? [""]))));
after(async () => {
  await browser.close();
  await site.close();
});

/** Opens a page. No other site than this one answers. */
async function open(path: string, prepare: (page: Page) => Promise<unknown> = async () => {}) {
  site.sent.length = 0;
  return openBound(browser, site.url + path, async (page) => {
    await page.context().route(/\.example\//, (route) => route.fulfill({ contentType: "text/html", body: "another site" }));
    await prepare(page);
  });
}

const told = () => actsOf(site).map((event) => [event["event"], event["properties"]]);
const outbound = (path: string, text?: string, more: Json = {}) =>
  ["Link Clicked", { kind: "outbound", url: `https://press.example/${path}`, host: "press.example", ...(text && { text }), ...more }];

test("each click on a link or a mark is one event, wherever it stands", async () => {
  const page = await open("/");
  const places = "#outbound #own #inside #nothing #file #phone #contact #share #drawing img #marked #around #private #hidden #odd #deep #slotted";
  for (const place of places.split(" ")) await page.click(place, { force: true });
  await page.click("#outbound", { button: "middle" });
  await page.click("#outbound", { button: "right" });
  await page.focus("#outbound");
  await page.keyboard.press("Enter");
  await page.frameLocator("#frame").locator("#framed").click();
  await page.evaluate(() => document.getElementById("outbound")!.click());
  await site.quiet();
  assert.deepEqual(told(), [
    outbound("review", "Read the review"),
    ["File Downloaded", { file_name: "manual.pdf", extension: "pdf" }],
    ["Contact Clicked", { channel: "phone" }],
    ["Contact Clicked", { channel: "email", contact: "Sales" }],
    ["Content Shared", { share_via: "twitter" }],
    outbound("drawing"),
    outbound("area"),
    ["Product Clicked", { product_id: "mug", price: "19.99", position: "3", list_id: "home" }],
    ["Banner Clicked", {}],
    outbound("deep", "Deep"),
    outbound("card"),
    outbound("review", "Read the review"),
    outbound("review", "Read the review"),
    outbound("framed", "Framed", { frame: true }),
  ]);
  const wire = JSON.stringify(site.sent.map((one) => one.body));
  // No id and no time has a bracket or a plus sign.
  for (const canary of ["(600)", "+34600", "sales@", "clinic", "Diagnosis"]) assert.ok(!wire.includes(canary), canary);
  await page.context().close();
});

test("a share by the browser's own dialog is told once it succeeded, and the page gets its own promise", async () => {
  const page = await open("/", (page) =>
    page.addInitScript(() => {
      (Navigator.prototype as any).share = (what: { title: string }) => (what.title ? Promise.resolve("done") : Promise.reject(new Error("closed")));
    }),
  );
  const results = await page.evaluate(async () => [await navigator.share({ title: "Mug" }), await navigator.share({ title: "" }).catch((error) => error.message)]);
  assert.deepEqual(results, ["done", "closed"]);
  await site.quiet();
  assert.deepEqual(told(), [["Content Shared", { share_via: "system" }]]);
  await page.context().close();
});

test("before a grant nothing is sent or stored, and after it the click has its own time", async () => {
  const page = await open("/unanswered");
  await page.click("#outbound");
  const clickedAt = await page.evaluate(() => Date.now());
  await site.quiet();
  assert.equal(site.sent.length, 0);
  assert.deepEqual(await page.evaluate(() => Object.keys({ ...localStorage, ...sessionStorage })), []);
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  await site.quiet();
  assert.deepEqual(told(), [outbound("review", "Read the review")]);
  assert.ok(Date.parse(actsOf(site)[0]!["timestamp"]) <= clickedAt);
  await page.context().close();
});

test("a denial drops the clicks that wait for an answer", async () => {
  const page = await open("/unanswered");
  await page.click("#outbound");
  await page.evaluate(() => (window as any).hilo.consent.deny("analytics"));
  await page.click("#file");
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  await site.quiet();
  assert.deepEqual(told(), []);
  await page.context().close();
});

test("a page that switches clicks off tells none", async () => {
  const page = await open("/off");
  await page.click("#outbound");
  await page.click("#marked");
  await site.quiet();
  assert.deepEqual(told(), []);
  await page.context().close();
});

/**
 * Opens a page whose link leads to another host of this machine, and clicks as soon as the tracker is there. The host answers once what
 * `prepare` gives as `isDue` has resolved.
 */
async function clickAtOnce(prepare: (page: Page) => Promise<{ isDue?: Promise<unknown> }>) {
  site.sent.length = 0;
  const page = await (await browser.newContext()).newPage();
  const { isDue } = await prepare(page);
  const away = site.url.replace("127.0.0.1", "localhost") + "/away";
  await page.route(away, async (route) => {
    await isDue;
    await route.fulfill({ contentType: "text/html", body: "away" });
  });
  await page.goto(`${site.url}/leaving`);
  await page.evaluate((href) => document.getElementById("away")!.setAttribute("href", href), away);
  await page.waitForFunction(() => (window as any).hilo?.anonymousId?.());
  await page.click("#away");
  await page.waitForURL(away);
  await site.quiet();
  return page;
}

test("a click that leaves before the second file is there loads the file, and is told while the other site answers", async () => {
  const asked: string[] = [];
  const page = await clickAtOnce(async (page) => {
    page.on("request", (request) => asked.push(request.url()));
    // A page that is about to be left answers no question, and still speaks.
    await page.addInitScript(() => new PerformanceObserver((list) => list.getEntriesByName("hilo-more").length && console.log("listens")).observe({ type: "mark", buffered: true }));
    return { isDue: page.waitForEvent("console", (message) => message.text() === "listens") };
  });
  assert.deepEqual(told(), [["Link Clicked", { kind: "outbound", url: `${site.url.replace("127.0.0.1", "localhost")}/away`, host: "localhost", text: "Away" }]]);
  await page.context().close();
});

test("a click that the second file comes too late for is counted, and a click beside links is not", async () => {
  const page = await clickAtOnce(async (page) => {
    await page.route(MORE, (route) => route.abort());
    await page.addInitScript(() => addEventListener("mousedown", () => setTimeout(() => (window as any).hilo.track("Last act")), { once: true }));
    return {};
  });
  const dropped = site.sent.filter((one) => one.call === "batch").map((one) => one.body["context"].hilo.dropped?.capture_unread ?? 0);
  assert.equal(dropped.reduce((sum, count) => sum + count, 0), 1);
  assert.deepEqual(told(), [["Last act", undefined]]);
  await page.context().close();
});

test("nothing of the page breaks where a link's address cannot be read", async () => {
  const page = await open("/");
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  await page.evaluate(() => document.getElementById("outbound")!.setAttribute("href", "https://["));
  await page.click("#outbound");
  await page.click("#file");
  await site.quiet();
  assert.deepEqual(errors, []);
  assert.deepEqual(told(), [["File Downloaded", { file_name: "manual.pdf", extension: "pdf" }]]);
  await leave(page, "hilo.destroy()");
  await page.click("#file");
  await site.quiet();
  assert.equal(told().length, 1, "a tracker that was stopped reads nothing");
  await page.context().close();
});
