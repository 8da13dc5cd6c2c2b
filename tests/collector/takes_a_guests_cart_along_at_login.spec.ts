/**
 * Promise: a login merges the guest's cart into the customer's cart, once, by the shop's policy. The guest's capability ends
 * there, and what the guest's tabs still send counts in the customer's cart.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { CUP, Device, MUG, cartCall, shown } from "./carts.ts";
import { type Collector, configWith, startCollector } from "./mf.ts";
import { claimsOf, signToken } from "./tokens.ts";

/** A guest with two mugs signs in as a customer whose cart has one mug and one cup. */
async function signIn(collector: Collector, user: string): Promise<{ device: Device; guestCart: string; capability: string }> {
  const token = signToken(claimsOf(user));
  const laptop = new Device(collector, token);
  await laptop.add(MUG, 1);
  await laptop.add(CUP, 1);
  const device = new Device(collector);
  await device.add(MUG, 2);
  const { cart: guestCart, capability } = device;
  device.user = token;
  return { device, guestCart, capability };
}

const collector = await startCollector();
after(() => collector.dispose());

test("the larger quantity of a line counts, and the guest's capability ends", async () => {
  const { device, guestCart, capability } = await signIn(collector, "max");
  const first = await device.whole();
  assert.equal(first.body["merged"], true);
  assert.notEqual(first.body["cart"], guestCart);
  assert.equal(device.capability, "", "the client forgets it");
  assert.deepEqual(await shown(collector, "u:max"), { cup: 1, mug: 2 });
  assert.equal((await collector.admin(`/admin/v1/carts/${guestCart}`)).standing, "merged");
  // A tab that does not know of the merge yet.
  const late = await cartCall(collector, "/v1/cart", { headers: { "x-hilo-cart-token": capability } });
  assert.deepEqual([late.status, late.body["error"].code], [410, "cart_merged"]);
  const again = await cartCall(collector, "/v1/cart", { headers: { "x-hilo-cart-token": capability, "x-hilo-user-token": device.user } });
  assert.equal(again.status, 200);
  assert.deepEqual(await shown(collector, "u:max"), { cup: 1, mug: 2 });
});

test("the first edit after a login may carry the token, under the guest's replica", async () => {
  const { device } = await signIn(collector, "edit");
  const answer = await device.add(MUG, 1);
  assert.equal(answer.status, 200);
  assert.equal(answer.body["acked"], 2);
  assert.deepEqual(await shown(collector, "u:edit"), { cup: 1, mug: 3 });
});

test("a login deletes the cookie with the guest's capability", async () => {
  const device = new Device(collector);
  device.capability = "";
  const cookie = (await device.add(MUG, 2)).headers.get("set-cookie")!.split(";")[0]!;
  const headers = { cookie, "x-hilo-user-token": signToken(claimsOf("cookie")) };
  const answer = await cartCall(collector, "/v1/cart", { headers });
  assert.match(answer.headers.get("set-cookie") ?? "", /^hilo-cart=; .*Max-Age=0$/);
  assert.equal(answer.body["merged"], undefined);
  assert.deepEqual(await shown(collector, "u:cookie"), { mug: 2 });
});

test("ten simultaneous requests merge the guest's cart once", async () => {
  const { capability } = await signIn(collector, "crowd");
  const headers = { "x-hilo-cart-token": capability, "x-hilo-user-token": signToken(claimsOf("crowd")) };
  const answers = await Promise.all(Array.from({ length: 10 }, () => cartCall(collector, "/v1/cart", { headers })));
  assert.ok(answers.every((answer) => answer.status === 200));
  assert.deepEqual(await shown(collector, "u:crowd"), { cup: 1, mug: 2 });
});

for (const [policy, expected] of [
  ["sum", { cup: 1, mug: 3 }],
  ["guest_wins", { cup: 1, mug: 2 }],
  ["replace", { mug: 2 }],
  ["keep_both", { cup: 1, mug: 1 }],
] as const) {
  test(`a merge follows the policy ${policy}`, async () => {
    const config = configWith("http://127.0.0.1:9/").replace('merge = "max"', `merge = "${policy}"`);
    const own = await startCollector({ config });
    try {
      const { device, guestCart, capability } = await signIn(own, "policy");
      const answer = await device.whole();
      assert.deepEqual(await shown(own, "u:policy"), expected);
      assert.equal(answer.body["merged"], policy === "keep_both" ? undefined : true);
      if (policy === "keep_both") {
        assert.deepEqual(await shown(own, guestCart), { mug: 2 });
        const guest = await cartCall(own, "/v1/cart", { headers: { "x-hilo-cart-token": capability } });
        assert.equal(guest.status, 200);
      }
    } finally {
      await own.dispose();
    }
  });
}
