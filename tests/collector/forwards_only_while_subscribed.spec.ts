/**
 * Promise: a destination that writes to people gets an event only while its person is subscribed to the channel. An opt-out
 * drops deliveries that still wait. The ledger keeps every change with the text that the person was shown.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { type Answer, type Json, cookieOf, hello, pageView, post, postAs, send } from "./envelopes.ts";
import { anonymousId, configWith, eventually, startCollector, startSink } from "./mf.ts";
import { claimsOf, signToken } from "./tokens.ts";

const sink = await startSink();
// Subscriptions by link have a spec of their own.
const config = configWith(sink.url)
  .replace('name = "webhook"', 'name = "letters"\nchannel = "email"')
  .replace(/^confirm_by = .*$/m, "")
  .replace("email = { double = true }", "email = { double = false }");
const collector = await startCollector({ config });
after(async () => {
  await collector.dispose();
  await sink.close();
});

const about = (id: string) => sink.received.filter((request) => request.headers["webhook-id"] === id);
const profile = (id: string, part = "") => collector.admin(`/admin/v1/profiles/a:${id}${part}`);

/** Says what the visitor wants, from a browser that said hello before. */
async function say(anonymousId: string, state: string, over: Json = {}, headers: Json = {}): Promise<Answer> {
  if (!cookieOf(anonymousId) && !headers["x-hilo-user-token"]) await hello(collector, anonymousId);
  const body = { anonymousId, channel: "email", state, text: "Write to me.", version: "2026-11", ...over };
  return postAs(collector, anonymousId, "/_h/v1/optin", body, headers);
}

test("a person who never subscribed gets nothing, and a subscribed person gets every event", async () => {
  sink.answer(204);
  const [silent, subscribed] = [anonymousId(), anonymousId()];
  const answer = await say(subscribed, "subscribed");
  assert.deepEqual([answer.status, answer.body["channel"], answer.body["state"]], [200, "email", "subscribed"]);
  assert.ok(Math.abs(Date.parse(answer.body["at"]) - Date.now()) < 10_000);
  const [kept, sent] = [pageView(silent), pageView(subscribed)];
  assert.equal((await send(collector, [kept, sent])).body["accepted"], 2);
  await sink.until(() => about(sent["messageId"]).length > 0);
  assert.equal(about(kept["messageId"]).length, 0);
  assert.deepEqual((await profile(silent, "/deliveries")).deliveries, []);
});

test("a subscription to one channel is none to another channel", async () => {
  const id = anonymousId();
  await say(id, "subscribed", { channel: "sms" });
  await send(collector, [pageView(id)]);
  assert.deepEqual((await profile(id, "/deliveries")).deliveries, []);
});

test("an opt-out drops deliveries that still wait, and a replay does not bring them back", async () => {
  sink.answer(503);
  const id = anonymousId();
  await say(id, "subscribed");
  const event = pageView(id);
  await send(collector, [event]);
  await sink.until(() => about(event["messageId"]).length >= 1);
  await say(id, "unsubscribed", { text: undefined, version: undefined });
  // The webhook learns of both changes of the ledger too, whatever its channel is.
  const rows = async () => (await profile(id, "/deliveries")).deliveries.filter((row: Json) => !row["messageId"].startsWith("optin-"));
  await eventually(async () => (await rows()).find((row: Json) => row["state"] === "dead" && row["reason"] === "not_subscribed"));
  sink.answer(204);
  const count = about(event["messageId"]).length;
  const body = JSON.stringify({ messageIds: [event["messageId"]] });
  assert.deepEqual(await collector.admin("/admin/v1/dead-letters/replay", { method: "POST", body }), { replayed: 0 });
  await send(collector, [pageView(id)]);
  assert.equal((await rows()).length, 1);
  assert.equal(about(event["messageId"]).length, count);
});

test("the ledger proves each change, and a repeated change adds no entry", async () => {
  const id = anonymousId();
  const over = { address: "ana@shop.example", url: "https://shop.example/news?token=abc" };
  const first = await say(id, "subscribed", over);
  assert.deepEqual((await say(id, "subscribed", over)).body, first.body);
  await say(id, "unsubscribed");
  const { optins } = await profile(id, "/optins");
  assert.deepEqual(optins.map((row: Json) => row["state"]), ["unsubscribed", "subscribed"]);
  const { at, text, version, address, url, source, verified } = optins[1];
  assert.deepEqual([at, text, version, address], [first.body["at"], "Write to me.", "2026-11", "ana@shop.example"]);
  assert.deepEqual([source, verified], ["shop", false]);
  assert.ok(!url.includes("abc"), url);
  assert.deepEqual((await profile(id)).optins, { email: "unsubscribed" });
});

test("a verified user has a ledger of their own", async () => {
  const id = anonymousId();
  await say(id, "subscribed", {}, { "x-hilo-user-token": signToken(claimsOf("ana")) });
  assert.deepEqual((await collector.admin("/admin/v1/profiles/u:ana")).optins, { email: "subscribed" });
  assert.equal((await collector.admin("/admin/v1/profiles/u:ana/optins")).optins[0].verified, true);
  assert.equal((await profile(id)).known, false);
});

test("a body that is no opt-in is refused with the name of the wrong field", async () => {
  const id = anonymousId();
  const check = async (over: Json, code: string, field: string) => {
    const answer = await say(id, "subscribed", over);
    assert.deepEqual([answer.status, answer.body["error"].code, answer.body["error"].field], [422, code, field]);
  };
  await check({ channel: "e-mail" }, "wrong_type", "channel");
  await check({ state: "maybe" }, "wrong_type", "state");
  await check({ text: undefined }, "missing_field", "text");
  await check({ version: " " }, "missing_field", "version");
  await check({ text: "x".repeat(8_193) }, "wrong_type", "text");
  await check({ anonymousId: "null" }, "reserved_id", "anonymousId");
  const answer = await post(collector, "/_h/v1/optin", { writeKey: "wk_shop", anonymousId: id, channel: "email", state: "subscribed" });
  assert.deepEqual([answer.status, answer.body["error"].code], [403, "missing_header"]);
  assert.deepEqual((await profile(id)).optins, {});
});
