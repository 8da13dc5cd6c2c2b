/**
 * Promise: whatever the browser refuses, forgets or gets wrong, the page sees no error of hilo's, the tracker starts, and each event is
 * sent or counted. `resilience` has storage that throws or is full from the start, and modules that do not arrive.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { actsOf, startBrowser, startSite, until, withSnippet, type Json } from "../scenario.ts";

const browser = await startBrowser();
after(() => browser.close());

const GRANT = "<script>hilo.consent.grant('functional', 'analytics'); hilo.track('First')</script>";

/** Opens a page of a visitor who granted and did a first act. `init` comes before the page's scripts. */
async function visit({ init, html = withSnippet(GRANT) }: { init?: string; html?: string }) {
  const site = await startSite((path) => (path === "/frame" ? withSnippet(GRANT) : html));
  const context = await browser.newContext();
  if (init) await context.addInitScript(init);
  const page: Json = await context.newPage();
  const errors: string[] = [];
  page["on"]("pageerror", (error: Error) => errors.push(error.message));
  await page["goto"](site.url);
  const track = (name: string) => page["evaluate"]((name: string) => void (window as Json)["hilo"].track(name), name);
  const close = async () => {
    assert.deepEqual(errors, []);
    await context.close();
    await site.close();
  };
  const names = () => actsOf(site).map(({ event }) => event).sort();
  /** Resolves once both acts came, and nothing follows. */
  async function tells(...expected: string[]) {
    await until(() => names().length >= expected.length, 20_000);
    await site.quiet();
    assert.deepEqual(names(), [...expected].sort());
  }
  return { site, page, track, tells, close };
}
const batches = (site: { sent: Json[] }) => site.sent.filter((one) => one["call"] === "batch").map((one) => one["body"]);
const persistence = (site: { sent: Json[] }) => [...new Set(batches(site).map((body) => body["context"].hilo.persistence))];

for (const [what, init, expected] of [
  ["storage is null, as in some web views", `for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, { value: null });`, "memory"],
  ["storage throws when it is read", `Storage.prototype.getItem = Storage.prototype.key = () => { throw new Error("read"); };`, undefined],
  ["only the tab's storage works", `Object.defineProperty(window, "localStorage", { get() { throw new DOMException("no", "SecurityError"); } });`, "tab"],
  ["cookies are off", `Object.defineProperty(Navigator.prototype, "cookieEnabled", { get: () => false }); Object.defineProperty(Document.prototype, "cookie", { get() { throw new Error("no"); }, set() { throw new Error("no"); } });`, "local"],
  ["there is no cryptography", `delete window.crypto; Object.defineProperty(window, "crypto", { value: undefined });`, "local"],
  ["the clock of the page shows another decade", `{ const own = Date.now; Date.now = () => own() + 3.2e11; }`, "local"],
  ["the clock of the page shows nothing", `Date.now = () => NaN;`, "local"],
] as const) {
  test(`where ${what}, both acts arrive`, async () => {
    const { site, track, tells, close } = await visit({ init });
    await until(() => actsOf(site).length);
    await track("Second");
    await tells("First", "Second");
    if (expected) assert.deepEqual(persistence(site), [expected]);
    const once = new Set(site.events().map(({ messageId }) => messageId));
    assert.equal(once.size, 3, "a view and two acts, each with an id of its own");
    await close();
  });
}

for (const [what, fault] of [
  ["gets full while it is used", `Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); }`],
  ["is cleared while it is used", "localStorage.clear(), sessionStorage.clear()"],
  ["begins to throw while it is used", `for (const name of ["getItem", "setItem", "removeItem", "key"]) Storage.prototype[name] = () => { throw new Error("gone"); }`],
] as const) {
  test(`storage that ${what} costs no act, and the visitor stays one`, async () => {
    const { site, page, track, tells, close } = await visit({});
    await until(() => actsOf(site).length);
    await page["evaluate"](fault);
    await track("Second");
    await page["evaluate"](() => (window as Json)["hilo"].flush());
    await tells("First", "Second");
    assert.equal(new Set(actsOf(site).map(({ anonymousId }) => anonymousId)).size, 1);
    await close();
  });
}

test("a frame without an origin has a tracker in memory, and neither the frame nor its page sees an error", async () => {
  const { site, page, close } = await visit({ html: '<!doctype html><title>Page</title><link rel="icon" href="data:,"><iframe sandbox="allow-scripts" src="/frame"></iframe>' });
  const frame = page["frames"]()[1];
  await until(async () => !(await frame.evaluate(() => !!(window as Json)["hilo"].q)));
  assert.equal(await frame.evaluate(() => (window as Json)["hilo"].consent.state().persistence), "memory");
  assert.equal(await frame.evaluate(() => (window as Json)["hilo"].consent.state().analytics), "granted");
  await site.quiet();
  await close();
});

/** What may stand under a key of the queue: a value is the events of one task, a line each. */
for (const [what, text] of [
  ["cut in the middle", "JSON.stringify(whole).slice(0, 20)"],
  ["of another type", "'{\"batch\": 7}'"],
  ["ten megabytes of nothing", "'x'.repeat(2_000_000)"],
  ["half a character", "'\\ud800' + whole"],
  ["random bytes", "String.fromCharCode(...crypto.getRandomValues(new Uint16Array(500)))"],
] as const) {
  test(`a stored event that is ${what} costs itself, and the events beside it arrive`, async () => {
    const { site, page, tells, close } = await visit({});
    await until(() => actsOf(site).length);
    await site.quiet();
    site.answer(() => null);
    await page["evaluate"](() => void (window as Json)["hilo"].track("Kept"));
    await page["waitForFunction"](() => Object.values(localStorage).some((text) => text.includes("Kept")));
    await page["evaluate"](
      `(() => { const key = Object.keys(localStorage).find((one) => one.startsWith("hilo.q.")); const whole = localStorage[key];
        localStorage[key.replace(/.$/, (last) => (last === "7" ? "8" : "7"))] = ${text}; })()`,
    );
    site.answer(() => ({ status: 200 }));
    site.sent.length = 0;
    await page["goto"](`${site.url}/next`);
    await tells("First", "Kept");
    assert.equal(await page["evaluate"](() => Object.keys(localStorage).filter((key) => key.startsWith("hilo.q.")).length), 0, "nothing stays behind");
    await close();
  });
}
