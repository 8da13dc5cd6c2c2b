/**
 * Promise: the cart takes the acts that the site pushes and marks, and tells each touchpoint once and none without consent. An opt-in
 * stands in the ledger.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { cart, close, collector, end, MUG, open, passed, settled, shows, storedKeys, until, type Json } from "./site.ts";

after(end);

test("GA4's events in the dataLayer change the cart, pushed before and after the tracker came, in both forms", async () => {
  const page = await open(undefined, "?cart=dataLayer");
  await page.evaluate(() => {
    const layer = ((window as Json).dataLayer ??= []);
    const gtag = function (..._: unknown[]) { layer.push(arguments); };
    const items = [{ item_id: "mug", item_name: "Mug", price: 19.99, quantity: 2 }];
    layer.push({ event: "add_to_cart", ecommerce: { currency: "EUR", items } });
    gtag("event", "add_to_cart", { currency: "EUR", items: [{ item_id: "hat", price: 7 }] });
    gtag("event", "remove_from_cart", { currency: "EUR", items: [{ item_id: "mug", quantity: 1 }] });
    layer.push({ event: "scroll" });
  });
  await shows(page, { mug: 1, hat: 1 });
  await close(page);
});

test("clicks on elements with hilo's attributes change the cart", async () => {
  const page = await open(undefined, "?cart=attributes");
  await page.click("#add");
  await shows(page, { mug: 1 });
  await page.click("#add3");
  await shows(page, { mug: 4 });
  // The module gives a line its price. Until the module has loaded, the line shows the page's fields.
  await until(async () => assert.equal((await cart(page, "lines"))[0].price, "19.99"));
  await page.click("#remove");
  await shows(page, {});
  await close(page);
});

test("each touchpoint is reported once, under the id of its operation, and none without consent", async () => {
  const silent = await open();
  await cart(silent, "add", MUG);
  await settled(silent);
  await passed(silent, 1_500);
  assert.ok(!silent.calls.includes("POST /_h/v1/batch"));
  await close(silent);

  const page = await open(undefined, "?cart=segment");
  await page.evaluate(() => (window as Json).hilo.consent.grant("analytics"));
  await cart(page, "add", MUG, 2);
  await cart(page, "add", MUG);
  await settled(page);
  await cart(page, "dec", MUG);
  await settled(page);
  await page.evaluate(() => (window as Json).hilo.track("Product Added", { product_id: "hat", currency: "EUR", quantity: 2, price: 7 }));
  await shows(page, { mug: 2, hat: 2 });
  await settled(page);
  const checkout = await cart(page, "checkout");
  assert.match(checkout.checkout_id, /^co_[0-9a-f]{32}_[0-9a-f]{32}$/);
  await cart(page, "add", MUG); // after the checkout, so not a part of the order
  await cart(page, "ordered", "o-1", undefined, { shipping: 3.9, coupon: "MAY" });
  await shows(page, { mug: 1 });
  await page.evaluate(() => (window as Json).hilo.flush());
  const id = await page.evaluate(() => (window as Json).hilo.anonymousId());
  const told = await until(async () => {
    const { events } = await collector.admin(`/admin/v1/profiles/a:${id}/events`);
    const all = events.filter((event: Json) => event.event);
    assert.ok(all.length >= 6, all.map((event: Json) => event.event).join());
    return all;
  });
  const names = told.map((event: Json) => event.event).sort();
  assert.deepEqual(names, ["Checkout Started", "Order Completed", "Product Added", "Product Added", "Product Added", "Product Removed"]);
  const { products, cart_id, ...order } = told.find((event: Json) => event.event === "Order Completed").properties;
  const sum = { currency: "EUR", value: 53.98 };
  assert.deepEqual(order, { ...sum, order_id: "o-1", checkout_id: checkout.checkout_id, total: 53.98, shipping: 3.9, coupon: "MAY" });
  assert.deepEqual(products.map((one: Json) => [one.product_id, one.quantity, one.price]), [["hat", 2, 7], ["mug", 2, 19.99]]);
  const begun = told.find((event: Json) => event.event === "Checkout Started").properties;
  assert.deepEqual([begun.currency, begun.value, begun.cart_id], [sum.currency, sum.value, cart_id]);
  const added = told.find((event: Json) => event.event === "Product Added" && event.properties.quantity === 3);
  assert.match(added.messageId, /^cart-[0-9a-f]{16}-1$/);
  assert.equal(added.properties.product_id, "mug");
  assert.equal(added.properties.price, 19.99);
  await close(page);
});

test("an opt-in stands in the ledger with the text that was shown", async () => {
  const page = await open();
  const said = { text: "Write to me about my cart", version: "3", address: "a@shop.example" };
  const entry = await page.evaluate((said: Json) => (window as Json).hilo.optIn("email", said), said);
  assert.equal(entry.state, "pending", "the address is not proven yet");
  assert.equal((await page.evaluate(() => (window as Json).hilo.optOut("email"))).state, "unsubscribed");
  assert.deepEqual(await storedKeys(page), [], "an opt-in stores nothing on the device");
  await close(page);
});
