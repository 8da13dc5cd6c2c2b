/**
 * What forwarding costs with 1, 4 and 12 destinations: `cargo xtask bench forward`. Prints deliveries a second from the first event to
 * the last arrival, and what Cloudflare charges for each event and for each delivery (`counted.js`). All destinations are webhooks
 * at one receiver, which takes a request for each event: a destination that takes batches costs less.
 *
 * HILO_EVENTS makes it shorter.
 */
import { pageView, send } from "./envelopes.ts";
import { anonymousId, configWith, startCollector, startSink } from "./mf.ts";
import { type Charged, PRICES } from "./prices.ts";

const EVENTS = Number(process.env["HILO_EVENTS"] ?? 1_000);
const DESTINATIONS = [1, 4, 12];
const PEOPLE = 20;
const EVENTS_PER_BATCH = 10;
/** Confirmations and the counts of the journal have come by then. */
const SETTLED_MS = 8_000;

const charged = (Object.keys(PRICES) as Charged[]).filter((what) => what !== "requests");
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface Run {
  destinations: number;
  seconds: number;
  counts: Record<Charged, number>;
}

async function run(destinations: number): Promise<Run> {
  const sink = await startSink();
  sink.answer(204);
  const further = Object.fromEntries(Array.from({ length: destinations - 1 }, (_, n) => [`webhook-${n}`, sink.url]));
  const config = configWith(sink.url, further);
  const collector = await startCollector({ config, entry: "counted.js", assets: false, rates: false, release: false });
  const call = (what: string) => fetch(new URL(`/counted/${what}`, collector.url));
  const people = Array.from({ length: PEOPLE }, anonymousId);
  const batch = (id: string) => send(collector, Array.from({ length: EVENTS_PER_BATCH }, () => pageView(id)));
  try {
    // Everybody is known before, so that each destination is alike.
    for (const id of people) await batch(id);
    await sink.until(() => sink.received.length >= PEOPLE * EVENTS_PER_BATCH * destinations, 120_000);
    await pause(SETTLED_MS);
    sink.received.length = 0;
    await call("reset");
    const began = performance.now();
    for (let sent = 0; sent < EVENTS; sent += EVENTS_PER_BATCH) await batch(people[(sent / EVENTS_PER_BATCH) % PEOPLE]!);
    await sink.until(() => sink.received.length >= EVENTS * destinations, 600_000);
    const seconds = (performance.now() - began) / 1_000;
    await pause(SETTLED_MS);
    return { destinations, seconds, counts: await (await call("read")).json() as Record<Charged, number> };
  } finally {
    await collector.dispose();
    await sink.close();
  }
}

const heads = charged.flatMap((what) => [`${what}/event`, "/delivery"]);
console.log(["destinations", "events/s", "deliveries/s", ...heads].map((head) => head.padStart(22)).join(""));
for (const destinations of DESTINATIONS) {
  const { seconds, counts } = await run(destinations);
  const figures = charged.flatMap((what) => [counts[what] / EVENTS, counts[what] / EVENTS / destinations]);
  const rates = [EVENTS / seconds, (EVENTS * destinations) / seconds].map((rate) => rate.toFixed(1));
  const cells = [String(destinations), ...rates, ...figures.map((figure) => figure.toFixed(3))];
  console.log(cells.map((cell) => cell.padStart(22)).join(""));
}
