/**
 * Promise: a cart left idle is reported as abandoned exactly once, even when workerd is killed in between, and an order
 * afterwards once as a recovery. Without consent nothing is reported, also where the visitor withdrew it meanwhile.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { Device, MUG } from "./carts.ts";
import { GRANTED, type Json, hello, postAs, timeline } from "./envelopes.ts";
import { anonymousId, configWith, eventually, startCollector, startSink } from "./mf.ts";
import { claimsOf, signToken } from "./tokens.ts";

const SECONDS = 3;
const sink = await startSink();
const config = configWith(sink.url).replace("abandoned_minutes = 60", `abandoned_seconds = ${SECONDS}`);
const collector = await startCollector({ config });
after(async () => {
  await collector.dispose();
  await sink.close();
});

const named = (events: Json[], name: string) => events.filter((event) => event["event"] === name);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const alive = () => eventually(async () => ((await collector.fetch("/readyz").catch(() => undefined))?.ok ? true : undefined));

test("an abandoned cart is reported once across kills, and its recovery once", async () => {
  const id = anonymousId();
  const guest = new Device(collector);
  const person = { anonymousId: id, consent: GRANTED };
  const began = Date.now();
  await guest.add(MUG, 2, { person, info: [[MUG, { name: "Mug", unit_price: "1999" }]] });
  collector.kill();
  await alive();
  const [event] = await eventually(async () => {
    const found = named(await timeline(collector, id), "Cart Abandoned");
    return found.length > 0 ? found : undefined;
  });
  assert.ok(Date.parse(event!["timestamp"]) - began >= SECONDS * 1000 - 50, "not before it was idle");
  assert.match(event!["messageId"], new RegExp(`^cart-abandoned-${guest.cart}-0-\\d+$`));
  const { products, value, currency, cart_id } = event!["properties"];
  assert.deepEqual(products, [{ product_id: "mug", name: "Mug", price: 19.99, quantity: 2, currency: "EUR" }]);
  assert.deepEqual([value, currency, cart_id], [39.98, "EUR", guest.cart]);
  collector.kill();
  await alive();
  await guest.look();
  // This wait is longer than one more idle period.
  await pause(SECONDS * 1000 + 2_000);
  assert.equal(named(await timeline(collector, id), "Cart Abandoned").length, 1);
  for (let n = 0; n < 2; n++) await guest.call("/v1/cart/ordered", { order_id: "o1", lines: [{ line: MUG, quantity: 2 }] });
  const [recovered] = await eventually(async () => {
    const found = named(await timeline(collector, id), "Cart Recovered");
    return found.length > 0 ? found : undefined;
  });
  assert.equal(recovered!["messageId"], event!["messageId"].replace("abandoned", "recovered"));
  assert.ok(recovered!["properties"].seconds_between >= SECONDS);
  collector.kill();
  await alive();
  await guest.look();
  assert.equal(named(await timeline(collector, id), "Cart Recovered").length, 1);
  // A kill may have taken either delivery with it, so they come in any order.
  const has = (name: string) => sink.received.some(({ body }) => body.includes(name));
  await sink.until(() => has("Cart Recovered") && has("Cart Abandoned"));
  const ids = new Set(sink.received.filter((r) => r.body.includes("Cart Abandoned")).map((r) => r.headers["webhook-id"]));
  assert.equal(ids.size, 1);
});

test("a cart that was edited, is in checkout or has no consent is not reported as abandoned", async () => {
  const ids = [anonymousId(), anonymousId(), anonymousId()] as [string, string, string];
  const edited = new Device(collector);
  const paying = new Device(collector);
  const silent = new Device(collector);
  const denied = { categoryPreferences: { analytics: false }, revision: 1 };
  await paying.add(MUG, 1, { person: { anonymousId: ids[1], consent: GRANTED } });
  await paying.call("/v1/cart/checkout", {});
  await silent.add(MUG, 1, { person: { anonymousId: ids[2], consent: denied } });
  const began = Date.now();
  while (Date.now() - began < SECONDS * 1000 + 1_500) {
    await edited.add(MUG, 1, { person: { anonymousId: ids[0], consent: GRANTED } });
    await pause(400);
  }
  for (const id of ids) assert.deepEqual(await timeline(collector, id), []);
});

test("a withdrawal reaches the user's cart, which then reports nothing about the device", async () => {
  const [id, user] = [anonymousId(), "withdraws-with-a-cart"];
  const headers = { "x-hilo-user-token": signToken(claimsOf(user)) };
  const choose = (state: string, base: number) => {
    const at = new Date().toISOString();
    const changes = ["functional", "analytics"].map((purpose) => ({ purpose, state, at, method: "api" }));
    return postAs(collector, id, "/_h/v1/consent", { sentAt: at, anonymousId: id, consent: { base, changes } }, headers);
  };
  await hello(collector, id);
  assert.equal((await choose("granted", 0)).status, 200);
  const phone = new Device(collector, headers["x-hilo-user-token"]);
  await phone.whole();
  await phone.add(MUG, 1, { person: { anonymousId: id, consent: GRANTED } });
  assert.equal((await choose("denied", 1)).status, 200);
  await pause(SECONDS * 1000 + 2_000);
  for (const key of [`u:${user}`, `a:${id}`]) {
    const { events } = await collector.admin(`/admin/v1/profiles/${key}/events`);
    assert.deepEqual(named(events, "Cart Abandoned"), [], key);
  }
  const { rejects } = await collector.admin("/admin/v1/rejects");
  assert.ok(!JSON.stringify(rejects).includes("Cart Abandoned"), "the cart has forgotten whom it would report about");
  assert.ok(!sink.received.some(({ body }) => body.includes("Cart Abandoned") && body.includes(id)));
});
