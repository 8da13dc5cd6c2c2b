/**
 * Promise: a usual batch of ten events with one destination stays within what Cloudflare may charge for it: rows written, calls
 * of objects and operations of the queue. `cargo xtask bench cost` counts other batches, and knows the prices.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { type Json, pageView, send } from "./envelopes.ts";
import { anonymousId, configWith, startCollector, startSink } from "./mf.ts";

const EVENTS = 10;
const VISITORS = 2;
const BATCHES = 3;
/** Batches of which each event has a notice, as Segment's clients for phones send them. */
const NOTICED_BATCHES = 20;
/** Calls of the journal for all of these notices: head and shard, and once more where a bundle leaves meanwhile. */
const JOURNAL_CALLS_MAX = 6;
/** A visit's events come about so often. */
const BETWEEN_MS = 5_000;
/** The alarm of the last batch has fired by then. */
const ALARM_MS = 25_000;
/** The most operations for each event. Ten times these rows are nine tenths of a bill. */
const MOST = { rowsWritten: 0.6, objectRequests: 0.5, queueOperations: 0.4 };

const sink = await startSink();
const collector = await startCollector({ config: configWith(sink.url), entry: "counted.js", assets: false });
after(async () => {
  await collector.dispose();
  await sink.close();
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
let sent = 0;

async function counted(work: () => Promise<void>): Promise<Json> {
  await collector.fetch("/counted/reset");
  await work();
  return (await (await collector.fetch("/counted/read")).json()) as Json;
}

/** Each visitor sends a batch. */
async function visit(ids: string[]): Promise<void> {
  for (const id of ids) {
    const batch = Array.from({ length: EVENTS }, () => pageView(id, { type: "track", event: "Product Viewed" }));
    assert.equal((await send(collector, batch)).body["accepted"], EVENTS);
    sent += EVENTS;
  }
}

test("a batch of ten events writes at most six rows, and calls few objects", async () => {
  const ids = Array.from({ length: VISITORS }, anonymousId);
  // What a new person costs comes once.
  await visit(ids);
  await sink.until(() => sink.counts().size === sent);
  await pause(ALARM_MS);
  const counts = await counted(async () => {
    for (let n = 0; n < BATCHES; n++) {
      await visit(ids);
      await pause(BETWEEN_MS);
    }
    await sink.until(() => sink.counts().size === sent);
    await pause(ALARM_MS);
  });
  const events = VISITORS * BATCHES * EVENTS;
  for (const [what, most] of Object.entries(MOST)) {
    assert.ok(counts[what] > 0 && counts[what] / events <= most, `${what}: ${counts[what] / events} for each event, of ${JSON.stringify(counts)}`);
  }
});

test("no request waits for the journal: what twenty batches leave there comes in a few calls", async () => {
  const id = anonymousId();
  // No destination gets these events, so that only profile and journal are called.
  const batch = () => Array.from({ length: EVENTS }, () => ({ ...pageView(id, { integrations: { All: false } }), unheard_of: true }));
  await send(collector, batch());
  await pause(ALARM_MS);
  const { objectRequests } = await counted(async () => {
    for (let n = 0; n < NOTICED_BATCHES; n++) {
      const { body } = await send(collector, batch());
      assert.deepEqual([body["accepted"], body["notices"].length > 0], [EVENTS, true]);
    }
    await pause(BETWEEN_MS);
  });
  assert.ok(objectRequests <= NOTICED_BATCHES + JOURNAL_CALLS_MAX, `${objectRequests} calls of objects for ${NOTICED_BATCHES} batches`);
});
