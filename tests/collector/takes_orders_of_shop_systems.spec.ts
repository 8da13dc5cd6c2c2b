/**
 * Promise: an order that Shopify or WooCommerce reports under its own signature empties the cart it came from, once, and
 * stands in the person's history. A report without that signature changes nothing.
 */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, test } from "node:test";

import { Device, type Line } from "./carts.ts";
import type { Answer, Json } from "./envelopes.ts";
import { configWith, eventually, messageHash, rejectLog, startCollector } from "./mf.ts";
import { claimsOf, signToken } from "./tokens.ts";

const SECRETS = { SHOPIFY_SECRET: "shpss_of_the_example_shop", WOOCOMMERCE_SECRET: "a secret of the WordPress shop" };
const basis = 'consent_basis = { basis = "contract", purposes = ["analytics"] }';
const config = `${configWith("http://127.0.0.1:9/")}
[[source]]
name = "orders"
kind = "webhook"
verify = "shopify"
secrets = [{ secret = "SHOPIFY_SECRET" }]
${basis}

[[source]]
name = "wordpress"
kind = "webhook"
verify = "woocommerce"
secrets = [{ secret = "WOOCOMMERCE_SECRET" }]
${basis}
`;
const collector = await startCollector({ config, vars: SECRETS });
after(() => collector.dispose());

const MUG = ["808950810", "0", "EUR"];
const CUP = ["808950811", "0", "EUR"];

async function read(response: Response): Promise<Answer> {
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === "" ? {} : JSON.parse(text) };
}

/** A call of the shop's own backend about a customer's cart. */
async function backend(user: string, call: string, body?: Json): Promise<Json> {
  const headers = { authorization: "Bearer sk_dev_backend", "x-hilo": "1", "content-type": "application/json" };
  const init = body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) };
  const answer = await read(await collector.fetch(`/_h/v1/carts/${user}${call}`, init));
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

let commands = 0;
const fill = (user: string, line: string[], quantity: number) =>
  backend(user, "/commands", { commands: [{ id: `till-${++commands}`, op: "add", line, quantity, info: { name: "Mug", unit_price: "1999" } }] });
const cart = async (user: string) => (await backend(user, "")).lines.map((shown: Json) => [...shown["line"], shown["quantity"]]);
/** Waits until the collector has worked on what it has answered. */
const worked = (source: string) =>
  eventually(async () => {
    const { sources } = await collector.admin(`/admin/v1/inbox?source=${source}`);
    return sources[0].waiting === 0 ? true : undefined;
  });

async function call(path: string, body: string, headers: Json): Promise<Answer> {
  for (const [name, value] of Object.entries(headers)) if (value === undefined) delete headers[name];
  return read(await collector.fetch(path, { method: "POST", headers, body }));
}

function sign(secret: string, body: string): string {
  return createHmac("sha256", secret).update(body).digest("base64");
}

async function shopify(order: Json, over: Json = {}): Promise<Answer> {
  // Shopify's ids are numbers that JavaScript cannot write exactly.
  const body = JSON.stringify(order).replace(/"id":"(\d+)"/, '"id":$1');
  const headers: Json = { "x-shopify-topic": "orders/create", "x-shopify-hmac-sha256": sign(SECRETS.SHOPIFY_SECRET, body), ...over };
  const answer = await call("/_h/v1/in/orders", body, headers);
  if (answer.status === 200) await worked("orders");
  return answer;
}

async function woocommerce(order: Json, over: Json = {}): Promise<Answer> {
  const body = JSON.stringify(order);
  const headers: Json = { "x-wc-webhook-topic": "order.updated", "x-wc-webhook-signature": sign(SECRETS.WOOCOMMERCE_SECRET, body), ...over };
  const answer = await call("/v1/in/wordpress", body, headers);
  if (answer.status === 200) await worked("wordpress");
  return answer;
}

const shopifyOrder = (id: number | string, customer: number | null, items: [number, number][], checkout?: string): Json => ({
  id,
  currency: "EUR",
  total_price: "19.99",
  customer: customer === null ? null : { id: customer },
  note_attributes: checkout === undefined ? [] : [{ name: "hilo_checkout", value: checkout }],
  line_items: items.map(([variant_id, quantity]) => ({ variant_id, quantity, price: "19.99" })),
});

test("a customer's order takes the bought articles out of the cart, once", async () => {
  await fill("501", MUG, 2);
  await fill("501", CUP, 1);
  const order = shopifyOrder("820982911946154508", 501, [[808950810, 1]]);
  assert.deepEqual((await shopify(order)).body, { duplicate: false });
  assert.deepEqual(await cart("501"), [[...MUG, 1], [...CUP, 1]]);
  // Shopify repeats a webhook without an answer, and sends one more for the payment, which is another call about the same order.
  assert.deepEqual((await shopify(order)).body, { duplicate: true });
  assert.deepEqual((await shopify(order, { "x-shopify-topic": "orders/paid" })).body, { duplicate: false });
  assert.deepEqual(await cart("501"), [[...MUG, 1], [...CUP, 1]]);
});

test("a shop system's order stands in the customer's history with the amount paid", async () => {
  const event = await eventually(async () => {
    const { events } = await collector.admin("/admin/v1/profiles/u:501/events");
    return events.find((event: Json) => event["event"] === "Order Completed");
  });
  assert.equal(event.messageId, "order-820982911946154508");
  assert.equal(event.properties.order_id, "820982911946154508");
  assert.deepEqual([event.properties.total, event.properties.currency], [19.99, "EUR"]);
  assert.deepEqual(event.properties.products.map((product: Json) => [product["product_id"], product["quantity"]]), [["808950810", 1]]);
});

test("an order takes the lines of the checkout that its note names, if that is the customer's own", async () => {
  await fill("502", MUG, 2);
  const { checkout_id } = await backend("502", "/checkout", {});
  await fill("502", CUP, 1);
  assert.deepEqual((await shopify(shopifyOrder(2, 502, [[808950810, 2]], checkout_id))).body, { duplicate: false });
  assert.deepEqual(await cart("502"), [[...CUP, 1]]);
});

test("a checkout whose article ids differ in the shop system counts as it stood", async () => {
  await fill("503", ["MUG-1", "0", "EUR"], 2);
  await fill("503", ["CUP-1", "7", "EUR"], 1);
  const { checkout_id } = await backend("503", "/checkout", {});
  await fill("503", CUP, 1);
  await shopify(shopifyOrder(3, 503, [[808950810, 2], [99, 1]], checkout_id));
  assert.deepEqual(await cart("503"), [[...CUP, 1]]);
});

test("a note never leads to another's cart, whoever wrote it", async () => {
  await fill("victim", MUG, 2);
  const { checkout_id } = await backend("victim", "/checkout", {});
  await fill("506", CUP, 1);
  assert.deepEqual((await shopify(shopifyOrder(60, null, [[808950810, 2]], checkout_id))).body, { duplicate: false });
  assert.deepEqual((await shopify(shopifyOrder(61, 506, [[808950811, 1]], checkout_id))).body, { duplicate: false });
  assert.deepEqual([await cart("victim"), await cart("506")], [[[...MUG, 2]], []]);
  const { events } = await collector.admin("/admin/v1/profiles/u:victim/events");
  assert.ok(!events.some((event: Json) => event["event"] === "Order Completed"));
});

test("a variant of the shop system stands for the line with its options", async () => {
  await fill("504", ["808950810", "7", "EUR"], 2);
  await shopify(shopifyOrder(4, 504, [[808950810, 1]]));
  assert.deepEqual(await cart("504"), [["808950810", "7", "EUR", 1]]);
});

const woocommerceOrder = (id: number, customer: number, product: number, quantity: number, status = "completed"): Json => ({
  id,
  status,
  currency: "EUR",
  total: "29.35",
  customer_id: customer,
  line_items: [{ product_id: product, variation_id: 0, quantity, price: 3 }],
});
const orderOf = (user: string) =>
  eventually(async () => {
    const { events } = await collector.admin(`/admin/v1/profiles/u:${user}/events`);
    const orders = events.filter((event: Json) => event["event"] === "Order Completed");
    return orders.length > 0 ? (orders as Json[]) : undefined;
  });

test("an order of WooCommerce counts when it is placed, once, whatever its status becomes", async () => {
  await fill("25", ["93", "0", "EUR"], 2);
  const order = woocommerceOrder(727, 25, 93, 2);
  for (const status of ["checkout-draft", "pending", "failed", "cancelled"]) {
    const answer = await woocommerce({ ...order, status }, { "x-wc-webhook-topic": "order.created" });
    assert.deepEqual(answer.body, { duplicate: false }, status);
  }
  assert.deepEqual(await cart("25"), [["93", "0", "EUR", 2]]);
  assert.deepEqual((await woocommerce({ ...order, status: "on-hold" })).body, { duplicate: false });
  assert.deepEqual(await cart("25"), []);
  await fill("25", ["93", "0", "EUR"], 2);
  for (const status of ["processing", "completed", "cancelled"]) {
    assert.deepEqual((await woocommerce({ ...order, status })).body, { duplicate: false }, status);
    assert.deepEqual(await cart("25"), [["93", "0", "EUR", 2]], status);
  }
  await backend("25", "/commands", { commands: [{ id: "till-clear", op: "clear" }] });
  assert.deepEqual(await cart("25"), []);
  const orders = await orderOf("25");
  assert.deepEqual(orders.map((event) => [event["properties"].order_id, event["properties"].paid]), [["727", false]]);
});

test("an order by weight takes the units that it began, and stands in the history with its exact quantity", async () => {
  await fill("26", ["94", "0", "EUR"], 2);
  await fill("26", ["95", "0", "EUR"], 3);
  const items = [{ product_id: 94, quantity: 1.5 }, { product_id: 95, quantity: 0.1 }, { product_id: 95, quantity: 0.2 }];
  assert.deepEqual((await woocommerce({ ...woocommerceOrder(728, 26, 94, 1), line_items: items })).body, { duplicate: false });
  assert.deepEqual(await cart("26"), [["95", "0", "EUR", 2]]);
  const [order] = await orderOf("26");
  const products = order!["properties"].products.map((product: Json) => [product["product_id"], product["quantity"]]);
  assert.deepEqual(products, [["94", 1.5], ["95", 0.3]]);
  assert.deepEqual([order!["properties"].total, order!["properties"].paid], [29.35, undefined]);
  // The prices of whole units would not give the value of 1.5 kg.
  assert.equal(order!["properties"].value, undefined);
});

const weighed = (id: number, customer: number, quantity: number) =>
  woocommerce({ ...woocommerceOrder(id, customer, 94, 1), line_items: [{ product_id: 94, quantity }] });
const RICE = ["94", "0", "EUR"];

test("a line that a backend sets to 1.5 kg holds two begun units, and an order of 1.5 kg empties it", async () => {
  await backend("27", "/commands", { commands: [{ id: "scales-1", op: "set", line: RICE, quantity: 1.5 }] });
  assert.deepEqual(await cart("27"), [[...RICE, 2]]);
  assert.deepEqual((await weighed(729, 27, 1.5)).body, { duplicate: false });
  assert.deepEqual(await cart("27"), []);
  const [order] = await orderOf("27");
  assert.deepEqual(order!["properties"].products.map((product: Json) => product["quantity"]), [1.5]);
});

test("an order of 1.5 kg that a backend reports takes two units, and its event has 1.5", async () => {
  await fill("28", RICE, 5);
  await backend("28", "/ordered", { order_id: "till-28", lines: [{ line: RICE, quantity: 1.5 }] });
  assert.deepEqual(await cart("28"), [[...RICE, 3]]);
  const [order] = await orderOf("28");
  assert.deepEqual(order!["properties"].products.map((product: Json) => product["quantity"]), [1.5]);
});

test("two orders of half a unit take one unit and owe none", async () => {
  await fill("29", RICE, 1);
  for (const id of [731, 732]) {
    assert.deepEqual((await weighed(id, 29, 0.5)).body, { duplicate: false });
    assert.deepEqual(await cart("29"), [], String(id));
  }
  await fill("29", RICE, 1);
  assert.deepEqual(await cart("29"), [[...RICE, 1]]);
});

test("an order that a page told first is reported by the webhook, although the visitor denied analytics", async () => {
  const phone = new Device(collector, signToken(claimsOf("507")));
  await phone.add(MUG as Line, 2);
  const order = { order_id: "507-1", lines: [{ line: MUG, quantity: 2 }] };
  assert.equal((await phone.call("/v1/cart/ordered", order)).body["duplicate"], false);
  assert.deepEqual(await cart("507"), []);
  for (const duplicate of [false, true]) {
    assert.deepEqual((await shopify(shopifyOrder("507-1", 507, [[808950810, 2]]))).body, { duplicate });
  }
  const orders = await orderOf("507");
  assert.deepEqual(orders.map((event) => [event["messageId"], event["properties"].total]), [["order-507-1", 19.99]]);
});

test("an order of fifty products with long names and pictures is delivered with all its lines", async () => {
  const variants = Array.from({ length: 50 }, (_, n) => `${9_000 + n}`);
  const info = { name: "n".repeat(500), url: `https://shop.example/${"u".repeat(1_900)}`, image: "i".repeat(2_000), unit_price: "1999" };
  const commands = variants.map((variant, n) => ({ id: `large-${n}`, op: "add", line: [variant, "0", "EUR"], quantity: 1, info }));
  for (let n = 0; n < 50; n += 5) await backend("508", "/commands", { commands: commands.slice(n, n + 5) });
  const items = variants.map((variant): [number, number] => [Number(variant), 1]);
  assert.deepEqual((await shopify(shopifyOrder(508, 508, items))).body, { duplicate: false });
  const [order] = await orderOf("508");
  const products = order!["properties"].products as Json[];
  assert.deepEqual(products.map((product) => product["product_id"]).sort(), variants);
  assert.ok(products.every((product) => product["quantity"] === 1 && product["price"] === 19.99 && product["name"].length === 500));
  const { rejects } = await collector.admin("/admin/v1/rejects");
  const told = rejects.find((reject: Json) => reject["messageHash"] === messageHash("order-508"));
  assert.deepEqual([told.outcome, told.code, told.field], ["notice", "truncated", "properties.products"]);
});

test("a webhook with a wrong signature is refused, stands in the reject log, and changes nothing", async () => {
  await fill("505", MUG, 1);
  const order = shopifyOrder(5, 505, [[808950810, 1]]);
  const right = sign(SECRETS.SHOPIFY_SECRET, JSON.stringify(order));
  const hex = Buffer.from(right, "base64").toString("hex");
  for (const tag of ["", "!!!", hex, right.slice(4), sign("", JSON.stringify(order)), sign(SECRETS.WOOCOMMERCE_SECRET, JSON.stringify(order))]) {
    const answer = await shopify(order, { "x-shopify-hmac-sha256": tag });
    assert.deepEqual([answer.status, answer.body["error"]?.code], [401, "bad_signature"], tag);
  }
  const moved = await shopify(shopifyOrder(6, 505, [[808950810, 1]]), { "x-shopify-hmac-sha256": right });
  assert.equal(moved.status, 401);
  const other = await woocommerce(order, { "x-wc-webhook-signature": undefined, "x-shopify-hmac-sha256": right, "x-shopify-topic": "orders/create" });
  assert.equal(other.status, 401);
  assert.deepEqual(await cart("505"), [[...MUG, 1]]);
  await rejectLog(collector, (rejects) => rejects.some((reject: Json) => reject["code"] === "bad_signature"));
});

test("a signed webhook without a usable order is answered with 200, because a shop system switches off webhooks that fail", async () => {
  assert.deepEqual((await shopify({ id: 1 }, { "x-shopify-topic": "products/update" })).body, { duplicate: false });
  assert.deepEqual((await shopify({ id: 1 }, { "x-shopify-topic": "orders/create" })).body, { duplicate: false });
  const forged = shopifyOrder(8, null, [[808950810, 1]], `co_${"0".repeat(32)}_${"0".repeat(32)}`);
  assert.deepEqual((await shopify(forged)).body, { duplicate: false });
  const ping = await collector.fetch("/_h/v1/in/wordpress", { method: "POST", body: "webhook_id=7" });
  assert.deepEqual(await ping.json(), { ignored: "ping" });
  for (const code of ["not_mapped", "malformed_body"]) {
    await rejectLog(collector, (rejects) => rejects.some((reject: Json) => reject["code"] === code && reject["source"] === "orders"));
  }
});

test("only a source of the kind webhook is served, and only by POST", async () => {
  for (const name of ["backend", "shop", "nobody", "", "orders/x", "..%2Forders"]) {
    const response = await collector.fetch(`/_h/v1/in/${name}`, { method: "POST", body: "{}" });
    assert.equal(response.status, 404, name);
    await response.text();
  }
  assert.equal((await collector.fetch("/_h/v1/in/orders")).status, 405);
});

test("a source whose secret is not set refuses every webhook, and the health call reports it", async () => {
  const other = await startCollector({ config, vars: { ...SECRETS, SHOPIFY_SECRET: "" } });
  try {
    const body = JSON.stringify(shopifyOrder(9, 1, []));
    const headers = { "x-shopify-topic": "orders/create", "x-shopify-hmac-sha256": sign("", body) };
    const answer = await read(await other.fetch("/v1/in/orders", { method: "POST", headers, body }));
    assert.deepEqual([answer.status, answer.body["error"].code], [503, "secret_missing"]);
    const health = await read(await other.fetch("/health"));
    assert.deepEqual([health.status, health.body["faults"][0].code], [503, "webhook_secret_unusable"]);
  } finally {
    await other.dispose();
  }
});
