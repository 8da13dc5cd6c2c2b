/**
 * Promise: a page's products are found in every nesting and under every type of schema.org. A price that several offers share no part in
 * is told with its currency; of several offers, and of a range, no price is told.
 */
import assert from "node:assert/strict";
import { test } from "node:test";

import { productsIn } from "../../js/sdk/src/shop/schema.ts";

const offer = (price: unknown) => ({ "@type": "Offer", price, priceCurrency: "EUR" });
const product = (sku: string, offers: unknown) => ({ "@type": "Product", sku, name: "Mug", offers });
const price = (offers: unknown) => {
  const [one] = productsIn(product("M", offers)).products;
  return [one!.price, one!.currency];
};

test("a product is found in every nesting and under every type", () => {
  const data = [
    { "@context": "https://schema.org", "@graph": [{ "@type": "WebPage" }, product("M", offer("20.00"))] },
    { "@type": ["Thing", "https://schema.org/Product"], sku: "N" },
    { "@type": "ProductGroup", productGroupID: "G", hasVariant: [product("V", offer(5))] },
    "text",
    null,
    { "@type": "Offer", sku: "no product" },
  ];
  const { products, heads } = productsIn(data);
  assert.deepEqual([products.map(({ id }) => id), heads], [["M", "N", "G", "V"], 3]);
});

test("a product is known by each of its ids", () => {
  const { products, heads } = productsIn({ "@type": "Product", sku: "S", gtin13: "123", "@id": "#p", name: "Mug", brand: { name: "Acme" } });
  assert.deepEqual([products.map(({ id, brand }) => [id, brand]), heads], [[["S", "Acme"], ["123", "Acme"], ["#p", "Acme"]], 1]);
});

test("a single offer has a price, in whatever form", () => {
  for (const offers of [offer("8"), [offer("8")], { "@type": "AggregateOffer", offers: [offer("8")] }, { priceSpecification: [{ price: "8", priceCurrency: "EUR" }] }]) {
    assert.deepEqual(price(offers), ["8", "EUR"], JSON.stringify(offers));
  }
});

test("several offers, a range and none have no price", () => {
  for (const offers of [[offer("5"), offer("6")], { lowPrice: "5", highPrice: "9", priceCurrency: "EUR" }, { offers: [offer(1), offer(2)] }, [], undefined, "x"]) {
    assert.deepEqual(price(offers), [undefined, undefined], JSON.stringify(offers));
  }
});

test("data that hold themselves end", () => {
  const data: Record<string, unknown> = { "@type": "Product", sku: "M" };
  data["hasVariant"] = [data];
  assert.equal(productsIn(data).heads, 1);
  assert.ok(productsIn(data).products.length <= 5);
});
