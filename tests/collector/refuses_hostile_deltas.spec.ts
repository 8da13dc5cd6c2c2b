/**
 * Promise: a hostile delta is refused with a code and changes nothing: forged replicas, invented numbers, gaps, drops of
 * foreign dots, ten thousand dots, bodies that are too large or no delta at all.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { CUP, Device, MUG, type Line } from "./carts.ts";
import { type Json } from "./envelopes.ts";
import { eventually, startCollector } from "./mf.ts";
import { claimsOf, signToken } from "./tokens.ts";

const collector = await startCollector();
after(() => collector.dispose());

const token = signToken(claimsOf("victim"));
const victim = new Device(collector, token);
await victim.add(MUG, 3);
const hostile = new Device(collector, token);
await hostile.add(CUP, 1);

const state = () => collector.admin("/admin/v1/carts/u:victim");

/** Posts what `change` makes of a good delta. Asserts the refusal, and that the cart has not changed. */
async function check(status: number, code: string, change: (delta: Json) => Json | string): Promise<Json> {
  const before = await state();
  const answer = await hostile.call("/v1/cart/ops", change(hostile.adding(MUG, 1)));
  assert.deepEqual([answer.status, answer.body["code"], answer.body["error"]?.code], [status, code, code]);
  assert.deepEqual(await state(), before);
  return answer.body["error"];
}

const mine = (n: number): [string, number] => hostile.dot(n);

test("a delta that acts for another replica is refused", async () => {
  await check(403, "foreign_replica", (delta) => ({ ...delta, replica: victim.replica }));
  await check(403, "foreign_replica", (delta) => ({ ...delta, token: victim.token }));
  const { replicas } = await state();
  for (const { replica } of replicas as Json[]) {
    await check(403, "foreign_replica", (delta) => ({ ...delta, replica, token: "0".repeat(32) }));
  }
  await check(400, "malformed_delta", (delta) => ({ ...delta, replica: "0" }));
  await check(400, "malformed_delta", (delta) => ({ ...delta, token: "short" }));
});

test("a delta with a gap in its numbers, or with too many of them, is refused", async () => {
  const last = 2 ** 32 - 1;
  const { from } = await check(409, "missing", (delta) => ({ ...delta, from: last, to: last, put: [[MUG, mine(last), "add", 1]] }));
  assert.equal(from, 2);
  await check(409, "missing", (delta) => ({ ...delta, to: last }));
  await check(409, "missing", (delta) => ({ ...delta, from: 3, to: 3, put: [[MUG, mine(3), "add", 1]] }));
  await check(409, "missing", (delta) => ({ ...delta, to: 2 + 64 }));
  await check(400, "malformed_delta", (delta) => ({ ...delta, from: 0 }));
  await check(400, "malformed_delta", (delta) => ({ ...delta, from: 3, to: 2 }));
});

test("a delta cannot drop or put a dot that the hub has not seen", async () => {
  await check(409, "missing", (delta) => ({ ...delta, drop: [victim.dot(2)] }));
  await check(409, "missing", (delta) => ({ ...delta, drop: [["7", 1]] }));
  await check(409, "missing", (delta) => ({ ...delta, put: [[MUG, ["7", 1], "add", 1]] }));
});

test("a delta that changes a dot, or takes units back in another replica's name, is refused", async () => {
  await check(422, "dot_conflict", (delta) => ({ ...delta, put: [[MUG, victim.dot(1), "add", 9]] }));
  await check(422, "foreign_use", (delta) => ({ ...delta, put: [[MUG, victim.dot(1), "add", 3, { [victim.replica]: 3 }]] }));
  await check(422, "foreign_use", (delta) => ({ ...delta, put: [[MUG, victim.dot(1), "add", 3, { [hostile.replica]: 4 }]] }));
});

test("ten thousand dots are refused, in one delta and in many", async () => {
  const dots = Array.from({ length: 10_000 }, (_, n) => [MUG, mine(n + 2), "add", 1]);
  await check(413, "body_too_large", (delta) => ({ ...delta, to: 10_001, put: dots }));
  await check(413, "delta_too_large", (delta) => ({ ...delta, to: 1_001, put: dots.slice(0, 1_000) }));
  await check(409, "missing", (delta) => ({ ...delta, to: 10_001, put: dots.slice(0, 100) }));
  const line = (n: number): Line => [`line-${n}`, "0", "EUR"];
  // A delta may add 64 lines, and a cart may have 200.
  const filler = new Device(collector, signToken(claimsOf("filler")));
  for (let filled = 0; filled < 192; filled += 64) {
    const put = Array.from({ length: 64 }, (_, n) => [line(filled + n), filler.dot(filled + n + 1), "add", 1]);
    assert.equal((await filler.post(filler.delta(64, { put }))).status, 200);
  }
  const more = Array.from({ length: 9 }, (_, n) => [line(192 + n), filler.dot(193 + n), "add", 1]);
  const refused = await filler.post(filler.delta(9, { put: more }));
  assert.deepEqual([refused.status, refused.body["error"].code], [422, "too_many_lines"]);
  assert.equal((await collector.admin("/admin/v1/carts/u:filler")).lines.length, 192);
});

test("a body that is too large or no delta is refused before the cart reads it", async () => {
  await check(413, "delta_too_large", (delta) => JSON.stringify(delta) + " ".repeat(32 * 1024));
  await check(400, "malformed_delta", () => "[]");
  await check(400, "malformed_delta", () => "{");
  await check(400, "malformed_delta", (delta) => ({ ...delta, base: -1 }));
  await check(422, "unknown_version", (delta) => ({ ...delta, v: 2 }));
  await check(422, "bad_quantity", (delta) => ({ ...delta, put: [[MUG, mine(2), "add", 10_000]] }));
  await check(422, "bad_line", (delta) => ({ ...delta, put: [[["", "0", "EUR"], mine(2), "add", 1]] }));
});

test("every final refusal is counted", async () => {
  for (const code of ["foreign_replica", "malformed_delta", "dot_conflict", "foreign_use", "delta_too_large", "bad_line"]) {
    await eventually(async () => (await collector.admin("/admin/v1/rejects")).counts[code]);
  }
});
