/**
 * Deliveries wait in the queue while the objects of their persons sleep and wake again: each event is sent once.
 *
 * workerd puts an object to sleep after ten seconds without a call. A pending delivery wakes it by its alarm.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { pageView, send } from "./envelopes.ts";
import { anonymousId, type Collector, configWith, type Sink, startCollector, startSink } from "./mf.ts";

const PEOPLE = 60;
const EVENTS = 5;
/** With three requests at a time the queue holds deliveries for 40 seconds. */
const ANSWER_MS = 400;

let collector: Collector;
let sink: Sink;
before(async () => {
  sink = await startSink();
  collector = await startCollector({ config: configWith(sink.url) });
});
after(async () => {
  await collector.dispose();
  await sink.close();
});

test("an event that waits in the queue longer than its object is awake is sent once", async () => {
  sink.answer(204, {}, { afterMs: ANSWER_MS });
  const began = Date.now();
  for (let n = 0; n < PEOPLE; n++) {
    const id = anonymousId();
    const answer = await send(collector, Array.from({ length: EVENTS }, () => pageView(id)));
    assert.equal(answer.body["accepted"], EVENTS);
  }
  await sink.until(() => sink.counts().size === PEOPLE * EVENTS, 120_000);
  assert.ok(Date.now() - began > 25_000, "the objects had time to fall asleep");
  // The queue is in order: whatever was sent again before this event arrives before it.
  const last = pageView(anonymousId());
  await send(collector, [last]);
  await sink.until(() => sink.counts().has(last["messageId"]));
  assert.equal(sink.received.length, sink.counts().size);
});
