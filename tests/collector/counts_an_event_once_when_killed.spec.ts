/**
 * Promise: an event that its destination would count twice is never sent twice, not even when workerd is killed while the request is
 * under way. A destination that drops repeats gets its event again.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { type Json, send } from "./envelopes.ts";
import { anonymousId, configWith, eventually, startCollector, startSink } from "./mf.ts";

const [webhook, braze] = [await startSink(), await startSink()];
const config = `${configWith(webhook.url)}
[[destination]]
name = "braze"
type = "braze"
purposes = ["analytics"]
instance = "fra-01"
key = { secret = "BRAZE_KEY" }
`;
const collector = await startCollector({ config, stubs: braze.url.replace(/\/$/, ""), vars: { BRAZE_KEY: "a-rest-key-of-nobody" } });
after(async () => {
  await collector.dispose();
  await Promise.all([webhook.close(), braze.close()]);
});

const added = (anonymousId: string): Json => ({
  type: "track",
  event: "Product Added",
  messageId: crypto.randomUUID(),
  anonymousId,
  timestamp: new Date().toISOString(),
  properties: { product_id: "mug", name: "Mug", price: 12.5, currency: "EUR", quantity: 1 },
});

test("a kill during the request leads to no second one where a repeat would count twice", async () => {
  braze.answer(201, {}, { afterMs: Infinity });
  webhook.answer(204, {}, { afterMs: Infinity });
  const id = anonymousId();
  const event = added(id);
  assert.equal((await send(collector, [event])).body["accepted"], 1);
  await Promise.all([braze.until((received) => received.length > 0), webhook.until((received) => received.length > 0)]);
  const states = async () => {
    const { deliveries } = await collector.admin(`/admin/v1/profiles/a:${id}/deliveries`);
    return Object.fromEntries(deliveries.map((row: Json) => [row["destination"], row["state"]]));
  };
  assert.deepEqual(await states(), { webhook: "pending", braze: "sending" });
  collector.kill();
  await eventually(async () => ((await collector.fetch("/readyz").catch(() => undefined))?.ok ? true : undefined));
  webhook.answer(204);
  braze.answer(201);
  await webhook.until((received) => received.length > 1);
  await eventually(async () => ((await states())["webhook"] === "delivered" ? true : undefined), 60_000);
  assert.equal(braze.received.length, 1);
  assert.equal((await states())["braze"], "sending", "it counts as sent when its lease has ended");
});
