/**
 * Promise: every change of consent leaves a receipt. Each receipt holds the hash of the receipt before it, and the person can
 * fetch a copy of all.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, test } from "node:test";

import { type Answer, type Json, decide, hello, post, postAs } from "./envelopes.ts";
import { anonymousId, startCollector } from "./mf.ts";

const collector = await startCollector();
after(() => collector.dispose());

/** The check that anybody can make with a copy: the hash covers the receipt with an empty `hash`. */
const digest = (receipt: Json) => createHash("sha256").update(JSON.stringify({ ...receipt, hash: "" })).digest("hex");

test("the hashes of a person's receipts form an unbroken chain in their copy", async () => {
  const id = anonymousId();
  const first = await decide(collector, id, 0, { analytics: "granted", functional: "granted" });
  const second = await decide(collector, id, 1, { analytics: "denied" });
  const cookie = first.headers.get("set-cookie")!.split(";")[0]!;
  const copy: Json = await (await collector.fetch("/_h/v1/consent", { headers: { cookie } })).json() as Json;
  assert.deepEqual([copy["receipts"], copy["next"]], [[second.body["receipt"], first.body["receipt"]], null]);
  assert.deepEqual(copy["state"], { analytics: "denied", functional: "granted" });
  assert.equal(copy["revision"], 2);
  let previous = "";
  for (const receipt of copy["receipts"].reverse()) {
    assert.equal(receipt.prev_hash, previous);
    assert.equal(receipt.hash, digest(receipt));
    assert.equal(receipt.controller, "Example Shop");
    assert.ok(!JSON.stringify(receipt).includes(id), "the subject is a pseudonym");
    previous = receipt.hash;
  }
});

test("a person's copy comes in pages, newest first, however large their signals were", async () => {
  const id = anonymousId();
  const at = new Date().toISOString();
  const answers: Answer[] = [];
  for (let revision = 1; revision <= 40; revision++) {
    const changes = [{ purpose: "analytics", state: "granted", at, method: "api" }];
    const signals = { tcf: "x".repeat(8_000), gpp: "y".repeat(4_000) };
    const body = { anonymousId: id, consent: { base: revision - 1, changes }, signals };
    answers.push(await postAs(collector, id, "/_h/v1/consent", body));
  }
  const { signals } = answers[0]!.body["receipt"];
  assert.deepEqual([signals.gpp.length, signals.tcf, signals.left_out], [4_000, undefined, "tcf"]);
  const cookie = answers[0]!.headers.get("set-cookie")!.split(";")[0]!;
  const pages: Json[] = [];
  do {
    const query: string = pages.length === 0 ? "" : `?cursor=${pages.at(-1)!["next"]}`;
    const response = await collector.fetch(`/_h/v1/consent${query}`, { headers: { cookie } });
    const text = await response.text();
    assert.ok(text.length < 512 * 1024);
    pages.push(JSON.parse(text));
  } while (pages.at(-1)!["next"] !== null);
  assert.deepEqual(pages.map((page) => page["receipts"].length), [25, 15]);
  const told = pages.flatMap((page) => page["receipts"]);
  assert.deepEqual(told.reverse(), answers.map((answer) => answer.body["receipt"]));
});

test("a change of consent that is sent again adds no receipt", async () => {
  const id = anonymousId();
  const body = {
    writeKey: "wk_shop",
    anonymousId: id,
    consent: { base: 0, changes: [{ purpose: "analytics", state: "granted", at: "2026-11-24T10:00:00Z", method: "api" }] },
  };
  const answers = [];
  for (let n = 0; n < 3; n++) answers.push((await postAs(collector, id, "/_h/v1/consent", body)).body);
  assert.deepEqual(answers[1], answers[0]);
  assert.deepEqual(answers[2], answers[0]);
});

test("the receipt of a choice shows the browser's signal", async () => {
  const id = anonymousId();
  await hello(collector, id);
  const body = {
    anonymousId: id,
    consent: { base: 0, changes: [{ purpose: "analytics", state: "denied", at: "2026-11-24T10:00:00Z", method: "gpc" }] },
  };
  const answer = await postAs(collector, id, "/_h/v1/consent", body, { "sec-gpc": "1" });
  assert.equal(answer.status, 200);
  assert.equal(answer.body["receipt"].signals.gpc, "1");
});

test("a body that is no change of consent is refused", async () => {
  const change = { purpose: "analytics", state: "granted", at: "2026-11-24T10:00:00Z", method: "api" };
  for (const changes of [[], [{ ...change, purpose: "essential" }], [{ ...change, state: "maybe" }], [{ ...change, at: "now" }]]) {
    const body = { writeKey: "wk_shop", anonymousId: anonymousId(), consent: { base: 0, changes } };
    const answer = await post(collector, "/_h/v1/consent", body, { "x-hilo": "1" });
    assert.equal(answer.status, 422);
    assert.equal(answer.body["error"].code, "wrong_type");
  }
});
