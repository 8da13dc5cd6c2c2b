/**
 * workerd is killed again and again under load, with a webhook: `cargo xtask bench kills`. Prints what was lost, what was not
 * forwarded within a minute after the load's end, and the repeats at the webhook with the time between arrival and kill: what a kill
 * finds between the webhook's answer and its confirmation comes again. So the share depends on the events between two kills.
 *
 * HILO_KILLS and HILO_RATE (batches a second) make it shorter or calmer; HILO_BUILD=dev takes the development build. The load
 * must be one that the machine can take: a backlog at the end of the load is no fault of the kills.
 */
import { type Json, timeline } from "./envelopes.ts";
import { alive, missing, repeats, startLoad } from "./load.ts";
import { configWith, startCollector, startSink } from "./mf.ts";

const KILLS = Number(process.env["HILO_KILLS"] ?? 100);
const RATE = Number(process.env["HILO_RATE"] ?? 20);
/** Milliseconds between the return of workerd and the next kill, at least and at most. */
const PAUSE_MS = [1_500, 4_500] as const;
/** The pause in which the webhook answers what has come while this process looked for workerd. */
const BREATH_MS = 100;
/** The bounds of the times between an arrival and the kill that followed. */
const CAUSES_MS = [20, 50, 100, 500, 2_000];
const FORWARDED_WITHIN_MS = 60_000;
/**
 * What arrived before a kill may be read so long after it, because this process does other things too. A new workerd forwards nothing
 * that early: the queue alone waits a second.
 */
const READ_LATE_MS = 500;

const sink = await startSink();
sink.answer(204);
const collector = await startCollector({ config: configWith(sink.url), release: process.env["HILO_BUILD"] !== "dev", assets: false });
const load = startLoad(collector, { people: 40, rate: RATE, eventsPerBatch: 5 });
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const kills: number[] = [];

/** Counts the repeats by the time between an arrival and the kill that followed. A repeat without a kill has another cause. */
function causes(): Map<string, number> {
  const times = new Map<string, number[]>();
  for (const { headers, at } of sink.received) {
    const id = headers["webhook-id"] as string;
    times.set(id, [...(times.get(id) ?? []), at]);
  }
  const counts = new Map<string, number>();
  for (const all of times.values()) {
    for (let n = 1; n < all.length; n++) {
      const kill = kills.find((kill) => kill >= all[n - 1]! - READ_LATE_MS && kill <= all[n]!);
      const bound = kill === undefined ? undefined : CAUSES_MS.find((bound) => kill - all[n - 1]! < bound);
      const before = bound === undefined ? `more than ${CAUSES_MS.at(-1)}` : `less than ${bound}`;
      const cause = kill === undefined ? "without a kill between" : `${before} ms before a kill`;
      counts.set(cause, (counts.get(cause) ?? 0) + 1);
    }
  }
  return counts;
}

for (let kill = 0; kill < KILLS; kill++) {
  await sleep(PAUSE_MS[0] + Math.random() * (PAUSE_MS[1] - PAUSE_MS[0]));
  // To look for the process stops this one for some time, in which the webhook answers nothing.
  const workerd = collector.workerd();
  await sleep(BREATH_MS);
  kills.push(Date.now());
  process.kill(workerd, "SIGKILL");
  await alive(collector);
}
await load.stop();
const ended = Date.now();
while (missing(load, sink).length > 0 && Date.now() - ended < FORWARDED_WITHIN_MS) await sleep(200);
const late = missing(load, sink);
const took = Date.now() - ended;

let lost = 0;
const states = new Map<string, number>();
for (const [id, acknowledged] of load.acknowledged) {
  const kept = new Set((await timeline(collector, id)).map((event) => event["messageId"]));
  lost += acknowledged.filter((messageId) => !kept.has(messageId)).length;
  const behind = new Set(acknowledged.filter((messageId) => late.includes(messageId)));
  for (let cursor: string | null = ""; behind.size > 0 && cursor !== null; ) {
    const page: Json = await collector.admin(`/admin/v1/profiles/a:${id}/deliveries?limit=200${cursor && `&cursor=${cursor}`}`);
    for (const row of page["deliveries"].filter((row: Json) => behind.delete(row["messageId"]))) {
      const state = `${row["state"]} after ${row["attempts"]} attempts: ${row["reason"] ?? "no reason"}`;
      states.set(state, (states.get(state) ?? 0) + 1);
    }
    cursor = page["next"];
  }
}
const total = [...load.acknowledged.values()].flat().length;
const rate = `${RATE} batches/s, ${Math.round(total / KILLS)} events for each kill`;
console.log(`${KILLS} kills, ${total} events acknowledged (${rate}), ${load.errors.silent} requests without an answer`);
console.log(`lost                       ${lost}`);
console.log(`not forwarded after ${FORWARDED_WITHIN_MS / 1_000} s   ${late.length} (the last one came after ${(took / 1_000).toFixed(1)} s)`);
for (const [state, count] of states) console.log(`    ${count} ${state}`);
console.log(`repeats at the webhook     ${repeats(sink).toFixed(2)} %`);
for (const [cause, count] of causes()) console.log(`    ${count} ${cause}`);
await collector.dispose();
await sink.close();
if (lost > 0 || late.length > 0 || repeats(sink) > 3) process.exitCode = 1;
