/**
 * One person with a long history: `cargo xtask bench person`. Prints what a batch, a page of the timeline and the first request after a
 * kill take at 1,000 events and at 100,000, and the bytes on the disk.
 *
 * HILO_EVENTS makes the history shorter; HILO_BUILD=dev takes the development build.
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

import { envelope, pageView, post } from "./envelopes.ts";
import { alive } from "./load.ts";
import { anonymousId, configWith, startCollector, startSink } from "./mf.ts";

const EVENTS = Number(process.env["HILO_EVENTS"] ?? 100_000);
const SHORT = 1_000;
/** Events of one envelope of the backend that fills the history. */
const PER_BATCH = 500;
/** How often each time is taken. The median counts. */
const TIMES = 9;
const PAUSE_MS = 1_000;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const sink = await startSink();
sink.answer(204);
const collector = await startCollector({ config: configWith(sink.url), release: process.env["HILO_BUILD"] !== "dev", assets: false, rates: false });
const id = anonymousId();
let count = 0;

/** Sends so many events of the person as a backend does. Waits where the collector asks for it. */
async function tell(events: number): Promise<void> {
  const batch = Array.from({ length: events }, () => pageView(id));
  for (;;) {
    const { status, body } = await post(collector, "/_h/v1/batch", envelope(batch, { writeKey: undefined }), { authorization: "Bearer sk_dev_backend", origin: undefined });
    if (status === 200 && body["accepted"] + body["duplicate"] === events) break;
    if (status !== 429 && status !== 503) throw new Error(`${status}: ${JSON.stringify(body)}`);
    await sleep(PAUSE_MS);
  }
  count += events;
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await act();
  return performance.now() - began;
}

async function median(act: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < TIMES; n++) times.push(await timed(act));
  return times.sort((a, b) => a - b)[TIMES >> 1]!;
}

/** The bytes of the person's object: of the largest database, with its log. */
function bytes(): number {
  const sizes = new Map<string, number>();
  for (const entry of readdirSync(collector.state, { recursive: true, withFileTypes: true })) {
    const name = entry.name.replace(/-(wal|shm)$/, "");
    if (name.endsWith(".sqlite")) sizes.set(name, (sizes.get(name) ?? 0) + statSync(join(entry.parentPath, entry.name)).size);
  }
  return Math.max(...sizes.values());
}

async function measure(): Promise<void> {
  const batch = await median(() => tell(1));
  const page = await median(() => collector.admin(`/admin/v1/profiles/a:${id}/events?limit=100`));
  const first: number[] = [];
  for (let n = 0; n < 3; n++) {
    collector.kill();
    await alive(collector);
    first.push(await timed(() => tell(1)));
  }
  const ms = [batch, page, first.sort((a, b) => a - b)[1]!].map((time) => `${time.toFixed(1)} ms`.padStart(10));
  console.log(`${count.toLocaleString("en").padStart(8)} events: next batch ${ms[0]}, page of 100 ${ms[1]}, first batch after a kill ${ms[2]}, on the disk ${(bytes() / 2 ** 20).toFixed(1).padStart(6)} MB`);
}

for (const goal of [SHORT, EVENTS]) {
  while (count < goal) {
    await tell(Math.min(PER_BATCH, goal - count));
    if (count % 10_000 < PER_BATCH && process.stderr.isTTY) process.stderr.write(`\r${count} of ${goal}`);
  }
  await measure();
}
await collector.dispose();
await sink.close();
