/**
 * Promise: an order takes out of the cart what its checkout contained, once, however many systems report the order. Later
 * edits stay, on every device, offline devices included.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { CUP, Device, MUG, serverCall, shown } from "./carts.ts";
import { startCollector } from "./mf.ts";
import { claimsOf, signToken } from "./tokens.ts";

const collector = await startCollector();
after(() => collector.dispose());

/** Two devices of `user`. The first device has added three mugs. */
async function devices(user: string): Promise<[Device, Device]> {
  const token = signToken(claimsOf(user));
  const [phone, laptop] = [new Device(collector, token), new Device(collector, token)];
  await phone.add(MUG, 3);
  await laptop.whole();
  return [phone, laptop];
}

test("edits during a checkout stay, and a second order with the same id is a duplicate", async () => {
  const [phone, laptop] = await devices("edits");
  const checkout = (await phone.call("/v1/cart/checkout", {})).body;
  assert.deepEqual(checkout["lines"], [{ line: MUG, quantity: 3 }]);
  assert.match(checkout["checkout_id"], new RegExp(`^co_${phone.cart}_[0-9a-f]{32}$`));
  assert.equal((await laptop.look()).body["checkout_open"], true);
  await laptop.add(MUG, 2);
  await laptop.add(CUP, 1);
  const order = { order_id: "edits-1", checkout_id: checkout["checkout_id"] };
  const first = await phone.call("/v1/cart/ordered", order);
  assert.deepEqual([first.status, first.body["duplicate"], first.body["checkout_open"]], [200, false, false]);
  assert.deepEqual(await shown(collector, "u:edits"), { cup: 1, mug: 2 });
  // The page, the shop's backend and its webhook may all report the same order.
  for (const answer of [await laptop.call("/v1/cart/ordered", order), await serverCall(collector, "edits", "/ordered", order)]) {
    assert.deepEqual([answer.status, answer.body["duplicate"]], [200, true]);
  }
  assert.deepEqual(await shown(collector, "u:edits"), { cup: 1, mug: 2 });
});

test("ten simultaneous orders with one id count once", async () => {
  const [phone] = await devices("crowd");
  await phone.call("/v1/cart/checkout", {});
  assert.equal((await phone.add(MUG, 2)).status, 200);
  const answers = await Promise.all(Array.from({ length: 10 }, () => serverCall(collector, "crowd", "/ordered", { order_id: "crowd-1" })));
  assert.deepEqual(answers.map((answer) => answer.body["duplicate"]).sort(), [false, ...Array(9).fill(true)]);
  assert.deepEqual(await shown(collector, "u:crowd"), { mug: 2 });
});

test("an offline device keeps its new articles and loses the bought ones", async () => {
  const [phone, offline] = await devices("offline");
  const [mug, cup] = [offline.adding(MUG, 1), { ...offline.adding(CUP, 1) }];
  const waiting = { ...mug, to: 2, put: [...mug["put"], [CUP, offline.dot(2), "add", 1]] };
  assert.equal(cup["from"], 1);
  await phone.call("/v1/cart/checkout", {});
  await phone.call("/v1/cart/ordered", { order_id: "offline-1" });
  // Everything was bought, so the cart began a new epoch. The offline device learns that none of its operations counted.
  const late = await offline.post(waiting);
  assert.deepEqual([late.status, late.body["error"].code], [409, "epoch"]);
  assert.equal(late.body["error"].previous[offline.replica], undefined);
  const again = new Device(collector, offline.user);
  await again.whole();
  await again.post(again.delta(2, { put: [[MUG, again.dot(1), "add", 1], [CUP, again.dot(2), "add", 1]] }));
  assert.deepEqual(await shown(collector, "u:offline"), { cup: 1, mug: 1 });
});

test("an order without lines and without a checkout is refused", async () => {
  await devices("nothing");
  const answer = await serverCall(collector, "nothing", "/ordered", { order_id: "nothing-1" });
  assert.deepEqual([answer.status, answer.body["error"].code], [422, "bad_order"]);
  const partly = await serverCall(collector, "nothing", "/ordered", { order_id: "nothing-1", lines: [{ line: MUG, quantity: 2 }] });
  assert.deepEqual([partly.status, partly.body["lines"]], [200, [{ line: MUG, quantity: 1 }]]);
});

test("a server's orders and edits stand in the customer's profile once each", async () => {
  const [phone] = await devices("told");
  await serverCall(collector, "told", "/commands", { commands: [{ id: "t1", op: "add", line: CUP }] });
  await phone.call("/v1/cart/checkout", {});
  for (let n = 0; n < 3; n++) await serverCall(collector, "told", "/ordered", { order_id: "told-1" });
  const events = async () => (await collector.admin("/admin/v1/profiles/u:told/events")).events as { event: string; messageId: string }[];
  let names: string[] = [];
  for (let tries = 0; tries < 100 && names.length < 2; tries++) names = (await events()).map((event) => event.event).sort();
  assert.deepEqual(names, ["Order Completed", "Product Added"]);
  assert.ok((await events()).some((event) => event.messageId === "order-told-1"));
});
