/**
 * Promise: an acknowledged event is never lost. workerd is killed with SIGKILL three times while 2,000 events are sent in
 * batches. Every event that was answered with 200 stands in its profile, and no event stands there twice.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { type Json, pageView, send, timeline } from "./envelopes.ts";
import { anonymousId, eventually, startCollector } from "./mf.ts";

const PROFILES = 4;
const BATCHES_PER_PROFILE = 50;
const EVENTS_PER_BATCH = 10;
/** A kill comes whenever the number of all acknowledged batches reaches one of these. */
const KILL_AFTER = [30, 80, 130];

const collector = await startCollector();
after(() => collector.dispose());

/** The answers that one sender got. */
interface Sender {
  id: string;
  acknowledged: Json[];
  unknown: Json[][];
}

const alive = () =>
  eventually(async () => {
    const response = await collector.fetch("/readyz").catch(() => undefined);
    await response?.text();
    return response?.ok ? true : undefined;
  });

test("no acknowledged event is lost, and no event is kept twice", async () => {
  const kills = [...KILL_AFTER];
  let batches = 0;
  const run = async (sender: Sender) => {
    for (let n = 0; n < BATCHES_PER_PROFILE; n++) {
      const batch = Array.from({ length: EVENTS_PER_BATCH }, () => pageView(sender.id));
      const answer = await send(collector, batch).catch(() => undefined);
      if (answer?.status === 200) {
        assert.equal(answer.body["accepted"], EVENTS_PER_BATCH);
        sender.acknowledged.push(...batch);
        // The batches of the other senders are under way at this moment.
        if (++batches === kills[0]) {
          kills.shift();
          collector.kill();
        }
      } else {
        sender.unknown.push(batch);
        await alive();
      }
    }
  };
  const senders = Array.from({ length: PROFILES }, (): Sender => ({ id: anonymousId(), acknowledged: [], unknown: [] }));
  await Promise.all(senders.map(run));
  assert.deepEqual(kills, [], "every kill has happened");

  const ids = (events: Json[]) => events.map((event) => event["messageId"] as string);
  for (const { id, acknowledged, unknown } of senders) {
    const kept = ids(await timeline(collector, id));
    assert.equal(new Set(kept).size, kept.length, "an event stands twice");
    const lost = ids(acknowledged).filter((messageId) => !kept.includes(messageId));
    assert.deepEqual(lost, [], "an acknowledged event is gone");
    // A batch without an answer is sent again, as the tracker does. Its events may be kept already: only the answer was lost.
    for (const batch of unknown) {
      const { body } = await send(collector, batch);
      assert.equal(body["accepted"] + body["duplicate"], EVENTS_PER_BATCH);
    }
    const all = ids(await timeline(collector, id)).sort();
    assert.deepEqual(all, ids([...acknowledged, ...unknown.flat()]).sort());
  }
  const sent = senders.reduce((sum, { acknowledged, unknown }) => sum + acknowledged.length + unknown.flat().length, 0);
  assert.equal(sent, 2_000);
});
