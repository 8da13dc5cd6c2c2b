/**
 * Minutes of mixed load: 200 people, 8 carts with a socket each, one webhook: `cargo xtask bench soak`. Prints errors, repeats at
 * the webhook, and workerd's memory every 20 seconds.
 *
 * HILO_MINUTES and HILO_RATE (batches a second) make it shorter or calmer; HILO_BUILD=dev takes the development build.
 */
import { readFileSync } from "node:fs";

import { Device, type LiveSocket } from "./carts.ts";
import { missing, repeats, startLoad } from "./load.ts";
import { type Collector, configWith, startCollector, startSink } from "./mf.ts";
import { claimsOf, signToken } from "./tokens.ts";

const MINUTES = Number(process.env["HILO_MINUTES"] ?? 10);
const RATE = Number(process.env["HILO_RATE"] ?? 50);
const CARTS = 8;
/** Two edits a second at the usual rate. */
const EDIT_MS = 25_000 / RATE;
const SAMPLE_MS = 20_000;
/** A cart's socket is renewed after this time: a page does not stay for ever. */
const SOCKET_MS = 60_000;
const FLAT_AFTER_MS = 120_000;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const sink = await startSink();
sink.answer(204);
const collector = await startCollector({ config: configWith(sink.url), release: process.env["HILO_BUILD"] !== "dev", assets: false });
const began = Date.now();
const end = began + MINUTES * 60_000;
let edits = 0;
let cartErrors = 0;

async function listen(collector: Collector, user: string): Promise<[Device, LiveSocket]> {
  const device = new Device(collector, signToken(claimsOf(user)));
  const { body } = await device.whole();
  const socket = await device.socket();
  socket.send({ t: "hello", ticket: body["live"], epoch: device.epoch, rev: device.rev, replica: device.replica });
  device.learn(await socket.next((frame) => frame["t"] === "view"));
  return [device, socket];
}

/** One customer's page: it sets its own line again and again, over the socket, and waits for each answer. */
async function shop(user: string): Promise<void> {
  while (Date.now() < end) {
    try {
      const [device, socket] = await listen(collector, user);
      const left = Date.now() + SOCKET_MS;
      while (Date.now() < Math.min(left, end)) {
        const n = device.n + 1;
        const drop = device.n > 0 ? [device.dot(device.n)] : [];
        const line: [string, string, string] = [`line-${user}`, "0", "EUR"];
        socket.send({ t: "ops", ...device.delta(1, { put: [[line, device.dot(n), "set", 1 + (n % 9)]], drop }) });
        const answer = await socket.next((frame) => ["delta", "view", "ack", "refused", "error"].includes(frame["t"] as string));
        if (answer["t"] === "refused" || answer["t"] === "error") throw new Error(JSON.stringify(answer));
        device.n = n;
        edits++;
        await sleep(EDIT_MS);
      }
      socket.close();
    } catch (error) {
      cartErrors++;
      console.log(`a cart failed: ${error}`);
      await sleep(1_000);
    }
  }
}

/** Megabytes that a process holds. */
function memory(pid: number): number {
  const line = readFileSync(`/proc/${pid}/status`, "utf8").match(/^VmRSS:\s+(\d+) kB$/m);
  return Math.round(Number(line?.[1] ?? 0) / 1_024);
}

const load = startLoad(collector, { people: 200, rate: RATE, eventsPerBatch: 4 });
const carts = Array.from({ length: CARTS }, (_, n) => shop(`soak-${n}`));
const samples: { at: number; megabytes: number }[] = [];
while (Date.now() < end) {
  await sleep(Math.min(SAMPLE_MS, end - Date.now()));
  const sample = { at: Date.now() - began, megabytes: memory(collector.workerd()) };
  samples.push(sample);
  const seconds = String(Math.round(sample.at / 1_000)).padStart(5);
  const count = [...load.acknowledged.values()].flat().length;
  const behind = missing(load, sink).length;
  console.log(`${seconds} s   ${String(sample.megabytes).padStart(5)} MB   ${count} events acknowledged, ${behind} of them behind   ${edits} edits`);
}
await load.stop();
await Promise.all(carts);
for (let waited = 0; missing(load, sink).length > 0 && waited < 60_000; waited += 200) await sleep(200);

const total = [...load.acknowledged.values()].flat().length;
const answers = [...load.errors.answers].map(([status, count]) => `${count} of ${status}`).join(", ") || "none";
console.log(`${total} events acknowledged, ${edits} edits of carts in ${MINUTES} minutes`);
console.log(`bad answers                ${answers}, ${load.errors.silent} without an answer, ${cartErrors} of carts`);
console.log(`not forwarded              ${missing(load, sink).length}`);
console.log(`repeats at the webhook     ${repeats(sink).toFixed(2)} %`);
const steady = samples.filter(({ at }) => at >= FLAT_AFTER_MS).map(({ megabytes }) => megabytes);
if (steady.length > 1) console.log(`memory after two minutes   ${steady[0]} MB, at the end ${steady.at(-1)} MB, at most ${Math.max(...steady)} MB`);
await collector.dispose();
await sink.close();
const isSound = load.errors.silent + load.errors.answers.size + cartErrors + missing(load, sink).length === 0;
if (!isSound || repeats(sink) > 0.5) process.exitCode = 1;
