/**
 * Promise: the example's web pixel says Shopify's events in Segment's words with exact amounts, sends nothing that the visitor does not
 * allow, and reads nothing that people type.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, test } from "node:test";
import { gzipSync } from "node:zlib";

// Plain JavaScript, as it runs in Shopify's worker.
const home = new URL("../../examples/shopify-pixel/pixel.js", import.meta.url);
const { start } = (await import(home.href)) as { start(api: object, settings: object): void };

type Json = Record<string, any>;

const MONEY = (amount: number) => ({ amount, currencyCode: "EUR" });
const VARIANT = { id: "41", sku: "MUG-BLU", title: "Blue", price: MONEY(20), product: { id: "9", title: "Mug", vendor: "Acme", type: "Kitchen" } };
const PRODUCT = { product_id: "41", sku: "MUG-BLU", name: "Mug", brand: "Acme", category: "Kitchen", variant: "Blue", price: 20, currency: "EUR" };
const CHECKOUT = {
  token: "tok",
  currencyCode: "EUR",
  subtotalPrice: MONEY(40),
  totalTax: MONEY(6.94),
  totalPrice: MONEY(44.9),
  shippingLine: { price: MONEY(4.9) },
  email: "ana@shop.example",
  buyerAcceptsEmailMarketing: true,
  buyerAcceptsSmsMarketing: false,
  smsMarketingPhone: null,
  order: { id: "5551", customer: { id: "77" } },
  lineItems: [{ quantity: 2, title: "Mug", finalLinePrice: MONEY(40), variant: VARIANT }],
};
const ALL = { analyticsProcessingAllowed: true, marketingAllowed: false, preferencesProcessingAllowed: true, saleOfDataAllowed: false };

const realFetch = globalThis.fetch;
afterEach(() => void (globalThis.fetch = realFetch));

/** Runs the pixel in a worker of Shopify's kind, and collects what it sends. */
function run(settings: Json = {}, customerPrivacy: Json = ALL, stored: string | null = null) {
  const sent: { path: string; body: Json; headers?: Json }[] = [];
  const subscribed: Record<string, (event: Json) => Promise<void>> = {};
  let choose = (_: Json) => {};
  globalThis.fetch = (async (url: string, { body, headers }: Json) => void sent.push({ path: new URL(url).pathname, body: JSON.parse(body), headers })) as never;
  start(
    {
      analytics: { subscribe: (name: string, heard: never) => (subscribed[name] = heard) },
      browser: { localStorage: { getItem: async () => stored } },
      init: { customerPrivacy },
      customerPrivacy: { subscribe: (_: string, heard: never) => (choose = heard) },
    },
    { endpoint: "https://t.shop.example/_h", key: "wk_shop", ...settings },
  );
  const happen = (name: string, data: Json, id = "sh-1") =>
    subscribed[name]!({
      id,
      name,
      clientId: "c-1",
      timestamp: "2026-11-20T10:00:00.000Z",
      data,
      context: { document: { location: { href: "https://shop.example/checkouts/cn/x", pathname: "/checkouts/cn/x", search: "" }, referrer: "", title: "Checkout" } },
    });
  return { sent, subscribed, happen, choose: (privacy: Json) => choose({ customerPrivacy: privacy }) };
}

const first = (pixel: ReturnType<typeof run>) => JSON.parse(JSON.stringify(pixel.sent[0]!.body["batch"][0])) as Json;

test("a completed checkout is an order with exact amounts, under Shopify's own ids", async () => {
  const pixel = run();
  await pixel.happen("checkout_completed", { checkout: CHECKOUT });
  assert.equal(pixel.sent.length, 1, "no opt-in without the text that was shown");
  const { path, body } = pixel.sent[0]!;
  assert.equal(path, "/_h/v1/batch");
  assert.deepEqual(body["context"].consent.categoryPreferences, { functional: true, analytics: true, personalization: true, advertising: false, sale_share: false });
  const event = first(pixel);
  assert.deepEqual([event["type"], event["event"], event["messageId"], event["anonymousId"]], ["track", "Order Completed", "shopify:sh-1", "c-1"]);
  const { products, ...order } = event["properties"];
  assert.deepEqual(order, { checkout_id: "tok", currency: "EUR", subtotal: 40, tax: 6.94, shipping: 4.9, total: 44.9, order_id: "5551", revenue: 33.06 });
  assert.deepEqual(products, [{ ...PRODUCT, quantity: 2 }]);
  assert.ok(!JSON.stringify(body).includes("ana@"), "the address belongs to no event");
});

for (const [name, data, event, properties] of [
  ["page_viewed", {}, undefined, {}],
  ["collection_viewed", { collection: { id: "7", title: "Mugs", productVariants: [VARIANT] } }, "Product List Viewed", { list_id: "7", category: "Mugs", products: [PRODUCT] }],
  ["search_submitted", { searchResult: { query: "blue mug" } }, "Products Searched", { query: "blue mug" }],
  ["search_submitted", { searchResult: { query: "ana@shop.example" } }, "Products Searched", { query: "[redacted]" }],
  ["product_viewed", { productVariant: VARIANT }, "Product Viewed", PRODUCT],
  ["cart_viewed", { cart: { id: "ca", lines: [{ merchandise: VARIANT, quantity: 3 }] } }, "Cart Viewed", { cart_id: "ca", products: [{ ...PRODUCT, quantity: 3 }] }],
  ["product_added_to_cart", { cartLine: { merchandise: VARIANT, quantity: 1 } }, "Product Added", { ...PRODUCT, quantity: 1 }],
  ["product_removed_from_cart", { cartLine: { merchandise: VARIANT, quantity: 2 } }, "Product Removed", { ...PRODUCT, quantity: 2 }],
] as [string, Json, string | undefined, Json][]) {
  test(`${name} becomes ${event ?? "a page view"}`, async () => {
    const pixel = run();
    await pixel.happen(name, data);
    const told = first(pixel);
    assert.deepEqual([told["type"], told["event"], told["properties"]], [event ? "track" : "page", event, properties]);
    assert.equal(told["context"].page.path, "/checkouts/cn/x");
  });
}

test("the checkout's steps are told in order", async () => {
  const pixel = run();
  const names = ["checkout_started", "checkout_contact_info_submitted", "checkout_address_info_submitted", "checkout_shipping_info_submitted", "payment_info_submitted"];
  for (const name of names) await pixel.happen(name, { checkout: CHECKOUT });
  const told = pixel.sent.map(({ body }) => [body["batch"][0].event, body["batch"][0].properties.step, body["batch"][0].properties.total]);
  assert.deepEqual(told, [
    ["Checkout Started", undefined, 44.9],
    ["Checkout Step Completed", 1, 44.9],
    ["Checkout Step Completed", 2, 44.9],
    ["Checkout Step Completed", 3, 44.9],
    ["Payment Info Entered", undefined, 44.9],
  ]);
});

test("a cart line that Shopify does not tell makes no event", async () => {
  const pixel = run();
  await pixel.happen("product_added_to_cart", { cartLine: null });
  assert.deepEqual(pixel.sent, []);
});

test("nothing is sent before a grant and after a withdrawal", async () => {
  const pixel = run({}, {});
  await pixel.happen("page_viewed", {});
  assert.deepEqual(pixel.sent, []);
  pixel.choose(ALL);
  await pixel.happen("page_viewed", {});
  assert.equal(pixel.sent.length, 1);
  pixel.choose({ ...ALL, analyticsProcessingAllowed: false });
  await pixel.happen("page_viewed", {});
  assert.equal(pixel.sent.length, 1);
});

test("a ticked box of the checkout is an opt-in under the text that was shown", async () => {
  const pixel = run({ optInText: "News and offers by e-mail" });
  await pixel.happen("checkout_completed", { checkout: CHECKOUT });
  const [, optIn] = pixel.sent;
  assert.deepEqual([optIn!.path, optIn!.headers!["x-hilo"]], ["/_h/v1/optin", "1"]);
  const { channel, state, text, address, anonymousId } = optIn!.body;
  assert.deepEqual([channel, state, text, address, anonymousId], ["email", "subscribed", "News and offers by e-mail", "ana@shop.example", "c-1"]);
  assert.equal(pixel.sent.length, 2, "the other box is not ticked");
});

test("beside the theme's tracker the pixel tells the checkout only, under the tracker's id", async () => {
  const pixel = run({ scope: "checkout" }, ALL, "hilo-id");
  assert.ok(Object.keys(pixel.subscribed).every((name) => /^(checkout|payment)_/.test(name)));
  await pixel.happen("checkout_started", { checkout: CHECKOUT });
  assert.equal(first(pixel)["anonymousId"], "hilo-id");
});

test("the pixel hears nothing that people type, and is small", () => {
  const { subscribed } = run();
  for (const name of Object.keys(subscribed)) assert.doesNotMatch(name, /^(clicked|form_|input_|advanced_)/);
  assert.ok(gzipSync(readFileSync(home)).length < 3_072);
});
