/**
 * Promise: a checkout that a shop pushes in Universal Analytics' words begins at the hub with the pushed articles and their exact amounts.
 * The push is that of `tests/shops/`. Only the real collector has a hub.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";

import { eventually, startCollector } from "../../collector/mf.ts";
import { startBrowser, withSnippet, type Json } from "../scenario.ts";

const { ua_checkout: push } = JSON.parse(readFileSync(new URL("../../shops/pushes.json", import.meta.url), "utf8")) as Json;
const { ua_checkout: expected } = JSON.parse(readFileSync(new URL("../../shops/events.json", import.meta.url), "utf8")) as Json;
const PAGE = withSnippet('<script>window.dataLayer = []; hilo.consent.grant("functional", "analytics");</script>', 'data-cart="dataLayer"', "wk_shop");
const FRONT = `export default {
  fetch: (request, env) => /^\\/(_h|v1|admin)\\//.test(new URL(request.url).pathname)
    ? env.COLLECTOR.fetch(request)
    : new Response(env.PAGE, { headers: { "content-type": "text/html; charset=utf-8" } }),
};`;

const browser = await startBrowser();
const collector = await startCollector({
  front: [{ name: "front", modules: true, script: FRONT, compatibilityDate: "2026-08-01", bindings: { PAGE }, serviceBindings: { COLLECTOR: "collector" } }],
});
after(async () => {
  await browser.close();
  await collector.dispose();
});

test("ua_checkout becomes Checkout Started", async () => {
  const page: Json = await (await browser.newContext()).newPage();
  await page.goto(collector.url);
  await page.waitForFunction(() => String((window as Json)["dataLayer"].push).includes("apply") && (window as Json)["hilo"].anonymousId());
  await page.evaluate((push: Json) => (window as Json)["dataLayer"].push(push), push);
  const id = await page.evaluate(() => (window as Json)["hilo"].anonymousId());
  const begun = await eventually(async () => {
    const { events } = await collector.admin(`/admin/v1/profiles/a:${id}/events`);
    return events.find((event: Json) => event["event"] === expected.event) as Json | undefined;
  });
  const { currency, value, products } = begun["properties"];
  assert.deepEqual([currency, value], [expected.currency, 40]);
  const amounts = products.map(({ product_id, price, quantity }: Json) => ({ product_id, price_minor: Math.round(price * 100), quantity }));
  assert.deepEqual(amounts, expected.products);
  await page.context().close();
});
