/**
 * Promise: a phone is stored as its SDK describes it, without ids of the device that the source does not ask for.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { envelope, pageView, post, timeline } from "./envelopes.ts";
import { anonymousId, rejectLog, startCollector } from "./mf.ts";

const collector = await startCollector();
after(() => collector.dispose());

test("a phone stays the phone that its SDK describes, without the ids of the device", async () => {
  const id = anonymousId();
  const context = {
    consent: { categoryPreferences: { analytics: true, advertising: true }, revision: 1 },
    device: { id: "X1", manufacturer: "Apple", model: "iPhone16,1", type: "ios", advertisingId: "6D92078A-8246-4BA4-AE5B-76104861E7DC" },
    os: { name: "iOS", version: "18.2" },
    location: { country: "PT", latitude: 38.72 },
  };
  const headers = { "user-agent": "Shop/420 CFNetwork/1568.300.101 Darwin/24.2.0" };
  const { body } = await post(collector, "/_h/v1/batch", envelope([pageView(id, { type: "screen", context })]), headers);
  assert.equal(body["accepted"], 1);
  const [kept] = await timeline(collector, id);
  assert.deepEqual(kept!["context"]["device"], { manufacturer: "Apple", model: "iPhone16,1", type: "ios" });
  assert.deepEqual(kept!["context"]["os"], { name: "iOS", version: "18.2" });
  assert.deepEqual(kept!["context"]["location"], { country: "PT" });
  const left = (rejects: { code: string; field: string }[]) => rejects.filter((reject) => reject.code === "not_kept");
  const { rejects } = await rejectLog(collector, (rejects) => left(rejects).length > 0);
  assert.deepEqual(left(rejects).map((reject) => reject.field).sort(), ["context.device.advertisingId", "context.location.latitude"]);
});
