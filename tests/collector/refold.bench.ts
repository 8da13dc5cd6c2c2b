/**
 * A deployment with another version of the profile's fold: `cargo xtask bench refold`. Each of 2,000 people gets a batch before and after
 * it, and one person has a long history, which is folded again in steps while calls are answered. Prints what a call takes, and asserts
 * that none fails and that the profiles are the same in the end.
 *
 * HILO_PEOPLE and HILO_EVENTS make it smaller; HILO_BUILD=dev takes the development build.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Json, GRANTED, pageView, post } from "./envelopes.ts";
import { type Collector, anonymousId, startCollector } from "./mf.ts";

const PEOPLE = Number(process.env["HILO_PEOPLE"] ?? 2_000);
const EVENTS = Number(process.env["HILO_EVENTS"] ?? 20_000);
/** Events of each person: enough for the object to store the profile. */
const EACH = 40;
const PER_BATCH = 500;
const AT_ONCE = 8;
const PAUSE_MS = 1_000;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const state = mkdtempSync(join(tmpdir(), "hilo-refold-"));
const people = Array.from({ length: PEOPLE }, anonymousId);
const [longest] = [anonymousId()];

/** Sends so many events of a person as a backend does. Returns how long the answer took. */
async function tell(collector: Collector, id: string, count: number): Promise<number> {
  const batch = Array.from({ length: count }, () => pageView(id));
  for (;;) {
    const began = performance.now();
    const headers = { authorization: "Bearer sk_dev_backend", origin: undefined };
    const { status, body } = await post(collector, "/_h/v1/batch", { batch, context: { consent: GRANTED } }, headers);
    if (status === 200) {
      assert.equal(body["accepted"] + body["duplicate"], count, JSON.stringify(body));
      return performance.now() - began;
    }
    // The rate of imports is bounded. Any other answer would be downtime.
    assert.equal(status, 429, JSON.stringify(body));
    await sleep(PAUSE_MS);
  }
}

/** Runs `work` for each person, some at once. Returns the sorted times. */
async function everybody(work: (id: string) => Promise<number>): Promise<number[]> {
  const [times, waiting]: [number[], string[]] = [[], [...people]];
  const worker = async () => {
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) times.push(await work(id));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return times.sort((a, b) => a - b);
}

const percentile = (times: number[], part: number) => times[Math.min(times.length - 1, Math.floor(times.length * part))]!;
const row = (name: string, times: number[]) =>
  console.log(`${name.padEnd(52)} p50 ${percentile(times, 0.5).toFixed(1).padStart(7)} ms, p99 ${percentile(times, 0.99).toFixed(1).padStart(7)} ms, max ${times.at(-1)!.toFixed(1).padStart(7)} ms`);

async function run(name: string, vars: Record<string, string>, work: (collector: Collector) => Promise<void>): Promise<void> {
  const release = process.env["HILO_BUILD"] !== "dev";
  const collector = await startCollector({ state, vars, entry: "older_fold.js", assets: false, rates: false, release });
  const began = performance.now();
  try {
    await work(collector);
  } finally {
    await collector.dispose();
  }
  console.log(`${name}: ${((performance.now() - began) / 1_000).toFixed(0)} s`);
}

const folded = async (collector: Collector, id: string): Promise<Json> => collector.admin(`/admin/v1/profiles/a:${id}`);

await run("before the deployment", {}, async (collector) => {
  await everybody((id) => tell(collector, id, EACH));
  for (let count = 0; count < EVENTS; count += PER_BATCH) await tell(collector, longest!, PER_BATCH);
});
await run("the same version again", {}, async (collector) => {
  row("first batch after a start, nothing to fold again", await everybody((id) => tell(collector, id, 1)));
});
await run("the version after", { OLDER_FOLD: "1" }, async (collector) => {
  const began = performance.now();
  row(`first batch after a start, ${EACH + 1} events to fold again`, await everybody((id) => tell(collector, id, 1)));
  console.log(`${PEOPLE} people folded again and answered in ${((performance.now() - began) / 1_000).toFixed(1)} s`);
  const start = performance.now();
  const calls: number[] = [];
  for (;;) {
    calls.push(await tell(collector, longest!, 1));
    const { refolding } = await folded(collector, longest!);
    if (refolding !== true) break;
    await sleep(50);
  }
  row(`${calls.length} calls of a person with ${EVENTS} events meanwhile`, calls.slice().sort((a, b) => a - b));
  console.log(`that person's fold took ${((performance.now() - start) / 1_000).toFixed(1)} s in steps`);
  const { profile } = await folded(collector, longest!);
  assert.equal(profile.events.page, EVENTS + calls.length);
  await everybody(async (id) => {
    const { profile, refolding } = await folded(collector, id);
    assert.deepEqual([profile.events, refolding], [{ page: EACH + 2 }, undefined]);
    return 0;
  });
});
rmSync(state, { recursive: true, force: true });
