/**
 * hilo beside the trackers that sites use, in one run on one machine: `cargo xtask bench sdk`. `--alone` measures the costs of hilo and its floor.
 *
 * Only ratios within one run count. Trackers are measured in turn (A B C, A B C). Each visitor is new, has consented, and has an
 * empty cache; pages and collectors are on two sites. Out: tables on standard output and `target/bench/sdk.json`.
 * `HILO_RUNS` is how often each time is measured, `HILO_REPEATS` how often each fault is met; 0 leaves a part out.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { calls, coldStart, load, type Place } from "./costs.ts";
import { EVENTS, FAULTS, meet } from "./faults.ts";
import { startChromium } from "./pages.ts";
import { startRecorder } from "./recorder.ts";
import { durability, figures, measured, note, noteWorst, subtract, targets, targetTable, type Column, type Measured } from "./results.ts";
import { EMPTY, trackers } from "./trackers.ts";
import { visitOnce } from "./visits.ts";

const RUNS = Number(process.env["HILO_RUNS"] ?? 9);
const isAlone = process.argv.includes("--alone");
const REPEATS = Number(process.env["HILO_REPEATS"] ?? (isAlone ? 0 : 5));
const target = process.env["CARGO_TARGET_DIR"] ?? fileURLToPath(new URL("../../target", import.meta.url));
/** How many visitors are there at once where time does not count. */
const AT_ONCE = 5;

// Cold starts and longest calls are times of the clock: with other work on the machine they tell little.
const machine = `${availableParallelism()} processors, load ${loadavg()[0]!.toFixed(1)} before the run`;
const place: Place = { browser: await startChromium(), recorder: await startRecorder() };
const all = (await trackers(!isAlone)).map(measured);
const [floor, hilo] = all as [Measured, Measured];

/** Measures each of `all` in turn, `runs` times. One run of a tracker that fails costs that run, and is told. */
async function inTurn(what: string, runs: number, one: (measured: Measured) => Promise<unknown>, among = all) {
  for (let run = 1; run <= runs; run += 1) {
    console.error(`${what}, ${run} of ${runs}`);
    for (const each of among) await one(each).catch(tell(what, each));
  }
}

/** The same for many visitors at once. */
async function together(what: string, tasks: { each: Measured; run: () => Promise<unknown> }[]) {
  console.error(`${what}: ${tasks.length} visitors`);
  const rest = [...tasks];
  const worker = async () => {
    for (let task = rest.shift(); task; task = rest.shift()) await task.run().catch(tell(what, task.each));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

const failures: string[] = [];
function tell(what: string, { tracker }: Measured) {
  return (error: Error) => {
    failures.push(`${what}, ${tracker.name}: ${error.message.split("\n")[0]}`);
    console.error(failures.at(-1));
  };
}

const empty = measured(EMPTY);
await inTurn("load", RUNS, async (each) => note(each, await load(place, each.tracker)), [empty, ...all]);
for (const [figure, slowdown, isSlow] of [["cold1", 1, false], ["cold4", 4, false], ["slow", 4, true]] as const) {
  // Round trips wait for timers, so one start on a slow link differs from the next by a third: the median needs more of them.
  await inTurn(figure, isSlow ? 2 * RUNS : RUNS, async (each) => note(each, { [figure]: await coldStart(place, each.tracker, slowdown, isSlow) }));
}
await inTurn("calls", Math.ceil(RUNS / 2), async (each) => note(each, await calls(place, each.tracker)));
// A little less than the time for which the floor waits for a second event.
for (const [name, gapMs] of [["once", 0], ["slowly", 1_900]] as const) {
  const act = async (each: Measured) => {
    const { requests, preflights, events, perEvent } = await visitOnce(place, each.tracker, gapMs);
    note(each, { [`${name}Requests`]: requests, [`${name}Preflights`]: preflights, [`${name}Events`]: events, [`${name}Bytes`]: perEvent });
  };
  await together(`a visit, ${name}`, all.map((each) => ({ each, run: () => act(each) })));
}
for (let repeat = 1; repeat <= REPEATS; repeat += 1) {
  const tasks = Object.keys(FAULTS).flatMap((fault) =>
    all.filter(({ tracker }) => !tracker.stored).map((each) => ({
      each,
      run: async () => (each.fates[fault] ??= []).push(await meet(place, each.tracker, fault)),
    })),
  );
  await together(`faults, ${repeat} of ${REPEATS}`, tasks);
}
await place.browser.close();
place.recorder.close();

all.forEach(noteWorst);
for (const figure of ["firstMs", "wholeMs"]) subtract(all, empty, figure);

const COST: Column[] = [
  { title: "brotli KB to the first event (requests)", figure: "firstBytes", unit: "KB", beside: "firstFiles" },
  { title: "in 3 s", figure: "wholeBytes", unit: "KB", beside: "wholeFiles" },
  { title: "load + init, ms until the first event", figure: "firstMs" },
  { title: "in 3 s", figure: "wholeMs" },
  { title: "cold start, ms", figure: "cold1" },
  { title: "÷4", figure: "cold4" },
  { title: "÷4, slow link", figure: "slow" },
];
const CALL: Column[] = [
  { title: "one track() call, µs", figure: "us" },
  { title: "with what follows, µs", figure: "wholeUs" },
  { title: "longest of 1,000, ms", figure: "longestMs", unit: "ms" },
  { title: "visit at once: requests (+ preflights)", figure: "onceRequests", unit: "count", beside: "oncePreflights" },
  { title: "bytes per event", figure: "onceBytes" },
  { title: "an act each 2 s: requests (+ preflights)", figure: "slowlyRequests", unit: "count", beside: "slowlyPreflights" },
  { title: "bytes per event", figure: "slowlyBytes" },
];
const parts = [
  `### Costs, medians of ${RUNS}, ×N is the ratio to the floor; ${machine}\n\n${figures(all, COST)}`,
  `### Calls and visits\n\n${figures(all, CALL)}`,
  ...(REPEATS ? [`### Of ${EVENTS} events at the collector before → after the next visit, worst of ${REPEATS}\n\n${durability(all)}`] : []),
  `### Targets, a new visitor\n\n${targetTable(hilo, floor)}`,
  ...(failures.length ? [`### Not measured\n\n${failures.map((one) => `* ${one}`).join("\n")}`] : []),
];
console.log(parts.join("\n\n"));
mkdirSync(join(target, "bench"), { recursive: true });
const found = all.map(({ tracker, figures, fates }) => ({ tracker: tracker.name, figures, fates }));
writeFileSync(join(target, "bench/sdk.json"), JSON.stringify({ machine, runs: RUNS, repeats: REPEATS, trackers: found, targets: targets(hilo, floor), failures }, null, 1));
