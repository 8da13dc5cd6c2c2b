/**
 * Six faults of durability: three ways to leave a page right after a burst, three outages of five seconds while events come.
 *
 * For each: how many of the events were at the collector before the next visit and after it, and how many came more than once.
 */
import { burst } from "./acts.ts";
import type { Place } from "./costs.ts";
import { begin, open, tell, until, visit, type Visit } from "./pages.ts";
import type { Tracker } from "./trackers.ts";

export const EVENTS = 50;
const OUTAGE_MS = 5_000;
/** Longer than each tracker's timer of a batch or a first retry. */
const SETTLED_S = 6;

/** What became of a burst. */
export interface Fate {
  before: number;
  after: number;
  repeated: number;
  /** By how much what the page keeps has grown in an outage, in characters. */
  kept?: number;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Lets the page tell the burst and be in `fault` until five seconds later. Returns what the page kept meanwhile. */
async function outage({ page, visitor }: Visit, fault: (isOn: boolean) => unknown): Promise<number> {
  const stored = () => page.evaluate(() => JSON.stringify(localStorage).length);
  const before = await stored();
  await fault(true);
  await tell(page, burst(EVENTS));
  await pause(OUTAGE_MS);
  const kept = (await stored()) - before;
  await fault(false);
  await until(() => visitor.marks.size === EVENTS, SETTLED_S);
  await page.goto("about:blank");
  return kept;
}

/** The faults by their names in the table. */
export const FAULTS: Record<string, (here: Visit) => Promise<number | void>> = {
  navigate: async ({ page, visitor }) => {
    await page.evaluate(([acts, url]) => {
      for (const [name, properties] of acts as any) (window as any).act(name, properties);
      location.href = url as string;
    }, [burst(EVENTS), new URL("/", visitor.url).href] as const);
    await page.waitForURL(new URL("/", visitor.url).href);
  },
  "close the tab": async ({ page }) => {
    await tell(page, burst(EVENTS));
    await page.close();
  },
  "renderer crash": async ({ page, session }) => {
    const crashed = page.waitForEvent("crash");
    const told = page.waitForEvent("console", (message) => message.text() === "told");
    // The next task is busy until the crash, so that no timer comes first however slow the machine is.
    await page.evaluate((acts) => {
      for (const [name, properties] of acts) (window as any).act(name, properties);
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        console.log("told");
        for (const end = performance.now() + 5_000; performance.now() < end; );
      };
      port2.postMessage(0);
    }, burst(EVENTS));
    await told;
    // The answer never comes: its page is gone.
    void session.send("Page.crash").catch(() => {});
    await crashed;
  },
  "answers 503": (here) => outage(here, (isOn) => (here.visitor.fault = isOn ? "unavailable" : "none")),
  refused: (here) => outage(here, (isOn) => (here.visitor.fault = isOn ? "refused" : "none")),
  offline: (here) => outage(here, (isOn) => here.context.setOffline(isOn)),
};

/** One visitor who meets the fault, and then comes again. */
export async function meet({ browser, recorder }: Place, tracker: Tracker, fault: string): Promise<Fate> {
  const here = await visit(browser, recorder, tracker);
  const { visitor } = here;
  const isComplete = () => visitor.marks.size === EVENTS;
  await begin(here);
  // A tracker's second file is there, as it is when a visitor acts.
  await pause(1_500);
  const kept = await FAULTS[fault]!(here);
  await until(isComplete, 2);
  const before = visitor.marks.size;
  const again = await open(here.context);
  await again.page.goto(visitor.url);
  await until(isComplete, SETTLED_S);
  // Repeats may still come.
  await pause(1_500);
  await here.context.close();
  const repeated = [...visitor.marks.values()].filter((times) => times > 1).length;
  return { before, after: visitor.marks.size, repeated, ...(kept !== undefined && { kept }) };
}
