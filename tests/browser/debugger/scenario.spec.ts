/**
 * Promise: the debugger shows each event from the gate to the collector's outcome with code and remedy, who gave each choice, ids and queue;
 * it opens only where the site's code or the source says so, stores nothing by itself, and goes with the tracker.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { until } from "../scenario.ts";
import { browser, PANEL, rows, section, shows, site, visit, type Page } from "./site.ts";

after(async () => {
  await browser.close();
  await site.close();
});

const call = (page: Page, code: string) => page.evaluate((code) => void new Function("hilo", code)((window as any).hilo), code);

test("an event goes from the gate to the collector's outcome with code and remedy, and the first view is there", async () => {
  site.answer(({ call, body }) => {
    if (call !== "batch") return { status: 200 };
    const index = body["batch"].findIndex((event: any) => event.event === "Bad");
    const rejected = index < 0 ? [] : [{ index, code: "wrong_type", field: "properties.n", message: "a number is needed" }];
    return { status: 200, body: { success: true, accepted: body["batch"].length, duplicate: 0, rejected, notices: [] } };
  });
  const { page, context, faults } = await visit("/en/?hilo_debug", { isAllowed: true });
  await shows(page, "page");
  assert.deepEqual(await rows(page), ["page | waits for consent"]);
  await call(page, `hilo.use((e) => (e.event === "Dropped" ? null : void (e.properties = { ...e.properties, more: 1 })));
    hilo.consent.grant("analytics"); for (const name of ["Good", "Bad", "Dropped"]) hilo.track(name, { n: 1 }); hilo.flush()`);
  await shows(page, "track Bad");
  await page.locator(`${PANEL} .rejected`).first().waitFor();
  assert.deepEqual((await rows(page)).sort(), ["page | accepted", "track Bad | rejected: wrong_type", "track Dropped | dropped: site_dropped", "track Good | accepted"]);
  const bad = page.locator(`${PANEL} li details`, { hasText: "track Bad" });
  await bad.locator("summary").click();
  const text = await bad.innerText();
  for (const part of ["properties.n", "a number is needed", "send the field as the type", "Changed by hilo.use()", "Sent; answer: 200", '"more": 1']) assert.ok(text.includes(part), `${part}: ${text}`);
  assert.match(await section(page, "Consent"), /analytics\s+granted: the site/);
  assert.match(await section(page, "Identity"), /Kept for\s+all pages/);
  assert.match(await section(page, "Queue"), /Events that wait\s+0/);
  assert.match(await section(page, "Files"), /hilo\.js\s+\d+ B/);
  await call(page, 'hilo.consent.deny("analytics"); hilo.track("Late")');
  await shows(page, "track Late");
  assert.ok((await rows(page)).includes("track Late | dropped: consent_denied"));
  assert.deepEqual(faults, []);
  await context.close();
});

test("an answer that does not come is shown, and the queue that waits for it", async () => {
  const { page, context } = await visit("/en/");
  site.answer(() => ({ status: 503, body: { code: "unavailable", message: "not stored", error: { code: "unavailable", message: "not stored" } } }));
  await call(page, 'hilo.debug(true); hilo.consent.grant("analytics"); hilo.track("Waiting"); hilo.flush()');
  await page.locator(`${PANEL} .waiting`, { hasText: "waits for an answer: unavailable" }).first().waitFor();
  assert.ok((await rows(page)).some((row) => row.startsWith("track Waiting")));
  const text = await section(page, "Queue");
  assert.match(text, /Events that wait\s+2/);
  assert.match(text, /Last answer\s+Sent; no answer/);
  await context.close();
  site.answer(() => ({ status: 200 }));
});

test("an address opens it where the source allows that only, and nothing is asked without such an address", async () => {
  for (const [path, isAllowed, expected] of [["/en/?hilo_debug", true, 1], ["/en/?hilo_debug", false, 0], ["/en/", true, 0]] as const) {
    const { page, context, asked, told } = await visit(path, { isAllowed });
    if (expected) await page.locator(PANEL).waitFor();
    else if (path.includes("?")) await until(() => told.some((line) => line.includes("does not let an address open the debugger")));
    else await site.quiet();
    assert.equal(await page.locator(PANEL).count(), expected, `${path} ${isAllowed}`);
    assert.equal(asked.length, path.includes("?") ? 1 : 0);
    assert.deepEqual(await page.evaluate(() => [...Object.keys(localStorage), ...Object.keys(sessionStorage)]), []);
    await context.close();
  }
});

test("an address opens it where the browser blocks the tab's storage", async () => {
  const init = 'Object.defineProperty(window, "sessionStorage", { get() { throw new DOMException("blocked", "SecurityError"); } })';
  const { page, context } = await visit("/en/?hilo_debug", { isAllowed: true, init });
  await page.locator(PANEL).waitFor();
  await context.close();
});

test("an address leaves the console of a page in debug mode as it is", async () => {
  const { page, context, told } = await visit("/en/data-debug?hilo_debug", { isAllowed: true });
  await page.locator(PANEL).waitFor();
  await call(page, 'hilo.consent.grant("analytics"); hilo.track("Told"); hilo.flush()');
  await until(() => told.some((line) => line.includes("track Told: accepted")));
  assert.ok(told.some((line) => line.includes("track Told: accepted")), told.join());
  await context.close();
});

test("the site's own call counts while the collector is asked about the address", async () => {
  for (const [wish, isAllowed, expected] of [[true, false, 1], [false, true, 0]] as const) {
    let answer = (_: boolean) => {};
    const { page, context, asked, told } = await visit("/en/?hilo_debug", { isAllowed: new Promise((resolve) => (answer = resolve)) });
    await until(() => asked.length > 0);
    await call(page, `hilo.debug(${wish})`);
    if (expected) await page.locator(PANEL).waitFor();
    answer(isAllowed);
    await site.quiet();
    assert.equal(await page.locator(PANEL).count(), expected, `hilo.debug(${wish})`);
    if (expected) {
      await call(page, 'hilo.track("Later")');
      await shows(page, "track Later");
    }
    assert.deepEqual(told.filter((line) => line.includes("does not let")), []);
    await context.close();
  }
});

test("a tab goes on with it where the developer asks for that, until the developer takes that back", async () => {
  const { page, context, asked } = await visit("/es/");
  await call(page, "hilo.debug(true)");
  await page.getByLabel("Mantener abierto en esta pestaña").check();
  await page.goto(`${site.url}/en/`);
  await page.locator(PANEL).waitFor();
  assert.deepEqual(asked, [], "the tab's own wish");
  assert.equal(await page.getByLabel("Keep open in this tab").isChecked(), true);
  await page.getByLabel("Keep open in this tab").uncheck();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  await context.close();
});

test("its shadow root is closed, it works by keyboard alone, gives the focus back, and goes with the tracker", async () => {
  const { page, context } = await visit("/en/", { isOpen: false });
  await page.focus("#one");
  await call(page, "hilo.debug(true)");
  await page.waitForSelector("[data-hilo-private]", { state: "attached" });
  assert.equal(await page.evaluate(() => document.querySelector("[data-hilo-private]")!.shadowRoot), null);
  assert.equal(await page.evaluate(() => document.activeElement!.id), "one", "it takes no focus");
  const isInside = () => page.evaluate(() => document.activeElement!.hasAttribute("data-hilo-private"));
  for (let i = 0; i < 10 && !(await isInside()); i += 1) await page.keyboard.press("Tab");
  assert.equal(await isInside(), true);
  // Hide, close.
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.waitForSelector("[data-hilo-private]", { state: "detached" });
  assert.equal(await page.evaluate(() => document.activeElement!.id), "one");
  await call(page, "hilo.debug(true)");
  await page.waitForSelector("[data-hilo-private]", { state: "attached" });
  await call(page, "hilo.destroy()");
  await page.waitForSelector("[data-hilo-private]", { state: "detached" });
  await context.close();
});

test("what a visitor typed is hidden, and what happens in the panel is no event", async () => {
  const { page, context } = await visit("/en/");
  await call(page, 'hilo.debug(true); hilo.consent.grant("analytics", "functional"); hilo.identify("u-1", { email: "ana@shop.example" })');
  await shows(page, "identify u-1");
  const row = page.locator(`${PANEL} li details`, { hasText: "identify u-1" });
  await row.locator("summary").click();
  const text = await row.innerText();
  assert.ok(text.includes('"email": "•••"') && !text.includes("ana@"), text);
  const before = await rows(page);
  await page.getByRole("button", { name: "Hide" }).click();
  assert.equal(await page.getByRole("button", { name: "Show" }).getAttribute("aria-expanded"), "false");
  await page.getByRole("button", { name: "Show" }).click();
  assert.equal((await rows(page)).length, before.length);
  await context.close();
});

test("what a form told stays hidden under another name, and ids are cut", async () => {
  const { page, context } = await visit("/en/");
  await call(page, `hilo.use((e) => void (e.event === "Lead Submitted" && (e.event = "Renamed")));
    hilo.debug(true); hilo.consent.grant("analytics", "functional"); hilo.track("Lead Submitted", { email: "ana@shop.example" })`);
  const row = page.locator(`${PANEL} li details`, { hasText: "track Renamed" });
  await row.locator("summary").click();
  const text = await row.innerText();
  assert.ok(text.includes('"event": "Renamed"') && !text.includes("ana@"), text);
  const id: string = await page.evaluate(() => (window as any).hilo.anonymousId());
  assert.ok(text.includes(`"anonymousId": "${id.slice(0, 8)}…"`) && !text.includes(id), text);
  await context.close();
});
