/**
 * Promise: a page keeps its id by a proof that only its cookie, or where no cookie works its own storage, carries. What the
 * collector has recorded counts in the page, and a new choice of the visitor counts at once.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { eventually, startCollector } from "../../collector/mf.ts";
import { startBrowser, startSite, withSnippet } from "../scenario.ts";

const browser = await startBrowser();
const collector = await startCollector();
const html = () => withSnippet("", "", "wk_shop").replace('src="/_h/hilo.js"', `src="${collector.url}/_h/hilo.js"`);
/** Another site than the collector's, whose address is 127.0.0.1. */
const site = await startSite(html);
const FOREIGN = site.url.replace("127.0.0.1", "localhost");
after(async () => {
  await browser.close();
  await site.close();
  await collector.dispose();
});

const ALL = ["functional", "analytics", "advertising"];
const profile = (id: string, part = "") => collector.admin(`/admin/v1/profiles/a:${id}${part}`);

/** A browser whose pages have the tracker. The collector serves no page, so those of its host come from here. */
async function visitor(home = collector.url) {
  const context = await browser.newContext();
  await context.route(`${collector.url}/page`, (route: any) => route.fulfill({ contentType: "text/html", body: html() }));
  const open = async () => {
    const page = await context.newPage();
    await page.goto(`${home}/page`);
    await page.waitForFunction(() => !(window as any).hilo.q);
    return page;
  };
  const cookie = async () => (await context.cookies()).find((one: any) => one.name === "hilo")?.value as string | undefined;
  return { context, open, cookie };
}

type Page = Awaited<ReturnType<Awaited<ReturnType<typeof visitor>>["open"]>>;
const idOf = (page: Page) => page.evaluate(() => (window as any).hilo.anonymousId()) as Promise<string | null>;
const choose = (page: Page, act: "grant" | "deny", ...purposes: string[]) =>
  page.evaluate(([act, purposes]) => (window as any).hilo.consent[act as string](...(purposes as string[])), [act, purposes] as const);
const choice = (page: Page) => page.evaluate(() => (window as any).hilo.consent.state().analytics);
const tracked = (page: Page, name: string) =>
  page.evaluate((name) => ((window as any).hilo.track(name), (window as any).hilo.flush()), name);

/** Resolves once the page has heard that its denial is recorded. */
const leavesOnlyTheDenial = (page: Page) =>
  eventually(async () => ((await page.evaluate(() => Object.keys(localStorage).join())) === "hilo.c" ? true : undefined));

/** Closes the page, and then empties the storage of its origin: an open page would store again what it knows. */
async function wipe(page: Page) {
  const { origin } = new URL(page.url());
  const bare = await page.context().newPage();
  await page.close();
  await bare.goto(`${origin}/_h/nothing`);
  await bare.evaluate(() => localStorage.clear());
  await bare.close();
}

/** Whether the page waits for an answer; where storage is blocked, nobody can see that. */
const waits = (page: Page) =>
  page.evaluate(() => {
    try {
      return Object.keys(localStorage).some((key) => /^hilo\.[qr]\./.test(key));
    } catch {
      return false;
    }
  });

/** Grants everything, and resolves with the id once the collector has recorded it and the page has heard of that. */
async function granted(page: Page): Promise<string> {
  await choose(page, "grant", ...ALL);
  const id = await eventually(async () => (await idOf(page)) ?? undefined);
  await eventually(async () => ((await profile(id)).consent?.analytics === "granted" ? true : undefined));
  await eventually(async () => ((await waits(page)) ? undefined : true));
  return id;
}

/** Resolves once the proof of the id is there. */
const hasProof = (read: () => Promise<string | undefined>, id: string) => eventually(async () => ((await read())?.startsWith(`v2.${id}.`) ? true : undefined));

test("the first grant binds the id to a cookie, and no script can read the proof", async () => {
  const { open, cookie, context } = await visitor();
  const page = await open();
  const id = await granted(page);
  await hasProof(cookie, id);
  const readable = await page.evaluate(() => document.cookie + JSON.stringify({ ...localStorage }));
  assert.ok(!readable.includes((await cookie())!.split(".")[2]!));
  await context.close();
});

test("after the storage was wiped, a rejection is recorded for the id of the cookie, and takes the cookie back", async () => {
  const { open, cookie, context } = await visitor();
  const page = await open();
  const id = await granted(page);
  await wipe(page);
  const wiped = await open();
  assert.equal(await choice(wiped), "unset");
  await choose(wiped, "deny", ...ALL);
  await eventually(async () => ((await profile(id)).consent.analytics === "denied" ? true : undefined));
  await eventually(async () => ((await cookie()) === undefined ? true : undefined));
  await leavesOnlyTheDenial(wiped);
  await context.close();
});

test("a grant right after a denial in another tab counts, and the events that follow are kept", async () => {
  const { open, context } = await visitor();
  const [one, two] = [await open(), await open()];
  const id = await granted(one);
  await choose(one, "deny", "analytics");
  await two.waitForFunction(() => (window as any).hilo.consent.state().analytics === "denied");
  await eventually(async () => ((await profile(id)).consent.analytics === "denied" ? true : undefined));
  await choose(two, "grant", "analytics");
  await tracked(two, "After the second grant");
  await eventually(async () => ((await profile(id, "/events")).events.some((event: any) => event.event === "After the second grant") ? true : undefined));
  assert.equal((await profile(id)).consent.analytics, "granted");
  await context.close();
});

test("a page whose storage no tab shares follows a recorded denial, and its next grant counts", async () => {
  const { open, cookie, context } = await visitor();
  const page = await open();
  const id = await granted(page);
  const at = new Date().toISOString();
  const body = { writeKey: "wk_shop", sentAt: at, anonymousId: id, consent: { base: 1, changes: [{ purpose: "analytics", state: "denied", at, method: "api" }] } };
  const headers = { origin: collector.url, "x-hilo": "1", cookie: `hilo=${await cookie()}` };
  assert.equal((await collector.fetch("/_h/v1/consent", { method: "POST", headers, body: JSON.stringify(body) })).status, 200);
  await tracked(page, "Refused");
  await page.waitForFunction(() => (window as any).hilo.consent.state().analytics === "denied");
  await choose(page, "grant", "analytics");
  await tracked(page, "Kept");
  const names = async () => (await profile(id, "/events")).events.map((event: any) => event.event);
  await eventually(async () => ((await names()).includes("Kept") ? true : undefined));
  assert.ok(!(await names()).includes("Refused"));
  await context.close();
});

test("a page that lost its cookie goes on under a new id and keeps its session", async () => {
  const { open, cookie, context } = await visitor();
  const page = await open();
  const id = await granted(page);
  const session = await page.evaluate(() => (window as any).hilo.sessionId());
  await context.clearCookies();
  await choose(page, "grant", "personalization");
  const own = await eventually(async () => ([null, id].includes(await idOf(page)) ? undefined : (await idOf(page))!));
  await eventually(async () => ((await profile(own)).consent?.personalization === "granted" ? true : undefined));
  assert.equal(await page.evaluate(() => (window as any).hilo.sessionId()), session);
  await hasProof(cookie, own);
  assert.equal((await profile(id)).consent.personalization, undefined);
  await context.close();
});

test("a page of another site keeps the proof as a token beside its id, and a withdrawal leaves neither", async () => {
  const { open, context } = await visitor(FOREIGN);
  const page = await open();
  const id = await granted(page);
  await hasProof(() => page.evaluate(() => localStorage["hilo.p"]), id);
  assert.deepEqual(await context.cookies(), []);
  await page.close();
  const next = await open();
  await choose(next, "grant", "personalization");
  await eventually(async () => ((await profile(id)).consent.personalization === "granted" ? true : undefined));
  await next.evaluate(() => (window as any).hilo.consent.withdraw());
  await eventually(async () => ((await profile(id)).consent.analytics === "denied" ? true : undefined));
  await leavesOnlyTheDenial(next);
  await choose(next, "grant", ...ALL);
  const own = await eventually(async () => (await idOf(next)) ?? undefined);
  assert.notEqual(own, id, "the old id does not come back");
  await context.close();
});

test("where storage is blocked as well, an opt-in carries the proof that its page holds", async () => {
  const { open, context } = await visitor(FOREIGN);
  await context.addInitScript(() =>
    Object.defineProperty(window, "localStorage", {
      get() {
        throw new DOMException("blocked", "SecurityError");
      },
    }),
  );
  // A bundle's shop serves the cart's files itself. The collector serves them to its own origin alone.
  await context.route(/hilo-cart/, async (route: any) => {
    const response = await route.fetch();
    await route.fulfill({ response, headers: { ...response.headers(), "access-control-allow-origin": "*" } });
  });
  const page = await open();
  const id = await granted(page);
  const call = page.waitForRequest(/\/v1\/optin$/);
  await page.evaluate(() => void (window as any).hilo.optIn("email", { text: "Yes", version: "1", address: "ana@example.com" }));
  assert.match((await call).headers()["x-hilo-auth"] ?? "", RegExp(`^v2\\.${id}\\.`));
  await context.unrouteAll({ behavior: "ignoreErrors" });
  await context.close();
});

test("a page whose visitor had everything erased forgets the visitor, and only another grant makes another id", async () => {
  for (const home of [collector.url, FOREIGN]) {
    const { open, cookie } = await visitor(home);
    const page = await open();
    const id = await granted(page);
    const status = await page.evaluate(async (url) => {
      const proof = localStorage.getItem("hilo.p");
      const headers = { "x-hilo": "1", authorization: "Bearer wk_shop", ...(proof && { "x-hilo-auth": proof }) };
      return (await fetch(`${url}/_h/v1/me`, { method: "DELETE", headers, credentials: "include" })).status;
    }, collector.url);
    assert.equal(status, 202);
    await tracked(page, "Seen Afterwards");
    await eventually(async () => ((await idOf(page)) === null ? true : undefined));
    assert.equal(await choice(page), "unset", "the visitor has to be asked again");
    assert.equal(await page.evaluate(() => Object.keys(localStorage).join()), "");
    assert.equal(await cookie(), undefined);
    assert.equal((await profile(id)).events, 0);
    const other = await granted(page);
    assert.notEqual(other, id);
    await tracked(page, "Seen Again");
    await eventually(async () => ((await profile(other)).events > 0 ? true : undefined));
  }
});
