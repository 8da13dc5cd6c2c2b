/**
 * An import of a million lines about 2,000 people into the real collector, killed twice in between: client, then collector. Prints the time,
 * rows a second, the memory of the client and of the program that reads, and compares every count.
 *
 * HILO_LINES and HILO_PEOPLE choose other numbers, HILO_BUILD=dev the development build.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { importConfig, reader, upload, writeCalls, type Upload } from "./imports.ts";
import { childOf, eventually, startCollector } from "./mf.ts";

const lines = Number(process.env["HILO_LINES"] ?? 1_000_000);
const people = Number(process.env["HILO_PEOPLE"] ?? 2_000);
const program = reader();
const folder = mkdtempSync(join(tmpdir(), "hilo-import-bench-"));
const collector = await startCollector({ config: importConfig, release: process.env["HILO_BUILD"] !== "dev", consumer: false });
const path = join(folder, "calls.csv");
await writeCalls(path, lines, people);

/** The most memory that a process has had, in MB. */
function peak(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1_024;
  } catch {
    return 0;
  }
}

const most = { client: 0, reader: 0, collector: 0 };
const watching = setInterval(() => {
  for (const upload of running) {
    most.client = Math.max(most.client, peak(upload.child.pid!));
    try {
      most.reader = Math.max(most.reader, peak(childOf(upload.child.pid!, "hilo-import")));
      most.collector = Math.max(most.collector, peak(collector.workerd()));
    } catch {
      // It has just ended, or begins again.
    }
  }
}, 500);
const running = new Set<Upload>();
const begin = (): Upload => {
  const one = upload(collector, program, path, ["phone", "calls", "--timezone", "Europe/Madrid", "--country", "ES"]);
  one.child.stderr!.pipe(process.stderr);
  running.add(one);
  void one.done.then(() => running.delete(one));
  return one;
};
const reaches = (id: string, seq: number) =>
  eventually(async () => {
    const standing = await collector.admin(`/_h/admin/v1/import/${id}`).catch(() => undefined);
    return standing?.next_seq >= seq ? true : undefined;
  }, 3_600_000);

const calls = Math.ceil(lines / 500);
const began = performance.now();
const first = begin();
const id = await first.id;
await reaches(id, Math.floor(calls / 3));
first.child.kill("SIGKILL");
await first.done;
console.log(`the client was killed after ${((performance.now() - began) / 1_000).toFixed(0)} s`);
const second = begin();
assert.equal(await second.id, id);
await reaches(id, Math.floor((2 * calls) / 3));
collector.kill();
console.log(`the collector was killed after ${((performance.now() - began) / 1_000).toFixed(0)} s`);
const { code, counts, told } = await second.done;
const seconds = (performance.now() - began) / 1_000;
clearInterval(watching);
assert.deepEqual([code, counts.rows, counts.accepted, counts.duplicate, counts.conflict, counts.rejected], [0, lines, lines, 0, 0, 0], told);
console.table([
  {
    lines,
    people,
    seconds: Math.round(seconds),
    "rows a second": Math.round(lines / seconds),
    "client MB": Math.round(most.client),
    "reader MB": Math.round(most.reader),
    "collector MB": Math.round(most.collector),
  },
]);
await collector.dispose();
rmSync(folder, { recursive: true });
