/**
 * Promise: with the real collector a visitor who follows a link to the owner's other site is one person on both, keeps the id there, and
 * an address that somebody has copied opens for nobody else.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

import { timeline } from "../../collector/envelopes.ts";
import { eventually, startCollector } from "../../collector/mf.ts";
import { bound, startBrowser } from "../scenario.ts";

type Json = any;

const stub = readFileSync(fileURLToPath(new URL("../../../js/sdk/dist/stub.js", import.meta.url)), "utf8").trim();
/** Two sites: each host of this machine is one, and the collector serves both. The page has a link to the other one. */
const SITES = `
export default {
  fetch(request, env) {
    const { pathname, hostname, port } = new URL(request.url);
    if (/^\\/(_h|v1|admin)(\\/|$)/.test(pathname)) return env.COLLECTOR.fetch(request);
    const other = hostname === "localhost" ? "127.0.0.1" : "localhost";
    const html = '<!doctype html><meta charset="utf-8"><title>' + hostname + '</title><link rel="icon" href="data:,"><script>' + env.STUB +
      '</script><script async src="/_h/hilo.js" data-key="wk_shop" data-domains="localhost 127.0.0.1"></script>' +
      '<a href="http://' + other + ':' + port + '/there">The other site</a>';
    return new Response(html, { headers: { "content-type": "text/html; charset=utf-8" } });
  },
};`;

const browser = await startBrowser();
const collector = await startCollector({
  front: [{ name: "front", modules: true, script: SITES, compatibilityDate: "2026-08-01", bindings: { STUB: stub }, serviceBindings: { COLLECTOR: "collector" } }],
});
after(async () => {
  await browser.close();
  await collector.dispose();
});

const idOf = async (page: Json) => (await page.waitForFunction(() => (window as Json).hilo?.anonymousId?.())).jsonValue();
const grant = (page: Json) => page.evaluate(() => (window as Json).hilo.consent.grant("functional", "analytics"));
const visits = async (id: string) => (await timeline(collector, id)).filter(({ type }) => type === "page").map((event) => new URL(event["context"].page.url).hostname);

/** A visitor on the first site, and the token of the link to the second one. */
async function visitor() {
  const context = await browser.newContext();
  const page: Json = await context.newPage();
  await bound(page, () => page.goto(collector.url));
  await grant(page);
  const id = await idOf(page);
  await eventually(async () => (await visits(id)).length > 0 || undefined);
  const answered = page.waitForResponse((response: Json) => response.url().endsWith("/v1/handoff"));
  await page.hover("a");
  const { token } = await (await answered).json();
  return { context, page, id, token };
}

test("a visitor who follows a link is one person on both sites, and keeps the id on the second one", async () => {
  const { context, page, id, token } = await visitor();
  const adopted = page.waitForResponse((response: Json) => response.url().endsWith("/v1/adopt"));
  await page.click("a");
  await page.waitForURL("**/there");
  await page.waitForFunction(() => !(window as Json).hilo.q);
  await grant(page);
  assert.equal((await adopted).status(), 200);
  await page.waitForFunction((id: string) => (window as Json).hilo.anonymousId() === id, id);
  await eventually(async () => (await visits(id)).length > 1 || undefined);
  assert.deepEqual((await visits(id)).sort(), ["127.0.0.1", "localhost"]);
  assert.ok(!JSON.stringify(await timeline(collector, id)).includes(token));
  // The second site's own cookie restores the id when its storage is lost.
  await page.evaluate(() => (localStorage.clear(), sessionStorage.clear()));
  await page.goto(page.url());
  await page.waitForFunction(() => !(window as Json).hilo.q);
  await grant(page);
  await page.waitForFunction((id: string) => (window as Json).hilo.anonymousId() === id, id);
  await context.close();
});

test("a token that was used opens for nobody else", async () => {
  const { context, page, id, token } = await visitor();
  const adopt = () =>
    page.evaluate(async ([url, token]: string[]) => {
      const body = JSON.stringify({ writeKey: "wk_shop", token, consent: { categoryPreferences: { functional: true, analytics: true }, revision: 1 } });
      const answer = await fetch(url!, { method: "POST", headers: { "x-hilo": "1" }, body });
      return [answer.status, (await answer.json()).error?.code ?? null];
    }, ["/_h/v1/adopt", token]);
  assert.deepEqual(await adopt(), [403, "handoff_refused"], "it opens at the other site alone");
  await page.goto(collector.url.replace("127.0.0.1", "localhost"));
  await page.waitForFunction(() => !(window as Json).hilo.q);
  assert.deepEqual(await adopt(), [200, null]);
  assert.deepEqual(await adopt(), [403, "handoff_refused"]);
  const stranger = await (await browser.newContext()).newPage();
  await stranger.goto(`${collector.url.replace("127.0.0.1", "localhost")}/#hilo=${token}`, { referer: collector.url });
  await stranger.waitForFunction(() => !(window as Json).hilo.q);
  await grant(stranger);
  assert.notEqual(await idOf(stranger), id);
  await stranger.context().close();
  await context.close();
});
