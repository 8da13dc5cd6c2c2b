/**
 * Promise: the signed cookie gives a page its anonymous id back after its storage was wiped. The cookie is set only with
 * consent and is deleted with a withdrawal.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { GRANTED, type Json, decide, pageView, post, send } from "./envelopes.ts";
import { anonymousId, startCollector } from "./mf.ts";

const collector = await startCollector();
after(() => collector.dispose());

const NOTHING = { categoryPreferences: {}, revision: 0 };

function hello(body: Json, cookie?: string) {
  return post(collector, "/_h/v1/hello", { writeKey: "wk_shop", ...body }, { "x-hilo": "1", cookie });
}

/** The cookie as a browser sends it: `name=value`. */
const pair = (header: string | null) => header!.split(";")[0]!;

test("the cookie is set with consent, and it restores the id", async () => {
  const id = anonymousId();
  const first = await hello({ anonymousId: id, consent: GRANTED });
  assert.equal(first.body["anonymousId"], id);
  const cookie = first.headers.get("set-cookie")!;
  assert.match(cookie, /HttpOnly; SameSite=Lax; Max-Age=33696000$/);
  const wiped = await hello({ consent: GRANTED }, pair(cookie));
  assert.equal(wiped.body["anonymousId"], id);
  // The cookie was issued a moment ago, and it is renewed at most once a day.
  assert.equal(wiped.headers.get("set-cookie"), null);
});

test("a page without consent gets no cookie", async () => {
  const answer = await hello({ anonymousId: anonymousId(), consent: NOTHING });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("set-cookie"), null);
  assert.equal(answer.body["anonymousId"], null);
});

test("after a logout the cookie holds the new id", async () => {
  const [before, next] = [anonymousId(), anonymousId()];
  const cookie = pair((await hello({ anonymousId: before, consent: GRANTED })).headers.get("set-cookie"));
  const answer = await hello({ anonymousId: next, consent: GRANTED }, cookie);
  assert.equal(answer.body["anonymousId"], next);
  assert.ok(answer.headers.get("set-cookie")?.includes(next));
});

test("a withdrawal deletes the cookie, and a grant of one purpose keeps it", async () => {
  const id = anonymousId();
  const cookie = pair((await hello({ anonymousId: id, consent: GRANTED })).headers.get("set-cookie"));
  assert.match((await hello({ consent: NOTHING }, cookie)).headers.get("set-cookie") ?? "", /^hilo=; .*Max-Age=0$/);
  const body = (base: number, analytics: string, functional: string) => ({
    writeKey: "wk_shop",
    anonymousId: id,
    consent: {
      base,
      changes: Object.entries({ analytics, functional }).map(([purpose, state]) => ({
        purpose, state, at: new Date().toISOString(), method: "api",
      })),
    },
  });
  const partly = await post(collector, "/_h/v1/consent", body(0, "denied", "granted"), { "x-hilo": "1", cookie });
  assert.equal(partly.headers.get("set-cookie"), null);
  const wholly = await post(collector, "/_h/v1/consent", body(1, "denied", "denied"), { "x-hilo": "1", cookie });
  assert.match(wholly.headers.get("set-cookie") ?? "", /Max-Age=0$/);
});

test("the answer to a grant sets the cookie", async () => {
  const id = anonymousId();
  const answer = await decide(collector, id, 0, { functional: "granted" });
  assert.match(answer.headers.get("set-cookie") ?? "", RegExp(`^hilo=v2\\.${id}\\.[0-9a-f]{32}\\.\\d+\\.0\\.[\\w-]{43};`));
});

test("an id that others use or that has events is never given away, and the page gets another one", async () => {
  const [bound, unbound] = [anonymousId(), anonymousId()];
  await hello({ anonymousId: bound, consent: GRANTED });
  await send(collector, [pageView(unbound)]);
  for (const id of [bound, unbound]) {
    for (const body of [{ anonymousId: id }, { spareId: id }]) {
      const answer = await hello({ ...body, consent: GRANTED });
      const own = answer.body["anonymousId"];
      assert.notEqual(own, id);
      assert.ok(answer.headers.get("set-cookie")?.includes(own));
      assert.ok(!answer.headers.get("set-cookie")?.includes(id));
    }
  }
});

test("a page without a cookie keeps the proof as a token, and a page with a cookie never gets one", async () => {
  const say = (body: Json, headers: Json) => post(collector, "/_h/v1/hello", { writeKey: "wk_shop", consent: GRANTED, ...body }, { "x-hilo": "1", ...headers });
  for (const headers of [{ "sec-fetch-site": "cross-site" }, { "x-hilo-auth": "new" }]) {
    const { headers: fields, body } = await say({ spareId: anonymousId() }, headers);
    assert.equal(fields.get("set-cookie"), null);
    assert.equal((await say({}, { "x-hilo-auth": body["token"] })).body["anonymousId"], body["anonymousId"]);
  }
  const cookie = pair((await hello({ spareId: anonymousId(), consent: GRANTED })).headers.get("set-cookie"));
  assert.equal((await say({}, { cookie, "x-hilo-auth": "new", "sec-fetch-site": "cross-site" })).body["token"], undefined);
});

test("a text that cannot be an anonymous id is refused", async () => {
  for (const [id, code] of [["null", "reserved_id"], ["a;b", "wrong_type"], ["x".repeat(200), "wrong_type"]]) {
    const answer = await hello({ anonymousId: id, consent: GRANTED });
    assert.equal(answer.status, 422);
    assert.equal(answer.body["error"].code, code);
  }
});
