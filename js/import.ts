/**
 * The upload of `cargo xtask import`: reads calls from the program that reads the file, and sends them to the collector, several at once.
 * In: the collector's address, that program with its arguments. Out: a bar, the counts, a list of refused rows; exit code 0, or 2 where
 * rows were refused.
 *
 * The import's id is made of the file and the flags, so the same command goes on where it was cut.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { createWriteStream, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzip } from "node:zlib";
import { promisify } from "node:util";

const gzipped = promisify(gzip);

/** The calls that are under way at once. The collector stores each row before it answers. */
const AT_ONCE = 4;
/** How long a call that fails is repeated: a deployment, or a restart of the collector. */
const PATIENCE_MS = 10 * 60_000;
const PAUSE_MS_MAX = 10_000;
/** Seconds between lines where no terminal can rewrite a line. */
const EVERY_S = 10;

interface Fault {
  line: number;
  column?: string;
  code: string;
  message: string;
}

interface Counts {
  rows: number;
  accepted: number;
  duplicate: number;
  conflict: number;
}

interface Answer extends Counts {
  rejected: Fault[];
  next_seq: number;
}

/** An answer that repeating the call would not change. */
class Refused extends Error {}

const [base = "", query = "", reader = "", ...told] = process.argv.slice(2);
const file = told[0] ?? "";
const isLocal = ["127.0.0.1", "localhost", "[::1]"].includes(new URL(base).hostname);
if (!isLocal && !base.startsWith("https://")) {
  console.error(`error: ${base}: only https, because the admin token goes with each call`);
  process.exit(1);
}
// The token of every developer's machine.
const token = process.env["HILO_ADMIN_TOKEN"] ?? (isLocal ? "dev-admin" : undefined);
if (!token) {
  console.error("error: put the collector's admin token into HILO_ADMIN_TOKEN and run the same command again.");
  process.exit(1);
}
const admin = `${base.replace(/\/$/, "")}/admin/v1/import`;
const authorization = `Bearer ${token}`;

/** The calls that the reading program prints: parts with an empty line behind each. */
async function* parts(program: ChildProcess): AsyncGenerator<string> {
  let rest = "";
  program.stdout!.setEncoding("utf8");
  for await (const text of program.stdout!) {
    rest += text;
    for (let end = rest.indexOf("\n\n"); end >= 0; end = rest.indexOf("\n\n")) {
      yield rest.slice(0, end);
      rest = rest.slice(end + 2);
    }
  }
}

/** Makes a request until the collector itself answers. */
async function ask(url: string, init: RequestInit): Promise<any> {
  const since = Date.now();
  for (let pause = 250; ; pause = Math.min(2 * pause, PAUSE_MS_MAX)) {
    let why: string;
    try {
      const response = await fetch(url, init);
      const text = await response.text();
      if (response.ok) return JSON.parse(text);
      if (response.status === 404 && init.method === "GET") return undefined;
      const message = /^\{/.test(text) ? JSON.parse(text).message : `${base} is no collector: it answered ${response.status}`;
      if (response.status < 500 && response.status !== 429) throw new Refused(message);
      why = message;
      pause = Math.max(pause, 1_000 * Number(response.headers.get("retry-after") ?? 0));
    } catch (error) {
      if (error instanceof Refused) throw error;
      why = String((error as Error).cause ?? error);
    }
    if (Date.now() - since > PATIENCE_MS) {
      throw new Refused(`${why}. What was sent counts: run the same command again, and it goes on from there`);
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** A UUID of the file, the flags, and the times that they were imported before. */
function idOf(fingerprint: string, time: number): string {
  const hash = createHash("sha256").update(`${fingerprint}\n${query}\n${time}`).digest();
  hash[6] = (hash[6]! & 0x0f) | 0x80; // version 8: a name of our own making (RFC 9562)
  hash[8] = (hash[8]! & 0x3f) | 0x80;
  return hash.subarray(0, 16).toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** The import that this file and these flags belong to: the one that was cut, or else a new one. */
async function find(fingerprint: string): Promise<{ id: string; nextSeq: number }> {
  for (let time = 0; ; time++) {
    const id = idOf(fingerprint, time);
    const known = await ask(`${admin}/${id}`, { method: "GET", headers: { authorization } });
    if (!known) return { id, nextSeq: 0 };
    if (known.state !== "done") return { id, nextSeq: known.next_seq };
  }
}

/** What is shown while it runs. */
class Bar {
  readonly total: number;
  #rows = 0;
  readonly #since = Date.now();
  #shown = Date.now();
  constructor(total: number) {
    this.total = total;
  }
  add(rows: number): void {
    this.#rows += rows;
    const isTerminal = process.stderr.isTTY;
    const waits = isTerminal ? 100 : 1_000 * EVERY_S;
    if (Date.now() - this.#shown < waits) return;
    this.#shown = Date.now();
    const share = Math.min(1, this.#rows / this.total);
    const seconds = (Date.now() - this.#since) / 1_000;
    const left = Math.round(seconds / share - seconds);
    const bar = "█".repeat(Math.round(share * 30)).padEnd(30, "░");
    const line = `  ${bar} ${Math.floor(share * 100)} % of ${this.total} rows, ${Math.round(this.#rows / seconds)} a second, ${left} s left`;
    process.stderr.write(isTerminal ? `\r\x1b[K${line}` : `${line}\n`);
  }
  end(): number {
    if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
    return (Date.now() - this.#since) / 1_000;
  }
}

/** The refused rows, in a file: there may be as many as rows. */
class List {
  readonly path = join(tmpdir(), `hilo-import-${process.pid}.ndjson`);
  readonly #out = createWriteStream(this.path);
  count = 0;
  /** Adds what the collector refused of a call, with all rows of an order that stands in several. */
  add(faults: Fault[], call: string): void {
    if (faults.length === 0) return;
    const also = new Map<number, number[]>();
    for (const line of call.split("\n")) {
      const row = JSON.parse(line);
      if (row.also) also.set(row.line, row.also);
    }
    for (const fault of faults) {
      for (const line of [fault.line, ...(also.get(fault.line) ?? [])]) {
        this.count++;
        this.#out.write(`${JSON.stringify({ ...fault, line })}\n`);
      }
    }
  }
  close(): Promise<void> {
    return new Promise((resolve) => this.#out.end(resolve));
  }
}

/** Sends a call, and answers what became of its rows. */
async function send(call: string, id: string, seq: number, isLast: boolean): Promise<Answer> {
  const headers = { authorization, "import-id": id, "import-seq": String(seq), "content-encoding": "gzip" };
  const body = await gzipped(call, { level: 1 });
  return ask(`${admin}?${query}${isLast ? "&last=1" : ""}`, { method: "POST", headers, body });
}

const add = (to: Counts, one: Counts): void => {
  for (const name of ["rows", "accepted", "duplicate", "conflict"] as const) to[name] += one[name];
};

/** Runs the import, and answers how many rows were refused. */
async function main(): Promise<number> {
  const program = spawn(reader, told, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<number | null>((resolve) => program.on("close", resolve));
  const calls = parts(program);
  const first = await calls.next();
  // The program has told why.
  if (first.done) return process.exit((await ended) ?? 1);
  const { rows, fingerprint } = JSON.parse(first.value).plan;
  const { id, nextSeq } = await find(fingerprint);
  console.error(nextSeq > 0 ? `Import ${id} goes on from call ${nextSeq}.` : `Import ${id}, ${rows} rows.`);
  const [bar, list, counts] = [new Bar(rows), new List(), { rows: 0, accepted: 0, duplicate: 0, conflict: 0 }];
  const underWay = new Set<Promise<void>>();
  let seq = 0;
  /** Takes the next call, once there is room. The call before is known not to be the last one then. */
  const begin = async (call: string, isLast: boolean): Promise<void> => {
    const own = seq++;
    // The last call is sent again: it tells that the import is complete.
    if (own < nextSeq && !isLast) {
      const refused = call.split("\n").map((line) => JSON.parse(line)).filter((row) => row.refused);
      list.add(refused.map((row) => ({ line: row.line, ...row.refused })), call);
      bar.add(call.split("\n").length);
      return;
    }
    while (underWay.size >= AT_ONCE) await Promise.race(underWay);
    const sent: Promise<void> = send(call, id, own, isLast).then((answer) => {
      add(counts, answer);
      list.add(answer.rejected, call);
      bar.add(answer.rows);
      underWay.delete(sent);
    });
    underWay.add(sent);
    // Its failure is told where the next call waits for room.
    sent.catch(() => undefined);
  };
  let call: string | undefined;
  for await (const next of calls) {
    if (call !== undefined) await begin(call, false);
    call = next;
  }
  const code = await ended;
  if (code !== 0) return process.exit(code ?? 1);
  if (call !== undefined) await begin(call, true);
  await Promise.all(underWay);
  const seconds = bar.end();
  const whole = await ask(`${admin}/${id}`, { method: "GET", headers: { authorization } });
  await list.close();
  const peak = Math.round(process.resourceUsage().maxRSS / 1_024);
  console.error(
    `${whole.rows} rows: ${whole.accepted} imported, ${whole.duplicate} known already, ${whole.conflict} conflicts, ${whole.rejected} refused; ` +
      `${counts.rows} of them in this run, ${seconds.toFixed(1)} s, ${Math.round(counts.rows / seconds)} rows a second, ${peak} MB of memory`,
  );
  console.log(JSON.stringify({ id, ...Object.fromEntries(["rows", "accepted", "duplicate", "conflict", "rejected"].map((name) => [name, whole[name]])) }));
  if (list.count > 0) {
    const path = `${file}.refused.csv`;
    const copy = spawn(reader, [...told, "--refused", list.path], { stdio: ["ignore", openSync(path, "w"), "inherit"] });
    await new Promise((resolve) => copy.on("close", resolve));
    console.error(`The refused rows with their reasons: ${path}`);
  }
  rmSync(list.path);
  return whole.rejected + whole.conflict;
}

main().then(
  (refused) => process.exit(refused > 0 ? 2 : 0),
  (error: Error) => {
    console.error(`\nerror: ${error.message}`);
    process.exit(1);
  },
);
