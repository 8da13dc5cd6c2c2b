/**
 * Promise: a form that the site marks with `data-hilo-lead` gives exactly the values of the fields that the site marked with
 * `data-hilo-value`, never a forbidden one, and never before the form counts as submitted. A ticked box with `data-hilo-optin` is an
 * opt-in under the words beside it.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { actsOf, openBound, passed, startBrowser, startSite, until, withSnippet, type Json } from "../scenario.ts";

const GRANT = '<script>hilo.consent.grant("functional", "analytics");</script>';
const FIELDS = `<input name="EMAIL" type="email" data-hilo-value><input name="fname" data-hilo-value="firstName"><input name="tel" type="tel">
<input name="company"><input name="pin_code" data-hilo-value="pin"><input name="pw" type="password" data-hilo-value>
<div class="ph-no-capture"><input name="hobby" data-hilo-value></div>
<label><input name="news" type="checkbox" data-hilo-optin="email" data-hilo-version="2026-11"> Yes, write to <b>me</b></label><button>Join</button>`;
const RESETS = `<script>document.forms[0].addEventListener("submit", (event) => {
  event.preventDefault();
  event.target.reset();
  setTimeout(() => event.target.remove(), 300);
});</script>`;
const PAGES: Record<string, string> = {
  "/lead": `<form id="signup" data-hilo-lead="Newsletter" data-hilo-value="tel">${FIELDS}</form>${RESETS}`,
  "/secret": `<form id="signup" data-hilo-lead="Call"><input name="f1" type="Password" data-hilo-value><input name="f2" autocomplete="CC-Number" data-hilo-value>
<input name="cvv" data-hilo-field="code" data-hilo-value><input name="f4" id="iban" data-hilo-value><input name="EMAIL" type="EMAIL" data-hilo-value>
<input name="when" type="radio" value="morning" data-hilo-value checked><input name="when" type="radio" value="evening" data-hilo-value><button>Call me</button></form>${RESETS}`,
  "/plain": `<form id="signup">${FIELDS}</form>${RESETS}`,
  "/wrong": `<form id="signup" data-hilo-lead="Newsletter">${FIELDS}</form><script>document.forms[0].addEventListener("submit", (event) => {
  event.preventDefault();
  document.querySelector("[name=EMAIL]").setAttribute("aria-invalid", "true");
});</script>`,
  "/held": `<form id="signup" data-hilo-lead="Newsletter">${FIELDS}</form><script>document.forms[0].addEventListener("submit", (event) => event.preventDefault());</script>`,
  "/native": `<form id="signup" action="/thanks" method="post" data-hilo-lead="Newsletter">${FIELDS}</form>`,
};

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

async function fill(path: string) {
  const page = await open(path);
  for (const [name, value] of Object.entries({ EMAIL: " Ana@Shop.example ", fname: " Ana ", tel: "600 111 222", company: "canary-company", pin_code: "canary-pin", pw: "canary-pw", hobby: "canary-hobby" })) {
    await page.fill(`[name=${name}]`, value);
  }
  return page;
}

const acts = () => actsOf(site);
const leads = () => acts().filter((event) => event["event"] === "Lead Submitted").map((event) => event["properties"]);
const optins = () => site.sent.filter((one) => one.call === "optin").map((one) => one.body as Json);
const refute = (...words: string[]) => words.forEach((word) => assert.ok(!JSON.stringify(site.sent.map((one) => one.body)).includes(word), word));

test("a lead has the marked fields and no other, and a ticked box is an opt-in", async () => {
  const page = await fill("/lead");
  await page.check("[name=news]");
  await page.click("button");
  await until(() => leads().length && optins().length);
  await site.quiet();
  assert.deepEqual(leads(), [{ form_id: "signup", path: "/lead", source: "Newsletter", email: "ana@shop.example", firstName: "Ana", phone: "600 111 222" }]);
  const [said, ...others] = optins();
  assert.deepEqual(others, []);
  assert.deepEqual([said!["channel"], said!["state"], said!["text"], said!["version"], said!["address"]], ["email", "subscribed", "Yes, write to me", "2026-11", "ana@shop.example"]);
  refute("canary");
  await page.context().close();
});

test("no spelling and no other name gets a secret past the rules, and of radios the ticked one counts", async () => {
  const page = await open("/secret");
  for (const name of ["f1", "f2", "cvv", "f4"]) await page.fill(`[name=${name}]`, "canary-" + name);
  await page.fill("[name=EMAIL]", "ana@shop.example");
  await page.click("button");
  await until(() => leads().length);
  await site.quiet();
  assert.deepEqual(leads(), [{ form_id: "signup", path: "/secret", source: "Call", email: "ana@shop.example", when: "morning" }]);
  refute("canary");
  await page.context().close();
});

test("a box that is not ticked is no opt-in", async () => {
  const page = await fill("/lead");
  await page.check("[name=news]");
  await page.uncheck("[name=news]");
  await page.click("button");
  await until(() => leads().length);
  await site.quiet();
  assert.equal(leads().length, 1);
  assert.deepEqual(optins(), []);
  await page.context().close();
});

test("a form without the mark gives no value, and its opt-in has no address", async () => {
  const page = await fill("/plain");
  await page.check("[name=news]");
  await page.click("button");
  await until(() => optins().length && acts().length > 1);
  await site.quiet();
  assert.deepEqual(leads(), []);
  assert.deepEqual(optins().map(({ channel, address }) => [channel, address]), [["email", undefined]]);
  refute("canary", "Shop.example", "shop.example", "600 111");
  await page.context().close();
});

test("a form with errors is no lead and no opt-in", async () => {
  const page = await fill("/wrong");
  await page.check("[name=news]");
  await page.click("button");
  await until(() => acts().length > 1);
  await site.quiet();
  assert.deepEqual(acts().map((event) => event["event"]), ["Form Started", "Form Errors Shown"]);
  assert.deepEqual(optins(), []);
  refute("canary", "shop.example");
  await page.context().close();
});

test("a lead and an opt-in arrive although the browser takes the form elsewhere", async () => {
  const page = await fill("/native");
  await page.check("[name=news]");
  // The ticked box lets the page get what it needs to tell the collector.
  await page.evaluate(() => new Promise<void>((resolve) => (window as any).hilo.cart.on(() => resolve())));
  await Promise.all([page.waitForURL("**/thanks"), page.click("button")]);
  await until(() => leads().length && optins().length);
  await site.quiet();
  assert.equal(leads().length, 1);
  assert.deepEqual([leads()[0].email, optins().length], ["ana@shop.example", 1]);
  refute("canary");
  await page.context().close();
});

test("values of a form that is not settled yet go with a denial, and an opt-in does not", async () => {
  const page = await fill("/held");
  await page.check("[name=news]");
  await page.click("button");
  await passed(page, 500);
  await page.evaluate(() => (window as any).hilo.consent.deny("analytics"));
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  // A form that shows neither success nor errors counts as submitted after ten seconds.
  await until(() => leads().length, 30_000);
  await site.quiet();
  assert.deepEqual(leads(), [{ form_id: "signup", path: "/held", source: "Newsletter" }]);
  assert.deepEqual(optins().map((said) => [said["channel"], said["address"]]), [["email", "ana@shop.example"]]);
  refute("canary", "600 111 222");
  await page.context().close();
});

test("without consent a lead form tells nothing", async () => {
  const page = await open("/lead");
  await page.evaluate(() => (window as any).hilo.consent.withdraw());
  await page.fill("[name=EMAIL]", "ana@shop.example");
  await page.click("button");
  await site.quiet();
  assert.deepEqual(acts(), []);
  await page.context().close();
});
