/**
 * Promise: an event that is sent again, in the same envelope or in a later one, is counted as a duplicate and kept once.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { type Json, pageView, send, timeline } from "./envelopes.ts";
import { anonymousId, startCollector } from "./mf.ts";

const collector = await startCollector();
after(() => collector.dispose());

test("an envelope that is sent five times is kept once", async () => {
  const id = anonymousId();
  const batch = [pageView(id), pageView(id)];
  const answers = [];
  for (let n = 0; n < 5; n++) answers.push((await send(collector, batch)).body);
  assert.deepEqual(answers.map((body) => body["accepted"]), [2, 0, 0, 0, 0]);
  assert.deepEqual(answers.map((body) => body["duplicate"]), [0, 2, 2, 2, 2]);
  assert.equal((await timeline(collector, id)).length, 2);
});

test("an event that stands twice in one envelope is kept once", async () => {
  const id = anonymousId();
  const view = pageView(id);
  const { notices, ...body } = (await send(collector, [view, view])).body;
  assert.deepEqual(body, { success: true, accepted: 1, duplicate: 1, rejected: [] });
  assert.deepEqual(notices.map(({ index, code }: Json) => [index, code]), [[1, "duplicate_id"]]);
  assert.equal((await timeline(collector, id)).length, 1);
});

test("an envelope that arrives over many connections at once is kept once", async () => {
  const id = anonymousId();
  const batch = Array.from({ length: 20 }, () => pageView(id));
  const answers = await Promise.all(Array.from({ length: 8 }, () => send(collector, batch)));
  assert.equal(answers.reduce((sum, { body }) => sum + body["accepted"], 0), 20);
  assert.equal((await timeline(collector, id)).length, 20);
});
