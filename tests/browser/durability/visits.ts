/**
 * Granted visitors' pages for the faults N1 to N10 and C1, a recorder of page errors over all of them, and the counts of what came.
 */
import assert from "node:assert/strict";

import type { BrowserContext, Page } from "../../../js/node_modules/playwright-core/index.d.ts";
import { type Json, type startSite, until } from "../scenario.ts";

type Site = Awaited<ReturnType<typeof startSite>>;

/** Errors of every page that [`record`] watches. Each spec ends with none. */
export const pageErrors: string[] = [];

/** Records the errors of every page of a context. */
export function record(context: BrowserContext) {
  const watch = (page: Page) => page.on("pageerror", (error) => pageErrors.push(error.message));
  context.pages().forEach(watch);
  context.on("page", watch);
  return context;
}

/** Opens a page whose tracker is there. */
export async function open(context: BrowserContext, url: string) {
  const page = await context.newPage();
  await page.goto(url);
  await page.waitForFunction(() => (window as any).hilo?.q === undefined && (window as any).hilo?.consent);
  return page;
}

/** Opens a page, grants, and waits until its first events have arrived and nothing waits. */
export async function grantedPage(context: BrowserContext, url: string) {
  const page = await open(context, url);
  await page.evaluate(() => (window as any).hilo.consent.grant("analytics"));
  await page.waitForFunction(() => (window as any).hilo.anonymousId());
  await drained(page);
  return page;
}

/** Resolves once no event is stored. */
export const drained = (page: Page, timeout = 30_000) =>
  page.waitForFunction(() => Object.keys(localStorage).every((key) => !key.startsWith("hilo.q.")), null, { timeout });

/** Tracks `count` events, each named with its number, in tasks of ten. */
export const burst = (page: Page, name: string, count: number) =>
  page.evaluate(
    async ([name, count]) => {
      for (let n = 0; n < count; n++) {
        if (n % 10 === 0) await new Promise((resolve) => setTimeout(resolve));
        (window as any).hilo.track(`${name} ${n}`);
      }
    },
    [name, count] as const,
  );

/** Asserts that each of the events `NAME 0`, `NAME 1` … came, under one id each. Prints and returns how many came again. */
export function expectAll(site: Site, name: string, count: number): number {
  const events = site.events().filter((event) => String(event["event"]).startsWith(`${name} `));
  const ids = new Map(events.map((event) => [event["messageId"], event["event"]]));
  const names = new Set(ids.values());
  assert.equal(names.size, count, `${name}: ${names.size} of ${count} came`);
  assert.equal(ids.size, count, `${name}: an event came under two ids`);
  const repeats = events.length - ids.size;
  console.log(`${name}: ${count} of ${count} came, ${repeats} repeats`);
  return repeats;
}

/** Who holds the lead, and how many tabs wait for it. */
export const lead = (page: Page): Promise<{ leader?: string; waiting: number }> =>
  page.evaluate(async () => {
    const { held, pending } = await navigator.locks.query();
    const of = (locks: LockInfo[] | undefined) => locks!.filter(({ name }) => name === "hilo.q.");
    return { leader: of(held)[0]?.clientId, waiting: of(pending).length } as { leader?: string; waiting: number };
  });

/** Resolves once one of `tabs` tabs leads and the others wait and have handed over. */
export async function settled(page: Page, tabs: number) {
  let found: Json = {};
  const own = () => page.evaluate(async () => (await navigator.locks.query()).held!.filter(({ name }) => /^hilo\.q\./.test(name!)).length);
  await until(async () => {
    found = await lead(page);
    // The leader alone holds its own lock.
    return found["leader"] && found["waiting"] === tabs - 1 && (await own()) === 2;
  }, 60_000);
  return found["leader"] as string;
}

export { until };
