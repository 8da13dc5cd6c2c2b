/**
 * Promise: what a visitor does in a frame of the page's own origin counts as if it were in the page: forms, clicks, marks and films,
 * in shadow roots and frames inside it too. No value of a field leaves, and a frame with a tracker of its own is not counted twice.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

import type { Page } from "../../../js/node_modules/playwright-core/index.d.ts";
import { shows } from "../captured_cart.ts";
import { actsOf, isBound, leave, openBound, passed, startBrowser, startSite, until, withSnippet, type Json } from "../scenario.ts";

const GRANT = '<script>hilo.consent.grant("functional", "analytics");</script>';
const STAY = '<script>document.addEventListener("submit", (event) => event.preventDefault());</script>';
const frame = (path: string, more = "") => `<iframe id="frame" src="${path}" width="400" height="300" ${more}></iframe>`;
const LEAD = '<form id="lead" action="/thanks"><input name="company"><input name="ownerDocument" type="hidden" value="canary"><button>Send</button></form>';
const SIGNUP = `<x-signup></x-signup><script>
customElements.define("x-signup", class extends HTMLElement {
  connectedCallback() {
    const root = this.attachShadow({ mode: "open" });
    root.innerHTML = '<form id="signup"><input name="name"><button>Join</button></form><button id="deep" data-hilo-track="Help Opened" data-hilo-topic="mugs">Help</button>';
    root.addEventListener("submit", (event) => event.preventDefault());
  }
});
</script>`;
const LEADS = '<form id="news" data-hilo-lead="Newsletter" method="post" action="/thanks"><input type="email" name="email" data-hilo-value><input name="code"><button>Join</button></form>';
const line = (id: string) => `data-hilo-product='{"product_id":"${id}","price":"19.99","currency":"EUR"}'`;
/** Marks of the cart in the page, in a shadow root whose host stands in a product too, and in a frame. The page stops each click. */
const CART = `<p ${line("page")}><button id="add" data-hilo-add>Add</button></p>
<x-card ${line("around")}></x-card>${frame("/in/cart")}<script>
customElements.define("x-card", class extends HTMLElement {
  connectedCallback() { this.attachShadow({ mode: "open" }).innerHTML = '<p ${line("deep").replaceAll("'", "\\'")}><button id="deep" data-hilo-add="2"><b>Add</b></button></p><button id="outer" data-hilo-add>Add</button>'; }
});
document.addEventListener("click", (event) => event.stopPropagation(), true);
</script>`;
const MARKED = `<p ${line("framed")}><button id="framed" data-hilo-add>Add</button></p>`;
/** The package's tracker, which a site bundles: nothing of it is in the window but what this script puts there. */
const LOAD = `import { load } from "/pkg/index.js";
window.start = async () => { window.tracker = await load({ key: "wk_t", endpoint: "/_h", capture: { cart: "attributes" } }); window.tracker.consent.grant("functional", "analytics"); };`;
const DOCUMENTS: Record<string, string> = {
  "/in/cart": `<p ${line("framed")}><button id="framed" data-hilo-add>Add</button><button id="less" data-hilo-remove>Remove</button></p>`,
  "/in/lead": LEAD,
  "/in/top": LEAD.replace('action="/thanks"', 'action="/after" target="_top"'),
  "/in/stays": LEAD + STAY,
  "/in/leads": LEADS,
  "/in/signup": SIGNUP,
  "/in/outer": frame("/in/stays"),
  "/in/own": withSnippet(GRANT + LEAD + STAY),
  "/in/package": LEAD + STAY + MARKED + `<script type="module">${LOAD} start();</script>`,
  "/in/later": LEAD + STAY + MARKED + `<script type="module">${LOAD}</script>`,
  "/thanks": "<p>Thanks</p>",
};
const PAGES: Record<string, string> = {
  "/page": LEAD.replace("<button>", "<button id='outer'>") + STAY + frame("/in/stays"),
  "/late": `<script>addEventListener("load", () => setTimeout(() => document.body.insertAdjacentHTML("beforeend", '${frame("/in/lead")}'), 300));</script>`,
  "/private": `<div data-hilo-private>${frame("/in/lead")}</div>`,
  "/written": `${frame("about:blank")}<script>document.getElementById("frame").contentDocument.body.innerHTML = '<form id="written"><input name="company"></form>';</script>`,
};

const DIST = fileURLToPath(new URL("../../../js/sdk/dist/", import.meta.url));
const browser = await startBrowser();
const hasCart = (path: string) => /^\/(shop|package|later)$/.test(path);
const site = await startSite((path) => DOCUMENTS[path] ?? withSnippet(path === "/shop" ? CART : (PAGES[path] ?? (DOCUMENTS[`/in${path}`] ? frame(`/in${path}`) : "")) + GRANT, hasCart(path) ? 'data-cart="attributes"' : ""));
after(async () => {
  await browser.close();
  await site.close();
});

/** Opens a page with the second file bound and its frame loaded, and gives the frame too: a frame is read from its load on. */
async function open(path: string) {
  site.sent.length = 0;
  const prepare = (page: Page) =>
    page.route("**/pkg/*", (route) => {
      const name = new URL(route.request().url()).pathname.replace("/pkg/", "");
      return route.fulfill({ body: readFileSync(DIST + name), contentType: name.endsWith(".wasm") ? "application/wasm" : "text/javascript" });
    });
  const page = Object.assign(await openBound(browser, site.url + path, prepare), { problems: [] as string[] });
  page.on("pageerror", (error) => page.problems.push(error.message));
  const frame = (await (await page.waitForSelector("#frame")).contentFrame())!;
  await frame.waitForLoadState();
  return { page, inside: page.frameLocator("#frame"), frame };
}

async function close(page: Awaited<ReturnType<typeof open>>["page"]) {
  assert.ok(!JSON.stringify(site.sent.map((one) => one.body)).includes("canary"), "no value of a field leaves");
  assert.deepEqual(page.problems, []);
  await page.context().close();
}

const told = () => actsOf(site).map(({ event, properties }) => [event, properties.form_id, properties.frame, properties.path].filter((one) => one !== undefined).join(" "));

test("a form in a frame is started and submitted with the page's path", async () => {
  const { page, inside } = await open("/lead");
  const began = Date.now();
  await inside.locator("[name=company]").fill("canary-company");
  await passed(page, 300);
  await inside.locator("button").click();
  const ended = Date.now();
  await until(() => told().length > 1);
  await site.quiet();
  assert.deepEqual(told(), ["Form Started lead true /lead", "Form Submitted lead true /lead"]);
  const { fields, ms_to_submit, confirmed } = actsOf(site)[1]!["properties"];
  assert.deepEqual(fields.map((field: Json) => field["name"]), ["company"]);
  assert.ok(ms_to_submit >= 300 && ms_to_submit <= ended - began, `${ms_to_submit}`);
  assert.equal(confirmed, true);
  await close(page);
});

test("a form in a frame that takes the page elsewhere is submitted, and its values stay out of the next address", async () => {
  const { page, inside } = await open("/top");
  await inside.locator("[name=company]").fill("canary-company");
  await inside.locator("button").click();
  await page.waitForURL("**/after?*");
  await page.waitForFunction(() => (window as any).hilo?.anonymousId?.());
  await site.quiet();
  assert.deepEqual(told(), ["Form Started lead true /top", "Form Submitted lead true /top"]);
  const after = site.events().find((event) => event["type"] === "page" && event["context"].page.path === "/after");
  assert.equal(after!["context"].page.search, "?company=&ownerDocument=");
  await close(page);
});

test("a form in a frame whose script sends it is submitted, confirmed once the frame shows something else", async () => {
  const { page, inside } = await open("/stays");
  await inside.locator("[name=company]").fill("canary-company");
  await inside.locator("button").click();
  await passed(page, 600);
  await page.evaluate(() => (window as any).hilo.flush());
  await until(() => told().length);
  assert.deepEqual(told(), ["Form Started lead true /stays"], "nobody knows yet what becomes of the submission");
  await page.evaluate(() => ((document.getElementById("frame") as HTMLIFrameElement).src = "/thanks"));
  await until(() => told().length > 1);
  await site.quiet();
  assert.deepEqual(told(), ["Form Started lead true /stays", "Form Submitted lead true /stays"]);
  assert.equal(actsOf(site)[1]!["properties"].confirmed, true);
  await close(page);
});

test("form.submit() of a frame is a submission, and a tracker that ends gives the frame's own method back", async () => {
  const { page, inside } = await open("/leads");
  const method = () => page.evaluate(() => String((document.getElementById("frame") as any).contentWindow.HTMLFormElement.prototype.submit));
  assert.doesNotMatch(await method(), /native code/);
  await inside.locator("[name=email]").fill("Ana@Shop.example");
  await inside.locator("[name=code]").fill("canary-code");
  await inside.locator("form").evaluate((form: HTMLFormElement) => form.submit());
  await until(() => told().length > 2);
  await site.quiet();
  assert.deepEqual(told(), ["Form Started news true /leads", "Form Submitted news true /leads", "Lead Submitted news true /leads"]);
  const { email, source } = actsOf(site)[2]!["properties"];
  assert.deepEqual([email, source], ["ana@shop.example", "Newsletter"], "the marked field alone is read");
  await page.evaluate(() => (window as any).hilo.destroy());
  assert.match(await method(), /native code/);
  await close(page);
});

test("a shadow root in a frame is read: its form, and a mark", async () => {
  const { page, inside } = await open("/signup");
  await inside.locator("[name=name]").fill("canary-name");
  await inside.locator("form button").click();
  await inside.locator("#deep").click();
  await page.evaluate(() => ((document.getElementById("frame") as HTMLIFrameElement).src = "/thanks"));
  await until(() => told().length > 2);
  await site.quiet();
  assert.deepEqual(told().sort(), ["Form Started signup true /signup", "Form Submitted signup true /signup", "Help Opened"]);
  assert.deepEqual(actsOf(site).find((event) => event["event"] === "Help Opened")!["properties"], { topic: "mugs" });
  await close(page);
});

test("a frame in a frame is read too", async () => {
  const { page, inside } = await open("/outer");
  await inside.frameLocator("#frame").locator("[name=company]").fill("canary-company");
  await until(() => told().length);
  await site.quiet();
  assert.deepEqual(told(), ["Form Started lead true /outer"]);
  await close(page);
});

test("forms of the same name in a page and in its frame are two forms", async () => {
  const { page, inside } = await open("/page");
  await page.fill("[name=company]", "canary-company");
  await inside.locator("[name=company]").fill("canary-company");
  await page.click("#outer");
  await until(() => told().length > 1);
  await leave(page, "location.href = '/next'");
  await page.waitForURL("**/next");
  await site.quiet();
  assert.deepEqual(told().sort(), ["Form Abandoned lead true /page", "Form Started lead /page", "Form Started lead true /page", "Form Submitted lead /page"]);
  await close(page);
});

test("a frame that the page adds later, and one that the page itself writes, are read", async () => {
  for (const [path, event] of [["/late", "Form Started lead true /late"], ["/written", "Form Started written true /written"]] as const) {
    const { page, inside } = await open(path);
    await inside.locator("[name=company]").fill("canary-company");
    await until(() => told().length);
    await site.quiet();
    assert.deepEqual(told(), [event]);
    await close(page);
  }
});

test("the cart's marks count once in the page, in a shadow root and in a frame, without consent and whatever the page stops", async () => {
  const { page, inside } = await open("/shop");
  for (const mark of ["#add", "#deep", "#outer"]) await page.click(mark);
  await inside.locator("#framed").click();
  await shows(page, ["around 1 19.99 EUR", "deep 2 19.99 EUR", "framed 1 19.99 EUR", "page 1 19.99 EUR"], 300);
  await inside.locator("#less").click();
  await shows(page, ["around 1 19.99 EUR", "deep 2 19.99 EUR", "page 1 19.99 EUR"], 300);
  assert.deepEqual(site.events(), []);
  await close(page);
});

test("a frame in a private part is not read", async () => {
  const { page, inside } = await open("/private");
  await inside.locator("[name=company]").fill("canary-company");
  await inside.locator("button").click();
  await site.quiet();
  assert.deepEqual(told(), []);
  await close(page);
});

test("a frame with a tracker of its own is told once, by its own tracker", async () => {
  const { page, inside, frame } = await open("/own");
  await page.waitForFunction(() => (document.getElementById("frame") as any).contentWindow.hilo.anonymousId?.());
  await isBound(frame);
  await inside.locator("[name=company]").fill("canary-company");
  await until(() => told().length);
  await site.quiet();
  assert.deepEqual(told(), ["Form Started lead /in/own"]);
  await close(page);
});

for (const [path, when] of [["/package", "from its start"], ["/later", "after the page around it reads the frame"]] as const) {
  test(`a frame whose bundle starts the package's tracker ${when} is told once, by its own tracker`, async () => {
    const { page, inside } = await open(path);
    const evaluate = (code: string) => page.frames()[1]!.evaluate(code);
    if (path === "/later") await evaluate("void window.start()");
    await page.frames()[1]!.waitForFunction(() => (window as any).tracker?.anonymousId());
    // The frame's own second file may not be there yet, but the one of the page around it is.
    await inside.locator("[name=company]").fill("canary-company");
    await inside.locator("#framed").click();
    await until(() => told().length > 1);
    await site.quiet();
    assert.deepEqual(told().sort(), [`Form Started lead /in${path}`, "Product Added"]);
    assert.deepEqual(actsOf(site).filter((event) => event["event"] === "Product Added").map((event) => event["properties"].quantity), [1]);
    const lines = page.frames()[1]!.evaluate(() => (window as any).tracker.cart.lines().map((line: Json) => [line["product_id"], line["quantity"]]));
    assert.deepEqual(await lines, [["framed", 1]]);
    await close(page);
  });
}
