/**
 * Promise: what a visitor does in the example shop reaches every service that the visitor allows, in order and once, and no other.
 *
 * Three visitors do the same by clicks, from the banner to the return of an order: one allows everything, one only measuring, one nothing.
 * Everything runs as `cargo xtask dev --with-stubs` starts it. The spec prints a table of what each service took of each act, and compares
 * it with the `visit` of each stub.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { DEV_SECRETS, eventually } from "../../collector/mf.ts";
import { type Ids, isSettled, takenOf } from "../../collector/stub_people.ts";
import { purposesOf } from "../../stubs/configuration.ts";
import { STUBS } from "../../stubs/index.ts";
import type { StubsState } from "../../stubs/server.ts";
import { type Act, ACTS, NOTHING, VISIT } from "../../stubs/visit.ts";
import { type Json, startBrowser } from "../scenario.ts";
import { serveShop } from "./served.ts";

const browser = await startBrowser();
const shop = await serveShop({ withStubs: true });
const { url } = shop;
after(async () => {
  await browser.close();
  await shop.dispose();
});

/** The user id of somebody who has not signed in. */
const NOBODY = "nobody";

/** How long an act may take to all services. */
const ARRIVES_MS = 180_000;

const admin = async (path: string) =>
  (await fetch(url + path, { headers: { authorization: `Bearer ${DEV_SECRETS.HILO_ADMIN_TOKEN}` } })).json() as Promise<Json>;
const stubs = async () => (await (await fetch(`${shop.stubs}/__stubs/state`)).json()) as StubsState;

type Page = Awaited<ReturnType<typeof browser.newPage>>;

/** The visitors, each with its answer to the banner. */
const ANSWERS = {
  granted: (page: Page) => page.click("hilo-banner section [part=accept]"),
  analytics: async (page: Page) => {
    await page.click("hilo-banner section [part=choose]");
    await page.check("hilo-banner dialog [name=analytics]");
    await page.click("hilo-banner dialog [part=save]");
  },
  nothing: (page: Page) => page.click("hilo-banner section [part=reject]"),
};
type Name = keyof typeof ANSWERS;
const NAMES = Object.keys(ANSWERS) as Name[];

/** A visitor: how hilo and the services may know the person, and what each service took of each act. */
interface Visitor extends Ids {
  name: Name;
  page: Page;
  taken: Map<string, Record<string, string[]>>;
}

/** Follows a link of the shop's navigation. The page is quiet then, so that what captures forms is there before the first key. */
const goTo = async (page: Page, path: string) => {
  await page.click(`.top nav a[href="${path}"]`);
  await page.waitForURL(`**${path}`);
  await page.waitForLoadState("networkidle");
};
const fill = async (page: Page, fields: Record<string, string>) => {
  for (const [name, text] of Object.entries(fields)) await page.fill(`main [name=${name}]`, text);
  await page.click("main form .button");
};

const DO: Record<Act, (visitor: Visitor) => Promise<unknown>> = {
  async "comes from an advertisement"({ page, name }) {
    await page.goto(`${url}/?utm_source=google&utm_medium=cpc&utm_campaign=otono&gclid=TeSter-123`);
    await page.waitForSelector("hilo-banner section", { state: "visible" });
    await ANSWERS[name](page);
    if (name !== "nothing") await page.waitForFunction(() => (window as any).hilo.anonymousId());
  },
  async "signs in"(visitor) {
    const { page, email, name } = visitor;
    await goTo(page, "/account/");
    await page.evaluate(() => (window as any).hilo.flush());
    // A contact tool takes the view of somebody whom it knows, so the view goes out before the e-mail is known.
    const isOut = async () => ((await page.evaluate(() => !Object.keys(localStorage).join().includes("hilo.q."))) && (await isSettled(visitor, admin))) || undefined;
    if (name !== "nothing") await eventually(isOut, ARRIVES_MS).catch(() => late.push(`a view: ${name}`));
    await fill(page, { email });
    await page.waitForSelector("main strong");
  },
  async "puts an article into the cart"({ page }) {
    await goTo(page, "/list/");
    await page.click(".card");
    await page.click("[data-add]");
    await page.waitForSelector(".badge:text-is('1')");
  },
  async "writes to the shop"({ page, email }) {
    await goTo(page, "/contact/");
    await fill(page, { name: "Ana García", email, message: "¿Tenéis más lana roja?" });
    await page.waitForSelector("main .empty");
  },
  async "asks for the newsletter"({ page, email }) {
    await page.fill(".newsletter input", email);
    await page.click(".newsletter .button");
    await page.waitForSelector(".newsletter .note:not(:empty)");
  },
  async orders({ page, email }) {
    await goTo(page, "/cart/");
    await page.click("aside .button");
    await page.waitForURL("**/checkout/");
    await page.waitForLoadState("networkidle");
    await fill(page, { name: "Ana García", email, address: "Calle Mayor 1", city: "Madrid" });
    await page.waitForSelector(".thanks");
  },
  "returns the order": ({ page }) => page.click("[data-refund]"),
};

/** The events of an act that hilo gets. The newsletter is what the visitor asks for, whatever the answer to the banner. */
const eventsOf = (name: Name, act: Act): string[] => VISIT[act].filter((event) => name !== "nothing" || event === "Opt-In Requested");

/** How many events of the person hilo has. Once somebody has signed in, what the device did before is theirs. */
async function countOf({ userId, anonymousId }: Ids): Promise<number> {
  const key = userId === NOBODY ? `a:${anonymousId}` : `u:${userId}`;
  return ((await admin(`/admin/v1/profiles/${key}`))["events"] ?? 0) as number;
}

/** Acts that were still on their way when their time had passed. */
const late: string[] = [];

/** Does the whole visit: the next act when nothing of the one before is on its way. */
async function visit(name: Name): Promise<Visitor> {
  const page = await (await browser.newContext({ locale: "es-ES" })).newPage();
  const email = `${name}.${crypto.randomUUID().slice(0, 8)}@shop.example`;
  const visitor: Visitor = { name, page, email, userId: NOBODY, anonymousId: null, taken: new Map() };
  const before = new Map<string, number>();
  let events = 0;
  for (const act of ACTS) {
    await DO[act](visitor);
    await page.evaluate(() => (window as any).hilo.flush());
    visitor.anonymousId = await page.evaluate(() => (window as any).hilo.anonymousId());
    visitor.userId = (await page.evaluate(() => JSON.parse(localStorage["hebra.person"] ?? "null")?.user)) ?? NOBODY;
    events += eventsOf(name, act).length;
    const isThere = async () => ((await countOf(visitor)) >= events && (await isSettled(visitor, admin))) || undefined;
    // When something is late, nobody waits any more.
    if (late.length === 0) await eventually(isThere, ARRIVES_MS).catch(() => late.push(`${act}: ${name}`));
    for (const vendor of (await stubs()).vendors) {
      const all = takenOf(vendor, visitor);
      const own = visitor.taken.get(vendor.kind) ?? {};
      own[act] = all.slice(before.get(vendor.kind) ?? 0).sort();
      visitor.taken.set(vendor.kind, own);
      before.set(vendor.kind, all.length);
    }
  }
  await page.context().close();
  return visitor;
}

const visitors = await Promise.all(NAMES.map(visit));
const { vendors, strays } = await stubs();
const isFor = (kind: string, name: Name) => name === "granted" || (name === "analytics" && !purposesOf(kind).includes("advertising"));

for (const { name, taken } of visitors) {
  console.log(`\n${name}`);
  for (const [kind, acts] of taken) {
    const told = ACTS.flatMap((act) => (acts[act]!.length === 0 ? [] : [`${act}: ${acts[act]!.join(", ")}`])).join("; ");
    console.log(`  ${kind.padEnd(11)} ${told || (isFor(kind, name) ? "takes nothing of a visit" : `withheld: needs ${purposesOf(kind).join(", ")}`)}`);
  }
}

for (const stub of STUBS.map((create) => create())) {
  for (const { name, taken } of visitors) {
    test(`${stub.kind}: what a visit brings of somebody who allows ${name === "granted" ? "everything" : name}`, () => {
      const found = taken.get(stub.kind)!;
      if (stub.visit) return assert.deepEqual(found, stub.visit[name] ?? NOTHING);
      assert.equal(Object.values(found).flat().length > 0, isFor(stub.kind, name));
    });
  }
  test(`${stub.kind}: every request of the visits is one that the service takes`, () => assert.deepEqual(vendors.find(({ kind }) => kind === stub.kind)!.violations, []));
}

test("no act is late", () => assert.deepEqual(late, []));

test("hilo has each event of a visit once, and of somebody who allows nothing only the wish for the newsletter", async () => {
  for (const visitor of visitors) assert.equal(await countOf(visitor), ACTS.flatMap((act) => eventsOf(visitor.name, act)).length, visitor.name);
});

test("no request of the visits goes anywhere else", () => assert.deepEqual(strays, []));
