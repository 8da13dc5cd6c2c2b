/**
 * What a tracker costs its page: bytes, main-thread time, the way to the first event, and each call.
 *
 * A function measures one new visitor once. The bench calls it in turn for each tracker, so that a machine that becomes slower slows all.
 */
import type { Browser } from "../../js/node_modules/playwright-core/index.d.ts";
import { burst } from "./acts.ts";
import { begin, tell, until, visit, type Visit } from "./pages.ts";
import { brotli, type Recorder } from "./recorder.ts";
import { EMPTY, type Tracker } from "./trackers.ts";

/** Where a figure is measured. */
export interface Place {
  browser: Browser;
  recorder: Recorder;
}

/** The milliseconds in which a page counts as loading. The second files of a tracker are loaded by then. */
const LOADING_MS = 3_000;
/** Longer than each tracker's timer of a batch. */
const SETTLED_MS = 3_000;
const CALLS = 1_000;
/** Counts the thread's own time, so that other programs of the machine do not count. */
const THREAD = { timeDomain: "threadTicks" } as const;
/** Lighthouse's "slow 4G": 1.6 Mbit/s down, 750 kbit/s up, 150 ms. */
const SLOW_LINK = { offline: false, latency: 150, downloadThroughput: 204_800, uploadThroughput: 96_000 };

async function busyMs({ session }: Visit): Promise<number> {
  const { metrics } = await session.send("Performance.getMetrics");
  return metrics.find((metric) => metric.name === "TaskDuration")!.value * 1_000;
}

/** A page from its navigation until `LOADING_MS` later: processor time of its main thread, and what the network carried. */
export async function load({ browser, recorder }: Place, tracker: Tracker) {
  const here = await visit(browser, recorder, tracker);
  await here.session.send("Performance.enable", THREAD);
  const began = performance.now();
  await here.page.goto(here.visitor.url);
  // The page of a tracker that waits longer has nothing to do meanwhile, so its figure is one of 3 s as well.
  const isSent = () => here.visitor.arrivals.length > 0 || performance.now() - began > LOADING_MS;
  if (tracker === EMPTY) await here.page.waitForTimeout(150);
  else await until(isSent);
  const firstMs = await busyMs(here);
  await here.page.waitForTimeout(Math.max(0, LOADING_MS - (performance.now() - began)));
  const wholeMs = await busyMs(here);
  if (tracker !== EMPTY) await until(() => here.visitor.arrivals.length);
  const { files, arrivals } = here.visitor;
  const first = files.filter(({ at }) => at <= (arrivals[0] ?? Infinity));
  const sum = (some: { bytes: number }[]) => some.reduce((bytes, one) => bytes + one.bytes, 0);
  await here.context.close();
  // What stands in the page itself is downloaded as well.
  const inline = brotli(Buffer.from(tracker.head(""))).length;
  return { firstMs, wholeMs, firstBytes: inline + sum(first), firstFiles: first.length, wholeBytes: inline + sum(files), wholeFiles: files.length };
}

/** Milliseconds from the navigation to the first event at the collector. */
export async function coldStart({ browser, recorder }: Place, tracker: Tracker, slowdown: number, isSlowLink: boolean): Promise<number> {
  const here = await visit(browser, recorder, tracker);
  await here.session.send("Emulation.setCPUThrottlingRate", { rate: slowdown });
  if (isSlowLink) await here.session.send("Network.emulateNetworkConditions", SLOW_LINK);
  const began = performance.now();
  await begin(here, "commit");
  await here.context.close();
  return here.visitor.arrivals[0]! - began;
}

/**
 * The cost of one call: microseconds of the main thread until the end of its task with all promises, the same with what follows within
 * three seconds, such as writes and requests, and the milliseconds of the longest call.
 */
export async function calls({ browser, recorder }: Place, tracker: Tracker) {
  const here = await visit(browser, recorder, tracker);
  await here.session.send("Performance.enable", THREAD);
  await begin(here);
  await tell(here.page, burst(100));
  await here.page.evaluate((acts) => void ((window as any).acts = acts), burst(CALLS));
  await here.page.waitForTimeout(SETTLED_MS);
  const before = await busyMs(here);
  const longestMs = await here.page.evaluate(async () => {
    const { act, acts } = window as any;
    let longestMs = 0;
    let last = performance.now();
    for (const [name, properties] of acts) {
      act(name, properties);
      const now = performance.now();
      longestMs = Math.max(longestMs, now - last);
      last = now;
    }
    // A message is a task of its own: it comes after every promise of this task.
    const { port1, port2 } = new MessageChannel();
    await new Promise((resolve) => ((port1.onmessage = resolve), port2.postMessage(0)));
    return longestMs;
  });
  const after = await busyMs(here);
  await here.page.waitForTimeout(SETTLED_MS);
  const whole = await busyMs(here);
  await here.context.close();
  const us = (ms: number) => (ms / CALLS) * 1_000;
  return { us: us(after - before), wholeUs: us(whole - before), longestMs };
}
