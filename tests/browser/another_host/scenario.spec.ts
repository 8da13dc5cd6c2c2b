/**
 * Promise: a page may load the tracker from a collector on another host. Views, forms and the cart arrive, and the console stays empty.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { timeline } from "../../collector/envelopes.ts";
import { eventually, startCollector } from "../../collector/mf.ts";
import { startBrowser, startSite, withSnippet } from "../scenario.ts";

const FORM = '<form id="contact" onsubmit="event.preventDefault()"><input name="email" type="email"><button>Send</button></form>';

const [collector, browser] = await Promise.all([startCollector(), startBrowser()]);
const site = await startSite(() => withSnippet(FORM, "", "wk_shop").replace("/_h/hilo.js", `${collector.url}/_h/hilo.js`));
after(async () => {
  await browser.close();
  await site.close();
  await collector.dispose();
});

test("a form and an act on the cart arrive from a page whose tracker another host serves", async () => {
  const page = await (await browser.newContext()).newPage();
  const errors: string[] = [];
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  // The collector is at 127.0.0.1: for a browser `localhost` is another site.
  await page.goto(site.url.replace("127.0.0.1", "localhost"));
  await page.waitForFunction(() => !(window as any).hilo.q);
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  await page.fill("[name=email]", "canary@example.com");
  await page.click("button");
  await page.evaluate(() => (window as any).hilo.cart.add({ product_id: "mug", currency: "EUR", price: "19.99" }));
  await page.waitForFunction(() => (window as any).hilo.cart.lines().length === 1 && (window as any).hilo.anonymousId());
  const id = await page.evaluate(() => (window as any).hilo.anonymousId());
  const found = await eventually(async () => {
    const events = await timeline(collector, id);
    return events.length >= 4 ? events : undefined;
  });
  const named = found.map(({ type, event }) => event ?? type);
  assert.deepEqual(named.sort(), ["Form Started", "Form Submitted", "Product Added", "page"]);
  assert.deepEqual([errors, site.sent], [[], []]);
  await page.context().close();
});
