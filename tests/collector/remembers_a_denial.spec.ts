/**
 * Promise: the recorded choice is the authority. After a denial an event that claims an older grant is refused, and a later
 * grant lets events in again.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { GRANTED, codes, decide, pageView, send, timeline } from "./envelopes.ts";
import { anonymousId, startCollector } from "./mf.ts";

const collector = await startCollector();
after(() => collector.dispose());

const at = (revision: number) => ({ context: { consent: { ...GRANTED, revision } } });

test("a denial outweighs an older grant that a page still claims", async () => {
  const id = anonymousId();
  await decide(collector, id, 1, { analytics: "granted" });
  assert.equal((await send(collector, [pageView(id)], at(1))).body["accepted"], 1);
  await decide(collector, id, 2, { analytics: "denied" });
  for (const revision of [1, 2]) {
    assert.deepEqual(codes(await send(collector, [pageView(id)], at(revision))), { 0: "consent_denied" });
  }
  assert.equal((await timeline(collector, id)).length, 1);
});

test("a grant of an older revision does not undo a denial", async () => {
  const id = anonymousId();
  await decide(collector, id, 3, { analytics: "denied" });
  await decide(collector, id, 2, { analytics: "granted" });
  assert.deepEqual(codes(await send(collector, [pageView(id)], at(2))), { 0: "consent_denied" });
});

test("a grant of a later revision undoes a denial", async () => {
  const id = anonymousId();
  await decide(collector, id, 1, { analytics: "denied" });
  await decide(collector, id, 2, { analytics: "granted" });
  assert.equal((await send(collector, [pageView(id)], at(2))).body["accepted"], 1);
});
