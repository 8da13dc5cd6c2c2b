/**
 * Minutes of mixed load: 200 people, 8 carts with a socket each, one webhook: `cargo xtask bench soak`. Prints errors, repeats at
 * the webhook, and what is in memory every 20 seconds.
 *
 * The isolate is judged: its living objects and its module's memory are what Cloudflare bounds by 128 MB. Each sample collects garbage in
 * all isolates first, because V8 has no reason to: no limit is near, and behind each request's few objects the runtime keeps some
 * 10 KB until they are collected, also for a Worker of three lines. What is left of the process's growth are SQLite's caches, up to 2 MB
 * for each object that is awake, which end with the object's sleep. HILO_COLLECT=0 collects nothing and judges no memory.
 *
 * The isolate remembers the id of each event of everybody who is awake, to find repeats: these bytes are as many as the events, and end
 * with the person's visit. Nobody's visit ends here, so they are printed and not judged.
 *
 * HILO_MINUTES and HILO_RATE (batches a second) make it shorter or calmer; HILO_BUILD=dev takes the development build.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { Device, type LiveSocket } from "./carts.ts";
import { type Held, Isolates } from "./isolate.ts";
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
const COLLECTS = process.env["HILO_COLLECT"] !== "0";
const FLAT_AFTER_MS = 120_000;
/** An isolate's bound at Cloudflare is 128 MB. Bodies of requests under way need the rest. */
const ISOLATE_MB_MAX = 64;
/** A curve of fewer samples is not judged, which passes only in a short run. */
const SAMPLES_MIN = 6;
/** What the memory may grow after its first minutes, in percent. */
const GROWTH_MAX = 5;
/** SQLite caches so many megabytes of each database that is open, and an object sleeps after so long. */
const CACHE_MB = 2;
const AWAKE_MS = 10_000;
/** The memory of one event's id: 8 bytes in a list, more in the set of the newest, and the list's spare room. */
const ID_BYTES = 10;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const sink = await startSink();
sink.answer(204);
const release = process.env["HILO_BUILD"] !== "dev";
const collector = await startCollector({ config: configWith(sink.url), release, assets: false, inspected: COLLECTS });
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

/** Megabytes that a process holds, without the pages of its program. */
function memory(pid: number): number {
  const line = readFileSync(`/proc/${pid}/status`, "utf8").match(/^RssAnon:\s+(\d+) kB$/m);
  return Number(line?.[1] ?? 0) / 1_024;
}

/** Megabytes that SQLite caches at most, of the databases that were written lately. A database is a file and its log. */
function caches(): number {
  const databases = new Map<string, { size: number; written: number }>();
  for (const name of readdirSync(collector.state, { recursive: true, encoding: "utf8" })) {
    const [database] = name.match(/^.*\.sqlite(?=$|-wal$)/) ?? [];
    const file = statSync(join(collector.state, name), { throwIfNoEntry: false });
    if (database === undefined || file === undefined) continue;
    const { size, written } = databases.get(database) ?? { size: 0, written: 0 };
    databases.set(database, { size: size + file.size, written: Math.max(written, file.mtimeMs) });
  }
  const awake = [...databases.values()].filter(({ written }) => Date.now() - written < AWAKE_MS);
  return awake.reduce((sum, { size }) => sum + Math.min(size / 2 ** 20, CACHE_MB), 0);
}

/** What is in memory at one time, in megabytes. */
interface Sample extends Partial<Held> {
  at: number;
  process: number;
  caches: number;
  /** What the ids of all events take. */
  ids: number;
}

const megabytes = (value: number) => `${value.toFixed(1).padStart(6)} MB`;

const acknowledged = () => [...load.acknowledged.values()].reduce((sum, ids) => sum + ids.length, 0);

/** One line of a sample. */
function line({ at, heap, alive, module, process, caches, ids }: Sample): string {
  const isolate = heap === undefined ? "" : `heap${megabytes(heap)}, alive${megabytes(alive!)}, module${megabytes(module!)}, ids${megabytes(ids)}   `;
  const count = acknowledged();
  const behind = missing(load, sink).length;
  const time = String(Math.round(at / 1_000)).padStart(5);
  return (
    `${time} s   ${isolate}process${megabytes(process)}, SQLite's caches up to${megabytes(caches)}   ` +
    `${count} events acknowledged, ${behind} of them behind   ${edits} edits`
  );
}

/** Prints a curve after its first minutes. Returns whether it stays flat and within its bound. */
function judge(label: string, samples: Sample[], of: (sample: Sample) => number, max = Infinity): boolean {
  const steady = samples.filter(({ at }) => at >= FLAT_AFTER_MS).map(of);
  if (steady.length < SAMPLES_MIN) {
    console.log(`${label.padEnd(27)}too few samples to judge`);
    return MINUTES < 5;
  }
  // Requests that are under way differ from sample to sample, so halves are compared.
  const mean = (part: number[]) => part.reduce((sum, one) => sum + one, 0) / part.length;
  const [first, second] = [steady.slice(0, steady.length / 2), steady.slice(steady.length / 2)];
  const growth = 100 * (mean(second) / mean(first) - 1);
  const most = Math.max(...samples.map(of));
  const curve = `${megabytes(mean(first))}, then${megabytes(mean(second))} (${growth.toFixed(1)} %)`;
  console.log(`${label.padEnd(27)}${curve}, at most${megabytes(most)}`);
  return growth <= GROWTH_MAX && most <= max;
}

const load = startLoad(collector, { people: 200, rate: RATE, eventsPerBatch: 4 });
const carts = Array.from({ length: CARTS }, (_, n) => shop(`soak-${n}`));
let isolates: Isolates | undefined;
const samples: Sample[] = [];
while (Date.now() < end) {
  await sleep(Math.min(SAMPLE_MS, end - Date.now()));
  // The isolates are asked when they have begun to work. One that is too busy for an answer misses one sample.
  if (COLLECTS) isolates ??= await Isolates.connect(collector);
  const held = await isolates?.collect().catch(() => undefined);
  const sample = { at: Date.now() - began, ...held, process: memory(collector.workerd()), caches: caches(), ids: (acknowledged() * ID_BYTES) / 2 ** 20 };
  samples.push(sample);
  console.log(line(sample));
}
isolates?.close();
await load.stop();
await Promise.all(carts);
for (let waited = 0; missing(load, sink).length > 0 && waited < 60_000; waited += 200) await sleep(200);

const total = acknowledged();
const answers = [...load.errors.answers].map(([status, count]) => `${count} of ${status}`).join(", ") || "none";
console.log(`${total} events acknowledged, ${edits} edits of carts in ${MINUTES} minutes`);
console.log(`bad answers                ${answers}, ${load.errors.silent} without an answer, ${cartErrors} of carts`);
console.log(`not forwarded              ${missing(load, sink).length}`);
console.log(`repeats at the webhook     ${repeats(sink).toFixed(2)} %`);
const asked = samples.filter(({ alive }) => alive !== undefined);
const isFlat =
  !COLLECTS ||
  [
    judge("the isolate without ids", asked, ({ alive, module, ids }) => alive! + module! - ids, ISOLATE_MB_MAX),
    judge("process without caches", asked, ({ process, caches, ids }) => process - caches - ids),
  ].every(Boolean);
await collector.dispose();
await sink.close();
const isSound = load.errors.silent + load.errors.answers.size + cartErrors + missing(load, sink).length === 0;
if (!isSound || !isFlat || repeats(sink) > 0.5) process.exitCode = 1;
