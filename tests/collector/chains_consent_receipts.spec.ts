/**
 * Promise: every consent change leaves a receipt that is chained to the one before, and the person can fetch their copy.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, test } from "node:test";

import { type Json, decide, post } from "./envelopes.ts";
import { anonymousId, startCollector } from "./mf.ts";

const collector = await startCollector();
after(() => collector.dispose());

/** What anybody can check with the copy in hand: the hash covers the receipt with an empty `hash`. */
const digest = (receipt: Json) => createHash("sha256").update(JSON.stringify({ ...receipt, hash: "" })).digest("hex");

test("the chain holds, and the copy shows it", async () => {
  const id = anonymousId();
  const first = await decide(collector, id, 1, { analytics: "granted", functional: "granted" });
  const second = await decide(collector, id, 2, { analytics: "denied" });
  const cookie = first.headers.get("set-cookie")!.split(";")[0]!;
  const copy: Json = await (await collector.fetch("/_h/v1/consent", { headers: { cookie } })).json() as Json;
  assert.deepEqual(copy["receipts"], [first.body["receipt"], second.body["receipt"]]);
  assert.deepEqual(copy["state"], { analytics: "denied", functional: "granted" });
  assert.equal(copy["revision"], 2);
  let previous = "";
  for (const receipt of copy["receipts"]) {
    assert.equal(receipt.prev_hash, previous);
    assert.equal(receipt.hash, digest(receipt));
    assert.equal(receipt.controller, "Example Shop");
    assert.ok(!JSON.stringify(receipt).includes(id), "the subject is a pseudonym");
    previous = receipt.hash;
  }
});

test("a change that is told again adds no link", async () => {
  const id = anonymousId();
  const body = {
    writeKey: "wk_shop",
    anonymousId: id,
    consent: { revision: 1, changes: [{ purpose: "analytics", state: "granted", at: "2026-11-24T10:00:00Z", method: "api" }] },
  };
  const answers = [];
  for (let n = 0; n < 3; n++) answers.push((await post(collector, "/_h/v1/consent", body, { "x-hilo": "1" })).body);
  assert.deepEqual(answers[1], answers[0]);
  assert.deepEqual(answers[2], answers[0]);
});

test("somebody without an id gets a receipt for their denial, and no cookie", async () => {
  const body = {
    writeKey: "wk_shop",
    consent: { revision: 1, changes: [{ purpose: "analytics", state: "denied", at: "2026-11-24T10:00:00Z", method: "gpc" }] },
  };
  const answer = await post(collector, "/_h/v1/consent", body, { "x-hilo": "1", "sec-gpc": "1" });
  assert.equal(answer.status, 200);
  assert.equal(answer.body["receipt"].signals.gpc, "1");
  assert.equal(answer.headers.get("set-cookie"), null);
});

test("what is no change is refused", async () => {
  const change = { purpose: "analytics", state: "granted", at: "2026-11-24T10:00:00Z", method: "api" };
  for (const changes of [[], [{ ...change, purpose: "essential" }], [{ ...change, state: "maybe" }], [{ ...change, at: "now" }]]) {
    const body = { writeKey: "wk_shop", anonymousId: anonymousId(), consent: { revision: 1, changes } };
    const answer = await post(collector, "/_h/v1/consent", body, { "x-hilo": "1" });
    assert.equal(answer.status, 422);
    assert.equal(answer.body["error"].code, "wrong_type");
  }
});
