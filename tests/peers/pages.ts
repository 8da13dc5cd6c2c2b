/** Opens pages of the bench's visitors in Chromium, and waits for what they send. Measures nothing itself. */
import type { Browser, BrowserContext, CDPSession, Page } from "../../js/node_modules/playwright-core/index.d.ts";
import { ARGS } from "../browser/scenario.ts";
import { chromium } from "../packages.ts";
import type { Act } from "./acts.ts";
import type { Recorder, Visitor } from "./recorder.ts";
import type { Tracker } from "./trackers.ts";

/** An open page of one visitor. */
export interface Visit {
  visitor: Visitor;
  context: BrowserContext;
  page: Page;
  session: CDPSession;
}

/** Some trackers do not send what an automated browser does, so it shows none of the signs. */
const AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

export async function startChromium(): Promise<Browser> {
  const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
  const resolving = '--host-resolver-rules=MAP *.localhost 127.0.0.1';
  return chromium.launch({ executablePath, args: [...ARGS, resolving, "--disable-blink-features=AutomationControlled"] });
}

/** A blank page of a new visitor of `tracker`, in a context without a cache. */
export async function visit(browser: Browser, recorder: Recorder, tracker: Tracker): Promise<Visit> {
  const storageState = { cookies: [], origins: [{ origin: recorder.origin, localStorage: tracker.stored ?? [] }] };
  const context = await browser.newContext({ storageState, userAgent: AGENT });
  return { ...(await open(context)), visitor: recorder.visitor(tracker) };
}

/** Another blank page of the same visitor. */
export async function open(context: BrowserContext) {
  const page = await context.newPage();
  return { context, page, session: await context.newCDPSession(page) };
}

/** Resolves when `holds` does, and tells whether it does. */
export async function until(holds: () => unknown, seconds = 15): Promise<boolean> {
  const end = performance.now() + seconds * 1_000;
  while (!holds() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 2));
  return Boolean(holds());
}

/** Opens the visitor's page, and resolves once its first event has come. */
export async function begin({ page, visitor }: Visit, waitUntil: "load" | "commit" = "load") {
  await page.goto(visitor.url, { waitUntil });
  if (!(await until(() => visitor.arrivals.length))) throw new Error(`${visitor.tracker.name} sent nothing within 15 s`);
}

/** Lets the page's code tell these acts, all in one task. */
export async function tell(page: Page, acts: Act[]) {
  await page.evaluate((acts) => acts.forEach(([name, properties]) => (window as any).act(name, properties)), acts);
}
