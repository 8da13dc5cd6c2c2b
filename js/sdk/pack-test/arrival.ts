/**
 * Sites behind the recipes' proxies, and a collector that keeps what arrives through them.
 *
 * A site has two pages: `/` has the package, and `/snippet.html` has the snippet. The collector has a host of its own, as deployed.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { startBrowser } from "../../../tests/browser/scenario.ts";
import { type Json, timeline } from "../../../tests/collector/envelopes.ts";
import { type Collector, eventually } from "../../../tests/collector/mf.ts";

type Browser = Awaited<ReturnType<typeof startBrowser>>;

/** The key that the built-in configuration has. */
export const KEY = "wk_shop";
/** The stub, as it stands in a page. */
export const STUB = readFileSync(new URL("../dist/stub.js", import.meta.url), "utf8").trim();
const head = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>A page</title>';
/** A page with the script `src` of a bundler. */
export const bundled = (src: string) => `${head}<script type="module" src="${src}"></script>`;
/** A page with the snippet. */
export const SNIPPET = `${head}<script>${STUB}</script><script async src="/_h/hilo.js" data-key="${KEY}"></script>`;
/** The code of an app that uses `entry` of the package. */
export const main = (entry: string) => `import { load } from "${entry}";\nwindow.hilo = await load({ key: "${KEY}", endpoint: "/_h" });\n`;

/** The text of a recipe, with `collector` in place of the host that it names. */
export function recipe(path: string, collector: string): string {
  const text = readFileSync(new URL(`../../../examples/proxies/${path}`, import.meta.url), "utf8");
  return text.replaceAll("https://collector.shop.example", collector);
}

/** Tests that a page view, a named event and an act on the cart arrive from `url`'s page. The cart brings the package's other files. */
export function arrives(what: string, browser: Browser, collector: Collector, url: string) {
  test(`a page view, an event and a cart arrive from ${what}`, async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    await page.goto(url);
    try {
      await page.waitForFunction(() => (window as any).hilo && !(window as any).hilo.q);
      const id = await page.evaluate(async () => {
        const { hilo } = window as any;
        hilo.consent.grant("analytics");
        hilo.track("Signed Up", { plan: "gold" });
        while (!hilo.anonymousId()) await new Promise((resolve) => setTimeout(resolve, 10));
        hilo.flush();
        hilo.cart.add({ product_id: "mug", currency: "EUR", price: "19.99" });
        await new Promise<void>((resolve) => hilo.cart.on(({ lines, status }: Json) => lines.length === 1 && status["pending"] === 0 && resolve()));
        return hilo.anonymousId();
      });
      const found = await eventually(async () => {
        const events = await timeline(collector, id);
        return events.length >= 3 ? events : undefined;
      });
      const named = found.map(({ type, event }) => event ?? type);
      assert.deepEqual(named.sort(), ["Product Added", "Signed Up", "page"]);
      assert.equal(found.find(({ event }) => event === "Signed Up")?.["properties"].plan, "gold");
      for (const { context } of found) assert.equal(context.page.url, url);
    } catch (error) {
      throw new Error([what, error, ...errors].join("\n"));
    }
    await context.close();
    assert.deepEqual(errors, []);
  });
}
