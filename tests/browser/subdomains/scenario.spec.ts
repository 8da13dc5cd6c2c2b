/**
 * Promise: a visitor of one host of a domain is the same person on the next one, and another person on another domain.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { startCollector } from "../../collector/mf.ts";
import { startBrowser, withSnippet } from "../scenario.ts";

/** The entry serves a page on every host, and beside it the collector. Chromium itself finds hosts below `localhost` on this machine. */
const ENTRY = `
export default {
  fetch(request, env) {
    if (new URL(request.url).pathname.startsWith("/_h/")) return env.COLLECTOR.fetch(request);
    return new Response(${JSON.stringify(withSnippet("", "", "wk_shop"))}, { headers: { "content-type": "text/html" } });
  },
};`;

const CONFIG = `
[project]
controller = "Example Shop"
environment = "development"

[[source]]
name = "shop"
kind = "browser"
keys = ["wk_shop"]
origins = ["http://shop.localhost", "http://www.shop.localhost"]
cookie_domain = "shop.localhost"
`;

const front = [{ name: "front", modules: true, script: ENTRY, compatibilityDate: "2026-08-01", serviceBindings: { COLLECTOR: "collector" } }];
const [collector, browser] = await Promise.all([startCollector({ config: CONFIG, front }), startBrowser()]);
after(async () => {
  await browser.close();
  await collector.dispose();
});

test("two hosts of a domain have one id, a third host has its own, and a withdrawal leaves no cookie on its host", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const { port } = new URL(collector.url);
  /** Accepts on `host`, and returns the id once the collector has answered. */
  const accept = async (host: string) => {
    await page.goto(`http://${host}:${port}/`);
    await page.waitForFunction(() => !(window as any).hilo.q);
    const answered = page.waitForResponse((response) => /\/v1\/(batch|hello)$/.test(response.url()) && response.ok());
    await page.evaluate(() => (window as any).hilo.consent.grant("functional", "analytics"));
    const { anonymousId } = await (await answered).json();
    await page.waitForFunction((id) => (window as any).hilo.anonymousId() === id, anonymousId);
    return anonymousId as string;
  };
  const domains = async () => (await context.cookies()).map(({ domain }) => domain).sort();
  const shop = await accept("shop.localhost");
  assert.ok(shop);
  assert.deepEqual(await domains(), [".shop.localhost", "shop.localhost"]);
  assert.equal(await accept("www.shop.localhost"), shop);
  assert.notEqual(await accept("other.localhost"), shop);
  assert.deepEqual(await domains(), [".shop.localhost", "other.localhost", "shop.localhost", "www.shop.localhost"]);
  await page.goto(`http://www.shop.localhost:${port}/`);
  await page.waitForFunction(() => !(window as any).hilo.q);
  const answered = page.waitForResponse((response) => response.url().endsWith("/v1/consent"));
  await page.evaluate(() => (window as any).hilo.consent.deny("functional", "analytics"));
  await answered;
  assert.deepEqual(await domains(), ["other.localhost", "shop.localhost"]);
  await context.close();
});
