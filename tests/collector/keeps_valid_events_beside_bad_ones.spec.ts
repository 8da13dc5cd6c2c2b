/**
 * Promise: every event of an envelope ends in exactly one outcome, and a bad event harms no other event.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { codes, envelope, pageView, post, send, timeline } from "./envelopes.ts";
import { anonymousId, rejectLog, startCollector } from "./mf.ts";

const collector = await startCollector();
after(() => collector.dispose());

test("a bad event of each kind is rejected, and the good events beside it are kept", async () => {
  const id = anonymousId();
  const good = [pageView(id), pageView(id), pageView(id)];
  const deep = JSON.parse("[".repeat(20) + "]".repeat(20));
  const bad = [
    "text",
    pageView(id, { type: "click" }),
    pageView("null"),
    pageView(id, { type: 7 }),
    pageView(id, { properties: { deep } }),
    pageView(id, { properties: Object.fromEntries(Array.from({ length: 256 }, (_, n) => [`k${n}`, 1])) }),
  ];
  const answer = await send(collector, [good[0], ...bad.slice(0, 3), good[1], ...bad.slice(3), good[2]]);
  assert.equal(answer.status, 200);
  assert.equal(answer.body["accepted"], 3);
  assert.equal(answer.body["rejected"].length, bad.length);
  assert.deepEqual(codes(answer), {
    1: "malformed_event", 2: "unknown_type", 3: "reserved_id", 5: "wrong_type", 6: "too_deep", 7: "too_many_keys",
  });
  const kept = (await timeline(collector, id)).map((event) => event["messageId"]).sort();
  assert.deepEqual(kept, good.map((event) => event["messageId"]).sort());
});

test("a body that is cut at any byte is refused as a whole, and none of its events is kept", async () => {
  const id = anonymousId();
  const whole = JSON.stringify(envelope([pageView(id)]));
  for (let bytes = 0; bytes < whole.length; bytes++) {
    const answer = await post(collector, "/_h/v1/batch", whole.slice(0, bytes));
    assert.equal(answer.status, 400, whole.slice(0, bytes));
  }
  assert.deepEqual(await timeline(collector, id), []);
});

test("an unknown field is left out, and its event is kept", async () => {
  const id = anonymousId();
  const { body } = await send(collector, [pageView(id, { favouriteColour: "green" })]);
  assert.equal(body["accepted"], 1);
  const [kept] = await timeline(collector, id);
  assert.equal(kept!["favouriteColour"], undefined);
  await rejectLog(collector, (rejects) => rejects.some((reject) => reject.code === "unknown_field" && reject.field === "favouriteColour"));
});
