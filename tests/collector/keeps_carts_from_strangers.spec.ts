/**
 * Promise: nobody reads, joins or guesses another person's cart. A guest's cart belongs to the holder of its signed
 * capability, a customer's cart to the user that a verified token names. A label alone grants nothing.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { Device, LiveSocket, MUG, SERVER_KEY, cartCall, serverCall } from "./carts.ts";
import { type Json } from "./envelopes.ts";
import { startCollector } from "./mf.ts";
import { sign, spoiled } from "./signatures.ts";
import { claimsOf, signToken } from "./tokens.ts";

const collector = await startCollector();
after(() => collector.dispose());

const guest = new Device(collector);
await guest.add(MUG, 3);
const customer = new Device(collector, signToken(claimsOf("victim")));
await customer.add(MUG, 3);

/** Whether a view shows a cart that has a line. */
const hasLines = (view: Json) => (view["full"]?.put ?? view["put"] ?? []).length > 0;

test("a capability that the collector did not sign opens no cart", async () => {
  const [version, id, issued, key, tag] = guest.capability.split(".") as [string, string, string, string, string];
  const now = Math.floor(Date.now() / 1000);
  const opens = await cartCall(collector, "/v1/cart", { headers: { "x-hilo-cart-token": sign(`${version}.${id}.${now}`, "cart") } });
  assert.ok(hasLines(opens.body), "this spec signs as the collector does");
  const forgeries = [
    `${version}.${id}.${issued}.${key}.${spoiled(tag)}`,
    `${version}.${id}.${issued}.1.${tag}`,
    `${version}.${spoiled(id)}.${issued}.${key}.${tag}`,
    `${version}.${id}.${Number(issued) + 1}.${key}.${tag}`,
    `${version}.${guest.cart}.${issued}.${key}.${tag}`,
    sign(`${version}.${id}.${now}`, "cart", "another secret of the same length!!"),
    sign(`${version}.${id}.${now}`, "cookie"),
    sign(`${version}.${id}.${now}`, "ticket"),
    sign(`${version}.${id}.${now - 400 * 86_400}`, "cart"),
    sign(`v2.${id}.${now}`, "cart"),
    guest.cart,
    "v1...",
  ];
  for (const forged of forgeries) {
    const answer = await cartCall(collector, "/v1/cart", { headers: { "x-hilo-cart-token": forged } });
    assert.deepEqual([answer.status, answer.body["cart"]], [200, null], forged);
  }
  // The label of a cart travels in sockets and answers. Even under the collector's own signature it is the id of another cart.
  const labelled = await cartCall(collector, "/v1/cart", { headers: { "x-hilo-cart-token": sign(`${version}.${guest.cart}.${now}`, "cart") } });
  assert.notEqual(labelled.body["cart"], guest.cart);
  assert.ok(!hasLines(labelled.body));
  const own = await cartCall(collector, "/v1/cart", { headers: { "x-hilo-cart-token": guest.capability } });
  assert.ok(hasLines(own.body));
});

test("the signature of the id cookie opens no cart", async () => {
  const hello = await collector.fetch("/v1/hello", {
    method: "POST",
    headers: { origin: collector.url, "x-hilo": "1" },
    body: JSON.stringify({ writeKey: "wk_shop", anonymousId: "someone", consent: { categoryPreferences: { analytics: true } } }),
  });
  await hello.text();
  const value = hello.headers.get("set-cookie")!.split(";")[0]!.split("=").slice(1).join("=");
  const answer = await cartCall(collector, "/v1/cart", { headers: { cookie: `hilo-cart=${value}` } });
  assert.equal(answer.body["cart"], null);
});

test("a browser keeps the capability in a cookie of its own that scripts cannot read", async () => {
  const device = new Device(collector);
  device.capability = "";
  const added = await device.add(MUG, 1);
  const cookie = added.headers.get("set-cookie")!;
  assert.match(cookie, /^hilo-cart=v1\.[0-9a-f]{32}\.\d+\.0\.[\w-]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=2592000$/);
  assert.equal(added.body["capability"], undefined);
  const headers = { cookie: cookie.split(";")[0] };
  const again = await cartCall(collector, "/v1/cart", { headers });
  assert.ok(hasLines(again.body));
  assert.equal(again.headers.get("set-cookie"), null, "renewed at most daily");
  const left = await cartCall(collector, "/v1/cart/leave", { headers, body: {} });
  assert.equal(left.status, 204);
  assert.match(left.headers.get("set-cookie") ?? "", /^hilo-cart=; .*Max-Age=0$/);
});

test("only a verified token opens a customer's cart", async () => {
  const forged = signToken(claimsOf("victim"), { kid: "development", alg: "HS256", key: "guessed" });
  const expired = signToken(claimsOf("victim", { iat: 1, exp: 2 }));
  for (const [token, code] of [[forged, /^token_/], [expired, /^token_expired$/], ["x", /^token_/]] as [string, RegExp][]) {
    const answer = await cartCall(collector, "/v1/cart", { headers: { "x-hilo-user-token": token } });
    assert.equal(answer.status, 401);
    assert.match(answer.body["error"].code, code);
  }
  const elsewhere = signToken(claimsOf("victim", { scope: "profile" }));
  const scoped = await cartCall(collector, "/v1/cart", { headers: { "x-hilo-user-token": elsewhere } });
  assert.ok(scoped.status === 401 || scoped.status === 403);
  const other = new Device(collector, signToken(claimsOf("somebody-else")));
  assert.ok(!hasLines((await other.whole()).body));
});

test("a token grants nothing where tokens are not enforced", async () => {
  const text = (mode: string) => `
[project]
controller = "Shop"
environment = "development"
[[source]]
name = "shop"
kind = "browser"
keys = ["wk_shop"]
origins = ["http://127.0.0.1:8787"]
[identity]
mode = "${mode}"
issuer = "hilo-development"
`;
  const own = await startCollector({ config: text("off") });
  try {
    const answer = await cartCall(own, "/v1/cart", { headers: { "x-hilo-user-token": customer.user } });
    assert.deepEqual([answer.status, answer.body["cart"]], [200, null]);
  } finally {
    await own.dispose();
  }
});

test("only a call with a server key may name the cart's customer", async () => {
  const answer = await cartCall(collector, "/v1/carts/victim");
  assert.deepEqual([answer.status, answer.body["error"].code], [401, "unauthorized"]);
  const reserved = await serverCall(collector, "null");
  assert.deepEqual([reserved.status, reserved.body["error"].code], [422, "reserved_id"]);
  const inPage = await cartCall(collector, "/v1/carts/victim", { headers: { authorization: `Bearer ${SERVER_KEY}` } });
  assert.equal(inPage.status, 403, "a page has no business with it");
  assert.ok(hasLines((await serverCall(collector, "victim")).body));
});

test("every cart call needs its header, its key and its origin", async () => {
  for (const [headers, code] of [
    [{ "x-hilo": undefined }, "missing_header"],
    [{ authorization: undefined }, "missing_key"],
    [{ authorization: "Bearer wk_other" }, "unknown_key"],
    [{ origin: "https://evil.example" }, "origin_refused"],
  ] as [Json, string][]) {
    const answer = await cartCall(collector, "/v1/cart/ops", { headers, body: guest.adding(MUG, 1) });
    assert.equal(answer.body["error"].code, code);
  }
});

test("a socket needs a ticket beside the label, and a ticket opens one cart only", async () => {
  await customer.look();
  const origin = { origin: collector.url };
  const forged = customer.live.replace(/^./, (c) => (c === "A" ? "B" : "A"));
  for (const [cart, ticket] of [[guest.cart, customer.live], [customer.cart, undefined], [customer.cart, ""], [customer.cart, forged], [customer.cart, "x.y"]] as const) {
    await assert.rejects(LiveSocket.open(collector, cart, origin, ticket), /not opened/, `${ticket}`);
  }
  (await LiveSocket.open(collector, customer.cart, origin, customer.live)).close();
  const foreign = LiveSocket.open(collector, customer.cart, { origin: "https://evil.example" }, customer.live);
  await assert.rejects(foreign, /not opened/);
});
