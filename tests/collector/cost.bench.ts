/**
 * What an event costs at Cloudflare: `cargo xtask bench cost`. It counts on workerd (`counted.js`) and estimates nothing.
 *
 * Visitors who came before send a batch every few seconds, as a visit does, and every delivery is confirmed before the count
 * ends. The alarms that such a visit sets belong to it. The lines below the table count what comes once: the first batch of a
 * new person, and the joining of many short rows hours later. The rows of the journal are counted among the rows and shown apart,
 * because all visitors of an isolate share them, and here there are two. Prices stand in `prices.ts`. `HILO_STATEMENTS=1` also
 * prints which statement writes how many rows for each event.
 */
import { type Json, pageView, send } from "./envelopes.ts";
import { anonymousId, type Collector, configWith, type Sink, startCollector, startSink } from "./mf.ts";
import { type Charged, PRICES } from "./prices.ts";

const SIZES = [1, 3, 10, 100];
const DESTINATIONS = [1, 4];
const VISITORS = 2;
const BATCHES = 6;
/** The tracker sends a visit's events about so often. */
const BETWEEN_MS = 5_000;
/** The alarm of the last batch has fired by then. */
const ALARM_MS = 25_000;
/** Short rows are joined beyond so many, and after some hours. */
const MANY_BATCHES = 130;
const HOURS_MS = 7 * 3_600_000;

type Counts = Record<Charged, number> & { journalRows: number; statements: Record<string, number> };

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The development configuration with so many webhooks in place of one. */
function withDestinations(url: string, count: number): string {
  const text = configWith(url);
  const at = text.indexOf("[[destination]]");
  const end = text.indexOf("\n[", at + 1);
  const block = text.slice(at, end);
  const more = Array.from({ length: count - 1 }, (_, n) => `${block.replace(/^name = .*$/m, `name = "webhook-${n}"`)}\n`);
  return text.slice(0, end) + "\n" + more.join("") + text.slice(end);
}

/** A collector that counts, its receiver, and the deliveries that are still to come. */
class Counted {
  private expected = 0;
  private readonly collector: Collector;
  private readonly sink: Sink;
  private readonly destinations: number;

  private constructor(collector: Collector, sink: Sink, destinations: number) {
    this.collector = collector;
    this.sink = sink;
    this.destinations = destinations;
  }

  static async start(destinations: number): Promise<Counted> {
    const sink = await startSink();
    const config = withDestinations(sink.url, destinations);
    return new Counted(await startCollector({ config, entry: "counted.js", assets: false }), sink, destinations);
  }

  async send(id: string, size: number): Promise<void> {
    const batch = Array.from({ length: size }, () => event(id));
    let answer = await send(this.collector, batch);
    // A person may send a thousand events at once, and then twenty a second.
    for (; answer.status === 429; answer = await send(this.collector, batch)) {
      await pause(1_000 * Number(answer.headers.get("retry-after")));
    }
    if (answer.body["accepted"] !== size) throw new Error(`not accepted: ${JSON.stringify(answer.body)}`);
    this.expected += size * this.destinations;
  }

  /** Waits until everything has arrived and was confirmed. */
  async settled(): Promise<void> {
    await this.sink.until((received) => received.length >= this.expected, 120_000);
    await pause(1_500);
  }

  async count(work: () => Promise<void>): Promise<Counts> {
    await this.call("reset");
    await work();
    return (await this.call("read")).json() as Promise<Counts>;
  }

  later(ms: number): Promise<Response> {
    return this.call(`later?ms=${ms}`);
  }

  private call(what: string): Promise<Response> {
    return fetch(new URL(`/counted/${what}`, this.collector.url));
  }

  async end(): Promise<void> {
    await this.collector.dispose();
    await this.sink.close();
  }
}

function event(id: string): Json {
  const over = { type: "track", event: "Product Viewed", properties: { product_id: "p1", price: 19.9, currency: "EUR" } };
  return { ...pageView(id), ...over };
}

const charged = Object.keys(PRICES) as Charged[];
const usd = (counts: Counts, events: number) =>
  charged.reduce((sum, what) => sum + (counts[what] / events) * PRICES[what], 0);

/** One line: operations for each event, and USD for a million of them. */
function line(label: string, counts: Counts, events: number): string {
  const figures = [...charged, "journalRows" as const].map((what) => (counts[what] / events).toFixed(3).padStart(10));
  const statements = Object.entries(counts.statements).map(([head, rows]) => `    ${head}…: ${(rows / events).toFixed(3)}`);
  if (process.env["HILO_STATEMENTS"]) console.log([label, ...statements].join("\n"));
  return `${label.padEnd(34)}${figures.join("")}${usd(counts, events).toFixed(2).padStart(14)}`;
}

async function visits(counted: Counted, size: number, destinations: number): Promise<string> {
  const ids = Array.from({ length: VISITORS }, anonymousId);
  for (const id of ids) await counted.send(id, size);
  await counted.settled();
  // The alarm of the first visit must not count for this one.
  await pause(ALARM_MS);
  const counts = await counted.count(async () => {
    for (let n = 0; n < BATCHES; n++) {
      for (const id of ids) await counted.send(id, size);
      await pause(BETWEEN_MS);
    }
    await counted.settled();
    await pause(ALARM_MS);
  });
  const label = `batch of ${size}, ${destinations} destination${destinations > 1 ? "s" : ""}`;
  return line(label, counts, VISITORS * BATCHES * size);
}

async function first(counted: Counted): Promise<string> {
  const size = 10;
  const counts = await counted.count(async () => {
    await counted.send(anonymousId(), size);
    await counted.settled();
    await pause(ALARM_MS);
  });
  return line("a new person's first ten events", counts, size);
}

async function joined(counted: Counted): Promise<string> {
  const [size, id] = [10, anonymousId()];
  for (let n = 0; n < MANY_BATCHES; n++) await counted.send(id, size);
  await counted.settled();
  await pause(ALARM_MS);
  const counts = await counted.count(async () => void (await counted.later(HOURS_MS)));
  return line("joining rows of ten events later", counts, MANY_BATCHES * size);
}

async function measure(destinations: number): Promise<string[]> {
  const counted = await Counted.start(destinations);
  const lines: string[] = [];
  try {
    for (const size of SIZES) lines.push(await visits(counted, size, destinations));
    if (destinations === 1) lines.push(await first(counted), await joined(counted));
  } finally {
    await counted.end();
  }
  return lines;
}

const tables = await Promise.all(DESTINATIONS.map(measure));
const short = { requests: "requests", objectRequests: "objects", rowsWritten: "rows", queueOperations: "queue" };
const heads = [...charged.map((what) => short[what]), "(journal)"].map((head) => head.padStart(10));
console.log(`${"for each event".padEnd(34)}${heads.join("")}${"USD/million".padStart(14)}`);
for (const text of tables.flat()) console.log(text);
