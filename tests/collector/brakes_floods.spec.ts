/**
 * Promise: no stranger makes the collector work without bound. A page's envelope is about a few persons, a backend's large
 * envelope leaves room for others, too many requests are answered with 429 and `Retry-After`, and what proves nothing makes
 * no object.
 */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";

import { cartCall, LiveSocket, SERVER_KEY } from "./carts.ts";
import { type Answer, envelope, GRANTED, type Json, pageView, post, send } from "./envelopes.ts";
import { anonymousId, type Collector, startCollector } from "./mf.ts";

const collector = await startCollector();
after(() => collector.dispose());

/** The objects of a class that have a storage. */
function stored(of: Collector, objects: "ProfileObject" | "CartObject"): number {
  const files = readdirSync(of.state, { recursive: true, encoding: "utf8" });
  return files.filter((file) => file.includes(objects) && /[0-9a-f]{64}\.sqlite$/.test(file)).length;
}

/** A batch of small events about as many persons. */
const crowd = (count: number, name: string) =>
  Array.from({ length: count }, (_, n) => ({ type: "page", messageId: `${name}-m${n}`, anonymousId: `${name}-${n}`, properties: {} }));

test("a page's envelope about 2,500 persons makes eight objects and disturbs nobody", async () => {
  const before = stored(collector, "ProfileObject");
  const body = gzipSync(JSON.stringify(envelope(crowd(2_500, "flood"))));
  const headers = { "content-encoding": "gzip" };
  const floods = [0, 1, 2].map(() => post(collector, "/_h/v1/batch", body, headers));
  const honest = await send(collector, [pageView(anonymousId())]);
  assert.deepEqual([honest.status, honest.body["accepted"]], [200, 1]);
  for (const { status, body } of await Promise.all(floods)) {
    assert.deepEqual([status, body["accepted"] + body["duplicate"], body["rejected"].length], [200, 8, 2_492]);
    assert.equal(body["rejected"][0].code, "too_many_persons");
  }
  assert.equal(stored(collector, "ProfileObject") - before, 9);
});

test("a backend's envelope about many persons is stored, over as many attempts as it takes", async () => {
  const batch = crowd(200, "import");
  const body = JSON.stringify({ context: { consent: GRANTED }, batch });
  const headers = { origin: undefined, authorization: `Bearer ${SERVER_KEY}` };
  let answer: Answer;
  let attempts = 0;
  do {
    const under = post(collector, "/_h/v1/batch", body, headers);
    const honest = await send(collector, [pageView(anonymousId())]);
    assert.equal(honest.status, 200);
    answer = await under;
    // 200 means that all of it is durable. Anything else says when to send the same again.
    if (answer.status !== 200) assert.deepEqual([answer.status, answer.headers.get("retry-after")], [429, "1"]);
  } while (answer.status !== 200 && ++attempts < 20);
  assert.equal(answer.body["accepted"] + answer.body["duplicate"], 200);
  const last = await collector.admin("/admin/v1/profiles/a:import-199/events");
  assert.equal(last.events.length, 1);
});

test("forged tickets, made-up labels and capabilities, and reads make no cart", async () => {
  const before = stored(collector, "CartObject");
  const label = (n: number) => n.toString(16).padStart(32, "0");
  const attempts = Array.from({ length: 60 }, async (_, n) => {
    const ticket = n % 2 ? "forged.ticket" : undefined;
    await assert.rejects(LiveSocket.open(collector, label(n), { origin: collector.url }, ticket), /not opened/);
    const headers = { "x-hilo-cart-token": `v1.${label(n)}.${Math.floor(Date.now() / 1000)}.0.forged` };
    assert.equal((await cartCall(collector, "/v1/cart", { headers })).body["cart"], null);
    assert.equal((await cartCall(collector, "/v1/cart/checkout", { headers, body: {} })).status, 404);
  });
  await Promise.all(attempts);
  assert.equal(stored(collector, "CartObject"), before);
});

test("a network that sends too much gets 429 until its minute is over, and other networks and backends do not", async () => {
  const own = await startCollector({ rates: { RATE_PEER: 5 } });
  try {
    const from = (address: string, headers: Json = {}) =>
      post(own, "/_h/v1/batch", envelope([pageView(anonymousId())]), { "cf-connecting-ip": address, ...headers });
    const answers: Answer[] = [];
    // The windows of miniflare end with the minute: two of them may be open.
    for (let n = 0; n < 12; n++) answers.push(await from(`203.0.113.${n}`));
    const passed = answers.filter((answer) => answer.status === 200);
    const refused = answers.filter((answer) => answer.status === 429);
    assert.ok(passed.length >= 5 && passed.length <= 10 && passed.length + refused.length === 12);
    assert.deepEqual([refused[0]!.headers.get("retry-after"), refused[0]!.body["error"].code], ["10", "rate_limited"]);
    assert.equal(refused[0]!.headers.get("access-control-expose-headers"), "retry-after, x-hilo-request-id", "a page's client can obey it");
    assert.equal((await from("198.51.100.1")).status, 200);
    assert.equal((await from("203.0.113.1", { origin: undefined, authorization: `Bearer ${SERVER_KEY}` })).status, 200);
    assert.equal(stored(own, "ProfileObject"), passed.length + 2);
    const { rejects } = await own.admin("/admin/v1/rejects");
    assert.equal(rejects.filter((reject: Json) => reject["code"] === "rate_limited").length, 1, "a sample of them");
  } finally {
    await own.dispose();
  }
});

test("a key that is used too much gets 429, and a deployment without limits serves all", async () => {
  for (const [rates, isBraked] of [[{ RATE_KEY: 1 }, true], [false, false]] as const) {
    const own = await startCollector({ rates });
    try {
      const statuses: number[] = [];
      for (let n = 0; n < 4; n++) statuses.push((await send(own, [pageView(anonymousId())])).status);
      // Two windows of ten seconds may be open.
      assert.equal(statuses.filter((status) => status === 429).length >= 2, isBraked);
      assert.ok(statuses.includes(200));
    } finally {
      await own.dispose();
    }
  }
});
