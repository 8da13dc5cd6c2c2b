/**
 * Promise: where hilo.toml says so, a subscription counts only after the owner of the address has pressed the button behind the link
 * that was sent there. Whoever merely opens the link changes nothing. A link serves one request, one address and one time, for
 * seven days, and an opt-out wins over it.
 */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, test } from "node:test";

import { type Answer, type Json, cookieOf, hello, pageView, post, postAs, send, timeline } from "./envelopes.ts";
import { DEV_SECRETS, anonymousId, configWith, rejectLog, startCollector, startSink } from "./mf.ts";

const sink = await startSink();
const letters = await startSink();
const config = configWith(sink.url, { letters: letters.url }).replace('name = "letters"', 'name = "letters"\nchannel = "email"');
const collector = await startCollector({ config });
after(async () => {
  await collector.dispose();
  await sink.close();
  await letters.close();
});

let addresses = 0;
const newAddress = () => `ana+${++addresses}@shop.example`;

/** Says what the visitor wants, from a browser that said hello before. */
async function say(id: string, state: string, over: Json = {}, headers: Json = {}): Promise<Answer> {
  if (!cookieOf(id)) await hello(collector, id);
  const body = { anonymousId: id, channel: "email", state, text: "Write to me.", version: "2026-11", ...over };
  return postAs(collector, id, "/_h/v1/optin", body, headers);
}

const stateOf = async (id: string) => (await collector.admin(`/admin/v1/profiles/a:${id}`)).optins.email;
const ledger = async (id: string): Promise<Json[]> => (await collector.admin(`/admin/v1/profiles/a:${id}/optins`)).optins;

/** The data of the request that the carrier gets for `address`. */
async function requested(address: string): Promise<Json> {
  const find = () => sink.received.find((one) => one.body.includes('"Opt-In Requested"') && one.body.includes(`"${address}"`));
  await sink.until(() => find() !== undefined);
  return JSON.parse(find()!.body).data;
}

/** A visitor who subscribed, with the links that the carrier got. */
async function subscriber(over: Json = {}, headers: Json = {}) {
  const [id, address] = [anonymousId(), newAddress()];
  const answer = await say(id, "subscribed", { address, ...over }, headers);
  assert.deepEqual([answer.status, answer.body["state"]], [200, "pending"]);
  const { properties } = await requested(address);
  return { id, address, properties, confirm: properties.confirm_url as string, leave: properties.unsubscribe_url as string };
}

/** Opens a link, or presses the button of its page. No cookie and no header of hilo goes along. */
async function open(link: string, method = "GET", body?: string, language = "en"): Promise<{ status: number; page: string; headers: Headers }> {
  const type: Json = body === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" };
  const response = await fetch(link, { method, headers: { "accept-language": language, connection: "close", ...type }, ...(body !== undefined && { body }) });
  return { status: response.status, page: await response.text(), headers: response.headers };
}
const press = (link: string) => open(link, "POST", "");

/** Makes the signature of a link anew, as only the collector can. */
function forge(link: string, change: (claims: Json) => void, secret = DEV_SECRETS.HILO_SECRET): string {
  const url = new URL(link);
  const claims = JSON.parse(Buffer.from(url.searchParams.get("token")!.split(".")[0]!, "base64url").toString());
  change(claims);
  const text = Buffer.from(JSON.stringify(claims)).toString("base64url");
  const tag = createHmac("sha256", secret).update(`optin:0:${text}`).digest("base64url");
  url.searchParams.set("token", `${text}.0.${tag}`);
  return url.href;
}

test("a subscription is pending until the button of its link's page is pressed", async () => {
  const { id, address, confirm, properties } = await subscriber();
  assert.deepEqual([properties.channel, properties.text, properties.version], ["email", "Write to me.", "2026-11"]);
  assert.ok(confirm.startsWith(`${collector.url}/_h/v1/optin/confirm?token=`), confirm);
  const before = pageView(id);
  await send(collector, [before]);
  // A mail scanner opens the link, in every way that is no agreement.
  for (const method of ["GET", "HEAD", "GET", "OPTIONS"]) await open(confirm, method);
  assert.equal(await stateOf(id), "pending");
  const shown = await open(confirm);
  assert.deepEqual([shown.status, /<form method="post"><button/.test(shown.page)], [200, true]);
  assert.match(shown.page, /Example Shop asks: may we write to you by e-mail\?/);
  assert.equal(await stateOf(id), "pending");
  const done = await press(confirm);
  assert.deepEqual([done.status, done.page.includes("You are subscribed"), done.page.includes("<form")], [200, true, false]);
  assert.equal(await stateOf(id), "subscribed");
  const later = pageView(id);
  await send(collector, [later]);
  await letters.until((received) => received.some((one) => one.headers["webhook-id"] === later["messageId"]));
  assert.ok(!letters.received.some((one) => one.headers["webhook-id"] === before["messageId"]), "pending is not subscribed");
  const [confirmed, pending] = await ledger(id);
  assert.deepEqual([confirmed!["text"], confirmed!["version"], confirmed!["address"]], ["Write to me.", "2026-11", address]);
  assert.deepEqual([confirmed!["confirmed"].by, confirmed!["confirmed"].requested_at], ["link", pending!["at"]]);
});

/** What a destination got of the ledger about `address`: the names of the events. */
const toldOf = (at: typeof sink, address: string): string[] =>
  at.received
    .map((one) => JSON.parse(one.body).data)
    .filter((event) => /^Opt-In (Confirmed|Withdrawn)$/.test(event.event) && event.properties.address === address)
    .map((event) => event.event);

test("destinations learn of a subscription and of its end at once, and once", async () => {
  const { id, address, confirm, leave } = await subscriber({ lang: "es-ES" });
  await press(confirm);
  await letters.until(() => toldOf(letters, address).length > 0);
  const told = letters.received.map((one) => JSON.parse(one.body).data).find((event) => event.properties?.address === address);
  assert.deepEqual(told.properties, { channel: "email", address, text: "Write to me.", version: "2026-11", lang: "es" });
  await press(confirm);
  await press(leave);
  await press(leave);
  await letters.until(() => toldOf(letters, address).length > 1);
  await sink.until(() => toldOf(sink, address).includes("Opt-In Withdrawn"));
  assert.deepEqual(toldOf(letters, address), ["Opt-In Confirmed", "Opt-In Withdrawn"]);
  const names = (await timeline(collector, id)).map((event) => event["event"]).filter(Boolean);
  assert.deepEqual(names.sort(), ["Opt-In Confirmed", "Opt-In Requested", "Opt-In Withdrawn"]);
});

test("no sender subscribes or unsubscribes an address by an event of the ledger's name", async () => {
  const [id, address] = [anonymousId(), newAddress()];
  const fakes = ["Opt-In Confirmed", "Opt-In Withdrawn"].map((event) => {
    const fake = pageView(id, { type: "track", event, properties: { channel: "email", address } });
    fake["context"]["hilo"] = { ledger: true };
    return fake;
  });
  const seen = pageView(id);
  assert.equal((await send(collector, [...fakes, seen])).body["accepted"], 3);
  await sink.until((received) => received.some((one) => one.headers["webhook-id"] === seen["messageId"]));
  assert.deepEqual([...toldOf(sink, address), ...toldOf(letters, address)], []);
});

test("a link that was used says so, and changes nothing more", async () => {
  const { id, confirm } = await subscriber();
  await press(confirm);
  for (const answer of [await open(confirm), await press(confirm)]) {
    assert.deepEqual([answer.status, answer.page.includes("This link was used already")], [200, true]);
  }
  assert.equal((await ledger(id)).length, 2);
});

test("an expired link says so and confirms nothing", async () => {
  const { id, confirm } = await subscriber();
  const expired = forge(confirm, (claims) => (claims["u"] = Math.floor(Date.now() / 1000) - 1));
  for (const answer of [await open(expired), await press(expired)]) {
    assert.deepEqual([answer.status, answer.page.includes("This link has expired"), answer.page.includes("<form")], [410, true, false]);
  }
  assert.equal(await stateOf(id), "pending");
  const week = forge(confirm, (claims) => assert.ok(Math.abs(claims["u"] - Date.now() / 1000 - 7 * 86_400) < 60));
  assert.equal((await open(week)).status, 200);
});

test("a tampered link is refused and confirms nothing", async () => {
  const { id, confirm } = await subscriber();
  const token = new URL(confirm).searchParams.get("token")!;
  const [text, number, tag] = token.split(".") as [string, string, string];
  const links = [
    forge(confirm, () => {}, "another secret of the same length as ours"),
    ...[`${text}.${number}`, `${text}.1.${tag}`, `A${token.slice(1)}`, token.slice(0, -2), "", "x".repeat(9_000)].map((one) => {
      const url = new URL(confirm);
      url.searchParams.set("token", one);
      return url.href;
    }),
    confirm.replace("/confirm", "/unsubscribe"),
    confirm.split("?")[0]!,
  ];
  for (const link of links) {
    const answer = await press(link);
    assert.deepEqual([answer.status, answer.page.includes("This link does not work")], [404, true], link);
  }
  assert.equal(await stateOf(id), "pending");
});

test("a link confirms the address that it was sent to, and no other", async () => {
  const { id, confirm } = await subscriber();
  const other = newAddress();
  await say(id, "subscribed", { address: other });
  const { properties } = await requested(other);
  const old = await press(confirm);
  assert.deepEqual([old.status, old.page.includes("This link is no longer valid")], [410, true]);
  assert.equal(await stateOf(id), "pending");
  await press(properties.confirm_url);
  assert.equal((await ledger(id))[0]!["address"], other);
});

test("a link of one person confirms nobody else's subscription", async () => {
  const [one, two] = [await subscriber(), await subscriber()];
  const profile = JSON.parse(Buffer.from(new URL(two.confirm).searchParams.get("token")!.split(".")[0]!, "base64url").toString())["p"];
  // Even a link that the collector itself had signed for another object needs the nonce of that object's request.
  assert.equal((await press(forge(one.confirm, (claims) => (claims["p"] = profile)))).status, 410);
  assert.deepEqual([await stateOf(one.id), await stateOf(two.id)], ["pending", "pending"]);
});

test("an opt-out wins over a confirmation that is still pending", async () => {
  const { id, confirm } = await subscriber();
  assert.equal((await say(id, "unsubscribed", { text: undefined, version: undefined })).body["state"], "unsubscribed");
  const answer = await press(confirm);
  assert.deepEqual([answer.status, answer.page.includes("This link is no longer valid")], [410, true]);
  assert.equal(await stateOf(id), "unsubscribed");
});

test("an unsubscribe link asks on its page, and a mail program's one click needs no page", async () => {
  const { id, confirm, leave } = await subscriber();
  await press(confirm);
  const shown = await open(leave);
  assert.deepEqual([shown.status, shown.page.includes("Unsubscribe me")], [200, true]);
  assert.equal(await stateOf(id), "subscribed");
  const done = await open(leave, "POST", "List-Unsubscribe=One-Click");
  assert.deepEqual([done.status, done.page.includes("You are unsubscribed")], [200, true]);
  assert.equal(await stateOf(id), "unsubscribed");
  assert.match((await open(leave)).page, /You are not subscribed/);
  assert.equal((await press(confirm)).status, 410);
  assert.equal((await ledger(id))[0]!["by_link"], true);
});

test("the page speaks the visitor's language, loads nothing, and cannot be framed", async () => {
  const { confirm } = await subscriber();
  const es = await open(confirm, "GET", undefined, "es-MX,es;q=0.9,en;q=0.5");
  assert.match(es.page, /<html lang="es">.*Confirma tu suscripción/);
  assert.equal(es.headers.get("content-language"), "es");
  const chosen = await subscriber({ lang: "es-ES" });
  assert.match((await open(chosen.confirm, "GET", undefined, "en")).page, /<html lang="es">/);
  const policy = es.headers.get("content-security-policy")!;
  assert.match(policy, /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/);
  assert.deepEqual([es.headers.get("cache-control"), es.headers.get("referrer-policy")], ["no-store", "no-referrer"]);
  assert.ok(!/<script|<link|<img|href=|src=/.test(es.page));
});

test("nothing personal stands in a link, and no link that works stands in the timeline", async () => {
  const { id, address, confirm, leave } = await subscriber();
  for (const link of [confirm, leave]) {
    const claims = Buffer.from(new URL(link).searchParams.get("token")!.split(".")[0]!, "base64url").toString();
    for (const personal of [id, address, "shop.example"]) assert.ok(!`${link} ${claims}`.includes(personal), claims);
  }
  const [stored] = await timeline(collector, id);
  assert.equal(stored!["event"], "Opt-In Requested");
  assert.ok(!JSON.stringify(stored).includes(new URL(confirm).searchParams.get("token")!));
  assert.ok(!JSON.stringify(await requested(address)).includes('"optin"'), "the carrier gets the links only");
});

test("no sender can send a request in the collector's name", async () => {
  const [id, address] = [anonymousId(), newAddress()];
  const properties = { address, channel: "email", confirm_url: "https://evil.example/" };
  const fake = pageView(id, { type: "track", event: "Opt-In Requested", properties });
  fake["context"]["hilo"] = { optin: { base: "https://evil.example", confirm: "e30", unsubscribe: "e30" } };
  const seen = pageView(id);
  assert.equal((await send(collector, [fake, seen])).body["accepted"], 2);
  await sink.until((received) => received.some((one) => one.headers["webhook-id"] === seen["messageId"]));
  assert.ok(!sink.received.some((one) => one.body.includes(address)));
});

test("a subscription needs its address, a page confirms none, and a server may", async () => {
  const id = anonymousId();
  const check = async (over: Json, code: string, field: string) => {
    const answer = await say(id, "subscribed", over);
    assert.deepEqual([answer.status, answer.body["error"].code, answer.body["error"].field], [422, code, field]);
  };
  await check({}, "missing_field", "address");
  await check({ address: " " }, "missing_field", "address");
  await check({ address: newAddress(), confirmed: true }, "wrong_type", "confirmed");
  const { status, body } = await say(id, "pending", { address: newAddress() });
  assert.deepEqual([status, body["error"].field], [422, "state"]);
  assert.equal(await stateOf(id), undefined);
  // Another channel needs no link here.
  assert.equal((await say(id, "subscribed", { channel: "sms" })).body["state"], "subscribed");
  const server = { authorization: "Bearer sk_dev_backend", origin: undefined, cookie: undefined, "x-hilo": "1" };
  const said = { anonymousId: id, channel: "email", state: "subscribed", text: "Write to me.", version: "1", address: newAddress(), confirmed: true };
  assert.equal((await post(collector, "/_h/v1/optin", said, server)).body["state"], "subscribed");
  assert.equal((await ledger(id))[0]!["confirmed"].by, "server");
});

test("a subscription that nobody could confirm is refused with its remedy", async () => {
  const other = await startCollector({ config: configWith(sink.url).replace(/^confirm_by = .*$/m, "").replace(/^email = .*$/m, "") });
  try {
    const said = { writeKey: "wk_shop", channel: "email", state: "subscribed", text: "Write to me.", version: "1", address: newAddress() };
    const answer = await post(other, "/_h/v1/optin", said, { "x-hilo": "1" });
    assert.deepEqual([answer.status, answer.body["code"]], [422, "optin_unconfirmable"]);
    assert.match(answer.body["message"], /confirm_by/);
    await rejectLog(other, (rejects) => rejects.some((one) => one.code === "optin_unconfirmable"));
  } finally {
    await other.dispose();
  }
});
