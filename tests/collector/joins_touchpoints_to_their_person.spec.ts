/**
 * Promise: what a telephone, a mail service and a till report by an address joins the one person who has proved that address: one
 * timeline, in order, also where the proof comes later. A stranger's claim of the address joins nothing, and an erasure reaches the index.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { GRANTED, type Json, cookieOf, hello, pageView, post, postAs, send } from "./envelopes.ts";
import { anonymousId, eventually, startCollector } from "./mf.ts";
import { claimsOf, signToken } from "./tokens.ts";

const collector = await startCollector();
after(() => collector.dispose());

const BACKEND = { origin: undefined, authorization: "Bearer sk_dev_backend" };
const profile = (key: string, part = "") => collector.admin(`/admin/v1/profiles/${encodeURIComponent(key)}${part}`);
const find = (body: Json) => collector.admin("/admin/v1/profiles/find", { method: "POST", body: JSON.stringify(body) });
const at = (minute: number) => new Date(Date.now() - 3_600_000 + minute * 60_000).toISOString();

/** What a backend says of a user. */
const identify = async (userId: string, traits: Json) => {
  const event = { type: "identify", messageId: anonymousId(), userId, traits, timestamp: at(1) };
  assert.equal((await post(collector, "/_h/v1/batch", { batch: [event] }, BACKEND)).body["accepted"], 1);
};

/** Reports acts, and returns the answer. */
const report = async (...reports: Json[]) => (await post(collector, "/_h/v1/reports", { reports }, BACKEND)).body;

/** The names of a profile's events by time, the oldest first. */
const timeline = async (key: string) => {
  const { events } = await profile(key, "/events?limit=200");
  const byTime = (a: Json, b: Json) => (a["timestamp"] < b["timestamp"] ? -1 : 1);
  return events.sort(byTime).map((event: Json) => event["event"] ?? event["type"]);
};

test("visits, a call, a letter and a purchase are one person's timeline, also what came before the proof", async () => {
  const [id, user, phone, email] = [anonymousId(), "ana", "+34600111222", "ana@shop.example"];
  // Somebody calls whom nobody knows.
  const unknown = { id: "call-0", event: "Call Missed", properties: { call_id: "call-0" }, who: { phone }, occurredAt: at(0) };
  const first = await report(unknown);
  assert.deepEqual([first["accepted"], first["notices"][0].code], [1, "contact_unknown"]);
  const { waiting } = await find({ phone });
  assert.deepEqual(await timeline(waiting[0]), ["Call Missed"]);
  // A stranger's page claims the address.
  const mallory = anonymousId();
  await hello(collector, mallory);
  await send(collector, [pageView(mallory, { type: "identify", userId: user, traits: { email, phone } })]);
  assert.deepEqual((await find({ email })).found, []);
  // The visitor of two pages signs in, and the backend knows her addresses.
  await hello(collector, id);
  await send(collector, [pageView(id, { timestamp: at(2) }), pageView(id, { timestamp: at(3) })]);
  await postAs(collector, id, "/_h/v1/hello", { anonymousId: id, consent: GRANTED }, { "x-hilo-user-token": signToken(claimsOf(user)) });
  await identify(user, { email, phone, loyalty_id: "L-1" });
  const answer = await report(
    { id: "call-1", event: "Call Received", properties: { call_id: "call-1" }, who: { phone: "0034 600 11 12 22" }, occurredAt: at(4) },
    { id: "mail-1", event: "Email Opened", properties: { message_id: "m1" }, who: { email: "Ana@Shop.example " }, occurredAt: at(5) },
    { id: "sale-1", event: "Order Completed", properties: { order_id: "1001", total: "59.90", currency: "EUR", channel: "store" }, who: { loyaltyId: "L-1" }, occurredAt: at(6) },
  );
  assert.deepEqual([answer["accepted"], answer["rejected"], answer["notices"]], [3, [], undefined]);
  const expected = ["Call Missed", "identify", "page", "page", "Call Received", "Email Opened", "Order Completed"];
  await eventually(async () => ((await timeline(`u:${user}`)).length === expected.length ? true : undefined), 60_000);
  assert.deepEqual(await timeline(`u:${user}`), expected);
  assert.deepEqual(await find({ phone }), { found: [`u:${user}`], waiting: [] });
  // The same reports count once, and the contact's label leads to her.
  assert.equal((await report(unknown))["duplicate"], 1);
  assert.deepEqual(await timeline(waiting[0]), expected);
  assert.deepEqual(await timeline(`a:${mallory}`), ["identify"]);
  assert.ok(cookieOf(id));
});

test("an erasure reaches the index, and the number is a stranger's again", async () => {
  const phone = "+34600333444";
  await identify("ben", { phone });
  assert.deepEqual((await find({ phone })).found, ["u:ben"]);
  await collector.admin("/admin/v1/profiles/u:ben/erase", { method: "POST" });
  await eventually(async () => ((await find({ phone })).found.length === 0 ? true : undefined), 60_000);
  const answer = await report({ id: "call-9", event: "Call Received", properties: { call_id: "call-9" }, who: { phone } });
  assert.deepEqual([answer["accepted"], answer["notices"][0].code], [1, "contact_unknown"]);
  assert.deepEqual(await timeline("u:ben"), []);
});
