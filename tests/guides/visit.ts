/**
 * One visit to the site of a guide, with a collector that keeps what arrives: the visitor is asked, accepts, signs up, puts an article into
 * the cart, goes to another page, and changes their mind.
 *
 * Each site has the same words on its buttons and links, whoever draws them.
 */
import assert from "node:assert/strict";
import { test } from "node:test";

import { type Json, timeline } from "../collector/envelopes.ts";
import { type Collector, eventually } from "../collector/mf.ts";
import type { Guide } from "./guide.ts";
import type { World } from "./site.ts";

/** What every visit leads to: two views, and each act once. */
const USUAL = ["page /", "page /about", "track Product Added", "track Signed Up"];

type Page = Awaited<ReturnType<World["browser"]["newPage"]>>;

/** Where a guide's site is visited. */
export interface Site {
  guide: Guide;
  url: string;
}

/**
 * Tests that a visit to the site leads to exactly the usual events, and to none before or after the visitor allows them. `known` is the one
 * error of the browser that the guide tells of.
 */
export function visits(what: string, { browser, collector }: World, { guide, url }: Site, known?: RegExp) {
  test(`${what} sends each view and act once, and only while the visitor allows it`, async () => {
    const page = await (await browser.newContext()).newPage();
    // Frameworks start late where a machine has much to do.
    page.setDefaultTimeout(60_000);
    const { asked, said, faults } = watched(page);
    const click = (name: string) => page.getByRole("button", { name, exact: true }).click();
    try {
      await page.goto(url);
      await isThere(page);
      await page.getByRole("button", { name: "Accept all" }).waitFor();
      assert.deepEqual(asked, [], "nothing is asked before the visitor's choice");
      await page.evaluate(() => (window as Json).hilo.debug());
      await click("Accept all");
      const id = await (await page.waitForFunction(() => (window as Json).hilo.anonymousId())).jsonValue();
      await click("Sign up");
      await click("Add to cart");
      await page.waitForFunction(() => document.querySelector("#count")!.textContent === "1");
      for (const line of guide.console) await eventually(async () => said.includes(line) || undefined).catch(() => assert.fail(`the console lacks: ${line}\n${said.join("\n")}`));
      await page.getByRole("link", { name: "About" }).click();
      await page.getByRole("heading", { name: "About" }).waitFor();
      await isThere(page);
      await page.evaluate(() => (window as Json).hilo.flush());
      assert.deepEqual(await arrived(collector, id), USUAL);

      await click("Privacy settings");
      await click("Reject all");
      await page.waitForFunction(() => (window as Json).hilo.consent.state().analytics === "denied");
      const before = asked.filter((call) => call === "batch").length;
      await click("Sign up");
      await page.evaluate(() => (window as Json).hilo.flush());
      await page.waitForTimeout(500);
      assert.equal(asked.filter((call) => call === "batch").length, before, "nothing is sent after a withdrawal");
    } catch (error) {
      throw new Error([what, error instanceof Error ? error.stack : error, ...faults, `asked: ${asked.join(" ")}`].join("\n"));
    }
    assert.deepEqual(faults.filter((fault) => !known?.test(fault)), []);
    await page.context().close();
  });
}

/** The tracker has taken the stub's place, or the package has loaded. */
const isThere = (page: Page) => page.waitForFunction(() => (window as Json).hilo && !(window as Json).hilo.q);

/** What the page asks the collector, what hilo writes to the console, and every error. */
function watched(page: Page) {
  const asked: string[] = [];
  const said: string[] = [];
  const faults: string[] = [];
  page.on("request", (request) => {
    const call = /\/_h\/v1\/(.+)$/.exec(request.url())?.[1];
    if (call) asked.push(call);
  });
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => {
    if (message.text().startsWith("hilo:") && message.type() !== "error") said.push(message.text());
    // A warning of a framework tells of a page that was drawn twice, or otherwise than on the server.
    else if (/error|warning/.test(message.type())) faults.push(message.text());
  });
  return { asked, said, faults };
}

/** The visitor's events by type and name, once there are as many as usual. */
async function arrived(collector: Collector, id: string): Promise<string[]> {
  const events = await eventually(async () => {
    const events = await timeline(collector, id);
    return events.length >= USUAL.length ? events : undefined;
  }).catch(() => timeline(collector, id));
  return events.map(({ type, event, context }) => `${type} ${event ?? new URL(context.page.url).pathname.replace(/(.)\/$/, "$1")}`).sort();
}
