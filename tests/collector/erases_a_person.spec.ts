/**
 * Promise: `DELETE /v1/me` erases a person. Canaries in every field that anybody can fill, in every kind of record, are in no byte of
 * the stored state and in no line of the log afterwards. What happened before is refused when it comes late.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { Canaries, fields } from "./canaries.ts";
import { Device, type Line, SERVER_KEY } from "./carts.ts";
import { type Json, codes, cookieOf, decide, hello, post, postAs, send } from "./envelopes.ts";
import { type Collector, anonymousId, configWith, eventually, messageHash, startCollector, startSink } from "./mf.ts";
import { claimsOf, signToken } from "./tokens.ts";

const [well, gone, hangs] = await Promise.all([startSink(), startSink(), startSink()]);
gone.answer(410);
hangs.answer(200, {}, { afterMs: Infinity });
after(() => Promise.all([well, gone, hangs].map((sink) => sink.close())));
const config = configWith(well.url, { gone: gone.url, hangs: hangs.url })
  .replace(/^keys = \["wk_shop"\]$/m, '$&\ndevice_ids = true')
  .replace(/^kind = "server"$/m, '$&\ndevice_ids = true');

/** Every purpose is granted, so that nothing is left out for want of consent. */
const GRANTED = { categoryPreferences: { functional: true, analytics: true, personalization: true, advertising: true, sale_share: true }, revision: 1 };
const KINDS = ["identify", "track", "page", "screen", "group", "alias"];

/** A collector with a state of its own, what workerd wrote, and the canaries of one person. */
async function deployment() {
  const state = mkdtempSync(join(tmpdir(), "hilo-erases-"));
  const lines: string[] = [];
  const started: Collector[] = [];
  after(async () => {
    await Promise.all(started.map((collector) => collector.dispose()));
    rmSync(state, { recursive: true, force: true });
  });
  const start = async () => {
    const collector = await startCollector({ state, config, onLine: (line) => lines.push(line) });
    const stopped = collector.dispose;
    let stopping: Promise<void> | undefined;
    collector.dispose = () => (stopping ??= stopped());
    started.push(collector);
    return collector;
  };
  return { state, lines, start, canaries: new Canaries() };
}

/** Sends an event of each kind with a canary in every field. */
async function sendAll(collector: Collector, canaries: Canaries, ids: Json, sendOne: (event: Json) => Promise<Json>): Promise<Json[]> {
  const at = new Date().toISOString();
  const times = { timestamp: at, originalTimestamp: at, sentAt: at };
  const events = KINDS.map((kind) => canaries.event(kind, { ...ids, ...times, integrations: { webhook: { key: canaries.text(`${kind}: integrations`) } }, context: { consent: GRANTED } }));
  for (const event of events) {
    const { accepted, rejected } = await sendOne(event);
    assert.deepEqual([accepted, rejected], [1, []], event["type"]);
  }
  return events;
}

/** Fills a cart, begins a checkout and orders. `person` is whom the touchpoints are about. */
async function shop(device: Device, canaries: Canaries, person?: Json) {
  const line: Line = [canaries.text("a line's variant"), "7", "EUR"];
  const look = { name: canaries.text("a line's name"), url: `https://shop.example/${canaries.text("a line's address")}`, image: `https://shop.example/${canaries.text("a line's picture")}`, unit_price: "1999" };
  assert.equal((await device.add(line, 3, { info: [[line, look]], person })).status, 200);
  assert.equal((await device.call("/v1/cart/checkout", { person })).status, 200);
  const order = { order_id: canaries.text("an order"), lines: [{ line, quantity: 1 }], person };
  assert.equal((await device.call("/v1/cart/ordered", order)).status, 200);
  const left: Line = [canaries.text("a second line"), "7", "EUR"];
  assert.equal((await device.add(left, 1, { person })).status, 200);
}

/** Opt-ins with every field filled. */
const optIn = (canaries: Canaries, channel: string) => ({
  channel, state: "subscribed", lang: "es",
  text: canaries.text(`${channel}: text`), version: canaries.text(`${channel}: version`), url: `https://shop.example/${canaries.text(`${channel}: page`)}`,
  address: channel === "email" ? `${canaries.text("email: address")}@shop.example` : canaries.text(`${channel}: address`),
});

/** A consent change with every field filled. */
const choice = (canaries: Canaries) => ({
  signals: { tcf: canaries.text("a TCF string"), gpp: canaries.text("a GPP string") },
  notice: { version: canaries.text("a notice's version"), hash: canaries.text("a notice's hash"), lang: canaries.text("a notice's language"), url: canaries.text("a notice's address") },
});

/** Waits until the person's first event is a dead letter, and a delivery waits. */
async function untilDelivered(collector: Collector, key: string, events: Json[]) {
  await eventually(async () => {
    const { deliveries } = await collector.admin(`/admin/v1/profiles/${key}/deliveries`);
    const states = new Set(deliveries.map((one: Json) => `${one["destination"]} ${one["state"]}`));
    const { deadLetters } = await collector.admin("/admin/v1/dead-letters");
    const isDead = deadLetters.some((one: Json) => one["messageHash"] === messageHash(events[0]!["messageId"]));
    return (isDead && ["webhook delivered", "gone dead", "hangs pending"].every((state) => states.has(state))) || undefined;
  }, 60_000);
}

/** Calls `/v1/me` and the paths below it. */
async function me(collector: Collector, method: string, rest: string, headers: Json): Promise<{ status: number; headers: Headers; body: Json }> {
  const all = { authorization: "Bearer wk_shop", "x-hilo": "1", origin: collector.url, ...headers };
  const response = await collector.fetch(`/_h/v1/me${rest}`, { method, headers: all });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Json };
}

/** Every page of the person's copy, as one text. */
async function copy(collector: Collector, headers: Json): Promise<string> {
  const pages: string[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page = await me(collector, "GET", `/export${cursor && `?cursor=${encodeURIComponent(cursor)}`}`, headers);
    assert.equal(page.status, 200, JSON.stringify(page.body));
    assert.match(page.headers.get("content-disposition")!, /^attachment; filename="my-data-\w+\.json"$/);
    pages.push(JSON.stringify(page.body));
    cursor = page.body["next"];
  }
  return pages.join("\n");
}

/** Erases the person, and waits until all steps are done. */
async function erase(collector: Collector, headers: Json, erases: string[]) {
  const answer = await me(collector, "DELETE", "", headers);
  assert.deepEqual([answer.status, answer.body["status"], answer.body["erases"]], [202, "erasing", erases]);
  const again = await me(collector, "DELETE", "", headers);
  assert.deepEqual([again.status, again.body], [202, answer.body], "a second call answers the same");
  const done = await eventually(async () => {
    const polled = await collector.fetch(`/_h${answer.body["poll"]}`);
    assert.equal(polled.status, 200);
    const standing = (await polled.json()) as Json;
    return standing["status"] === "done" ? standing : undefined;
  }, 120_000);
  assert.deepEqual(Object.keys(done).sort(), ["doneAt", "since", "status"], "it tells nothing about the person");
  return answer;
}

/** The fields beside the context that the events of each kind have. All events have the last ones. */
const OWN: Record<string, string[]> = {
  identify: ["traits"], track: ["event", "properties"], page: ["name", "category", "properties"], screen: ["name", "category", "properties"],
  group: ["groupId", "traits"], alias: ["previousId"],
};
const EVERY = ["messageId", "userId", "integrations"];

/** Whether the place is a field that the table calls personal, or the address of an opt-in: no byte of the storage shows it. */
function isPersonal(place: string): boolean {
  const [kind, path] = /^(\w+): ([^,]+)/.exec(place)?.slice(1) ?? [];
  if (path === "address") return true;
  return kind !== undefined && kind in OWN && fields().find((field) => field.path === path)?.privacy === "Personal";
}

/** Asserts that every canary is stored that is kept, and that those in personal fields are sealed in the storage. */
function checkStored(canaries: Canaries, before: string[], exported: string) {
  const lost = [...canaries.planted].filter(([canary, place]) => !before.includes(place) && !exported.includes(canary)).map(([, place]) => place);
  assert.deepEqual(lost.filter(isKept), [], "every canary is stored that is kept");
  assert.deepEqual(before.filter(isPersonal), [], "what is personal is sealed in the storage");
}

/** Whether the collector keeps the canary of this place. It leaves some fields out, reduces others, and an event has its kind's fields. */
function isKept(place: string): boolean {
  const [kind, path] = /^(\w+): ([^,]+)/.exec(place)?.slice(1) ?? [];
  if (!kind || !(kind in OWN)) return true;
  const { privacy, shape } = fields().find((field) => field.path === path)!;
  if (privacy === "Unkept" || privacy === "Reduced" || shape === "Ignored") return false;
  return path!.startsWith("context.") || [...OWN[kind]!, ...EVERY].includes(path!);
}

test("nothing is left of a device that erased itself", { timeout: 300_000 }, async () => {
  const { state, lines, start, canaries } = await deployment();
  let collector = await start();
  const id = canaries.plant(anonymousId(), "the device's id");
  await hello(collector, id);
  const { signals, notice } = choice(canaries);
  const consent = await decide(collector, id, 0, { functional: "granted", analytics: "granted", advertising: "granted", personalization: "granted", sale_share: "granted" }, { signals });
  assert.equal(consent.status, 200);
  const changes = [{ purpose: "personalization", state: "denied", at: new Date().toISOString(), method: "api" }];
  assert.equal((await postAs(collector, id, "/_h/v1/consent", { anonymousId: id, keepsId: true, sentAt: changes[0]!.at, consent: { base: 1, changes, notice }, signals })).status, 200);
  for (const channel of ["email", "sms"]) assert.equal((await postAs(collector, id, "/_h/v1/optin", { anonymousId: id, ...optIn(canaries, channel) })).status, 200);
  const events = await sendAll(collector, canaries, { anonymousId: id }, async (event) => (await send(collector, [event], { context: { consent: GRANTED } })).body);
  const guest = new Device(collector);
  await shop(guest, canaries, { anonymousId: id, consent: GRANTED });
  const socket = await guest.listen();
  await untilDelivered(collector, `a:${id}`, events);
  const headers = { cookie: cookieOf(id)! };
  const before = canaries.found(state);
  const exported = await copy(collector, { ...headers, "x-hilo-cart-token": guest.capability });
  checkStored(canaries, before, exported);
  const missing = [...canaries.planted].filter(([canary, place]) => before.includes(place) && !exported.includes(canary)).map(([, place]) => place);
  assert.deepEqual(missing, ["an order"], "the copy has everything; a cart remembers an order's id to count it once");
  const shown = await me(collector, "GET", "", headers);
  assert.deepEqual([shown.status, shown.body["about"], shown.body["known"], shown.body["consent"].analytics], [200, "device", true, "granted"]);

  const answer = await erase(collector, { ...headers, "x-hilo-cart-token": guest.capability }, ["device"]);
  assert.match(answer.headers.get("set-cookie")!, /^hilo=; .*Max-Age=0/);
  assert.equal(await socket.end(), 1000);
  assert.equal((await me(collector, "GET", "", headers)).body["erasure"].status, "done", "the proof still opens the standing");
  await check(collector, state, lines, canaries, id);
  const late = canaries.event("track", { anonymousId: id, timestamp: new Date().toISOString(), context: { consent: GRANTED } });
  for (const event of [events[1]!, late]) assert.deepEqual(codes(await send(collector, [event], { context: { consent: GRANTED } })), { 0: "erased" });
  const grant = await decide(collector, id, 0, { analytics: "granted" });
  assert.deepEqual([grant.status, grant.body["code"]], [403, "erased"]);
  const greeted = await post(collector, "/_h/v1/hello", { writeKey: "wk_shop", anonymousId: id, consent: GRANTED }, { "x-hilo": "1", ...headers });
  assert.deepEqual([greeted.status, greeted.body["code"]], [403, "erased"]);
  await collector.dispose();
  assert.deepEqual(canaries.found(state, lines), []);
  collector = await start();
  assert.deepEqual(codes(await send(collector, [late], { context: { consent: GRANTED } })), { 0: "erased" }, "also after a restart");
  await collector.dispose();
});

test("nothing is left of a verified user, who may come back", { timeout: 300_000 }, async () => {
  const { state, lines, start, canaries } = await deployment();
  const collector = await start();
  const user = canaries.text("a user's id");
  const token = signToken(claimsOf(user));
  const id = anonymousId();
  await hello(collector, id);
  const { signals, notice } = choice(canaries);
  const at = new Date().toISOString();
  const changes = [{ purpose: "analytics", state: "granted", at, method: "api" }];
  assert.equal((await postAs(collector, id, "/_h/v1/consent", { anonymousId: id, sentAt: at, consent: { base: 0, changes, notice }, signals }, { "x-hilo-user-token": token })).status, 200);
  for (const channel of ["email", "sms"]) assert.equal((await postAs(collector, id, "/_h/v1/optin", optIn(canaries, channel), { "x-hilo-user-token": token })).status, 200);
  const server = { authorization: `Bearer ${SERVER_KEY}`, origin: undefined };
  const sendOne = async (event: Json) => (await post(collector, "/v1/batch", { batch: [event] }, server)).body;
  const events = await sendAll(collector, canaries, { userId: user }, sendOne);
  const guest = new Device(collector);
  await shop(guest, canaries);
  guest.user = token;
  await guest.whole();
  const customer = new Device(collector, token);
  await shop(customer, canaries);
  await untilDelivered(collector, `u:${user}`, events);
  const before = canaries.found(state);
  const headers = { cookie: cookieOf(id)!, "x-hilo-user-token": token };
  const exported = await copy(collector, headers);
  checkStored(canaries, before, exported);
  const email = [...canaries.planted].find(([, place]) => place === "email: address")![0];
  for (const canary of [events[1]!["messageId"], email]) assert.ok(exported.includes(canary), canary);
  await erase(collector, headers, ["user", "device"]);
  await check(collector, state, lines, canaries, user, "u");
  assert.deepEqual((await sendOne(events[1]!))["rejected"].map((one: Json) => one["code"]), ["erased"]);
  const later = { type: "track", event: "Came Back", messageId: "back-1", userId: user, timestamp: new Date().toISOString() };
  assert.equal((await sendOne(later))["accepted"], 1);
  assert.equal((await collector.admin(`/admin/v1/profiles/u:${user}`)).events, 1);
  await collector.dispose();
  // The person came back under the same id.
  canaries.planted.delete(user);
  assert.deepEqual(canaries.found(state, lines), []);
});

/** Asserts that nothing is left while the collector runs: what admins see, and every byte of the state. */
async function check(collector: Collector, state: string, lines: string[], canaries: Canaries, id: string, kind = "a") {
  const summary = await collector.admin(`/admin/v1/profiles/${kind}:${id}`);
  assert.deepEqual([summary.events, summary.consent, summary.optins], [0, {}, {}]);
  assert.deepEqual((await collector.admin("/admin/v1/dead-letters")).deadLetters, []);
  assert.deepEqual(canaries.found(state, lines), []);
  const log = JSON.stringify(await collector.admin("/admin/v1/rejects"));
  for (const [canary, place] of canaries.planted) assert.ok(!log.includes(canary), place);
}
