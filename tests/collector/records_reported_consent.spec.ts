/**
 * Promise: *Segment Consent Preference Updated* is a change of consent with a receipt, also when it denies everything. Nothing but
 * the choice is kept of it, and its time decides against what is recorded.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, test } from "node:test";

import { type Json, codes, decide, pageView, post, send, timeline } from "./envelopes.ts";
import { anonymousId, startCollector } from "./mf.ts";

const collector = await startCollector();
after(() => collector.dispose());

const said = (granted: boolean) => ({
  context: { consent: { categoryPreferences: { analytics: granted, advertising: granted, functional: granted } } },
});
const report = (id: string, granted: boolean, over: Json = {}) => ({
  ...pageView(id, { type: "track", event: "Segment Consent Preference Updated", properties: { secret: "kept nowhere" } }),
  ...said(granted),
  ...over,
});
const receipts = async (id: string): Promise<Json[]> => (await collector.admin(`/admin/v1/profiles/a:${id}/receipts`)).receipts;
const later = () => new Promise((done) => setTimeout(done, 20));

test("a report that denies everything is recorded, an older claim is refused then, and a later report grants again", async () => {
  const id = anonymousId();
  assert.equal((await send(collector, [pageView(id, said(true))])).body["accepted"], 1);
  const told = await send(collector, [report(id, false)]);
  assert.deepEqual([told.status, told.body["accepted"], told.body["rejected"]], [200, 1, []]);
  const [receipt] = await receipts(id);
  assert.deepEqual(
    receipt!["changes"].map((change: Json) => [change["purpose"], change["state"], change["method"]]),
    [["functional", "denied", "import"], ["analytics", "denied", "import"], ["advertising", "denied", "import"]],
  );
  assert.deepEqual(codes(await send(collector, [pageView(id, said(true))])), { 0: "consent_denied" });
  await later();
  assert.equal((await send(collector, [report(id, true)])).body["accepted"], 1);
  assert.equal((await send(collector, [pageView(id, said(true))])).body["accepted"], 1);
  const kept = await timeline(collector, id);
  assert.deepEqual(kept.map((event) => event["type"]), ["page", "page"], "the reports are no events");
  assert.equal((await receipts(id)).length, 2);
  const { rejects } = await collector.admin("/admin/v1/rejects");
  assert.ok(!JSON.stringify([kept, await receipts(id), rejects]).includes("kept nowhere"));
});

test("a report that is sent again adds no receipt and undoes nothing", async () => {
  const id = anonymousId();
  const denial = report(id, false, { messageId: randomUUID() });
  await send(collector, [denial]);
  await later();
  await send(collector, [report(id, true)]);
  await later();
  await send(collector, [denial]);
  assert.equal((await send(collector, [pageView(id, said(true))])).body["accepted"], 1);
  assert.equal((await receipts(id)).length, 2);
});

test("a report that is older than the recorded choice leaves it in force", async () => {
  const id = anonymousId();
  await decide(collector, id, 0, { functional: "granted", analytics: "denied" });
  const before = new Date(Date.now() - 3_600_000).toISOString();
  await send(collector, [report(id, true, { timestamp: before })]);
  assert.deepEqual(codes(await send(collector, [pageView(id, said(true))])), { 0: "consent_denied" });
});

test("an event beside a report of a denial is refused, whatever their order", async () => {
  const id = anonymousId();
  const answer = await send(collector, [pageView(id, said(true)), report(id, false), pageView(id, said(true))]);
  assert.equal(answer.body["accepted"], 1);
  assert.deepEqual(codes(answer), { 0: "consent_denied", 2: "consent_denied" });
});

test("a report without a choice is refused, and no basis of a server speaks in it", async () => {
  const id = anonymousId();
  const empty = report(id, true, { context: { consent: {} } });
  const fromServer = await post(collector, "/_h/v1/batch", { batch: [empty] }, { authorization: `Basic ${btoa("sk_dev_backend:")}`, origin: undefined });
  assert.deepEqual(codes(fromServer), { 0: "no_consent" });
  assert.deepEqual(await receipts(id), []);
});

test("a backend's report about a person and their device is recorded for both", async () => {
  const id = anonymousId();
  const authorization = `Basic ${btoa("sk_dev_backend:")}`;
  const body = { batch: [report(id, false, { userId: `user-${id}` })] };
  const answer = await post(collector, "/_h/v1/batch", body, { authorization, origin: undefined });
  assert.equal(answer.body["accepted"], 1);
  for (const key of [`a:${id}`, `u:user-${id}`]) {
    const { receipts } = await collector.admin(`/admin/v1/profiles/${key}/receipts`);
    assert.equal(receipts.length, 1, key);
  }
});
