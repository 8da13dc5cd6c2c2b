/**
 * Promise: every refusal is counted, also in a flood, and a flood of one kind hides no refusal of another.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { type Json, pageView, send } from "./envelopes.ts";
import { anonymousId, eventually, startCollector } from "./mf.ts";

const collector = await startCollector();
after(() => collector.dispose());

const ENVELOPES = 20;
const EVENTS = 100;

test("every refusal of a flood is counted, and the log tells how many have no line", async () => {
  const refused = () => pageView(anonymousId(), { context: { consent: null } });
  for (let n = 0; n < ENVELOPES; n++) {
    const answer = await send(collector, Array.from({ length: EVENTS }, refused), { context: {} });
    assert.equal(answer.body["rejected"].length, EVENTS);
  }
  await send(collector, [], { writeKey: "wk_nobody" });
  const log: Json = await eventually(async () => {
    const log = await collector.admin("/admin/v1/rejects?limit=200");
    return log.counts.no_consent === ENVELOPES * EVENTS && log.counts.unknown_key === 1 ? log : undefined;
  });
  assert.ok(log["rejects"].some((reject: Json) => reject["code"] === "unknown_key"));
  // How many bundles the flood filled depends on the machine's pace. A bundle has a hundred lines of a kind, and a shard two hundred an hour.
  const left = log["leftOut"].no_consent;
  assert.ok(left >= ENVELOPES * EVENTS - 402 && left <= ENVELOPES * EVENTS - 100, String(left));
  assert.ok(Date.now() - Date.parse(log["from"]) >= 13 * 24 * 3_600_000, "the log goes back as far as it is kept");
});
