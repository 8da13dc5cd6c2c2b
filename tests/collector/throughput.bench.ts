/**
 * The collector's throughput beside two bare workers, all in one run on one machine: `cargo xtask bench`.
 *
 * Ten events a batch, 200 profiles that exist already, 16 connections (performance.md). Only the ratio to the worker that
 * writes one row counts. A machine's pace changes from second to second, so the workers take turns, and each round has
 * its own ratios. The bench prints the median of the rounds.
 *
 * All run under the same conditions: the same requests with a browser's headers, a fresh workerd, a fresh state on the same
 * disk, and no router in front. miniflare puts a router before a Worker with assets, so hilo runs without its files here.
 * At Cloudflare that router is not the Worker's own work; the row "behind the router" shows its local cost. The row
 * "queueing" has a destination but no consumer of the queue, which at Cloudflare is another invocation's work. The row
 * "delivering" has a consumer and a receiver in this process. Consumer, miniflare's queue and its requests to the receiver
 * run on workerd's one thread, so they count as well. Deliveries that are not done by the end stay in the outboxes.
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
const WARM_SECONDS = 2;
const SECONDS = 4;
const ROUNDS = 3;
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

/** Requests a second, after every profile has been seen and the engine has compiled what is hot. */
async function measure(label: string, url: string, more: More = {}): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const times: number[] = [];
  const connections = (one: () => Promise<boolean>) =>
    Promise.all(Array.from({ length: CONNECTIONS }, async () => { while (await one()); }));
  const once = async () => {
    const began = performance.now();
    const status = await post(url, agent, more);
    if (status >= 300) throw new Error(`${label} answered ${status}`);
    times.push(performance.now() - began);
  };
  const during = (seconds: number) => {
    const end = performance.now() + seconds * 1_000;
    return connections(async () => performance.now() < end && (await once(), true));
  };
  await during(WARM_SECONDS);
  times.length = 0;
  await during(SECONDS);
  agent.destroy();
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)]!.toFixed(1).padStart(7);
  const rate = times.length / SECONDS;
  console.log(`${label.padEnd(28)}${rate.toFixed(0).padStart(7)} requests/s   p50 ${at(0.5)} ms   p99 ${at(0.99)} ms`);
  return rate;
}

/** A worker in a few lines of JavaScript, with its state on the same disk. */
async function bare(label: string, script: string): Promise<number> {
  const state = mkdtempSync(join(tmpdir(), "hilo-bench-"));
  const { Miniflare, convertV4MiniflareOptions } = miniflare;
  const durableObjects = { ROWS: { className: "Rows", useSQLite: true } };
  const worker = { name: "bare", modules: true, compatibilityDate: "2026-08-01", script, durableObjects };
  const mf = new Miniflare(
    convertV4MiniflareOptions({ host: "127.0.0.1", port: 0, cf: false, resourcePersistencePath: state, workers: [worker] }),
  );
  const rate = await measure(label, (await mf.ready).origin);
  await mf.dispose();
  rmSync(state, { recursive: true, force: true });
  return rate;
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

async function hilo(label: string, options: CollectorOptions, more?: More): Promise<number> {
  const collector = await startCollector({ assets: false, release: true, ...options });
  const rate = await measure(label, new URL("/_h/v1/batch", collector.url).href, more);
  await collector.dispose();
  return rate;
}

async function hiloDelivering(label: string, options: CollectorOptions = {}): Promise<number> {
  const sink = await startSink();
  const rate = await hilo(label, { config: configWith(sink.url), ...options });
  console.log(`${"".padEnd(28)}${String(sink.received.length).padStart(7)} deliveries meanwhile`);
  await sink.close();
  return rate;
}

const ratios = new Map<string, number[]>();
const note = (label: string, ratio: number) => ratios.set(label, [...(ratios.get(label) ?? []), ratio]);
for (let round = 0; round < ROUNDS; round++) {
  await bare("bare, parses", PARSES);
  const row = await bare("bare, writes one row", WRITES_ONE_ROW);
  const clean = await hilo("hilo, no destination", { config: NO_DESTINATION });
  const noticed = await hilo("hilo, a notice per event", { config: NO_DESTINATION }, { weather: "fine" });
  note("hilo, a notice per event, of a clean batch", noticed / clean);
  const rates = {
    "hilo, no destination": clean,
    "hilo, queueing": await hiloDelivering("hilo, queueing", { consumer: false }),
    "hilo, delivering": await hiloDelivering("hilo, delivering"),
    "hilo, behind the router": await hilo("hilo, behind the router", { config: NO_DESTINATION, assets: true }),
  };
  for (const [label, rate] of Object.entries(rates)) note(`${label}, of the row`, rate / row);
}
for (const [label, found] of ratios) {
  found.sort((a, b) => a - b);
  const all = found.map((ratio) => ratio.toFixed(2)).join(", ");
  console.log(`${label.padEnd(44)}${found[Math.floor(found.length / 2)]!.toFixed(2).padStart(7)} (${all})`);
}
