/**
 * A load for benches: people who send batches at a steady rate, and repeat a batch without an answer as the tracker does.
 *
 * In: a collector, a rate, a number of people. Out: the events that were acknowledged, and what went wrong.
 */
import { type Json, envelope, pageView } from "./envelopes.ts";
import { anonymousId, type Collector, eventually, type Sink } from "./mf.ts";

/** The options of a load. */
export interface LoadOptions {
  people: number;
  /** Batches a second, of all people together. A person whose last batch has no answer yet sends none. */
  rate: number;
  eventsPerBatch: number;
}

/** A running load. */
export interface Load {
  /** The event ids that were answered with 200, by person. */
  acknowledged: Map<string, string[]>;
  /** The number of answers other than 200, and of requests without an answer. */
  errors: { answers: Map<number, number>; silent: number };
  /** Ends the load, after the last batch is acknowledged. */
  stop(): Promise<void>;
}

/** The pause before a batch without an answer is sent again. */
const REPEAT_MS = 500;

/** The longest wait for an answer. */
const ANSWER_MS_MAX = 30_000;

/** Begins a load. */
export function startLoad(collector: Collector, { people, rate, eventsPerBatch }: LoadOptions): Load {
  const ids = Array.from({ length: people }, anonymousId);
  const acknowledged = new Map<string, string[]>(ids.map((id) => [id, []]));
  const errors = { answers: new Map<number, number>(), silent: 0 };
  const underWay = new Map<string, Promise<void>>();
  const url = new URL("/_h/v1/batch", collector.url);
  const headers = { origin: collector.url, "content-type": "text/plain" };
  let isOver = false;

  const one = async (id: string) => {
    const batch = Array.from({ length: eventsPerBatch }, () => pageView(id));
    for (;;) {
      const body = JSON.stringify(envelope(batch));
      const signal = AbortSignal.timeout(ANSWER_MS_MAX);
      const answer = await fetch(url, { method: "POST", headers, body, signal }).catch(() => undefined);
      const text = await answer?.text().catch(() => undefined);
      if (answer?.status === 200 && text !== undefined) {
        const { rejected } = JSON.parse(text) as Json;
        if (rejected?.length) throw new Error(text);
        acknowledged.get(id)!.push(...batch.map((event) => event["messageId"] as string));
        return;
      }
      if (answer && answer.status !== 200) errors.answers.set(answer.status, (errors.answers.get(answer.status) ?? 0) + 1);
      else errors.silent++;
      await new Promise((resolve) => setTimeout(resolve, REPEAT_MS));
    }
  };
  const running = (async () => {
    const began = performance.now();
    for (let n = 0; !isOver; n++) {
      const due = began + (n * 1_000) / rate;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
      const id = ids[n % people]!;
      // A tracker has one batch under way. Without this bound an outage of seconds ends in a flood of repeats.
      if (!underWay.has(id)) underWay.set(id, one(id).finally(() => underWay.delete(id)));
    }
  })();
  return {
    acknowledged,
    errors,
    async stop() {
      isOver = true;
      await running;
      await Promise.all(underWay.values());
    },
  };
}

/** Resolves when the collector answers again. A connection to a process that is gone may never end, so each question has a bound. */
export async function alive(collector: Collector): Promise<void> {
  const url = new URL("/health", collector.url);
  const ask = async () => (await fetch(url, { signal: AbortSignal.timeout(3_000), headers: { connection: "close" } })).ok || undefined;
  await eventually(() => ask().catch(() => undefined), 120_000);
}

/** The acknowledged events that a sink still lacks. */
export function missing(load: Load, sink: Sink): string[] {
  const seen = sink.counts();
  return [...load.acknowledged.values()].flat().filter((id) => !seen.has(id));
}

/** The share of requests at a sink that repeat an event, in percent. */
export function repeats(sink: Sink): number {
  return (100 * (sink.received.length - sink.counts().size)) / Math.max(1, sink.counts().size);
}
