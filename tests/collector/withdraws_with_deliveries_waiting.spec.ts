/**
 * Promise: a withdrawal reaches every delivery that still waits. Of 500 events whose destination is away none is sent after the denial,
 * and each of them is counted.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { type Json, decide, hello, pageView, send } from "./envelopes.ts";
import { anonymousId, configWith, eventually, startCollector, startSink } from "./mf.ts";

const EVENTS = 500;

const sink = await startSink();
const collector = await startCollector({ config: configWith(sink.url), rates: false });
after(async () => {
  await collector.dispose();
  await sink.close();
});

test("after a withdrawal none of 500 waiting deliveries is sent, and all are counted", async () => {
  sink.answer(503);
  const id = anonymousId();
  await hello(collector, id);
  await decide(collector, id, 0, { functional: "granted", analytics: "granted" });
  const events = Array.from({ length: EVENTS }, () => pageView(id));
  for (let at = 0; at < EVENTS; at += 50) {
    assert.equal((await send(collector, events.slice(at, at + 50))).body["accepted"], 50);
  }
  await sink.until((received) => received.length > 0);
  const { state } = (await decide(collector, id, 1, { analytics: "denied" })).body;
  assert.equal(state.analytics, "denied");
  sink.answer(204);
  // A request that was under way at the denial may still arrive. Deliveries that the queue has are asked about after ten seconds, and
  // the brake lets only probes through before.
  const counts = await eventually(async () => {
    const { destinations } = await collector.admin("/admin/v1/deliveries");
    const [webhook] = destinations.filter((one: Json) => one["destination"] === "webhook");
    const withheld = (webhook?.skipped?.consent_denied ?? 0) + webhook?.delivered;
    return withheld >= EVENTS ? webhook : undefined;
  }, 120_000);
  assert.equal(counts.skipped.consent_denied + counts.delivered, EVENTS, JSON.stringify(counts));
  const sent = new Set(sink.received.filter((one) => one.status === 204).map((one) => one.headers["webhook-id"]));
  assert.equal(sent.size, counts.delivered);
  const before = sink.received.length;
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  assert.equal(sink.received.length, before);
});
