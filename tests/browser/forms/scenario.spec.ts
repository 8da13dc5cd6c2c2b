/**
 * Promise: a form is reported with the names of its fields and with timing; typed text never leaves the page.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { startBrowser, startSite, withSnippet } from "../scenario.ts";

const FORM = `<form id="contact" onsubmit="event.preventDefault()">
<input name="email" type="email"><input name="pin" type="password"><input name="csrf" type="hidden" value="canary-hidden">
<input name="card" autocomplete="cc-number"><div data-hilo-private><input name="diagnosis"></div>
<textarea name="message"></textarea><button>Send</button></form>`;
const CANARIES = ["canary-mail@example.com", "canary-pin", "canary-hidden", "4111111111111111", "canary-diagnosis", "canary-message"];
const SECRET_NAMES = ["pin", "csrf", "card", "diagnosis"];

const browser = await startBrowser();
const site = await startSite(() => withSnippet(FORM));
after(async () => {
  await browser.close();
  await site.close();
});

async function fill() {
  site.sent.length = 0;
  const page = await (await browser.newContext()).newPage();
  await page.goto(site.url);
  await page.waitForFunction(() => !(window as any).hilo.q);
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  const [mail, pin, , card, diagnosis, message] = CANARIES as [string, string, string, string, string, string];
  await page.fill("[name=email]", mail);
  await page.fill("[name=pin]", pin);
  await page.fill("[name=card]", card);
  await page.fill("[name=diagnosis]", diagnosis);
  await page.fill("[name=message]", message);
  return page;
}

function refuteValues() {
  const wire = JSON.stringify(site.sent.map((one) => one.body));
  for (const canary of CANARIES) assert.ok(!wire.includes(canary), canary);
  const forms = JSON.stringify(site.events().filter((event) => event["event"]?.startsWith("Form ")));
  for (const name of SECRET_NAMES) assert.ok(!forms.includes(`"${name}"`), name);
}

test("a form that is submitted is reported as started and as submitted, without any value", async () => {
  const page = await fill();
  await page.click("button");
  await site.quiet();
  const forms = site.events().filter((event) => event["type"] === "track");
  assert.deepEqual(forms.map((event) => event["event"]), ["Form Started", "Form Submitted"]);
  const { properties } = forms[1]!;
  assert.equal(properties.form_id, "contact");
  assert.deepEqual(properties.fields.map((field: any) => field.name), ["email", "message"]);
  assert.ok(properties.ms_to_submit >= 0 && properties.last_field === "message");
  refuteValues();
  await page.context().close();
});

test("a form that is left is reported as started and as abandoned, without any value", async () => {
  const page = await fill();
  await site.quiet();
  await page.goto("about:blank");
  await site.quiet();
  const forms = site.events().filter((event) => event["type"] === "track");
  assert.deepEqual(forms.map((event) => event["event"]), ["Form Started", "Form Abandoned"]);
  refuteValues();
  await page.context().close();
});
