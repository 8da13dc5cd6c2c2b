/**
 * Promise: an event that the tracking plan refuses is not lost. It survives a crash, and comes back once the plan is mended. Beside it, the
 * collector reads the client hints of a real request, and flags bots.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { envelope, post, send, timeline } from "./envelopes.ts";
import { anonymousId, eventually, startCollector } from "./mf.ts";
import { shopConfig } from "./shop_config.ts";

/** A plan in which the total of an order has this type. */
const planned = (type: string) => shopConfig({
  tables: `[plan]\nmode = "reject"\n[[plan.event]]\nname = "Order Completed"\nproperties = { total = { type = "${type}", required = true } }`,
});

const collector = await startCollector({ config: planned("number") });
after(() => collector.dispose());

const WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
const HEADLESS = WINDOWS.replace("Chrome", "HeadlessChrome");

const order = (id: string, messageId: string, total: unknown) =>
  ({ type: "track", event: "Order Completed", anonymousId: id, messageId, properties: { total }, timestamp: new Date().toISOString() });

/** Takes held events up again. */
async function replay(): Promise<Record<string, number>> {
  return collector.admin("/admin/v1/rejects/replay", { method: "POST", body: "{}" });
}

test("a refused event comes back once the plan is mended, also after a crash", async () => {
  const id = anonymousId();
  const answer = await send(collector, [order(id, "p-1", "19.50"), order(id, "p-2", 5)]);
  assert.deepEqual([answer.body["accepted"], answer.body["rejected"][0].code], [1, "plan_type"]);
  const log = await collector.admin("/admin/v1/rejects?code=plan_");
  assert.deepEqual([log.counts, log.rejects[0].field], [{ plan_type: 1 }, "properties.total"]);
  assert.equal((await replay())["stillHeld"], 1);
  await collector.configure(planned("text"));
  collector.kill();
  const taken = await eventually(async () => {
    const answer = await replay().catch(() => undefined);
    return answer?.["replayed"] ? answer : undefined;
  });
  assert.deepEqual(taken, { replayed: 1, duplicate: 0, refused: 0, stillHeld: 0 });
  const ids = (await timeline(collector, id)).map((event) => event["messageId"]);
  assert.deepEqual(ids.sort(), ["p-1", "p-2"]);
});

test("client hints of a request tell what a frozen user agent does not", async () => {
  const id = anonymousId();
  const view = { type: "page", anonymousId: id, messageId: "h-1", properties: {}, timestamp: new Date().toISOString() };
  const hints = { "sec-ch-ua": '"Not_A Brand";v="99", "Brave";v="142", "Chromium";v="142"', "sec-ch-ua-platform": '"Windows"', "sec-ch-ua-platform-version": '"15.0.0"' };
  await post(collector, "/_h/v1/batch", envelope([view]), { "user-agent": WINDOWS, ...hints });
  const [kept] = await timeline(collector, id);
  assert.deepEqual([kept!["context"].os, kept!["context"].hilo.browser], [{ name: "Windows", version: "11" }, { name: "Brave", major: "142" }]);
  assert.equal(kept!["context"].hilo.bot, undefined);
});

test("an automated browser is flagged as a bot", async () => {
  const id = anonymousId();
  const view = { type: "page", anonymousId: id, messageId: "b-1", properties: {}, timestamp: new Date().toISOString() };
  await post(collector, "/_h/v1/batch", envelope([view]), { "user-agent": HEADLESS });
  assert.equal((await timeline(collector, id))[0]!["context"].hilo.bot, true);
});
