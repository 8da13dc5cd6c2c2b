/**
 * A deployment goes to the next version, back to the version before, and on to the next version again, all on the same state:
 * `cargo xtask bench rollback`. Nothing may be lost, and the webhook may accept nothing twice. Then the storage needs the next
 * version: the version before refuses calls, and loses nothing either.
 *
 * In: HILO_PREVIOUS, the root of the checkout whose build is the version before: the last release, or what HILO_PREVIOUS_COMMIT names.
 * The next version is this checkout with one more migration (`next_schema.js`), so the schemas differ also where no migration came
 * between the two.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { MUG, serverCall, shown } from "./carts.ts";
import { type Json, cookieOf, decide, hello, pageView, postAs, send, timeline } from "./envelopes.ts";
import { type Collector, type CollectorOptions, anonymousId, configWith, eventually, startCollector, startSink } from "./mf.ts";

const PEOPLE = 8;
const EVENTS = 5;
const FORWARDED_WITHIN_MS = 120_000;
/** The customer whose cart every version fills. */
const CUSTOMER = "rollback-customer";

const checkout = process.env["HILO_PREVIOUS"];
if (checkout === undefined) throw new Error("HILO_PREVIOUS is not set. Run: cargo xtask bench rollback");
const state = mkdtempSync(join(tmpdir(), "hilo-rollback-"));
const sink = await startSink();

/** What a person has been told is stored. */
interface Person {
  id: string;
  events: Json[];
  choices: Record<string, "granted" | "denied">;
  revision: number;
  optins: string[];
}
const people: Person[] = [];
let mugs = 0;

const NEXT: CollectorOptions = { entry: "next_schema.js" };
const BEFORE: CollectorOptions = { checkout };
const NEXT_ALONE: CollectorOptions = { ...NEXT, vars: { NEXT_SCHEMA_NEEDS: "newer" } };

/** Runs a version on the state. */
async function run(name: string, version: CollectorOptions, work: (collector: Collector) => Promise<void>): Promise<void> {
  const collector = await startCollector({ ...version, state, assets: false, config: configWith(sink.url) });
  const began = Date.now();
  try {
    await work(collector);
  } finally {
    await collector.dispose();
  }
  console.log(`${name.padEnd(58)} ${((Date.now() - began) / 1_000).toFixed(0).padStart(4)} s`);
}

async function choose(collector: Collector, person: Person, choices: Person["choices"]): Promise<void> {
  const { status, body } = await decide(collector, person.id, person.revision, choices);
  assert.deepEqual([status, body["revision"]], [200, person.revision + 1]);
  person.revision++;
  Object.assign(person.choices, choices);
}

async function newcomer(collector: Collector): Promise<Person> {
  const person: Person = { id: anonymousId(), events: [], choices: {}, revision: 0, optins: [] };
  people.push(person);
  assert.equal((await hello(collector, person.id)).status, 200);
  await choose(collector, person, { functional: "granted", analytics: "granted" });
  return person;
}

async function visit(collector: Collector, person: Person): Promise<void> {
  const events = Array.from({ length: EVENTS }, () => pageView(person.id));
  const { status, body } = await send(collector, events);
  assert.deepEqual([status, body["accepted"]], [200, EVENTS], JSON.stringify(body));
  person.events.push(...events);
}

async function optIn(collector: Collector, person: Person, wanted: string): Promise<void> {
  const said = { anonymousId: person.id, channel: "sms", state: wanted, text: "Write to me.", version: "1" };
  assert.equal((await postAs(collector, person.id, "/_h/v1/optin", said)).status, 200);
  person.optins.unshift(wanted);
}

async function addMug(collector: Collector): Promise<void> {
  const { status } = await serverCall(collector, CUSTOMER, "/commands", { commands: [{ id: `mug-${++mugs}`, op: "add", line: MUG }] });
  assert.equal(status, 200);
}

/** Everything that a version does for its visitors while the webhook is down. */
async function live(collector: Collector): Promise<void> {
  const before = [...people];
  for (let n = 0; n < PEOPLE; n++) await newcomer(collector);
  await Promise.all(people.map((person) => visit(collector, person)));
  await choose(collector, people.at(-1)!, { personalization: "denied" });
  await optIn(collector, people.at(-1)!, "subscribed");
  if (before.length > 0) await optIn(collector, before.at(-1)!, "unsubscribed");
  await addMug(collector);
  // A refusal for the journal.
  await send(collector, [pageView(anonymousId())], { context: {} });
}

const ids = (events: Json[]) => events.map((event) => event["messageId"] as string).sort();
const digest = (receipt: Json) => createHash("sha256").update(JSON.stringify({ ...receipt, hash: "" })).digest("hex");

/** Compares everything that is stored with what the senders were told. */
async function check(collector: Collector): Promise<void> {
  for (const person of people) {
    assert.deepEqual(ids(await timeline(collector, person.id)), ids(person.events), "each acknowledged event stands in the timeline once");
    const path = `/admin/v1/profiles/a:${person.id}`;
    const { consent, profile } = await collector.admin(path);
    assert.deepEqual(consent, person.choices);
    assert.equal(profile?.events?.page ?? 0, person.events.length);
    const copy = await collector.fetch("/_h/v1/consent", { headers: { cookie: cookieOf(person.id)! } });
    const receipts = ((await copy.json()) as Json)["receipts"].reverse() as Json[];
    assert.equal(receipts.length, person.revision);
    receipts.forEach((receipt, n) => assert.deepEqual([receipt["prev_hash"], receipt["hash"]], [receipts[n - 1]?.["hash"] ?? "", digest(receipt)]));
    const ledger: Json[] = (await collector.admin(`${path}/optins`)).optins;
    assert.deepEqual(ledger.map((one) => one["state"]), person.optins);
  }
  assert.deepEqual(await shown(collector, `u:${CUSTOMER}`), { [MUG[0]]: mugs });
  const sent = people.find(({ events }) => events.length > 0)!;
  assert.equal((await send(collector, sent.events.slice(0, EVENTS))).body["duplicate"], EVENTS, "a repeated batch is known");
}

const all = () => people.flatMap(({ events }) => ids(events));
const taken = () => sink.received.filter(({ status }) => status === 204);
const accepted = () => taken().map(({ headers }) => headers["webhook-id"] as string);
/** The touchpoints of the cart that the webhook has accepted. */
const added = () => taken().filter(({ body }) => body.includes('"Product Added"')).length;

/** Waits until the webhook has accepted everything, and the outboxes know it. */
async function drain(collector: Collector): Promise<void> {
  sink.answer(204);
  const wanted = all();
  const missing = () => {
    const done = new Set(accepted());
    return wanted.filter((id) => !done.has(id));
  };
  await sink.until(() => missing().length === 0 && added() >= mugs, FORWARDED_WITHIN_MS);
  for (const { id } of people) {
    await eventually(async () => {
      const { deliveries } = await collector.admin(`/admin/v1/profiles/a:${id}/deliveries?limit=200`);
      return deliveries.every((row: Json) => row["state"] === "delivered") ? true : undefined;
    }, FORWARDED_WITHIN_MS);
  }
  sink.answer(503);
}

try {
  sink.answer(503);
  await run("next: new people, choices, a cart; deliveries wait", NEXT, live);
  await run("before: reads all of it, adds the same; half is forwarded", BEFORE, async (collector) => {
    await check(collector);
    await live(collector);
    await drain(collector);
    await live(collector);
    await check(collector);
  });
  await run("next: reads all of it, forwards the rest", NEXT, async (collector) => {
    await check(collector);
    await drain(collector);
    await check(collector);
  });
  await run("next, with a storage that needs it: deliveries wait", NEXT_ALONE, async (collector) => {
    await live(collector);
    await check(collector);
  });
  await run("before: refuses calls, and changes nothing", BEFORE, async (collector) => {
    sink.answer(204);
    for (const { id } of people) {
      const { status, body, headers } = await send(collector, [pageView(id)]);
      assert.deepEqual([status, body["error"]?.code, headers.get("retry-after")], [503, "schema_newer", "2"]);
    }
    const cart = await serverCall(collector, CUSTOMER, "/commands", { commands: [{ id: "refused", op: "add", line: MUG }] });
    assert.deepEqual([cart.status, cart.body["error"]?.code], [503, "schema_newer"]);
    const health = (await (await collector.fetch("/health")).json()) as Json;
    assert.ok(health["faults"].some((fault: Json) => fault["code"] === "schema_newer"), JSON.stringify(health));
    const before = accepted().length;
    await new Promise((resolve) => setTimeout(resolve, 25_000));
    assert.equal(accepted().length, before, "nothing leaves a storage that this version cannot run on");
    sink.answer(503);
  });
  await run("next: reads all of it, forwards the rest", NEXT, async (collector) => {
    await check(collector);
    // Whoever was refused sends again, and that wakes each object. Its alarm would come within ten minutes.
    await Promise.all(people.map((person) => visit(collector, person)));
    await addMug(collector);
    await drain(collector);
    await check(collector);
  });
  const done = accepted();
  const repeats = done.length - new Set(done).size;
  console.log(`${people.length} people, ${all().length} events acknowledged, ${mugs} changes of a cart`);
  console.log(`${done.length} accepted by the webhook, ${repeats} of them repeats`);
  assert.deepEqual([repeats, done.length], [0, all().length + mugs]);
} finally {
  await sink.close();
  rmSync(state, { recursive: true, force: true });
}
