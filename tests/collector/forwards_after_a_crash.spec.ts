/**
 * Promise: an acknowledged event is forwarded even when workerd is killed before the delivery. The receiver gets each event
 * under one id, so it can drop repeats.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { pageView, send } from "./envelopes.ts";
import { anonymousId, configWith, eventually, startCollector, startSink } from "./mf.ts";

const sink = await startSink();
const collector = await startCollector({ config: configWith(sink.url) });
after(async () => {
  await collector.dispose();
  await sink.close();
});

test("events acknowledged before a kill are forwarded after it", async () => {
  sink.answer(503);
  const ids = Array.from({ length: 10 }, anonymousId);
  const events = ids.flatMap((id) => Array.from({ length: 5 }, () => pageView(id)));
  for (const id of ids) {
    const answer = await send(collector, events.filter((event) => event["anonymousId"] === id));
    assert.equal(answer.body["accepted"], 5);
  }
  collector.kill();
  await eventually(async () => ((await collector.fetch("/readyz").catch(() => undefined))?.ok ? true : undefined));
  sink.answer(204);
  const wanted = new Set(events.map((event) => event["messageId"]));
  // No request reaches the objects after the kill: their alarms forward the events.
  await sink.until((received) => {
    for (const request of received) if (request.headers["webhook-id"]) wanted.delete(request.headers["webhook-id"]);
    return wanted.size === 0;
  }, 60_000);
  for (const id of ids) {
    await eventually(async () => {
      const { deliveries } = await collector.admin(`/admin/v1/profiles/a:${id}/deliveries`);
      return deliveries.length === 5 && deliveries.every((row: any) => row.state === "delivered") ? true : undefined;
    }, 60_000);
  }
});
