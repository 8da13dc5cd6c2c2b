/**
 * Promise: the recorded choice is the authority. After a denial every event is refused, whatever it claims, until a newer grant
 * is recorded. A denial counts whatever revision its page knew.
 */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { after, test } from "node:test";

import { GRANTED, codes, cookieOf, decide, hello, pageView, post, postAs, send, timeline } from "./envelopes.ts";
import { anonymousId, startCollector } from "./mf.ts";
import { claimsOf, signToken } from "./tokens.ts";

const collector = await startCollector();
after(() => collector.dispose());

const at = (revision: number) => ({ context: { consent: { ...GRANTED, revision } } });
const recorded = async (key: string) => (await collector.admin(`/admin/v1/profiles/${key}`)).consent;

test("no claim of an event lifts a recorded denial", async () => {
  const id = anonymousId();
  await decide(collector, id, 0, { analytics: "granted" });
  assert.equal((await send(collector, [pageView(id)], at(1))).body["accepted"], 1);
  await decide(collector, id, 1, { analytics: "denied" });
  for (const revision of [0, 1, 2, 3, 999, 4_294_967_295]) {
    assert.deepEqual(codes(await send(collector, [pageView(id)], at(revision))), { 0: "consent_denied" });
  }
  assert.equal((await timeline(collector, id)).length, 1);
});

test("a denial of a page that knows no revision counts, and takes the cookie back", async () => {
  const id = anonymousId();
  for (const [base, purpose] of ["analytics", "functional", "advertising"].entries()) await decide(collector, id, base, { [purpose]: "granted" });
  const denials = { analytics: "denied", functional: "denied", advertising: "denied" } as const;
  const answer = await decide(collector, id, 0, denials, { anonymousId: undefined });
  assert.deepEqual([answer.status, answer.body["revision"], answer.body["state"]], [200, 4, denials]);
  assert.match(answer.headers.get("set-cookie") ?? "", /^hilo=; .*Max-Age=0$/);
  assert.deepEqual(await recorded(`a:${id}`), denials);
});

test("a grant lifts a denial if its page knew it, or if the visitor chose later", async () => {
  const id = anonymousId();
  await decide(collector, id, 0, { functional: "granted", analytics: "granted" });
  await decide(collector, id, 1, { analytics: "denied" });
  const early = new Date(Date.now() - 60_000).toISOString();
  const consent = (base: number, at: string) => ({ base, changes: [{ purpose: "analytics", state: "granted", at, method: "api" }] });
  const older = await decide(collector, id, 1, {}, { consent: consent(1, early) });
  assert.deepEqual([older.status, older.body["error"]?.code], [409, "consent_outdated"]);
  assert.deepEqual([older.body["revision"], older.body["state"]], [2, { functional: "granted", analytics: "denied" }]);
  assert.deepEqual(codes(await send(collector, [pageView(id)], at(3))), { 0: "consent_denied" });
  const newer = await decide(collector, id, 2, {}, { consent: consent(2, early) });
  assert.deepEqual([newer.status, newer.body["state"].analytics], [200, "granted"]);
  await decide(collector, id, 3, { analytics: "denied" });
  assert.equal((await decide(collector, id, 0, { analytics: "granted" })).body["state"].analytics, "granted");
  assert.equal((await send(collector, [pageView(id)], at(0))).body["accepted"], 1);
});

test("a claim of the highest revision leaves the next one to the visitor", async () => {
  const id = anonymousId();
  assert.equal((await decide(collector, id, 4_294_967_295, { functional: "granted", analytics: "granted" })).body["revision"], 1);
  assert.equal((await decide(collector, id, 0, { analytics: "denied" })).body["state"].analytics, "denied");
  assert.equal((await decide(collector, id, 2, { analytics: "granted" })).body["revision"], 3);
});

test("a choice with a verified user's token counts for the user too", async () => {
  const [id, user] = [anonymousId(), `u-${anonymousId()}`];
  const headers = { "x-hilo-user-token": signToken(claimsOf(user)) };
  const choose = (state: string) => {
    const at = new Date().toISOString();
    const changes = [{ purpose: "analytics", state, at, method: "api" }, { purpose: "functional", state: "granted", at, method: "api" }];
    return postAs(collector, id, "/_h/v1/consent", { sentAt: at, anonymousId: id, consent: { base: 0, changes } }, headers);
  };
  await choose("granted");
  await choose("denied");
  assert.equal((await recorded(`u:${user}`)).analytics, "denied");
  await choose("granted");
  assert.equal((await recorded(`u:${user}`)).analytics, "granted");
  const expired = { "x-hilo-user-token": signToken(claimsOf(user, { exp: 1, iat: 0 })) };
  const body = { consent: { changes: [{ purpose: "analytics", state: "denied", at: new Date().toISOString(), method: "api" }] } };
  assert.equal((await postAs(collector, id, "/_h/v1/consent", { anonymousId: id, ...body }, expired)).status, 200, "the device's own choice counts");
  assert.equal((await recorded(`a:${id}`)).analytics, "denied");
  assert.equal((await recorded(`u:${user}`)).analytics, "granted", "a token that ended decades ago is nobody's");
  const now = Math.floor(Date.now() / 1_000);
  const lapsed = { "x-hilo-user-token": signToken(claimsOf(user, { exp: now - 300, iat: now - 3_900 })) };
  assert.equal((await postAs(collector, id, "/_h/v1/consent", { anonymousId: id, ...body }, lapsed)).status, 200);
  assert.equal((await recorded(`u:${user}`)).analytics, "denied", "a denial reaches the user also where the page learned too late of its token's end");
});

test("200 denials without an id make no object", async () => {
  const objects = () => readdirSync(collector.state, { recursive: true, encoding: "utf8" }).filter((path) => path.includes("ProfileObject") && path.endsWith(".sqlite")).length;
  const before = objects();
  const consent = { base: 0, changes: [{ purpose: "analytics", state: "denied", at: new Date().toISOString(), method: "api" }] };
  for (let n = 0; n < 200; n += 20) {
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(collector, "/_h/v1/consent", { writeKey: "wk_shop", consent }, { "x-hilo": "1" })));
    for (const { status, body, headers } of answers) assert.deepEqual([status, body["receipt"], headers.get("set-cookie")], [200, null, null]);
  }
  assert.equal(objects(), before);
});

test("a page without storage gets the recorded revision with its hello", async () => {
  const id = anonymousId();
  await hello(collector, id);
  await decide(collector, id, 0, { functional: "granted", analytics: "denied" });
  const answer = await post(collector, "/_h/v1/hello", { writeKey: "wk_shop", consent: GRANTED }, { "x-hilo": "1", cookie: cookieOf(id) });
  const { anonymousId: told, revision, state } = answer.body;
  assert.deepEqual([told, revision, state], [id, 1, { functional: "granted", analytics: "denied" }]);
});
