/**
 * Promise: a page that may not run WebAssembly has the same tracker as JavaScript, of one try and without an error. Each of the four
 * modules gives the same events and amounts in both forms. `HILO_PAGE=js cargo xtask e2e` runs every scenario so.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { actsOf, expectEvents, IS_PLAIN, startBrowser, startSite, until, watchErrors, withSnippet, type Json } from "../scenario.ts";

/** Without 'wasm-unsafe-eval'. */
const FORBIDS = "default-src 'self'; script-src 'self' 'unsafe-inline'";
const ALLOWS = `${FORBIDS} 'wasm-unsafe-eval'`;
/** Amounts that no floating number holds, numbers of every kind, and prices as shops print them. */
const PUSHES = `<script>window.dataLayer = [];
for (const [item_id, price, quantity] of [["BIG", "90071992547409.93", 1], ["COMMA", "4,245.42", 2], ["LONG", 40.97999999999999687361, 1], ["FINE", 12.396694, 3], ["NONE", NaN, 1], ["TINY", 1e-7, 1], ["ODD", -5, 1]])
  dataLayer.push({ event: "add_to_cart", ecommerce: { currency: "EUR", items: [{ item_id, price, quantity }] } });</script>`;
const FORM = '<form onsubmit="event.preventDefault()"><input name="email"><input name="pin" type="password"><button>Send</button></form>';
const PAGES: Record<string, [body: string, attributes?: string]> = {
  "/shop": [PUSHES, 'data-cart="dataLayer"'],
  "/form": [FORM],
  "/debug": ["", "data-debug"],
};

const browser = await startBrowser();
after(() => browser.close());

/** Opens `path` of a site with this policy; `init` comes before the page's scripts. */
async function visit(path: string, csp: string | undefined, init?: () => void) {
  const site = await startSite((asked) => withSnippet(...(PAGES[asked] ?? [""])), csp);
  const context = await browser.newContext();
  await context.addInitScript(() => {
    const violations: string[] = ((window as Json)["violations"] = []);
    addEventListener("securitypolicyviolation", ({ blockedURI }) => blockedURI === "wasm-eval" && violations.push(blockedURI));
  });
  if (init) await context.addInitScript(init);
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  const told = watchErrors(page);
  const lines: string[] = [];
  page.on("console", (message) => lines.push(message.text()));
  const asked: string[] = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await page.goto(site.url + path);
  await page.waitForFunction(() => !(window as Json)["hilo"].q);
  const violations = () => page.evaluate(() => (window as Json)["violations"] as string[]);
  const close = async () => {
    assert.deepEqual(errors, []);
    await context.close();
    await site.close();
  };
  return { site, page, asked, told, lines, violations, close };
}

const grant = (page: Json) => page["evaluate"](() => (window as Json)["hilo"].consent.grant("functional", "analytics"));

test("a policy without wasm-unsafe-eval is tried once, and views, acts and a form are the usual events", async () => {
  const { site, page, asked, told, violations, close } = await visit("/form", FORBIDS);
  await grant(page);
  await page.evaluate(() => (window as Json)["hilo"].track("Seen", { price: 12.5 }));
  await page.fill("[name=email]", "canary@example.com");
  await page.click("button");
  // A form that a script sends gets ten seconds to show errors.
  await until(() => actsOf(site).some((act) => act["event"] === "Form Submitted"), 20_000);
  await site.quiet();
  const once = [...new Map(site.events().map((event) => [event["messageId"], event])).values()];
  expectEvents(once, ["page", "track Form Started", "track Form Submitted", "track Seen"]);
  assert.ok(!JSON.stringify(site.sent).includes("canary@"));
  // A page without WebAssembly has nothing to try.
  assert.deepEqual([told, await violations()], [[], IS_PLAIN ? [] : ["wasm-eval"]]);
  assert.deepEqual(asked.filter((path) => /wasm$/.test(path)), []);
  assert.deepEqual(asked.filter((path) => /mjs$/.test(path)).map((path) => path.replace(/\.\w+\.mjs/, "")), ["/_h/hilo", "/_h/hilo-more"]);
  await close();
});

test("a shop's cart has the same lines, amounts and touchpoints in both forms", async () => {
  const told = [];
  for (const csp of [FORBIDS, ALLOWS]) {
    const { site, page, asked, close } = await visit("/shop", csp);
    await grant(page);
    const read = () => page.evaluate(() => [(window as Json)["hilo"].cart.lines(), (window as Json)["hilo"].cart.totals(), (window as Json)["hilo"].cart.unpriced()]);
    await until(async () => (await read())[0].length >= 7);
    await until(() => actsOf(site).length >= 7, 20_000);
    const acts = actsOf(site).map(({ event, properties }) => [event, properties["product_id"], properties["price"], properties["quantity"]]);
    told.push([await read(), acts.sort()]);
    assert.equal(asked.some((path) => /hilo-shop.*mjs$/.test(path)), csp === FORBIDS || IS_PLAIN);
    await close();
  }
  assert.equal((told[0]![0] as Json[])[0]!["length"], 7);
  assert.ok(JSON.stringify(told[0]).includes("90071992547409.93"));
  assert.deepEqual(told[0], told[1]);
});

test("more events than fit into the memory of the beginning arrive, each once and whole", async () => {
  const { site, page, close } = await visit("/", FORBIDS);
  await grant(page);
  await page.evaluate(() => {
    for (let n = 0; n < 1_000; n++) (window as Json)["hilo"].track(`Much ${n}`, { text: `${n} `.repeat(50) });
  });
  const much = () => site.events().filter((event) => event["event"]?.startsWith("Much "));
  await until(() => much().length >= 1_000, 30_000);
  await site.quiet();
  const once = new Map(much().map((event) => [event["event"], event["properties"].text]));
  assert.equal(once.size, 1_000);
  for (const [name, text] of once) assert.equal(text, `${name.slice(5)} `.repeat(50));
  await close();
});

test("a wait of more seconds than an integer holds is a long wait, and a clock that tells no time is as good as none", async () => {
  const { site, page, close } = await visit("/", FORBIDS, () => void (Date.now = () => NaN));
  site.answer(() => ({ status: 429, headers: { "retry-after": "99999999999999999999" } }));
  await grant(page);
  await page.evaluate(() => (window as Json)["hilo"].track("Seen"));
  await site.quiet();
  const batches = site.sent.filter((one) => one.call === "batch");
  assert.equal(batches.length, 1);
  const { sentAt, batch } = batches[0]!.body;
  for (const event of batch) assert.ok(Math.abs(Date.parse(sentAt) - Date.parse(event.timestamp)) < 60_000, `${event.timestamp} ${sentAt}`);
  await close();
});

test("a browser without WebAssembly has the tracker, and a page that broke it too", async () => {
  const without = () => void delete (globalThis as Json)["WebAssembly"];
  const broken = () => void ((WebAssembly as Json)["instantiate"] = () => Promise.reject(new Error("no")));
  for (const init of IS_PLAIN ? [without] : [without, broken]) {
    const { site, page, close } = await visit("/", undefined, init);
    await grant(page);
    await site.quiet();
    expectEvents(site.events(), ["page"]);
    await close();
  }
});

test("in debug mode the page is told that it runs JavaScript, and why", async () => {
  const { lines, close } = await visit("/debug", FORBIDS);
  await until(() => lines.some((line) => line.includes("may not run WebAssembly")));
  assert.equal(lines.filter((line) => /runs as JavaScript.*'wasm-unsafe-eval' in script-src/.test(line)).length, 1, lines.join("\n"));
  await close();
});
