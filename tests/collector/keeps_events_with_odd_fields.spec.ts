/**
 * Promise: an odd field costs the field, never its event or a neighbor, and an odd id never becomes a person.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { SERVER_KEY } from "./carts.ts";
import { type Answer, type Json, codes, post } from "./envelopes.ts";
import { anonymousId, messageHash, rejectLog, startCollector } from "./mf.ts";
import { shopConfig } from "./shop_config.ts";

const collector = await startCollector();
after(() => collector.dispose());

/** Posts as a backend does. */
function backend(path: string, body: Json | string): Promise<Answer> {
  return post(collector, path, body, { origin: undefined, authorization: `Bearer ${SERVER_KEY}` });
}

/** The events of a profile by their message id. */
async function kept(key: string): Promise<Record<string, Json>> {
  const { events } = await collector.admin(`/admin/v1/profiles/${encodeURIComponent(key)}/events`);
  return Object.fromEntries(events.map((event: Json) => [event["messageId"], event]));
}

/** Waits for a notice of the reject log. */
function noticed(is: (notice: Json) => boolean): Promise<Json> {
  return rejectLog(collector, (rejects) => rejects.some((reject: Json) => reject["outcome"] === "notice" && is(reject)));
}

test("an imported event keeps its own time", async () => {
  const item = { type: "track", event: "Order Completed", userId: "u-18", messageId: "c14-1", timestamp: "2024-03-05T08:30:00.000Z" };
  await backend("/v1/batch", { sentAt: new Date().toISOString(), batch: [item] });
  assert.equal((await kept("u:u-18"))["c14-1"]!["timestamp"], "2024-03-05T08:30:00Z");
});

test("a bare NaN becomes null, and the event beside it is kept", async () => {
  const item = (id: string, properties: string) =>
    `{"type":"track","event":"E","userId":"u-19","messageId":"${id}","properties":${properties}}`;
  const answer = await backend("/v1/batch", `{"batch":[${item("c15-1", `{"price":NaN}`)},${item("c15-2", `{"order_id":"o-2"}`)}]}`);
  assert.deepEqual([answer.status, answer.body["accepted"]], [200, 2]);
  assert.deepEqual((await kept("u:u-19"))["c15-1"]!["properties"], { price: null });
  await noticed(({ code, field }) => code === "not_a_number" && field === "properties.price");
  const broken = await backend("/v1/batch", `{"batch":[${item("c15-3", "{}")},${item("c15-4", "{,}")}]}`);
  assert.deepEqual([broken.status, broken.body["error"].field], [400, "batch.1"]);
});

test("a time is read in each form that languages print", async () => {
  const times = [
    "2026-03-05T08:30:00", "2026-03-05 08:30:00", "2026-03-05T08:30:00+0000", "2026-03-05T08:30:00.0000000Z", 1_772_699_400,
    "1772699400000", "Thu, 05 Mar 2026 08:30:00 GMT", "2026-03-05",
  ];
  const batch = times.map((timestamp, n) => ({ type: "track", event: `T${n}`, userId: "u-20", messageId: `c16-${n}`, timestamp }));
  const answer = await backend("/v1/batch", { batch: [...batch, { ...batch[0], messageId: "c16-odd", timestamp: "yesterday" }] });
  assert.equal(answer.body["accepted"], 9);
  const events = await kept("u:u-20");
  for (const n of times.keys()) {
    assert.equal(events[`c16-${n}`]!["timestamp"], n === 7 ? "2026-03-05T00:00:00Z" : "2026-03-05T08:30:00Z", String(times[n]));
  }
  const odd = events["c16-odd"]!;
  assert.equal(odd["timestamp"], odd["receivedAt"]);
  assert.equal(odd["context"].hilo.clock, "unreadable");
  await noticed(({ code }) => code === "bad_timestamp");
});

test("scalars in the context become text, and a value of an impossible type is left out", async () => {
  const contexts = [
    { os: { name: "Android", version: 14 }, app: { build: 420, version: 4 } }, { campaign: { name: "spring", content: 12345 } },
    { locale: false }, { device: "iPhone" }, { page: { url: {}, title: "T" } },
  ];
  const batch: Json[] = contexts.map((context, n) => ({ type: "track", event: "E", userId: "u-22", messageId: `c18-${n}`, context }));
  batch.push({ type: "screen", name: 404, userId: "u-22", messageId: "c18-screen", context: [] });
  const answer = await backend("/v1/batch", { batch, context: [] });
  assert.equal(answer.body["accepted"], batch.length);
  const events = await kept("u:u-22");
  assert.equal(events["c18-1"]!["context"].campaign.content, "12345");
  assert.equal(events["c18-screen"]!["name"], "404");
  for (const expected of ["context.device", "context.page.url"]) await noticed(({ field }) => field === expected);
});

test("an id that stands for everybody never becomes a person", async () => {
  const odd = [
    "00000000-0000-0000-0000-000000000000", '"null"', "-1", "false", "true", "None", "NaN", "unknown", "n/a", "not_authenticated",
    "{{user_id}}", "distinct_id", true, -1,
  ];
  const items = [...odd, "u-28"].map((userId) => ({ type: "identify", userId, anonymousId: anonymousId(), messageId: anonymousId(), traits: { plan: "a" } }));
  const answer = await backend("/v1/batch", { batch: items });
  assert.equal(answer.body["accepted"], items.length);
  const told = answer.body["notices"].map(({ code, field, count }: Json) => [code, field, count]);
  assert.deepEqual(told, [["reserved_id", "userId", 13], ["wrong_type", "userId", 1]]);
  for (const { userId, anonymousId, messageId } of items) {
    const own = await kept(userId === "u-28" ? "u:u-28" : `a:${anonymousId}`);
    assert.equal(own[messageId]!["userId"], userId === "u-28" ? "u-28" : undefined, String(userId));
  }
  for (const userId of odd) {
    const path = `/v1/carts/${encodeURIComponent(userId)}`;
    const cart = await collector.fetch(path, { headers: { authorization: `Bearer ${SERVER_KEY}`, "x-hilo": "1" } });
    assert.equal(cart.status, 422, path);
    await cart.text();
  }
  const alone = await backend("/v1/batch", { batch: odd.map((userId) => ({ type: "identify", userId })) });
  assert.equal(alone.body["accepted"], 0);
  assert.deepEqual([...new Set(Object.values(codes(alone)))].sort(), ["reserved_id", "wrong_type"]);
});

test("an id that the configuration reserves never becomes a person", async () => {
  const own = await startCollector({ config: shopConfig({ tables: '[identity]\nreserved = ["kiosk"]' }) });
  try {
    const headers = { origin: undefined, authorization: `Bearer ${SERVER_KEY}` };
    const answer = await post(own, "/v1/batch", { batch: [{ type: "identify", userId: "Kiosk" }, { type: "identify", userId: "u-1" }] }, headers);
    assert.deepEqual(codes(answer), { 0: "reserved_id" });
    const cart = await own.fetch("/v1/carts/kiosk", { headers: { authorization: `Bearer ${SERVER_KEY}`, "x-hilo": "1" } });
    assert.equal(cart.status, 422);
  } finally {
    await own.dispose();
  }
});

test("a refusal stands in the log beside any number of notices", async () => {
  const loud = (n: number) => ({ type: "track", event: "E", userId: "u-30", ...Object.fromEntries(Array.from({ length: 16 }, (_, k) => [`f${n}_${k}`, 1])) });
  const batch: Json[] = Array.from({ length: 40 }, (_, n) => loud(n));
  batch.push({ type: "track", event: "", userId: "u-30", messageId: "c-hidden" });
  await backend("/v1/batch", { batch });
  await rejectLog(collector, (rejects) => rejects.some((reject: Json) => reject["outcome"] === "rejected" && reject["messageHash"] === messageHash("c-hidden")));
});
