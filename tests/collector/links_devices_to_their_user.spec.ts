/**
 * Promise: the profile of a device moves into that of the user whose token comes with the device's proof, once, wherever workerd is
 * killed meanwhile. No event is lost and none counts twice, a destination gets each one once, and what comes under the device's id
 * later is the user's.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, test } from "node:test";

import { GRANTED, type Json, cookieOf, decide, hello, pageView, post, postAs, send, timeline } from "./envelopes.ts";
import { anonymousId, configWith, eventually, startCollector, startSink } from "./mf.ts";
import { claimsOf, signToken } from "./tokens.ts";

const sink = await startSink();
const collector = await startCollector({ config: configWith(sink.url) });
after(async () => {
  await collector.dispose();
  await sink.close();
});

const alive = () => eventually(async () => ((await collector.fetch("/readyz").catch(() => undefined))?.ok ? true : undefined));
const profile = (key: string, part = "") => collector.admin(`/admin/v1/profiles/${key}${part}`);
const ids = (events: Json[]) => events.map((event) => event["messageId"]).sort();

/** Says hello as a page does whose visitor has signed in. */
const signIn = (id: string, user: string) =>
  postAs(collector, id, "/_h/v1/hello", { anonymousId: id, consent: GRANTED }, { "x-hilo-user-token": signToken(claimsOf(user)) });

/** Sends events as a backend does. */
const sendAsBackend = (batch: Json[]) =>
  post(collector, "/_h/v1/batch", { batch, context: { consent: GRANTED } }, { origin: undefined, authorization: "Bearer sk_dev_backend" });

/** How often an event came, by its own id: the request's id is another one where the event's is no UUID. */
const forwarded = (id: string) => sink.received.filter(({ body }) => JSON.parse(body).data.messageId === id).length;

/** All events of a user. */
async function eventsOf(key: string): Promise<Json[]> {
  const { events, next } = await profile(key, "/events?limit=200");
  assert.equal(next, null);
  return events;
}

/** Resolves once the device's id leads to the user's profile, which has `count` events. */
const moved = (id: string, user: string, count: number) =>
  eventually(async () => {
    const [device, person] = [await profile(`a:${id}`), await profile(`u:${user}`)].map((one) => JSON.stringify(one));
    return device === person && JSON.parse(person!).events === count ? JSON.parse(person!) : undefined;
  }, 60_000);

/** The check that anybody can make with a copy. Returns the number of chains. */
function chains(receipts: Json[]): number {
  const hashes = new Set(receipts.map((one) => one["hash"]));
  for (const one of receipts) {
    assert.equal(one["hash"], createHash("sha256").update(JSON.stringify({ ...one, hash: "" })).digest("hex"));
    assert.ok(one["prev_hash"] === "" || hashes.has(one["prev_hash"]));
  }
  return receipts.filter((one) => one["prev_hash"] === "").length;
}

test("a device moves into its user's profile with everything that is known of it", async () => {
  const [id, user] = [anonymousId(), "ana"];
  await hello(collector, id);
  await decide(collector, id, 0, { functional: "granted", analytics: "granted" });
  await decide(collector, id, 1, { advertising: "denied" });
  const address = "ana@shop.example";
  const optIn = { anonymousId: id, channel: "email", state: "subscribed", text: "Write to me.", version: "1", address };
  assert.equal((await postAs(collector, id, "/_h/v1/optin", optIn)).body["state"], "pending");
  const [seen, both, bought] = [pageView(id), pageView(id), pageView(id, { userId: user, type: "track", event: "Order Completed" })];
  await send(collector, [seen, both]);
  await sendAsBackend([bought, { ...both, userId: user }]);
  const before = await timeline(collector, id);
  assert.equal((await signIn(id, user)).body["anonymousId"], id);
  const person = await moved(id, user, before.length + 1);
  assert.deepEqual([person.links, person.profile.userId, person.profile.events], [1, user, { page: 2, track: 2 }]);
  assert.deepEqual([person.consent.advertising, person.optins.email], ["denied", "pending"]);
  assert.deepEqual(ids(await eventsOf(`u:${user}`)), ids([...before, bought]));
  // The device reads its user's record, in which each chain can still be proven.
  const copy = await collector.fetch("/_h/v1/consent", { headers: { cookie: cookieOf(id)! } });
  assert.equal(chains(((await copy.json()) as Json)["receipts"]), 2);
  // The link that the device asked for still confirms.
  const asked = () => sink.received.find((one) => one.body.includes('"Opt-In Requested"') && one.body.includes(address));
  await sink.until(() => asked() !== undefined);
  const { confirm_url } = JSON.parse(asked()!.body).data.properties;
  const pressed = await fetch(confirm_url, { method: "POST", body: "", headers: { connection: "close" } });
  assert.deepEqual([pressed.status, (await profile(`u:${user}`)).optins.email], [200, "subscribed"]);
  // What comes later under the device's id is the user's, and what comes again is known.
  const late = pageView(id);
  const answer = await send(collector, [late, seen]);
  assert.deepEqual([answer.body["accepted"], answer.body["duplicate"]], [1, 1]);
  assert.ok(ids(await eventsOf(`u:${user}`)).includes(late["messageId"]));
  await decide(collector, id, 9, { personalization: "denied" });
  assert.equal((await profile(`u:${user}`)).consent.personalization, "denied");
  // A second user of the device gets nothing of it.
  await signIn(id, "bea");
  await send(collector, [pageView(id)]);
  // The order, the two later views, and the subscription that was confirmed.
  assert.deepEqual([(await profile("u:bea")).known, (await profile(`u:${user}`)).events], [false, before.length + 4]);
  const wanted = ids(await eventsOf(`u:${user}`));
  await sink.until(() => wanted.every((one) => forwarded(one) > 0));
  // What two senders had told under one id was two profiles' event before the link.
  for (const one of wanted) assert.equal(forwarded(one), one === both["messageId"] ? 2 : 1, one);
});

test("deliveries that wait are finished once, and shown with the user", async () => {
  const [id, user] = [anonymousId(), "carla"];
  await hello(collector, id);
  sink.answer(503);
  const views = [pageView(id), pageView(id), pageView(id)];
  await send(collector, views);
  await sink.until(() => views.every((view) => sink.counts().has(view["messageId"])));
  await signIn(id, user);
  await moved(id, user, 3);
  const states = async () => (await profile(`u:${user}`, "/deliveries")).deliveries.map((one: Json) => one["state"]);
  assert.deepEqual(await states(), ["pending", "pending", "pending"]);
  const tried = new Map(sink.counts());
  sink.answer(204);
  await eventually(async () => ((await states()).every((state: string) => state === "delivered") ? true : undefined), 60_000);
  for (const { messageId } of views) assert.ok(sink.counts().get(messageId)! > tried.get(messageId)!, "it was sent again");
  const done = new Map(sink.counts());
  await send(collector, [...views, pageView(id)]);
  await sink.until(() => sink.counts().size > done.size);
  for (const { messageId } of views) assert.equal(sink.counts().get(messageId), done.get(messageId));
});

test("a server's alias joins two users, and the device of the first follows", async () => {
  const [id, old, user] = [anonymousId(), "dora-old", "dora"];
  await hello(collector, id);
  await send(collector, [pageView(id)]);
  await sendAsBackend([{ ...pageView(id), type: "identify", userId: old }]);
  await moved(id, old, 2);
  await sendAsBackend([{ ...pageView(anonymousId()), type: "alias", userId: user, previousId: old }]);
  await moved(id, user, 3);
  assert.deepEqual(ids(await eventsOf(`u:${old}`)), ids(await eventsOf(`u:${user}`)));
  assert.equal((await profile(`u:${user}`)).links, 2);
});

/** A device with so many events that its move takes some time. */
async function largeDevice(user: string) {
  const id = anonymousId();
  await hello(collector, id);
  await decide(collector, id, 0, { analytics: "granted", advertising: "denied" });
  const views = Array.from({ length: 24 }, () => pageView(id, { properties: { text: "x".repeat(25_000) } }));
  for (const half of [views.slice(0, 12), views.slice(12)]) assert.equal((await send(collector, half)).body["accepted"], 12);
  return { id, user, views };
}

test("a move that is killed loses no event, and no event counts twice", async () => {
  const [PEOPLE, ROUNDS] = [8, 3];
  for (let round = 0; round < ROUNDS; round++) {
    const people = await Promise.all(Array.from({ length: PEOPLE }, (_, n) => largeDevice(`person-${round}-${n}`)));
    // The alarm begins to move a device a second after its sign-in. So the kill meets devices before, in and after their moves.
    for (const { id, user } of people) {
      assert.equal((await signIn(id, user)).status, 200);
      await new Promise((resolve) => setTimeout(resolve, 140 + 20 * round));
    }
    const meanwhile = people.map(async ({ id, views }) => {
      const view = pageView(id);
      const answer = await send(collector, [view, views[0]!]).catch(() => undefined);
      return answer?.status === 200 ? [view] : [];
    });
    collector.kill();
    const more = await Promise.all(meanwhile);
    await alive();
    for (const [at, { id, user, views }] of people.entries()) await isWhole(id, user, [...views, ...more[at]!]);
  }
});

/** Checks a user whose device has moved: all that was acknowledged is there once, and reaches the destination. */
async function isWhole(id: string, user: string, acknowledged: Json[]) {
  const person = await eventually(async () => {
    const [device, person] = [await profile(`a:${id}`), await profile(`u:${user}`)];
    return JSON.stringify(device) === JSON.stringify(person) ? person : undefined;
  }, 60_000).catch(() => assert.fail(`${user} is stuck`));
  const stored = ids(await eventsOf(`u:${user}`));
  assert.equal(new Set(stored).size, stored.length, `${user} has an event twice`);
  // An event that was not acknowledged may be stored all the same.
  for (const { messageId } of acknowledged) assert.ok(stored.includes(messageId), `${user} lost ${messageId}`);
  assert.deepEqual([person.links, person.consent.advertising, person.events], [1, "denied", stored.length]);
  await sink.until(() => acknowledged.every((view) => sink.counts().has(view["messageId"])), 120_000);
}
