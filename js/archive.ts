/**
 * `cargo xtask archive export`: the archive's lines, opened by the collector, as files that analysts read.
 *
 * In: days, a folder, the collector's address, and the admin token in `HILO_ADMIN_TOKEN`. Out: `DIR/dt=<day>/events.parquet` or
 * `.ndjson`, and a line a day: the events, the repeats left out, the lines that nobody can read any more. An export that was cut goes on
 * with the day at which it was; a new one fetches every day again, because people may have been erased since. `--files` reads copies of the
 * files in a folder, for a bucket of another service.
 */
import { createWriteStream, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { type Opened, type Sink, ndjsonSink, parquetSink } from "./archive/sinks.ts";

const DAY_MS = 86_400_000;
/** The lines of one call, by the collector. */
const LINES_MAX = 500;
/** The files that are fetched at the same time. */
const AT_ONCE = 4;

/** What the collector says of a line whose person was erased. */
const ERASED = "erased";
/** Says in a day's folder that the day is done, until the whole export is. */
const DONE = ".done";

const USAGE = `cargo xtask archive export --from 2026-11-01 --to 2026-11-30 --out DIR
  [--ndjson]           lines of JSON in place of Parquet
  [--url https://shop.example/_h]   the collector; its admin token is in HILO_ADMIN_TOKEN
  [--destination NAME]   where hilo.toml has several archives
  [--files DIR]        copies of the archive's files, with their folders dt=…/hour=…, in place of the bound bucket
  [--person u:42]      the lines of one person only`;

class Trouble extends Error {}

function options() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      from: { type: "string" },
      to: { type: "string" },
      out: { type: "string" },
      ndjson: { type: "boolean", default: false },
      url: { type: "string", default: "http://127.0.0.1:8787/_h" },
      destination: { type: "string" },
      files: { type: "string" },
      person: { type: "string" },
    },
  });
  const { from = "", to = from, out, url } = values;
  const isDay = (day: string) => /^\d{4}-\d\d-\d\d$/.test(day) && !Number.isNaN(Date.parse(day));
  if (positionals[0] !== "export" || !isDay(from) || !isDay(to) || from > to || !out) throw new Trouble(USAGE);
  const isLocal = ["127.0.0.1", "localhost", "[::1]"].includes(new URL(url).hostname);
  if (!isLocal && !url.startsWith("https://")) throw new Trouble(`${url}: only https, because the admin token goes with each call`);
  // The token of every developer's machine.
  const token = process.env["HILO_ADMIN_TOKEN"] ?? (isLocal ? "dev-admin" : undefined);
  if (!token) throw new Trouble("put the collector's admin token into HILO_ADMIN_TOKEN and run the same command again");
  return { ...values, from, to, out, token, base: `${url.replace(/\/$/, "")}/admin/v1` };
}

const asked = (() => {
  try {
    return options();
  } catch (error) {
    console.error(error instanceof Trouble ? error.message : `${(error as Error).message}\n${USAGE}`);
    process.exit(2);
  }
})();

/** Makes an admin call, a few times where the collector has no time. */
async function call(path: string, query: Record<string, string | undefined> = {}, body?: string): Promise<string> {
  const known = Object.entries(query).filter((one): one is [string, string] => one[1] !== undefined);
  for (let tries = 1; ; tries += 1) {
    const method = body === undefined ? "GET" : "POST";
    const answer = await fetch(`${asked.base}${path}?${new URLSearchParams(known)}`, { method, body, headers: { authorization: `Bearer ${asked.token}` } });
    const text = await answer.text();
    if (answer.ok) return text;
    const isBusy = answer.status === 429 || answer.status >= 500;
    if (!isBusy || tries === 5) throw new Trouble(`${path} answered ${answer.status}: ${text.slice(0, 500)}`);
    await new Promise((resolve) => setTimeout(resolve, 1_000 * Number(answer.headers.get("retry-after") ?? tries)));
  }
}

/** The names of a day's files. */
async function filesOf(day: string): Promise<string[]> {
  if (asked.files) {
    const folder = join(asked.files, `dt=${day}`);
    if (!existsSync(folder)) return [];
    return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ndjson")).sort().map((name) => join(folder, name));
  }
  const names: string[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = JSON.parse(await call("/archive/files", { day, destination: asked.destination, cursor }));
    names.push(...page.files);
    if (!page.next) return names;
    cursor = page.next;
  }
}

/** Numbers that JavaScript would change keep their digits. */
const exact = (_: string, value: unknown, { source }: { source: string }) =>
  typeof value === "number" && String(value) !== source ? (JSON as any).rawJSON(source) : value;
const read = (text: string): Opened[] => text.split("\n").filter(Boolean).map((line) => (JSON.parse as any)(line, exact));

/** The opened lines of a file. */
async function linesOf(file: string): Promise<Opened[]> {
  if (!asked.files) return read(await call("/archive/lines", { file }));
  const lines = readFileSync(file, "utf8").split("\n").filter(Boolean);
  const parts: Opened[] = [];
  for (let at = 0; at < lines.length; at += LINES_MAX) parts.push(...read(await call("/archive/open", {}, lines.slice(at, at + LINES_MAX).join("\n"))));
  return parts;
}

/** Under which subjects a person's lines are, and in which hours. */
async function whereIs(key: string) {
  const found = { subjects: new Set<string>(), hours: new Set<string>() };
  for (let cursor: string | undefined; ; ) {
    const page = JSON.parse(await call(`/profiles/${encodeURIComponent(key)}/archive`, { cursor }));
    for (const subject of page.subjects) found.subjects.add(subject);
    for (const hour of page.hours) found.hours.add(hour);
    if (!page.next) return found;
    cursor = page.next;
  }
}

/** What is not among the exported events, and why. */
const left = (count: { repeats: number; erased: number; unreadable: number }) =>
  `${count.repeats} repeats left out, ${count.erased} of people who were erased, ${count.unreadable} that no key opens (erased before, damaged, or of another form)`;

type Found = Awaited<ReturnType<typeof whereIs>>;

/** Exports one day, and returns what it had. */
async function exportDay(day: string, found: Found | undefined) {
  const kind = asked.ndjson ? "ndjson" : "parquet";
  const folder = join(asked.out, `dt=${day}`);
  const [whole, done] = [join(folder, `events.${kind}`), join(folder, DONE)];
  if (existsSync(done)) return JSON.parse(readFileSync(done, "utf8"));
  const isInHours = (file: string) => !found || [...found.hours].some((hour) => file.includes(`/${hour}/`));
  const files = (await filesOf(day)).filter(isInHours);
  mkdirSync(folder, { recursive: true });
  const part = `${whole}.part`;
  rmSync(part, { force: true });
  const sink: Sink = asked.ndjson ? ndjsonSink(createWriteStream(part)) : parquetSink(part);
  const [seen, count] = [new Set<string>(), { day, files: files.length, events: 0, repeats: 0, erased: 0, unreadable: 0 }];
  for (let at = 0; at < files.length; at += AT_ONCE) {
    for (const lines of await Promise.all(files.slice(at, at + AT_ONCE).map(linesOf))) {
      for (const line of lines) {
        if (found && !found.subjects.has(line.subject)) continue;
        const place = `${line.id} ${line.subject}`;
        if (line.unreadable === ERASED) count.erased += 1;
        else if (!line.event) count.unreadable += 1;
        else if (seen.has(place)) count.repeats += 1;
        else {
          seen.add(place);
          await sink.add(line);
          count.events += 1;
        }
      }
    }
    if (process.stderr.isTTY) process.stderr.write(`\r${day}: ${Math.min(at + AT_ONCE, files.length)} of ${files.length} files, ${count.events} events `);
  }
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  await sink.end();
  renameSync(part, whole);
  writeFileSync(done, JSON.stringify(count));
  return count;
}

try {
  const found = asked.person ? await whereIs(asked.person) : undefined;
  const sum = { events: 0, repeats: 0, erased: 0, unreadable: 0 };
  const days: string[] = [];
  for (let at = Date.parse(asked.from); at <= Date.parse(asked.to); at += DAY_MS) days.push(new Date(at).toISOString().slice(0, 10));
  for (const day of days) {
    const count = await exportDay(day, found);
    for (const part of ["events", "repeats", "erased", "unreadable"] as const) sum[part] += count[part];
    console.log(`${count.day}: ${count.events} events of ${count.files} files; ${left(count)}`);
  }
  for (const day of days) rmSync(join(asked.out, `dt=${day}`, DONE), { force: true });
  console.log(`all: ${sum.events} events; ${left(sum)}. ${asked.out}/*/events.${asked.ndjson ? "ndjson" : "parquet"}`);
} catch (error) {
  console.error(`error: ${(error as Error).message}`);
  process.exit(2);
}
