/**
 * A destination that is down for minutes and one that takes two seconds for each call, beside one that is well:
 * `cargo xtask bench outage`. Prints how long events take to the healthy one, alone and beside the two others, the repeats at each,
 * and what was lost. In the middle workerd is killed twice.
 *
 * The slow destination gets orders only, 500 of them in all: more than that it cannot take in this time. HILO_MINUTES makes the
 * outage shorter, and the number of orders with it; HILO_BUILD=dev takes the development build.
 */
import { pageView, send } from "./envelopes.ts";
import { alive } from "./load.ts";
import { anonymousId, type Collector, configWith, type Sink, startCollector, startSink } from "./mf.ts";

const MINUTES = Number(process.env["HILO_MINUTES"] ?? 10);
const ORDERS = 50 * MINUTES;
const PEOPLE = 40;
/** Events a second: orders and page views. */
const RATE = 5;
const ALONE_MS = 60_000;
/** An event that was under way at a kill takes as long as workerd is away. It does not count for the times. */
const KILL_MS = 20_000;
/** How long everything may take to arrive after the outage: deliveries that have failed often come back within minutes. */
const RECOVERED_WITHIN_MS = 20 * 60_000;
const REPEAT_MS = 500;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const people = Array.from({ length: PEOPLE }, anonymousId);
/** The time at which each event was sent. */
const sent = new Map<string, number>();
const orders = new Set<string>();
const kills: number[] = [];

/** Sends an event until it is acknowledged. */
async function one(collector: Collector, n: number, isOrder: boolean): Promise<void> {
  const view = pageView(people[n % PEOPLE]!);
  const order = { type: "track", event: "Order Completed", properties: { order_id: `o-${n}`, revenue: 10, currency: "EUR" } };
  const event = isOrder ? { ...view, ...order } : view;
  const id = event["messageId"] as string;
  sent.set(id, Date.now());
  if (isOrder) orders.add(id);
  for (;;) {
    const answer = await send(collector, [event]).catch(() => undefined);
    if (answer?.body["accepted"] === 1 || answer?.body["duplicate"] === 1) return;
    await sleep(REPEAT_MS);
  }
}

/** Sends events at a steady rate, of which so many are orders. */
async function load(collector: Collector, ms: number, ordersInAll: number): Promise<void> {
  const count = Math.floor((ms / 1_000) * RATE);
  const began = performance.now();
  const all: Promise<void>[] = [];
  for (let n = 0; n < count; n++) {
    await sleep(Math.max(0, began + (n * 1_000) / RATE - performance.now()));
    const before = Math.floor((n * ordersInAll) / count);
    all.push(one(collector, n, Math.floor(((n + 1) * ordersInAll) / count) > before));
  }
  await Promise.all(all);
}

/** The times from sending to the first arrival, in milliseconds, sorted. */
function times(sink: Sink, since: number, until: number): number[] {
  const first = new Map<string, number>();
  for (const { headers, at } of sink.received) {
    const id = headers["webhook-id"] as string;
    if (!first.has(id)) first.set(id, at);
  }
  const isDisturbed = (at: number) => kills.some((kill) => at > kill - KILL_MS && at < kill + KILL_MS);
  const found = [...sent].filter(([id, at]) => at >= since && at < until && !isDisturbed(at) && first.has(id));
  return found.map(([id, at]) => first.get(id)! - at).sort((a, b) => a - b);
}

const at = (all: number[], share: number) => all[Math.floor(all.length * share)] ?? NaN;
const line = (label: string, all: number[]) =>
  console.log(`${label.padEnd(34)} p50 ${at(all, 0.5)} ms, p99 ${at(all, 0.99)} ms of ${all.length} events`);

const [well, down, slow] = [await startSink(), await startSink(), await startSink()];
[well, down].forEach((sink) => sink.answer(204));
slow.answer(204, {}, { afterMs: 2_000 });
const release = process.env["HILO_BUILD"] !== "dev";
const filter = `events = { names = ["Order Completed"] }\n`;
const withOthers = configWith(well.url, { down: down.url, slow: slow.url }) + filter;
const state = await startCollector({ config: configWith(well.url), release, assets: false, rates: false });
const alone = Date.now();
await load(state, ALONE_MS, 0);
await well.until(() => well.counts().size === sent.size, 60_000);
const aloneUntil = Date.now();
await state.dispose();

const collector = await startCollector({ config: withOthers, release, assets: false, rates: false });
// A destination that has never failed is sent to at once, so a few minutes of the load's beginning are like any other.
down.answer(503);
const began = Date.now();
const known = new Set(sent.keys());
const loaded = load(collector, MINUTES * 60_000, ORDERS);
for (const share of [0.4, 0.6]) {
  await sleep(Math.max(0, began + share * MINUTES * 60_000 - Date.now()));
  kills.push(Date.now());
  collector.kill();
  await alive(collector);
}
await loaded;
const ended = Date.now();
down.received.length = 0;
down.answer(204);
const expected = [...sent.keys()].filter((id) => !known.has(id));
const lacks = (sink: Sink, ids: Iterable<string>) => {
  const counts = sink.counts();
  return [...ids].filter((id) => !counts.has(id)).length;
};
while (Date.now() - ended < RECOVERED_WITHIN_MS && lacks(well, expected) + lacks(down, expected) + lacks(slow, orders) > 0) {
  await sleep(1_000);
}
console.log(`${expected.length} events, ${orders.size} orders, ${kills.length} kills, an outage of ${MINUTES} minutes`);
line("to the healthy one, alone", times(well, alone, aloneUntil));
line("to the healthy one, beside both", times(well, began, ended));
const ratio = at(times(well, began, ended), 0.99) / at(times(well, alone, aloneUntil), 0.99);
console.log(`p99 beside both / alone: ${ratio.toFixed(2)} (must 1.5)`);
for (const [label, sink, ids] of [["healthy", well, expected], ["down", down, expected], ["slow", slow, [...orders]]] as const) {
  const of = sink.received.filter(({ headers }) => ids.includes(headers["webhook-id"] as string)).length;
  const came = ids.length - lacks(sink, ids);
  const share = ((100 * (of - came)) / came).toFixed(2);
  console.log(`${label.padEnd(34)} lost ${lacks(sink, ids)} of ${ids.length}, repeats ${share} %`);
}
console.log(`everything had arrived ${((Date.now() - ended) / 1_000).toFixed(0)} s after the outage`);
await collector.dispose();
await Promise.all([well, down, slow].map((sink) => sink.close()));
