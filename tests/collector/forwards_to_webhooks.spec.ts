/**
 * Promise: an event that may be forwarded arrives at the webhook once and signed, whatever the receiver answers on the way.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { decide, envelope, hello, pageView, post, send } from "./envelopes.ts";
import { anonymousId, configWith, DEV_SECRETS, eventually, messageHash, startCollector, startSink } from "./mf.ts";
import { isSigned } from "./webhook_receiver.ts";

const sink = await startSink();
const collector = await startCollector({ config: configWith(sink.url) });
after(async () => {
  await collector.dispose();
  await sink.close();
});

const about = (id: string) => sink.received.filter((request) => request.headers["webhook-id"] === id);
const outbox = async (id: string) => (await collector.admin(`/admin/v1/profiles/a:${id}/deliveries`)).deliveries;

test("a delivery is signed as the Standard Webhooks specification demands", async () => {
  sink.answer(204);
  const event = pageView(anonymousId());
  assert.equal((await send(collector, [event])).body["accepted"], 1);
  await sink.until(() => about(event["messageId"]).length > 0);
  const [got] = about(event["messageId"]);
  const body = JSON.parse(got!.body);
  assert.equal(body.type, "hilo.page");
  assert.equal(body.data.anonymousId, event["anonymousId"]);
  assert.ok(isSigned(new Headers(got!.headers as Record<string, string>), got!.body, DEV_SECRETS.WEBHOOK_SECRET));
  assert.ok(!isSigned(new Headers(got!.headers as Record<string, string>), got!.body + " ", DEV_SECRETS.WEBHOOK_SECRET));
});

test("a receiver that was down gets the event once when it is back, under the same id", async () => {
  sink.answer(503);
  const id = anonymousId();
  const event = pageView(id);
  await send(collector, [event]);
  await sink.until(() => about(event["messageId"]).length >= 2);
  sink.answer(204);
  const before = about(event["messageId"]).length;
  await sink.until(() => about(event["messageId"]).length > before);
  const row = await eventually(async () => (await outbox(id)).find((row: any) => row.state === "delivered"));
  assert.equal(row.messageId, event["messageId"]);
  const times = about(event["messageId"]).map((request) => request.headers["webhook-timestamp"]);
  assert.ok(new Set(times).size > 1, "the timestamp is the attempt's own");
  await eventually(async () => {
    const [counted] = (await collector.admin("/admin/v1/deliveries")).destinations;
    return counted?.delivered >= 2 && counted.retried >= 2 ? counted : undefined;
  });
});

test("an event that the receiver never takes becomes a dead letter, and a replay delivers it", async () => {
  sink.answer(410);
  const id = anonymousId();
  const event = pageView(id);
  await send(collector, [event]);
  const letter = await eventually(async () =>
    (await collector.admin("/admin/v1/dead-letters")).deadLetters.find((letter: any) => letter.messageHash === messageHash(event["messageId"])),
  );
  assert.match(letter.reason, /410/);
  sink.answer(204);
  const count = about(event["messageId"]).length;
  const body = JSON.stringify({ messageIds: [event["messageId"]] });
  assert.deepEqual(await collector.admin("/admin/v1/dead-letters/replay", { method: "POST", body }), { replayed: 1 });
  await sink.until(() => about(event["messageId"]).length > count);
  await eventually(async () => (await outbox(id)).find((row: any) => row.state === "delivered"));
  assert.deepEqual((await collector.admin("/admin/v1/dead-letters")).deadLetters, []);
});

test("a withdrawal of consent drops deliveries that still wait", async () => {
  sink.answer(503);
  const id = anonymousId();
  await hello(collector, id);
  const event = pageView(id);
  await send(collector, [event]);
  await sink.until(() => about(event["messageId"]).length >= 1);
  await decide(collector, id, 0, { analytics: "denied" });
  await eventually(async () => (await outbox(id)).find((row: any) => row.state === "dead" && row.reason === "consent_denied"));
});

test("a sender can exclude an event from a destination", async () => {
  sink.answer(204);
  const [kept, sent] = [pageView(anonymousId(), { integrations: { All: false } }), pageView(anonymousId())];
  await post(collector, "/_h/v1/batch", envelope([kept, sent]));
  await sink.until(() => about(sent["messageId"]).length > 0);
  assert.equal(about(kept["messageId"]).length, 0);
});
