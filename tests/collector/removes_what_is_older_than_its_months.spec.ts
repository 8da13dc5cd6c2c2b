/**
 * Promise: what is older than the months of hilo.toml is gone after the object's alarm, also of a person who never comes back.
 * First the events go, then what they told.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { decide, hello, pageView, send, timeline } from "./envelopes.ts";
import { anonymousId, configWith, eventually, startCollector, startSink } from "./mf.ts";

const DAY_MS = 24 * 3_600_000;
/** A little more than a month, because months differ. */
const MONTH_MS = 31 * DAY_MS;

const sink = await startSink();
const config = configWith(sink.url)
  .replace(/^events_months = .*$/m, "events_months = 2")
  .replace(/^aggregates_months = .*$/m, "aggregates_months = 5")
  .replace(/^receipts_months = .*$/m, "receipts_months = 8");
// The entry moves the objects' clock, and fires their alarms.
const collector = await startCollector({ config, entry: "counted.js", assets: false });
after(async () => {
  await collector.dispose();
  await sink.close();
});

const later = (ms: number) => collector.fetch(`/counted/later?ms=${ms}`);
const summary = (id: string) => collector.admin(`/admin/v1/profiles/a:${id}`);

test("a timeline, a profile and receipts that are older than their months are gone after the alarm", async () => {
  const id = anonymousId();
  await hello(collector, id);
  await decide(collector, id, 0, { functional: "granted", analytics: "denied" });
  await decide(collector, id, 1, { analytics: "granted" });
  const views = [pageView(id), pageView(id)];
  assert.equal((await send(collector, views)).body["accepted"], 2);
  await sink.until(() => sink.counts().size === 2);
  const rows: unknown[] = await eventually(async () => {
    const { deliveries } = await collector.admin(`/admin/v1/profiles/a:${id}/deliveries`);
    return deliveries.every((one: { state: string }) => one.state === "delivered") ? deliveries : undefined;
  });
  assert.equal(rows.length, 2);

  await later(MONTH_MS);
  assert.equal((await timeline(collector, id)).length, 2, "younger events stay");

  await later(MONTH_MS + 8 * DAY_MS);
  assert.deepEqual(await timeline(collector, id), []);
  assert.deepEqual((await collector.admin(`/admin/v1/profiles/a:${id}/deliveries`)).deliveries, []);
  const kept = await summary(id);
  assert.deepEqual([kept.known, kept.profile.events], [true, { page: 2 }], "what the events told stays longer");
  assert.equal((await collector.admin(`/admin/v1/profiles/a:${id}/receipts`)).receipts.length, 2);

  for (let month = 0; month < 4; month++) await later(MONTH_MS);
  assert.deepEqual((await summary(id)).profile.events, {}, "then the profile goes");
  for (let month = 0; month < 5; month++) await later(MONTH_MS);
  assert.deepEqual([(await summary(id)).known, (await summary(id)).consent], [false, {}], "and at last what is in force");
});
