/**
 * Promise: an event older than `events_months` is gone after the alarm of its person's object, once it is delivered, and younger
 * events stay.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { envelope, type Json, pageView, post } from "./envelopes.ts";
import { configWith, eventually, startCollector, startSink } from "./mf.ts";

const sink = await startSink();
const collector = await startCollector({ config: configWith(sink.url) });
after(async () => {
  await collector.dispose();
  await sink.close();
});

test("the alarm removes what is older than its months", async () => {
  const of = (messageId: string, years: number): Json => {
    const timestamp = new Date(Date.now() - years * 366 * 86_400_000).toISOString();
    return { ...pageView("", { messageId, timestamp, userId: "u1" }), anonymousId: undefined };
  };
  // A server may import old events.
  const batch = envelope([of("old", 2), of("young", 0.5)], { writeKey: "sk_dev_backend" });
  const answer = await post(collector, "/_h/v1/batch", batch, { origin: undefined, authorization: "Bearer sk_dev_backend" });
  assert.deepEqual([answer.status, answer.body["accepted"]], [200, 2], JSON.stringify(answer.body));
  await sink.until((received) => received.length === 2);
  const left = await eventually(async () => {
    const { events } = await collector.admin("/admin/v1/profiles/u:u1/events");
    return events.length < 2 ? events : undefined;
  }, 60_000);
  assert.deepEqual(left.map((event: Json) => event["messageId"]), ["young"]);
  // The profile still counts both, for `aggregates_months`.
  const { profile } = await collector.admin("/admin/v1/profiles/u:u1");
  assert.deepEqual(profile.events, { page: 2 });
});
