/**
 * Promise: with `cookie_domain` a visitor is one person on all hosts of the domain, and on no other host. A withdrawal removes both
 * cookies, and a host cannot change the id of a visitor whom another host knows.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, test } from "node:test";

import { type Json, GRANTED, envelope, pageView, post } from "./envelopes.ts";
import { anonymousId, startCollector } from "./mf.ts";

const SHOP = "shop.example.com";
const WWW = "www.example.com";

/** The entry gives each request the address that a spec names, because workerd listens without a certificate. */
const ENTRY = `
export default {
  fetch(request, env) {
    const { pathname } = new URL(request.url);
    return env.COLLECTOR.fetch(new Request("https://" + request.headers.get("x-spec-host") + pathname, request));
  },
};`;

const CONFIG = `
[project]
controller = "Example Shop"

[[source]]
name = "shop"
kind = "browser"
keys = ["wk_shop"]
origins = ["https://${SHOP}", "https://${WWW}"]
cookie_domain = "example.com"
`;

const front = [{ name: "front", modules: true, script: ENTRY, compatibilityDate: "2026-08-01", serviceBindings: { COLLECTOR: "collector" } }];
const collector = await startCollector({ config: CONFIG, front });
after(() => collector.dispose());

/** Asks the collector at `host`, from a page of that host or of the shop's. `set` are the cookies of the answer. */
async function ask(host: string, call: string, said: Json, cookies: string[] = []) {
  const origin = `https://${host.endsWith(".example.com") ? host : SHOP}`;
  const headers = { origin, "x-hilo": "1", "x-spec-host": host, cookie: cookies.map(pair).join("; ") || undefined };
  const { headers: fields, body } = await post(collector, `/_h/v1/${call}`, { writeKey: "wk_shop", ...said }, headers);
  return { id: body["anonymousId"], body, set: fields.getSetCookie() };
}

const greet = (host: string, cookies: string[] = []) => ask(host, "hello", { spareId: anonymousId(), consent: GRANTED }, cookies);

/** The cookie as a browser sends it. */
const pair = (set: string) => set.split(";")[0]!;

const OWN = /^__Host-hilo=v2\.[^;]+; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=33696000$/;
const SHARED = /^hilo=v2\.[^;]+; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=33696000; Domain=example\.com$/;

/** The cookies of an answer: the host's own and the shared one. */
function both(set: string[]): [own: string, shared: string] {
  assert.equal(set.length, 2, set.join("\n"));
  assert.match(set[0]!, OWN);
  assert.match(set[1]!, SHARED);
  return [set[0]!, set[1]!];
}

test("a host knows the visitor of another host of the domain, and gives a cookie of its own", async () => {
  const first = await greet(SHOP);
  const [, shared] = both(first.set);
  const second = await greet(WWW, [shared]);
  assert.equal(second.id, first.id);
  const third = await greet(WWW, both(second.set));
  assert.deepEqual([third.id, third.set], [first.id, []]);
});

test("the first envelope on another host of the domain is stored under the visitor's id", async () => {
  const first = await greet(SHOP);
  const said = { spareId: anonymousId(), spareProof: randomUUID() };
  const second = await ask(WWW, "batch", { ...envelope([pageView(said.spareId)]), hello: said }, [both(first.set)[1]]);
  assert.deepEqual([second.id, second.body["accepted"]], [first.id, 1]);
  both(second.set);
});

test("a host outside the domain gets a cookie of its own only, and reads no shared one", async () => {
  const { id, set } = await greet(SHOP);
  for (const host of ["collector.example.net", "myexample.com", "example.com.example.net"]) {
    const other = await greet(host, [both(set)[1]]);
    assert.notEqual(other.id, id);
    assert.equal(other.set.length, 1, host);
    assert.match(other.set[0]!, OWN);
  }
});

test("a withdrawal removes both cookies", async () => {
  const gone = [/^__Host-hilo=; .*; Max-Age=0$/, /^hilo=; .*; Max-Age=0; Domain=example\.com$/];
  const nothing = { categoryPreferences: {}, revision: 0 };
  const changes = ["analytics", "functional"].map((purpose) => ({ purpose, state: "denied", at: new Date().toISOString(), method: "api" }));
  for (const [call, consent] of [["hello", nothing], ["consent", { base: 0, changes }]] as [string, Json][]) {
    const { set } = await greet(SHOP);
    const whole = await ask(SHOP, call, { consent }, both(set));
    assert.equal(whole.set.length, 2);
    whole.set.forEach((cookie, at) => assert.match(cookie, gone[at]!));
    const shared = await ask(WWW, call, { consent }, [both(set)[1]]);
    assert.equal(shared.set.length, 1);
    assert.match(shared.set[0]!, gone[1]!);
  }
});

test("a host that puts the cookie of another visitor before the shared one changes nothing where the visitor is known", async () => {
  const [visitor, intruder] = [await greet(SHOP), await greet(WWW)];
  const planted = both(intruder.set)[1];
  const there = await greet(SHOP, [planted, ...both(visitor.set)]);
  assert.deepEqual([there.id, there.set], [visitor.id, []]);
  const renamed = `__Host-${planted.replace(intruder.id, visitor.id)}`;
  assert.notEqual((await greet(SHOP, [renamed])).id, visitor.id, "the name of the visitor is no proof");
});

test("a logout gives the new id to the host and to the domain", async () => {
  const before = await greet(SHOP);
  const next = anonymousId();
  const { set } = await ask(SHOP, "hello", { anonymousId: next, consent: GRANTED }, both(before.set));
  both(set).forEach((cookie) => assert.ok(cookie.includes(next)));
  assert.equal((await greet(WWW, [both(set)[1]])).id, next);
});
