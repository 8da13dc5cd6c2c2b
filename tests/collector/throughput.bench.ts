/**
 * The collector's throughput beside two bare workers, all in one run on one machine: `cargo xtask bench`.
 *
 * Ten events a batch, 200 profiles that exist already, 16 connections (performance.md). Only the ratio to the worker that
 * writes one row counts; what the disk does in between shows in all three.
 */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { miniflare } from "../packages.ts";
import { envelope, pageView } from "./envelopes.ts";
import { anonymousId, startCollector } from "./mf.ts";

const CONNECTIONS = 16;
const PROFILES = 200;
const EVENTS_PER_BATCH = 10;
const SECONDS = 5;

const ids = Array.from({ length: PROFILES }, anonymousId);
let turn = 0;

function body(): string {
  const id = ids[turn++ % PROFILES]!;
  const product = () => ({
    ...pageView(id),
    type: "track",
    event: "Product Viewed",
    messageId: randomUUID(),
    properties: { product_id: `p${turn}`, price: 19.9, currency: "EUR" },
  });
  return JSON.stringify(envelope(Array.from({ length: EVENTS_PER_BATCH }, product)));
}

/** One POST, read to its end; the status. */
function post(url: string, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request(url, { agent, method: "POST", headers: { origin: new URL(url).origin } }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode ?? 0));
    });
    call.on("error", reject).end(body());
  });
}

/** Requests a second, after every profile has been seen once. */
async function measure(label: string, url: string): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const times: number[] = [];
  const connections = (one: () => Promise<boolean>) =>
    Promise.all(Array.from({ length: CONNECTIONS }, async () => { while (await one()); }));
  const once = async () => {
    const began = performance.now();
    const status = await post(url, agent);
    if (status >= 300) throw new Error(`${label} answered ${status}`);
    times.push(performance.now() - began);
  };
  let cold = PROFILES;
  await connections(async () => cold-- > 0 && (await once(), true));
  times.length = 0;
  const end = performance.now() + SECONDS * 1_000;
  await connections(async () => performance.now() < end && (await once(), true));
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

await bare("bare, parses", `${ROWS}
export default { async fetch(request) { JSON.parse(await request.text()); return new Response(null, { status: 204 }); } };`);
const row = await bare("bare, writes one row", `${ROWS}
export default {
  async fetch(request, env) {
    const body = await request.text();
    const name = JSON.parse(body).batch[0].anonymousId;
    return env.ROWS.get(env.ROWS.idFromName(name)).fetch("http://row/", { method: "POST", body });
  },
};`);
const NO_DESTINATION = `
[project]
controller = "Example Shop"

[[source]]
name = "shop"
kind = "browser"
keys = ["wk_shop"]
origins = ["https://shop.example"]
`;
for (const [label, config] of [["hilo, no destination", NO_DESTINATION], ["hilo, with a destination", undefined]] as const) {
  const collector = await startCollector(config === undefined ? {} : { config });
  const rate = await measure(label, new URL("/_h/v1/batch", collector.url).href);
  console.log(`${"".padEnd(28)}${(rate / row).toFixed(2).padStart(7)} of the row`);
  await collector.dispose();
}
