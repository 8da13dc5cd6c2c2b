/**
 * Promise: a destination that is slow, fails or never answers gets each event seldom more than once, counts its attempts, and
 * slows no other destination. A destination that hilo.toml does not know is waited for.
 */
import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";

import { type Json, pageView, send } from "./envelopes.ts";
import { anonymousId, type Collector, configWith, eventually, startCollector, startSink } from "./mf.ts";

const PEOPLE = 4;
const EVENTS_PER_PERSON = 6;
const ALL = PEOPLE * EVENTS_PER_PERSON;

const [well, ill] = [await startSink(), await startSink()];
let running: Collector | undefined;
afterEach(() => running?.dispose());
after(async () => {
  await well.close();
  await ill.close();
});

/** A collector of its own: the tests share no brake. */
async function start(): Promise<Collector> {
  running = await startCollector({ config: configWith(well.url, { ill: ill.url }) });
  well.received.length = 0;
  ill.received.length = 0;
  return running;
}

/** Sends a batch each of some people, and returns the people. */
async function load(collector: Collector): Promise<string[]> {
  const people = Array.from({ length: PEOPLE }, anonymousId);
  for (const id of people) {
    const answer = await send(collector, Array.from({ length: EVENTS_PER_PERSON }, () => pageView(id)));
    assert.equal(answer.body["accepted"], EVENTS_PER_PERSON);
  }
  return people;
}

/** The deliveries of people to the ill destination. */
async function outbox(collector: Collector, people: string[]): Promise<Json[]> {
  const pages = people.map((id) => collector.admin(`/admin/v1/profiles/a:${id}/deliveries`));
  const rows = (await Promise.all(pages)).flatMap((page) => page.deliveries as Json[]);
  return rows.filter((row) => row["destination"] === "ill");
}

const are = (rows: Json[], state: string) => rows.filter((row) => row["state"] === state);

test("a destination that takes two seconds gets each event once, and its results are stored as they come", async () => {
  const collector = await start();
  ill.answer(204, {}, { afterMs: 2_000 });
  const people = await load(collector);
  await ill.until(() => ill.received.length >= 9);
  await eventually(async () => are(await outbox(collector, people), "delivered").length || undefined, 15_000);
  assert.ok(ill.received.length < ALL, "some deliveries are still to come");
  await ill.until(() => ill.counts().size === ALL, 120_000);
  const rows = await eventually(async () => {
    const rows = await outbox(collector, people);
    return are(rows, "delivered").length === ALL ? rows : undefined;
  });
  assert.ok(rows.every((row) => row["attempts"] === 0), JSON.stringify(rows));
  assert.equal(ill.received.length, ALL, "no event came twice");
});

test("beside a destination that never answers, another one gets all events soon", async () => {
  const collector = await start();
  ill.answer(204, {}, { afterMs: Infinity });
  const people = await load(collector);
  await ill.until(() => ill.received.length > 0);
  // These events reach the queue while the consumer waits for the ill destination.
  people.push(...(await load(collector)));
  await well.until(() => well.counts().size === 2 * ALL, 40_000);
  await eventually(async () => ((await outbox(collector, people)).some((row) => row["attempts"] > 0) ? true : undefined), 40_000);
  // Each event waits under the reason, and the brake has let a few requests through.
  await eventually(async () => {
    const rows = await outbox(collector, people);
    return rows.length === 2 * ALL && rows.every((row) => row["state"] === "pending" && row["reason"]) ? true : undefined;
  }, 40_000);
  assert.ok(ill.received.length < 15, `${ill.received.length} requests`);
  assert.equal(well.received.length, 2 * ALL, "no event came twice");
});

test("a destination that fails gets a few requests, and every event once it is back", async () => {
  const collector = await start();
  ill.answer(500);
  const people = await load(collector);
  await ill.until(() => ill.received.length >= 5);
  await eventually(async () => ((await outbox(collector, people)).every((row) => row["reason"]) ? true : undefined), 40_000);
  const failed = ill.received.length;
  assert.ok(failed < ALL / 2, `${failed} requests for ${ALL} events`);
  ill.answer(204);
  await ill.until(() => ill.counts().size === ALL, 120_000);
  await eventually(async () => (are(await outbox(collector, people), "delivered").length === ALL ? true : undefined), 60_000);
  assert.ok(ill.received.length < ALL * 1.5, `${ill.received.length} requests for ${ALL} events`);
});

test("an answer whose body never ends holds nothing up", async () => {
  const collector = await start();
  ill.answer(200, {}, { drips: true });
  const [id] = [anonymousId()];
  await send(collector, [pageView(id)]);
  await ill.until(() => ill.received.length > 0);
  await eventually(async () => (are(await outbox(collector, [id]), "delivered").length === 1 ? true : undefined), 30_000);
  assert.equal(ill.received.length, 1);
});

test("events for a destination that hilo.toml does not know wait until it is there", async () => {
  const collector = await start();
  ill.answer(503);
  const people = await load(collector);
  await ill.until(() => ill.received.length > 0);
  // A new process reads the configuration at once.
  const use = async (config: string) => {
    await collector.configure(config);
    collector.kill();
    await eventually(async () => ((await collector.fetch("/health").catch(() => undefined))?.ok ? true : undefined));
  };
  await use(configWith(well.url));
  await eventually(async () => {
    const rows = await outbox(collector, people);
    return rows.every((row) => /no destination called "ill"/.test(row["reason"])) ? true : undefined;
  }, 60_000);
  assert.equal(are(await outbox(collector, people), "pending").length, ALL);
  ill.answer(204);
  await use(configWith(well.url, { ill: ill.url }));
  await eventually(async () => (are(await outbox(collector, people), "delivered").length === ALL ? true : undefined), 90_000);
});
