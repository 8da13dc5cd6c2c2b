/**
 * Promise: a form is what the document says it is. Its fields may stand elsewhere or in a shadow root, a script may send it, and
 * what a visitor typed stays out of the address that the form leads to.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { leave, openBound, passed, startBrowser, startSite, until, withSnippet, type Json } from "../scenario.ts";

const GRANT = '<script>hilo.consent.grant("functional", "analytics");</script>';
const OUTSIDE = `<form id="product-form"><input name="qty" value="1"></form>
<p><input name="engraving" form="product-form"><button id="buy" form="product-form">Buy</button></p>
<script>document.addEventListener("submit", (event) => event.preventDefault());</script>`;
const SHADOW = `<x-signup></x-signup><script>
customElements.define("x-signup", class extends HTMLElement {
  connectedCallback() {
    const root = this.attachShadow({ mode: "open" });
    root.innerHTML = '<form id="signup"><input name="name"><input name="email" type="email"><button>Join</button></form>';
    root.addEventListener("submit", (event) => event.preventDefault());
  }
});
</script>`;
const LEAD = `<form id="lead" action="/thanks" method="get"><input name="company"><input name="elements" type="hidden" value="canary">
<input name="utm_source" type="hidden" value="form"><button>Send</button></form>`;
const ODD = '<form id="lead" action="https://["><input name="company"><button>Send</button></form>';
const CAPTCHA = `<form id="lead" action="/thanks" method="post"><input name="company"><button>Send</button></form><script>
document.getElementById("lead").addEventListener("submit", (event) => { event.preventDefault(); setTimeout(() => event.target.submit(), 300); });
</script>`;
/** The page lets nothing of its forms through to anybody else. */
const STOPS = `<form id="lead"><input name="company"><button>Send</button></form><script>
for (const name of ["focusin", "focusout", "input", "change", "click", "submit"]) {
  for (const target of [document, document.getElementById("lead")]) {
    for (const isFirst of [true, false]) target.addEventListener(name, (event) => event.stopPropagation(), isFirst);
  }
}
document.addEventListener("submit", (event) => { event.preventDefault(); setTimeout(() => event.target.remove()); }, true);
</script>`;
const PAGES: Record<string, string> = { "/stops": STOPS, "/outside": OUTSIDE, "/shadow": SHADOW, "/lead": LEAD, "/captcha": CAPTCHA, "/odd": ODD };

const browser = await startBrowser();
const site = await startSite((path) => withSnippet((PAGES[path] ?? "") + GRANT));
after(async () => {
  await browser.close();
  await site.close();
});

/** Opens a page with the second file loaded. */
function open(path: string) {
  site.sent.length = 0;
  return openBound(browser, site.url + path);
}

/** What was sent, once: a page that is left hands what is not answered to the next page. */
const events = () => [...new Map(site.events().map((event) => [event["messageId"], event])).values()];
const acts = () => events().filter((event) => event["type"] === "track");
const names = (list: Json[]) => list.map((event) => event["event"]);
/** Resolves once the form counts as submitted, and nothing else follows. */
async function submitted() {
  await until(() => names(acts()).includes("Form Submitted"), 30_000);
  await site.quiet();
}
const wire = () => JSON.stringify(site.sent.map((one) => one.body));

test("a field outside the form belongs to the form that owns it", async () => {
  const page = await open("/outside");
  await page.fill("[name=engraving]", "Ana");
  await passed(page, 300);
  await page.click("#buy");
  await submitted();
  assert.deepEqual(names(acts()), ["Form Started", "Form Submitted"]);
  assert.deepEqual(acts().map((event) => event["properties"].form_id), ["product-form", "product-form"]);
  const { fields, ms_to_submit } = acts()[1]!["properties"];
  assert.deepEqual(fields.map((field: Json) => field["name"]), ["qty", "engraving"]);
  assert.ok(ms_to_submit >= 300, `${ms_to_submit}`);
  assert.ok(!wire().includes("Ana"));
  await page.context().close();
});

test("a form in an open shadow root is started and submitted once", async () => {
  const page = await open("/shadow");
  await page.fill("[name=name]", "canary-name");
  await page.fill("[name=email]", "canary@shop.example");
  await page.click("x-signup button");
  await submitted();
  assert.deepEqual(names(acts()), ["Form Started", "Form Submitted"]);
  const { form_id, fields, last_field } = acts()[1]!["properties"];
  assert.deepEqual([form_id, last_field], ["signup", "email"]);
  assert.deepEqual(fields.map((field: Json) => typeof field["ms"]), ["number", "number"], "the focus inside the root is seen");
  assert.ok(!wire().includes("canary"));
  await page.context().close();
});

test("a form whose page stops the propagation of every event is started and submitted", async () => {
  const page = await open("/stops");
  await page.fill("[name=company]", "canary-company");
  await page.click("button");
  await submitted();
  assert.deepEqual(names(acts()), ["Form Started", "Form Submitted"]);
  assert.ok(!wire().includes("canary"));
  await page.context().close();
});

for (const [what, act] of [
  ["form.submit()", "HTMLFormElement.prototype.submit.call(document.getElementById('lead'))"],
  ["requestSubmit()", "HTMLFormElement.prototype.requestSubmit.call(document.getElementById('lead'))"],
  ["a click", "document.querySelector('button').click()"],
] as const) {
  test(`a form that is sent by ${what} is submitted once and never abandoned, and its values stay out of the next address`, async () => {
    const page = await open("/lead");
    await page.fill("[name=company]", "canary-company");
    await passed(page, 300);
    await Promise.all([page.waitForURL("**/thanks?*"), leave(page, act)]);
    await page.waitForFunction(() => (window as any).hilo?.anonymousId?.());
    await site.quiet();
    await leave(page, "location.assign('/next')");
    await page.waitForURL("**/next");
    await site.quiet();
    assert.deepEqual(names(acts()), ["Form Started", "Form Submitted"]);
    const views = events().filter((event) => event["type"] === "page");
    assert.deepEqual(views.map((view) => view["context"].page.path), ["/lead", "/thanks", "/next"]);
    assert.equal(views[1]!["context"].page.search, "?company=&elements=&utm_source=form");
    assert.match(views[2]!["context"].page.referrer, /\/thanks\?company=&elements=&utm_source=form$/);
    assert.ok(!wire().includes("canary"));
    await page.context().close();
  });
}

test("a submission that the page stops and sends by script later is one submission", async () => {
  const page = await open("/captcha");
  await page.fill("[name=company]", "canary-company");
  await Promise.all([page.waitForURL("**/thanks"), page.click("button")]);
  await site.quiet();
  assert.deepEqual(names(acts()), ["Form Started", "Form Submitted"]);
  await page.context().close();
});

test("a form whose address cannot be read is submitted all the same", async () => {
  const page = await open("/odd");
  await page.fill("[name=company]", "canary-company");
  await passed(page, 300);
  await page.click("button");
  await site.quiet();
  assert.deepEqual(names(acts()), ["Form Started", "Form Submitted"]);
  await page.context().close();
});

test("without consent a form stores nothing", async () => {
  const page = await open("/lead");
  await page.evaluate(() => (window as any).hilo.consent.withdraw());
  await page.evaluate(() => document.addEventListener("submit", (event) => event.preventDefault()));
  await page.fill("[name=company]", "canary-company");
  await page.click("button");
  await site.quiet();
  assert.deepEqual(await page.evaluate(() => Object.keys({ ...localStorage, ...sessionStorage })), ["hilo.c"]);
  await page.context().close();
});

test("a tracker that ends gives the page's own submit() back", async () => {
  const page = await open("/lead");
  assert.doesNotMatch(await page.evaluate(() => String(HTMLFormElement.prototype.submit)), /native code/);
  await page.evaluate(() => (window as any).hilo.destroy());
  assert.match(await page.evaluate(() => String(HTMLFormElement.prototype.submit)), /native code/);
  await page.context().close();
});
