/**
 * Promise: what a page tells search engines about its products completes what the shop pushes about the same product, and with
 * `data-products="jsonld"` a page of one product is a view of it. Other products of the page count for nothing.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { startBrowser, startSite, withSnippet, type Json } from "../scenario.ts";

const ld = (value: unknown) => `<script type="application/ld+json">${typeof value === "string" ? value : JSON.stringify(value)}</script>`;
const MUG = { "@context": "https://schema.org", "@type": "Product", sku: "MUG", name: "Mug", brand: { "@type": "Brand", name: "Acme" }, offers: { "@type": "Offer", price: "20.00", priceCurrency: "EUR" } };
const MICRODATA = `<div itemscope itemtype="https://schema.org/Product"><meta itemprop="productID" content="CUP"><h1 itemprop="name">Cup</h1>
<div itemprop="offers" itemscope itemtype="https://schema.org/Offer"><span itemprop="price" content="12.50">12,50 €</span><meta itemprop="priceCurrency" content="EUR"></div></div>`;
const PAGES: Record<string, [body: string, attributes: string]> = {
  "/mug": [ld("{broken") + ld({ "@graph": [{ "@type": "WebPage" }, MUG] }), 'data-products="jsonld"'],
  "/cup": [MICRODATA, 'data-products="jsonld"'],
  "/list": [ld([MUG, { ...MUG, sku: "OTHER" }]), 'data-products="jsonld"'],
  "/off": [ld(MUG), ""],
  "/layer": [ld(MUG), 'data-cart="dataLayer" data-products="jsonld"'],
};

const browser = await startBrowser();
const site = await startSite((path) => {
  const [body, attributes] = PAGES[path] ?? ["", ""];
  return withSnippet(`${body}<script>hilo.consent.grant("analytics"); window.dataLayer = ${path === "/layer" ? '[{ event: "view_item", ecommerce: { items: [{ item_id: "MUG" }] } }]' : "[]"};</script>`, attributes);
});
after(async () => {
  await browser.close();
  await site.close();
});

async function open(path: string) {
  site.sent.length = 0;
  const page: Json = await (await browser.newContext()).newPage();
  const loaded = path === "/off" || page.waitForResponse((response: Json) => /hilo-shop\.\w+\.(wasm|mjs)$/.test(response.url()));
  await page.goto(site.url + path);
  await loaded;
  await site.quiet();
  return page;
}

const acts = () => site.events().filter((event) => event["type"] === "track").map((event) => [event["event"], event["properties"]] as [string, Json]);

test("a page of one product is a view of it, with its exact price", async () => {
  const page = await open("/mug");
  assert.deepEqual(acts(), [["Product Viewed", { product_id: "MUG", name: "Mug", brand: "Acme", price: 20, currency: "EUR" }]]);
  await page.evaluate(() => {
    document.querySelectorAll('script[type="application/ld+json"]').forEach((one) => one.remove());
    history.pushState(null, "", "/empty");
  });
  await site.quiet();
  assert.equal(acts().length, 1, "the next page has no product");
  await page.context().close();
});

test("microdata tells a product too", async () => {
  const page = await open("/cup");
  assert.deepEqual(acts(), [["Product Viewed", { product_id: "CUP", name: "Cup", price: 12.5, currency: "EUR" }]]);
  await page.context().close();
});

test("a page of several products, and a page that did not ask for it, are no views", async () => {
  for (const path of ["/list", "/off"]) {
    const page = await open(path);
    assert.deepEqual(acts(), [], path);
    await page.context().close();
  }
});

test("a view that the shop pushed is told once, with the page's name and price", async () => {
  const page = await open("/layer");
  assert.deepEqual(acts(), [["Product Viewed", { currency: "EUR", product_id: "MUG", name: "Mug", price: 20 }]]);
  await page.evaluate(() => (window as Json).dataLayer.push({ event: "add_to_cart", ecommerce: { items: [{ item_id: "MUG", quantity: 2 }, { item_id: "OTHER" }] } }));
  await site.quiet();
  const added = acts().slice(1).map(([name, { product_id, price, currency, quantity }]) => [name, product_id, price, currency, quantity]);
  assert.deepEqual(added, [["Product Added", "MUG", 20, "EUR", 2], ["Product Added", "OTHER", undefined, undefined, 1]]);
  await page.context().close();
});
