/**
 * Promise: the site's own code sees every event before it is queued, changes what describes it, or drops it; ids, time, session and consent
 * stay what they were, and code that fails costs nothing.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { openBound, startBrowser, startSite, until, withSnippet, type Json } from "../scenario.ts";

/** A page whose code, as text, stands between the stub and the tracker's own start. */
const site = await startSite((path) => withSnippet(
  `<script>${decodeURIComponent(path.slice(1))}</script><a id="out" href="https://elsewhere.example/">Out</a><button data-hilo-track="Marked" id="marked">Mark</button>`,
  'data-cart="dataLayer" data-debug',
));
const browser = await startBrowser();
after(async () => {
  await browser.close();
  await site.close();
});

/** Opens a page with this code, grants, and acts. Returns the events that came. */
async function visit(code: string, act: (page: Awaited<ReturnType<typeof openBound>>) => Promise<unknown>) {
  site.sent.length = 0;
  const page = await openBound(browser, `${site.url}/${encodeURIComponent(code)}`);
  const warned: string[] = [];
  page.on("console", (message) => ["warning", "error"].includes(message.type()) && warned.push(message.text()));
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics", "functional"));
  await act(page);
  await page.evaluate(() => (window as any).hilo.flush());
  await site.quiet();
  await page.context().close();
  return { events: site.events(), warned };
}

const named = (events: Json[], name: string) => events.find((event) => event["event"] === name);

test("views, calls, clicks, forms, the cart and the dataLayer pass through the site's change, in order of its calls", async () => {
  const code = `window.names = []; hilo.use((e) => { names.push(e.event); e.properties = { ...e.properties, seen: 1 }; }); hilo.use((e) => ({ ...e, properties: { ...e.properties, seen: e.properties.seen + 1 } }))`;
  const { events } = await visit(code, async (page) => {
    await page.evaluate(() => {
      const { hilo, dataLayer } = window as any;
      hilo.track("Called");
      dataLayer.push({ event: "search", search_term: "mugs" });
      hilo.cart.add({ product_id: "m", currency: "EUR", price: "2" });
    });
    await page.click("#marked");
    await page.evaluate(() => document.querySelector("#out")!.addEventListener("click", (event) => event.preventDefault()));
    await page.click("#out");
    // The dataLayer's search comes last: the shop's file reads it.
    await page.waitForFunction(() => (window as any).names.includes("Products Searched"));
  });
  const names = events.map((event) => event["event"] ?? event["type"]);
  for (const name of ["page", "Called", "Marked", "Product Added"]) assert.ok(names.includes(name), `${name}: ${names}`);
  assert.ok(names.length >= 6, names.join());
  assert.deepEqual(events.map((event) => event["properties"]?.seen), events.map(() => 2), names.join());
});

test("an event that the site drops is not sent and is counted, and the next one tells how the visit began", async () => {
  const { events } = await visit("hilo.use((e) => (e.type === 'page' || e.event === 'Dropped' ? null : e))", (page) =>
    page.evaluate(() => ((window as any).hilo.track("Dropped"), (window as any).hilo.track("Kept"))),
  );
  assert.deepEqual(events.map((event) => event["event"]), ["Kept"]);
  assert.deepEqual(events[0]!["context"].hilo.dropped, { site_dropped: 2 });
  assert.ok(events[0]!["context"].hilo.session.landing, "the landing");
});

test("what decides stays what it was, and the page and the campaign of one event can be changed", async () => {
  const code = `hilo.use((e) => {
    window.ids ??= [e.messageId, e.timestamp, e.anonymousId, e.context.hilo.session.id];
    if (e.event !== "Forged") return;
    return { ...e, type: "identify", messageId: "m", timestamp: "2001-01-01T00:00:00.000Z", anonymousId: "a", userId: "u", event: "Renamed",
      context: { ...e.context, page: { path: "/masked" }, consent: { categoryPreferences: { advertising: true } }, hilo: { session: { id: "1" } }, locale: "xx", campaign: { source: "own" } } };
  })`;
  const { events } = await visit(code, (page) => page.evaluate(() => (window as any).hilo.track("Forged", { n: 1 })));
  const view = events.find((event) => event["type"] === "page")!;
  const event = named(events, "Renamed")!;
  assert.equal(event["type"], "track");
  assert.notEqual(event["messageId"], "m");
  assert.ok(Date.parse(event["timestamp"]) > Date.parse("2020-01-01"));
  assert.equal(event["anonymousId"], view["anonymousId"]);
  assert.equal(event["userId"], undefined);
  assert.equal(event["context"].hilo.session.id, view["context"].hilo.session.id);
  assert.equal(event["context"].consent, undefined);
  assert.deepEqual(event["properties"], { n: 1 });
  assert.deepEqual(event["context"].page, { path: "/masked" });
  assert.notEqual(view["context"].page.path, "/masked", "another event keeps its page");
  const context = site.sent.find(({ body }) => JSON.stringify(body["batch"] ?? "").includes("Renamed"))!.body["context"];
  assert.deepEqual({ ...context, ...event["context"] }.campaign, { source: "own" });
  assert.notEqual(context.locale, "xx");
});

test("code that throws, returns a promise or nonsense, or writes what JSON cannot hold changes nothing", async () => {
  const code = `hilo.use((e) => { e.properties = { half: 1 }; throw new Error("the site's own"); });
    hilo.use(async (e) => null); hilo.use(() => 7); hilo.use((e) => ({ ...e, properties: { n: 1n } })); hilo.use("no function")`;
  const { events, warned } = await visit(code, (page) => page.evaluate(() => (window as any).hilo.track("Whole", { n: 1 })));
  assert.deepEqual(named(events, "Whole")!["properties"], { n: 1 });
  const failures = warned.filter((line) => line.includes("a function of hilo.use() failed"));
  assert.equal(failures.length, 1, `told once a page: ${warned}`);
  assert.ok(failures[0]!.includes("the site's own"), failures[0]);
});

test("a function that fails is named in the console of a page without debug mode", async () => {
  const plain = await startSite(() => withSnippet(`<script>hilo.use(() => { throw new Error("the site's own"); })</script>`));
  const page = await (await browser.newContext()).newPage();
  const told: string[] = [];
  page.on("console", (message) => message.type() === "error" && told.push(message.text()));
  await page.goto(plain.url);
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  await until(() => told.length > 0);
  assert.match(told.join(), /a function of hilo\.use\(\) failed.*the site's own/);
  await page.context().close();
  await plain.close();
});

test("text with separators of lines and paragraphs is changed like any other, and stays whole", async () => {
  const code = `document.title = "a\u2028b\u2029c"; hilo.use((e) => { if (e.properties) delete e.properties.secret; e.context.page.path = "/masked"; })`;
  const { events } = await visit(code, (page) => page.evaluate(() => (window as any).hilo.track("Odd\u2028", { kept: "a\u2028b\u2029c", secret: 1 })));
  const event = named(events, "Odd\u2028")!;
  assert.deepEqual(event["properties"], { kept: "a\u2028b\u2029c" });
  const { body } = site.sent.find(({ body }) => JSON.stringify(body["batch"] ?? "").includes("Odd"))!;
  const page = { ...body["context"], ...event["context"] }.page;
  assert.deepEqual([page.path, page.title], ["/masked", "a\u2028b\u2029c"]);
});

test("lists stay lists in a changed event, though a library of the page gives them a toJSON", async () => {
  const code = `Array.prototype.toJSON = function () { return "no list"; }; hilo.use((e) => { e.context.page.tags = [1]; })`;
  const { events } = await visit(code, (page) => page.evaluate(() => (window as any).hilo.track("Listed", { list: [1, { deep: [2] }] })));
  assert.deepEqual(named(events, "Listed")!["properties"].list, [1, { deep: [2] }]);
});

test("a call of hilo's inside a change does nothing, and gives no id of another moment", async () => {
  const { events } = await visit(`hilo.use((e) => { hilo.track("Again"); window.id = [hilo.sessionId(), hilo.anonymousId()]; })`, async (page) => {
    await page.evaluate(() => ((window as any).hilo.sessionId(), (window as any).hilo.track("Once")));
    assert.deepEqual(await page.evaluate(() => (window as any).id), [null, null]);
  });
  assert.equal(named(events, "Again"), undefined);
  assert.ok(named(events, "Once"));
});
