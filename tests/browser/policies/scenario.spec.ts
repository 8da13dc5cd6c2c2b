/**
 * Promise: under a site's strict policies every file of the tracker loads and each module works, as WebAssembly and as JavaScript:
 * nonce, hash, no inline script, integrity, Trusted Types, isolation. No policy hears of a violation but the one try of WebAssembly.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

import { actsOf, IS_PLAIN, startBrowser, startSite, until, watchErrors, type Json } from "../scenario.ts";

const read = (file: string) => readFileSync(fileURLToPath(new URL(`../../../js/sdk/dist/${file}`, import.meta.url)));
const STUB = read("stub.js").toString("utf8").trim();
const digest = (algorithm: string, bytes: string | Uint8Array) => `${algorithm}-${createHash(algorithm).update(bytes).digest("base64")}`;
/** What a page does that uses each of the four modules. It is a file, so that no policy has to let it in. */
const USE = `window.dataLayer = [];
hilo.consent.grant("functional", "analytics");
hilo.track("Seen");
dataLayer.push({ event: "add_to_cart", ecommerce: { currency: "EUR", items: [{ item_id: "MUG", price: "4,245.42", quantity: 2 }] } });`;
/** No script of the page may make text into code, and no policy of Trusted Types is allowed. */
const TRUSTED = "require-trusted-types-for 'script'; trusted-types 'none'";
const REST = `default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; ${TRUSTED}`;

/** How a page brings hilo's two scripts and its own, and the policy that lets them in. `sources` are those of WebAssembly. */
interface Way {
  name: string;
  tags: string;
  policy: string;
  fields?: Record<string, string>;
}
const html = (stub: string, script = "") => `${stub}<script async src="/_h/hilo.js" data-key="wk_t" data-cart="dataLayer" ${script}></script>`;
const inline = (attributes: string) => `<script ${attributes}>${STUB}</script>`;
const own = (attributes = "") => `<script ${attributes} src="/use.js"></script>`;
const EXTERNAL = '<script src="/_h/hilo-stub.js"></script>';
const NONCE = 'nonce="r4nd0m"';
const WAYS: Way[] = [
  { name: "a nonce with strict-dynamic", tags: html(inline(NONCE), NONCE) + own(NONCE), policy: "'nonce-r4nd0m' 'strict-dynamic'" },
  { name: "a nonce alone", tags: html(inline(NONCE), NONCE) + own(NONCE), policy: "'nonce-r4nd0m'" },
  { name: "the stub's hash beside 'self'", tags: html(inline("")) + own(), policy: `'self' '${digest("sha256", STUB)}'` },
  { name: "an external stub, without any inline script", tags: html(EXTERNAL) + own(), policy: "'self'" },
  {
    name: "integrity, an isolated page, and no permission",
    tags: html(EXTERNAL, `integrity="${digest("sha384", read("cdn/hilo.js"))}" crossorigin="anonymous"`) + own(),
    policy: "'self'",
    fields: {
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
      "permissions-policy": "unload=(), browsing-topics=(), geolocation=(), storage-access=(), sync-xhr=(), clipboard-read=()",
      "document-policy": "force-load-at-top",
      "referrer-policy": "no-referrer",
    },
  },
];

const browser = await startBrowser();
after(() => browser.close());

async function visit({ tags, policy, fields }: Omit<Way, "name">) {
  const page = (path: string) => (path === "/use.js" ? USE : `<!doctype html><meta charset="utf-8"><title>A page</title><link rel="icon" href="data:,">${tags}`);
  const site = await startSite(page, policy, fields);
  const tab = await (await browser.newContext()).newPage();
  await tab.addInitScript(() => {
    const violations: string[] = ((window as Json)["violations"] = []);
    addEventListener("securitypolicyviolation", ({ blockedURI, effectiveDirective }) => violations.push(`${effectiveDirective} ${blockedURI}`));
  });
  const errors: string[] = [];
  tab.on("pageerror", (error) => errors.push(error.message));
  const told = watchErrors(tab);
  await tab.goto(site.url);
  const close = async () => {
    assert.deepEqual(errors, []);
    await tab.context().close();
    await site.close();
  };
  return { site, page: tab, told, close };
}

for (const wasm of ["'wasm-unsafe-eval'", ""]) {
  for (const way of WAYS) {
    test(`${way.name}, ${wasm ? "with" : "without"} WebAssembly: views, acts and the cart are told`, async () => {
      const { site, page, close } = await visit({ ...way, policy: `script-src ${way.policy} ${wasm}; ${REST}` });
      await until(() => actsOf(site).length >= 2, 20_000);
      assert.deepEqual(actsOf(site).map(({ event, properties }) => [event, properties?.["price"]]).sort(), [["Product Added", 4245.42], ["Seen", undefined]]);
      assert.equal(site.events().filter(({ type }) => type === "page").length, 1);
      const expected = wasm || IS_PLAIN ? [] : ["script-src wasm-eval"];
      assert.deepEqual(await page.evaluate(() => (window as Json)["violations"]), expected);
      await close();
    });
  }
}

// The browser gives a file that a script imports the script's nonce, and no hash. So strict-dynamic wants a nonce.
test("under strict-dynamic with hashes alone views and acts are told, and one error names the files that load later", async () => {
  const known = [USE, read("cdn/hilo.js")].map((file) => digest("sha384", file));
  const tags = html(inline(""), `integrity="${known[1]}"`) + own(`integrity="${known[0]}"`);
  const sources = ["strict-dynamic", "wasm-unsafe-eval", digest("sha256", STUB), ...known].map((one) => `'${one}'`);
  const { site, told, close } = await visit({ tags, policy: `script-src ${sources.join(" ")}; ${REST}` });
  // The tracker as JavaScript is such a file itself.
  const expected = IS_PLAIN ? [] : ["Seen"];
  await until(() => told.length && actsOf(site).length >= expected.length, 20_000);
  assert.deepEqual(actsOf(site).map(({ event }) => event), expected);
  assert.match(told[0]!, /a file does not load: check proxy and CSP/);
  await close();
});

test("a script that is not the one that integrity names is not run, and one error names it", async () => {
  const { site, told, page, close } = await visit({ tags: html(EXTERNAL, `integrity="${digest("sha384", "another release")}"`) + own(), policy: `script-src 'self'; ${REST}` });
  await until(() => told.length);
  assert.deepEqual([told, site.sent], [[`hilo needs ${site.url}/_h/hilo.js`], []]);
  assert.equal(await page.evaluate(() => (window as Json)["hilo"].cart.checkout()), null);
  await close();
});
