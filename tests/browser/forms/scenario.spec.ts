/**
 * Promise: a form is reported by the names of its fields and by timing; the typed values never leave the page. The file that
 * captures forms loads late and loses no act of the visitor.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import type { Page } from "../../../js/node_modules/playwright-core/index.d.ts";
import { MORE, MORE_MODULE, passed, startBrowser, startSite, until, withSnippet } from "../scenario.ts";

const FORM = `<form id="contact" onsubmit="event.preventDefault()">
<input name="email" type="email"><input name="pin" type="password"><input name="csrf" type="hidden" value="canary-hidden">
<input name="card" autocomplete="cc-number"><div data-hilo-private><input name="diagnosis"></div>
<textarea name="message"></textarea><button>Send</button></form>`;
const CANARIES = ["canary-mail@example.com", "canary-pin", "canary-hidden", "4111111111111111", "canary-diagnosis", "canary-message"];
const SECRET_NAMES = ["pin", "csrf", "card", "diagnosis"];

const browser = await startBrowser();
const ATTRIBUTES: Record<string, string> = { "/off": 'data-forms="off" data-clicks="off" data-media="false"', "/strict": 'data-pending="drop"' };
const site = await startSite((path) => withSnippet(FORM, ATTRIBUTES[path]));
after(async () => {
  await browser.close();
  await site.close();
});

/** Opens a page with the form; `prepare` comes before its first request. */
async function open(path = "/", prepare: (page: Page) => Promise<unknown> = async () => {}) {
  site.sent.length = 0;
  const page = await (await browser.newContext()).newPage();
  await prepare(page);
  await page.goto(site.url + path);
  await page.waitForFunction(() => !(window as any).hilo.q);
  return page;
}

const grant = (page: Page) => page.evaluate(() => (window as any).hilo.consent.grant("analytics"));

const acts = () => site.events().filter((event) => event["type"] === "track");

/** Resolves once the form counts as submitted, and nothing else follows. A page that sends a form by script gets ten seconds to show errors. */
async function submitted() {
  await until(() => acts().some((event) => event["event"] === "Form Submitted"), 30_000);
  await site.quiet();
}

async function fill() {
  const page = await open();
  await grant(page);
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

test("a form that is filled in and sent is reported as started and submitted", async () => {
  const page = await fill();
  await page.click("button");
  await submitted();
  const forms = acts();
  assert.deepEqual(forms.map((event) => event["event"]), ["Form Started", "Form Submitted"]);
  assert.equal(forms[0]!["properties"].first_field, "email");
  const { properties } = forms[1]!;
  assert.deepEqual([properties.fields_total, properties.fields_filled, properties.corrections, properties.confirmed], [2, 2, 0, undefined]);
  assert.equal(properties.form_id, "contact");
  assert.deepEqual(properties.fields.map((field: any) => field.name), ["email", "message"]);
  assert.ok(properties.ms_to_submit >= 0 && properties.last_field === "message");
  refuteValues();
  await page.context().close();
});

test("a form that is begun and left is reported as abandoned", async () => {
  const page = await fill();
  await site.quiet();
  await page.goto("about:blank");
  await site.quiet();
  const forms = acts();
  assert.deepEqual(forms.map((event) => event["event"]), ["Form Started", "Form Abandoned"]);
  refuteValues();
  await page.context().close();
});

/** Opens a page whose second file arrives once `release` is called. */
async function openHeld(path: string) {
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const page = await open(path, (page) => page.route(MORE, async (route) => (await held, route.continue())));
  return { page, release: () => release() };
}

test("a form that is sent before the second file is there is reported with its own time", async () => {
  const { page, release } = await openHeld("/");
  await grant(page);
  const beganAt = await page.evaluate(() => Date.now());
  await page.fill("[name=email]", "canary-mail@example.com");
  await page.click("button");
  const sentAt = await page.evaluate(() => Date.now());
  await passed(page, 500);
  release();
  await submitted();
  assert.deepEqual(acts().map((event) => event["event"]), ["Form Started", "Form Submitted"]);
  for (const { timestamp } of acts() as any[]) assert.ok(Date.parse(timestamp) <= sentAt, timestamp);
  const { fields, ms_to_submit } = acts()[1]!["properties"];
  assert.ok(fields.find((field: any) => field.name === "email").ms >= 0);
  assert.ok(ms_to_submit <= sentAt - beganAt, "the time that the file took does not count");
  await page.context().close();
});

test("a page that is left before the second file is there counts what nobody could read", async () => {
  const page = await open("/", (page) => page.route(MORE, (route) => route.abort()));
  await grant(page);
  await page.waitForFunction(() => (window as any).hilo.anonymousId());
  await page.focus("[name=email]");
  await page.evaluate(() => (window as any).hilo.track("Last act"));
  await page.goto("about:blank");
  await site.quiet();
  assert.deepEqual(acts().map((event) => event["event"]), ["Last act"]);
  assert.equal(site.sent.at(-1)!.body["context"].hilo.dropped.capture_unread, 1);
  await page.context().close();
});

test("before consent the second file loads when the page is idle, and stores and sends nothing", async () => {
  const loaded = (page: Page) => page.waitForResponse((response) => MORE.test(response.url()));
  let arrival: Promise<unknown> = Promise.resolve();
  const page = await open("/", async (page) => void (arrival = loaded(page)));
  await arrival;
  await page.fill("[name=email]", "canary-mail@example.com");
  await page.click("button");
  await site.quiet();
  assert.equal(site.sent.length, 0);
  assert.deepEqual(await page.evaluate(() => Object.keys({ ...localStorage, ...sessionStorage })), []);
  await page.context().close();
});

type Answer = "grant" | "deny";
for (const [name, path, before, after] of [
  ["acts of a visitor who had denied are not remembered for the second file", "/", ["deny"], ["grant"]],
  ["a denial drops the acts that wait for the second file", "/", ["grant"], ["deny", "grant"]],
  ["a page that keeps nothing before consent remembers no act for the second file", "/strict", [], ["grant"]],
] as [string, string, Answer[], Answer[]][]) {
  test(name, async () => {
    const { page, release } = await openHeld(path);
    const say = (answers: Answer[]) => page.evaluate((answers) => answers.forEach((answer) => (window as any).hilo.consent[answer]("analytics")), answers);
    await say(before);
    await page.fill("[name=email]", "canary-mail@example.com");
    await page.click("button");
    await say(after);
    release();
    await site.quiet();
    assert.deepEqual(acts(), []);
    // Acts after the grant count.
    await page.fill("[name=message]", "canary-message");
    await page.click("button");
    await submitted();
    assert.deepEqual(acts().map((event) => event["event"]), ["Form Started", "Form Submitted"]);
    await page.context().close();
  });
}

for (const [what, file] of [["code", MORE], ["module", MORE_MODULE]] as const) {
  test(`a second file whose ${what} did not arrive loads at a later act, and the first act is reported`, async () => {
    let attempts = 0;
    const page = await open("/", (page) => page.route(file, (route) => (++attempts === 1 ? route.abort() : route.continue())));
    await grant(page);
    await page.fill("[name=email]", "canary-mail@example.com");
    const filledAt = await page.evaluate(() => (document.querySelector<HTMLElement>("[name=message]")!.focus(), Date.now()));
    await until(() => attempts);
    await passed(page, 2_500);
    assert.equal(attempts, 1, "the acts of the pause made no attempt");
    await page.click("button");
    await submitted();
    assert.equal(attempts, 2);
    assert.deepEqual(acts().map((event) => event["event"]), ["Form Started", "Form Submitted"]);
    assert.ok(Date.parse(acts()[0]!["timestamp"]) <= filledAt, "the act has its own time");
    await page.context().close();
  });
}

test("a page that switches every kind off never loads the second file", async () => {
  const asked: string[] = [];
  const page = await open("/off", async (page) => void page.on("request", (request) => asked.push(request.url())));
  await grant(page);
  await page.fill("[name=email]", "canary-mail@example.com");
  await page.click("button");
  await site.quiet();
  assert.deepEqual(acts(), []);
  assert.deepEqual(asked.filter((url) => url.includes("hilo-more")), []);
  await page.context().close();
});
