/**
 * Promise: what becomes of a form is told as it is. Errors keep a form from being submitted, and are told by the names of fields and the
 * browser's words; a submission that arrived says so; a step counts when it is left for a new one; what a script fills in starts nothing.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { actsOf, openBound, passed, startBrowser, startSite, until, withSnippet, type Json } from "../scenario.ts";

const GRANT = '<script>hilo.consent.grant("functional", "analytics");</script>';
const PAGES: Record<string, string> = {
  "/native": '<form id="f" action="/thanks" method="post"><input name="email" type="email" required><input name="pin" type="password" required><button>Send</button></form>',
  "/script": `<form id="f"><input name="email"><p role="alert"></p><button>Send</button></form><script>
f.addEventListener("submit", (event) => {
  event.preventDefault();
  const isGood = f.email.value.includes("@");
  f.email.setAttribute("aria-invalid", String(!isGood));
  setTimeout(() => { if (isGood) f.remove(); else f.querySelector("p").textContent = "canary-message is no address"; }, 200);
});
</script>`,
  "/alert": `<form id="f"><input name="email"><p role="alert"></p><button>Send</button></form><script>
f.addEventListener("submit", (event) => { event.preventDefault(); setTimeout(() => (f.querySelector("p").textContent = "canary-message"), 400); });
</script>`,
  "/steps": `<form id="f"><div data-hilo-step="address"><input name="street"><button type="button" onclick="go(0, 1)">Next</button></div>
<div data-hilo-step="payment" hidden><input name="holder"><button type="button" onclick="go(1, 0)">Back</button><button type="button" onclick="go(1, 2)">Next</button></div>
<div data-hilo-step="review" hidden><button>Order</button></div></form><script>
function go(from, to) { const all = document.querySelectorAll("[data-hilo-step]"); all[from].hidden = true; all[to].hidden = false; }
</script>`,
  "/manager": '<form id="f"><input name="user"><input name="other"><button type="button">Nothing</button></form>',
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

const acts = () => actsOf(site);
const names = () => acts().map((event) => event["event"]);
const of = (name: string): Json => acts().find((event) => event["event"] === name)!["properties"];
const refute = (...words: string[]) => words.forEach((word) => assert.ok(!JSON.stringify(site.sent.map((one) => one.body)).includes(word), word));

test("fields that the browser finds invalid are told by name and key, a secret one by neither", async () => {
  const page = await open("/native");
  await page.fill("[name=email]", "canary-no-address");
  await page.click("button");
  await until(() => names().length > 1);
  await site.quiet();
  assert.deepEqual(names(), ["Form Started", "Form Errors Shown"]);
  assert.deepEqual(of("Form Errors Shown")["fields"], [{ name: "email", errors: ["typeMismatch"] }]);
  await page.fill("[name=email]", "ana@shop.example");
  await page.fill("[name=pin]", "canary-pin");
  await Promise.all([page.waitForURL("**/thanks"), page.click("button")]);
  await until(() => names().length > 2);
  await site.quiet();
  assert.deepEqual(names(), ["Form Started", "Form Errors Shown", "Form Submitted"]);
  assert.equal(of("Form Submitted")["confirmed"], true);
  assert.equal(of("Form Submitted")["corrections"], 1);
  refute("canary", "ana@", '"pin"');
  await page.context().close();
});

test("a form whose script marks a field is not submitted, and one that goes away is confirmed", async () => {
  const page = await open("/script");
  await page.fill("[name=email]", "canary-wrong");
  await page.click("button");
  await until(() => names().length > 1);
  await site.quiet();
  assert.deepEqual(names(), ["Form Started", "Form Errors Shown"]);
  assert.deepEqual(of("Form Errors Shown")["fields"], [{ name: "email", errors: ["ariaInvalid"] }]);
  const before = await page.evaluate(() => Date.now());
  await page.fill("[name=email]", "ana@shop.example");
  await page.click("button");
  const after = await page.evaluate(() => Date.now());
  await until(() => names().length > 2);
  await site.quiet();
  assert.deepEqual(names(), ["Form Started", "Form Errors Shown", "Form Submitted"]);
  assert.equal(of("Form Submitted")["confirmed"], true);
  const told = Date.parse(acts().at(-1)!["timestamp"]);
  assert.ok(told >= before - 1 && told <= after + 1, "it has the time of the submission");
  refute("canary", "ana@");
  await page.context().close();
});

test("an alert after a submission is an error, and its words stay in the page", async () => {
  const page = await open("/alert");
  await page.fill("[name=email]", "canary-wrong");
  await page.click("button");
  await until(() => names().length > 1);
  await site.quiet();
  assert.deepEqual(names(), ["Form Started", "Form Errors Shown"]);
  assert.deepEqual(of("Form Errors Shown")["fields"], []);
  await page.goto("about:blank");
  await until(() => names().length > 2);
  await site.quiet();
  assert.deepEqual(names(), ["Form Started", "Form Errors Shown", "Form Abandoned"]);
  refute("canary");
  await page.context().close();
});

test("a step is completed when the visitor goes to a new one", async () => {
  const page = await open("/steps");
  const next = (step: string, button: string) => page.click(`[data-hilo-step=${step}] >> text=${button}`);
  await page.fill("[name=street]", "canary-street");
  for (const [step, button] of [["address", "Next"], ["payment", "Back"], ["address", "Next"], ["payment", "Next"]] as const) {
    await next(step, button);
    await passed(page, 500);
  }
  await site.quiet();
  const steps = acts().filter((event) => event["event"] === "Form Step Completed").map((event) => [event["properties"].step, event["properties"].fields_done]);
  assert.deepEqual(steps, [["address", 1], ["payment", 1]]);
  refute("canary");
  await page.context().close();
});

test("a field that a script fills in starts no form and counts as filled", async () => {
  const page = await open("/manager");
  await page.evaluate(() => {
    const field = document.querySelector<HTMLInputElement>("[name=user]")!;
    field.value = "canary-user";
    for (const name of ["input", "change"]) field.dispatchEvent(new Event(name, { bubbles: true }));
  });
  await page.focus("[name=other]");
  await site.quiet();
  assert.deepEqual(names(), []);
  await page.fill("[name=other]", "canary-other");
  await page.goto("about:blank");
  await until(() => names().length > 1);
  await site.quiet();
  assert.deepEqual(names(), ["Form Started", "Form Abandoned"]);
  assert.equal(of("Form Abandoned")["fields_filled"], 2);
  assert.equal(of("Form Started")["first_field"], "other");
  refute("canary");
  await page.context().close();
});
