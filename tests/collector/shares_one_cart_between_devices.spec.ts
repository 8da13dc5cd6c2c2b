/**
 * Promise: two devices of one person share one cart over plain HTTP. Each device sees the other's changes, a repeated delta
 * counts once, and a device that was away gets either what it missed or the whole cart.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { CUP, Device, MUG, cartCall, serverCall, shown } from "./carts.ts";
import { type Json } from "./envelopes.ts";
import { startCollector } from "./mf.ts";
import { claimsOf, signToken } from "./tokens.ts";

const collector = await startCollector();
after(() => collector.dispose());

/** Two devices on which `user` is signed in. */
function devices(user: string): [Device, Device] {
  const token = signToken(claimsOf(user));
  return [new Device(collector, token), new Device(collector, token)];
}

test("a customer without a cart gets an empty view, and reading creates no cart", async () => {
  const answer = await cartCall(collector, "/v1/cart");
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.body["cart"], null);
  assert.deepEqual(answer.body["full"], { vv: {}, put: [], info: [] });
  const [phone] = devices("just-looking");
  assert.equal((await phone.whole()).body["rev"], "0");
  assert.equal((await collector.admin("/admin/v1/carts/u:just-looking")).known, false);
});

test("a device gets what another device adds, and both end with the same cart", async () => {
  const [phone, laptop] = devices("both");
  const added = await phone.add(MUG, 2);
  assert.equal(added.status, 200);
  assert.equal(added.body["acked"], 1);
  await laptop.whole();
  await laptop.add(CUP, 1);
  await phone.look();
  await laptop.remove([phone.dot(1)]);
  await phone.add(MUG, 3);
  assert.deepEqual(await shown(collector, "u:both"), { cup: 1, mug: 3 });
  const [one, other] = [(await phone.whole()).body, (await laptop.whole()).body];
  assert.deepEqual(one["full"], other["full"]);
});

test("a repeated delta changes nothing", async () => {
  const [phone] = devices("again");
  const delta = phone.adding(MUG, 2);
  await phone.post(delta);
  const [rev, again] = [phone.rev, await phone.post(delta)];
  assert.equal(again.status, 200);
  assert.equal(again.body["rev"], rev);
  assert.equal(again.body["acked"], 1);
  assert.deepEqual(await shown(collector, "u:again"), { mug: 2 });
});

test("a device that was away gets the changes it missed, and after 256 changes the whole cart", async () => {
  const [phone, laptop] = devices("away");
  await phone.add(MUG, 1);
  await laptop.whole();
  for (let n = 0; n < 3; n++) await phone.add(CUP, 1);
  const missed = (await laptop.look()).body;
  assert.equal(missed["full"], undefined);
  assert.equal(missed["put"].length, 3);
  const nothing = (await laptop.look()).body;
  assert.deepEqual([nothing["put"], nothing["drop"]], [[], []]);
  for (let n = 0; n < 257; n++) await phone.persist(phone.delta(1));
  assert.ok((await laptop.look()).body["full"], "the ring is over");
});

test("names and prices arrive with their line, and the newest at the hub wins", async () => {
  const [phone, laptop] = devices("named");
  await phone.add(MUG, 2, { info: [[MUG, { name: "Mug", unit_price: "1999" }]] });
  await laptop.whole();
  await laptop.post(laptop.delta(1, { info: [[MUG, { name: "Blue mug", unit_price: "1499" }]] }));
  const { body } = await serverCall(collector, "named");
  assert.deepEqual(body["lines"], [{ line: MUG, quantity: 2, name: "Blue mug", unit_price: "1499" }]);
  assert.deepEqual(body["totals"], { EUR: "2998" });
});

test("the hub acts for a backend that has no replica, once for each command", async () => {
  const commands: Json[] = [
    { id: "till-1", op: "add", line: MUG, quantity: 2, info: { name: "Mug" } },
    { id: "till-2", op: "set", line: CUP, quantity: 5 },
    { id: "till-3", op: "dec", line: CUP },
  ];
  for (let n = 0; n < 2; n++) {
    const answer = await serverCall(collector, "till", "/commands", { commands });
    assert.equal(answer.status, 200);
    assert.deepEqual(await shown(collector, "u:till"), { cup: 4, mug: 2 });
  }
  const missing = await serverCall(collector, "till", "/commands", { commands: [{ id: "x", op: "add" }] });
  assert.deepEqual([missing.status, missing.body["error"].code], [422, "bad_command"]);
});

test("a preflight allows the headers that cart calls need", async () => {
  const headers = { origin: collector.url, "access-control-request-method": "POST" };
  const answer = await collector.fetch("/v1/cart/ops", { method: "OPTIONS", headers });
  const allowed = answer.headers.get("access-control-allow-headers") ?? "";
  for (const name of ["x-hilo", "x-hilo-user-token", "x-hilo-cart-token", "authorization", "content-type"]) {
    assert.ok(allowed.split(", ").includes(name), name);
  }
});
