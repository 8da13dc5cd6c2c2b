/**
 * Promise: `Sec-GPC: 1` denies advertising and sale_share. Only a recorded choice that the visitor made while the signal was on
 * lifts it, for exactly its purpose, and the receipt shows both.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";

import { type Json, decide, hello, pageView, post, postAs, timeline } from "./envelopes.ts";
import { anonymousId, startCollector } from "./mf.ts";

const builtIn = readFileSync(new URL("../../crates/hilo-collector/hilo.toml", import.meta.url), "utf8");
const destination = (name: string, purpose: string) => `
[[destination]]
name = "${name}"
type = "webhook"
purposes = ["analytics", "${purpose}"]
url = "http://127.0.0.1:9/${name}"
secret = { secret = "WEBHOOK_SECRET" }
`;
const config = builtIn + destination("ads", "advertising") + destination("sale", "sale_share");
const collector = await startCollector({ config, consumer: false });
after(() => collector.dispose());

const GPC = { "x-hilo": "1", "sec-gpc": "1" };
const CLAIM = { analytics: true, advertising: true, sale_share: true };

async function view(id: string, revision: number, headers: Json = GPC) {
  const consent = { categoryPreferences: CLAIM, revision };
  const body = { writeKey: "wk_shop", sentAt: new Date().toISOString(), batch: [pageView(id, { context: { consent } })] };
  assert.equal((await post(collector, "/_h/v1/batch", body, headers)).body["accepted"], 1);
  const [event] = await timeline(collector, id);
  const { deliveries } = await collector.admin(`/admin/v1/profiles/a:${id}/deliveries`);
  const to = deliveries.filter((one: Json) => one["messageId"] === event!["messageId"]).map((one: Json) => one["destination"]);
  return { said: event!["context"].consent.categoryPreferences, to: to.sort() };
}

async function choose(id: string, base: number, purposes: string[], headers: Json = GPC) {
  const at = new Date().toISOString();
  const changes = purposes.map((purpose) => ({ purpose, state: "granted", at, method: "api" }));
  return postAs(collector, id, "/_h/v1/consent", { anonymousId: id, consent: { base, changes } }, headers);
}

test("a claim without a recorded choice lifts nothing", async () => {
  const seen = await view(anonymousId(), 1);
  assert.deepEqual(seen.said, { analytics: true, advertising: false, sale_share: false });
  assert.deepEqual(seen.to, ["webhook"]);
});

test("a recorded choice lifts it for exactly its purpose, and the receipt shows both", async () => {
  const id = anonymousId();
  await hello(collector, id);
  await view(id, 1);
  const { receipt } = (await choose(id, 0, ["analytics", "advertising"])).body;
  assert.equal(receipt.signals.gpc, "1");
  assert.deepEqual(receipt.changes.map((change: Json) => [change["purpose"], change["state"]]), [["analytics", "granted"], ["advertising", "granted"]]);
  const seen = await view(id, 2);
  assert.deepEqual(seen.said, { analytics: true, advertising: true, sale_share: false });
  assert.deepEqual(seen.to, ["ads", "webhook"]);
});

test("a choice that is older than the signal lifts nothing, and without the signal it counts", async () => {
  const id = anonymousId();
  await decide(collector, id, 0, { analytics: "granted", advertising: "granted" });
  assert.deepEqual((await view(id, 1, { "x-hilo": "1" })).to, ["ads", "sale", "webhook"]);
  const seen = await view(id, 1);
  assert.deepEqual(seen.said, { analytics: true, advertising: false, sale_share: false });
  assert.deepEqual(seen.to, ["webhook"]);
});

test("a later denial takes the lift back", async () => {
  const id = anonymousId();
  await choose(id, 0, ["analytics", "advertising"]);
  await decide(collector, id, 1, { advertising: "denied" });
  assert.deepEqual((await view(id, 2)).to, ["webhook"]);
});
