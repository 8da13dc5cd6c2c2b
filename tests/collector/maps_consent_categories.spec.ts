/**
 * Promise: the names of a site's consent tool count as `[consent.categories]` maps them. A name that nobody mapped is neither a
 * grant nor a denial, and the refusal says how to map it.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { type Json, codes, pageView, send, timeline } from "./envelopes.ts";
import { anonymousId, rejectLog, startCollector } from "./mf.ts";

const builtIn = readFileSync(new URL("../../crates/hilo-collector/hilo.toml", import.meta.url), "utf8");
const mapped = `${builtIn}\n[consent.categories]\nC0002 = "analytics"\nC0003 = "functional"\nC0004 = ["advertising", "sale_share"]\n`;

const said = (categoryPreferences: Json) => ({ context: { consent: { categoryPreferences } } });
const SEGMENT = { Advertising: true, Analytics: true, Functional: true, DataSharing: false };
const ONETRUST = { C0001: true, C0002: true, C0003: true, C0004: false };

test("without a mapping a purpose's name counts in any letters, and a foreign name is refused with its remedy", async () => {
  const collector = await startCollector();
  try {
    const id = anonymousId();
    const answer = await send(collector, [pageView(id, said(SEGMENT)), pageView(id, said(ONETRUST))]);
    assert.equal(answer.body["accepted"], 1);
    assert.deepEqual(codes(answer), { 1: "unknown_category" });
    assert.match(answer.body["rejected"][0].message, /`C0001`.*\[consent\.categories\]/);
    const [event] = await timeline(collector, id);
    assert.deepEqual(event!["context"].consent.categoryPreferences, { advertising: true, analytics: true, functional: true });
    const noted = (reject: Json) => [reject["outcome"], reject["code"], reject["field"]].join();
    await rejectLog(collector, (rejects) => rejects.map(noted).includes("notice,unknown_category,context.consent.categoryPreferences.DataSharing"));
  } finally {
    await collector.dispose();
  }
});

test("with a mapping every category is its purposes, and a denial of one of them wins", async () => {
  const collector = await startCollector({ config: mapped });
  try {
    const id = anonymousId();
    const ids = { consentManagement: { allowedConsentIds: ["C0002"], deniedConsentIds: ["C0004"] } };
    const answer = await send(collector, [
      pageView(id, said(ONETRUST)),
      pageView(id, { context: ids }),
      pageView(id, said({ C0002: true, Analytics: false })),
      pageView(id, said({ C0002: false })),
    ], { context: {} });
    assert.equal(answer.body["accepted"], 2);
    assert.deepEqual(codes(answer), { 2: "consent_denied", 3: "consent_denied" });
    const kept = (await timeline(collector, id)).map((event) => event["context"].consent.categoryPreferences);
    const denied = { advertising: false, sale_share: false };
    assert.deepEqual(new Set(kept.map((one) => JSON.stringify(Object.entries(one).sort()))), new Set([
      { analytics: true, ...denied },
      { analytics: true, functional: true, ...denied },
    ].map((one) => JSON.stringify(Object.entries(one).sort()))));
  } finally {
    await collector.dispose();
  }
});
