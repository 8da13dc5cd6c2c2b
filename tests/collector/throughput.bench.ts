/**
 * The collector's throughput beside two bare workers, all in one run on one machine: `cargo xtask bench`.
 *
 * Ten events a batch, 200 profiles that exist already, 16 connections (performance.md). Only the ratio to the worker that
 * writes one row counts. A machine's pace changes from second to second, so all workers stand from the beginning and take short turns,
 * and each round has its own ratios. The bench prints the median of the rounds, and the quartiles.
 *
 * All run under the same conditions: the same requests with a browser's headers, a workerd of its own, a fresh state on the same
 * disk, and no router in front. Rate limits are taken away: miniflare's stand-in is an object that writes a row for each request,
 * while Cloudflare counts in the location's memory. miniflare puts a router before a Worker with assets, so hilo runs without its files here.
 * At Cloudflare that router is not the Worker's own work; the row "behind the router" shows its local cost. The row
 * "queueing" has a destination but no consumer of the queue, which at Cloudflare is another invocation's work. The row
 * "delivering" has a consumer and a receiver in this process. Consumer, miniflare's queue and its requests to the receiver
 * run on workerd's one thread, so what of their work falls into a turn counts as well.
 *
 * The row "a notice per event" sends the batches of "no destination" with a field in each event that the specification does not
 * have. Its ratio is to that row of the same round: at least 0.91 means that a notice costs no more than a tenth.
 */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { miniflare } from "../packages.ts";
import { envelope, pageView } from "./envelopes.ts";
import { anonymousId, configWith, startCollector, startSink, type CollectorOptions } from "./mf.ts";

const CONNECTIONS = 16;
const PROFILES = 200;
const EVENTS_PER_BATCH = 10;
const WARM_SECONDS = 3;
const TURN_SECONDS = 0.7;
const ROUNDS = 15;
/** How long after its last answer a worker is still at work, and a collector with a destination. */
const SETTLE_MS = 300;
const DELIVERED_MS = 3_000;
const USER_AGENT =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";

const ids = Array.from({ length: PROFILES }, anonymousId);
let turn = 0;

/** UUID v7, as the tracker makes them. */
function messageId(): string {
  const time = Date.now().toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}

/** What each event of a batch has besides its own fields. */
type More = Record<string, unknown>;

function body(more: More): string {
  const id = ids[turn++ % PROFILES]!;
  const product = () => ({
    ...pageView(id),
    type: "track",
    event: "Product Viewed",
    messageId: messageId(),
    properties: { product_id: `p${turn}`, price: 19.9, currency: "EUR" },
    ...more,
  });
  return JSON.stringify(envelope(Array.from({ length: EVENTS_PER_BATCH }, product)));
}

/** One POST, read to its end; the status. */
function post(url: string, agent: Agent, more: More): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { origin: new URL(url).origin, "user-agent": USER_AGENT };
    const call = request(url, { agent, method: "POST", headers }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode ?? 0));
    });
    call.on("error", reject).end(body(more));
  });
}

/** A worker under load, in turns with the others. */
interface Contender {
  label: string;
  url: string;
  more?: More;
  /** How long what it does after its answers may take. The next turn waits for it. */
  settleMs?: number;
  /** Told at the end. */
  report?: () => string;
  dispose(): Promise<void>;
}

/** Requests a second, and how long each took. */
async function measure({ label, url, more = {} }: Contender, agent: Agent, seconds: number): Promise<{ rate: number; times: number[] }> {
  const times: number[] = [];
  const began = performance.now();
  const connection = async () => {
    while (performance.now() < began + seconds * 1_000) {
      const asked = performance.now();
      const status = await post(url, agent, more);
      if (status >= 300) throw new Error(`${label} answered ${status}`);
      times.push(performance.now() - asked);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  return { rate: (times.length / (performance.now() - began)) * 1_000, times };
}

/** A worker in a few lines of JavaScript, with its state on the same disk. */
async function bare(label: string, script: string): Promise<Contender> {
  const state = mkdtempSync(join(tmpdir(), "hilo-bench-"));
  const { Miniflare, convertV4MiniflareOptions } = miniflare;
  const durableObjects = { ROWS: { className: "Rows", useSQLite: true } };
  const worker = { name: "bare", modules: true, compatibilityDate: "2026-08-01", script, durableObjects };
  const mf = new Miniflare(
    convertV4MiniflareOptions({ host: "127.0.0.1", port: 0, cf: false, resourcePersistencePath: state, workers: [worker] }),
  );
  const dispose = async () => {
    await mf.dispose();
    rmSync(state, { recursive: true, force: true });
  };
  return { label, url: (await mf.ready).origin, dispose };
}

const ROWS = `
import { DurableObject } from "cloudflare:workers";
export class Rows extends DurableObject {
  constructor(context, env) {
    super(context, env);
    context.storage.sql.exec("CREATE TABLE IF NOT EXISTS rows (body TEXT)");
  }
  async fetch(request) {
    this.ctx.storage.sql.exec("INSERT INTO rows VALUES (?)", await request.text());
    return new Response("ok");
  }
}`;

const PARSES = `${ROWS}
export default { async fetch(request) { JSON.parse(await request.text()); return new Response(null, { status: 204 }); } };`;
const WRITES_ONE_ROW = `${ROWS}
export default {
  async fetch(request, env) {
    const body = await request.text();
    const name = JSON.parse(body).batch[0].anonymousId;
    return env.ROWS.get(env.ROWS.idFromName(name)).fetch("http://row/", { method: "POST", body });
  },
};`;
const NO_DESTINATION = `
[project]
controller = "Example Shop"

[[source]]
name = "shop"
kind = "browser"
keys = ["wk_shop"]
origins = ["https://shop.example"]
`;

async function hilo(label: string, options: CollectorOptions, more?: More): Promise<Contender> {
  const collector = await startCollector({ assets: false, release: true, rates: false, ...options });
  return { label, url: new URL("/_h/v1/batch", collector.url).href, more, dispose: () => collector.dispose() };
}

async function hiloDelivering(label: string, options: CollectorOptions = {}): Promise<Contender> {
  const sink = await startSink();
  const one = await hilo(label, { config: configWith(sink.url), ...options });
  const report = () => `${sink.received.length} deliveries meanwhile`;
  return { ...one, settleMs: DELIVERED_MS, report, dispose: () => Promise.all([one.dispose(), sink.close()]).then(() => {}) };
}

const ROW = "bare, writes one row";
const CLEAN = "hilo, no destination";
const NOTICED = "hilo, a notice per event";
/** Lets contenders take turns. What a collector does after its answers disturbs others, so those with a destination have a run of their own. */
async function run(contenders: Contender[]): Promise<void> {
  const agents = contenders.map(() => new Agent({ keepAlive: true, maxSockets: CONNECTIONS }));
  const rounds: Map<string, number>[] = [];
  const times = new Map<string, number[]>(contenders.map(({ label }) => [label, []]));
  for (let round = -1; round < ROUNDS; round++) {
    const rates = new Map<string, number>();
    for (const [at, contender] of contenders.entries()) {
      // Before the first round every profile is seen, and the engine compiles what is hot.
      const turn = await measure(contender, agents[at]!, round < 0 ? WARM_SECONDS : TURN_SECONDS);
      if (round >= 0) times.get(contender.label)!.push(...turn.times);
      rates.set(contender.label, turn.rate);
      await new Promise((resolve) => setTimeout(resolve, contender.settleMs ?? SETTLE_MS));
    }
    if (round >= 0) rounds.push(rates);
  }
  agents.forEach((agent) => agent.destroy());
  for (const { dispose } of contenders) await dispose();
  show(contenders, rounds, times);
}

const median = (found: number[], share = 0.5) => found.sort((a, b) => a - b)[Math.floor(found.length * share)] ?? NaN;
const shown = (found: number[]) => `${median(found).toFixed(2).padStart(7)} (${median(found, 0.25).toFixed(2)} to ${median(found, 0.75).toFixed(2)})`;

function show(contenders: Contender[], rounds: Map<string, number>[], times: Map<string, number[]>): void {
  const ratios = (of: string, to: string) => rounds.map((rates) => rates.get(of)! / rates.get(to)!);
  for (const { label, report } of contenders) {
    const [rate, took] = [median(rounds.map((rates) => rates.get(label)!)), times.get(label)!];
    const at = (share: number) => `${median(took, share).toFixed(1).padStart(7)} ms`;
    console.log(`${label.padEnd(28)}${rate.toFixed(0).padStart(7)} requests/s   p50 ${at(0.5)}   p99 ${at(0.99)}   ${report?.() ?? ""}`.trimEnd());
  }
  for (const { label } of contenders.filter(({ label }) => label !== ROW)) {
    const [what, to] = label === NOTICED ? [`${label}, of a clean batch`, CLEAN] : [`${label}, of the row`, ROW];
    console.log(`${what.padEnd(44)}${shown(ratios(label, to))}`);
  }
}

await run([
  await bare("bare, parses", PARSES),
  await bare(ROW, WRITES_ONE_ROW),
  await hilo(CLEAN, { config: NO_DESTINATION }),
  await hilo(NOTICED, { config: NO_DESTINATION }, { weather: "fine" }),
  await hilo("hilo, behind the router", { config: NO_DESTINATION, assets: true }),
]);
await run([
  await bare(ROW, WRITES_ONE_ROW),
  await hiloDelivering("hilo, queueing", { consumer: false }),
  await hiloDelivering("hilo, delivering"),
]);
