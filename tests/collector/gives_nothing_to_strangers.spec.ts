/**
 * Promise: an anonymous id is no secret, and whoever knows one gets nothing by it. Every public door is tried with every kind of
 * proof that is not the person's own: no answer gives away the person's record, and nothing of it changes.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, test } from "node:test";

import { type Answer, GRANTED, type Json, cookieOf, decide, envelope, hello, pageView, post, postAs, send } from "./envelopes.ts";
import { anonymousId, eventually, startCollector } from "./mf.ts";
import { proofParts, sign, spoiled } from "./signatures.ts";
import { DEV_KEY, claimsOf, forged, signToken } from "./tokens.ts";

const collector = await startCollector();
after(() => collector.dispose());

/** The text behind the cookie's name. */
const valueOf = (id: string) => cookieOf(id)!.slice("hilo=".length);
const now = () => Math.floor(Date.now() / 1000);

/** A person whose page said hello, granted, subscribed and was seen. */
async function person(): Promise<string> {
  const id = anonymousId();
  await hello(collector, id);
  await decide(collector, id, 0, { functional: "granted", analytics: "granted" });
  const optIn = { anonymousId: id, channel: "email", state: "subscribed", text: "Write to me.", version: "1", address: "ana@shop.example" };
  assert.equal((await postAs(collector, id, "/_h/v1/optin", optIn)).status, 200);
  await send(collector, [pageView(id, { messageId: `seen-${id}` })]);
  return id;
}

/** Everything that is stored about a person, as the admin sees it. */
async function stateOf(id: string): Promise<Json> {
  const parts = await Promise.all(["", "/receipts", "/optins", "/events"].map((part) => collector.admin(`/admin/v1/profiles/a:${id}${part}`)));
  return Object.fromEntries(parts.map((part, n) => [n, part]));
}

/** The proofs of strangers, as header fields. `victim` is the id, and `own` a stranger's id with its own valid proof. */
function proofs(victim: string, own: string): Record<string, Json> {
  const { proof, issued, key, tag } = proofParts(valueOf(victim));
  const theirs = proofParts(valueOf(own));
  const texts: Record<string, string> = {
    "another person's proof": valueOf(own),
    "another person's proof with this id": `v2.${victim}.${theirs.proof}.${theirs.issued}.${theirs.key}.${theirs.tag}`,
    "this signature with another proof": `v2.${victim}.${"0".repeat(32)}.${issued}.${key}.${tag}`,
    "this signature with another time": `v2.${victim}.${proof}.${Number(issued) + 1}.${key}.${tag}`,
    "this signature of another secret": `v2.${victim}.${proof}.${issued}.1.${tag}`,
    "a cut signature": valueOf(victim).slice(0, -2),
    "a changed signature": `v2.${victim}.${proof}.${issued}.${key}.${spoiled(tag)}`,
    "no signature": `v2.${victim}.${proof}.${issued}.${key}`,
    "an expired proof": sign(`v2.${victim}.${proof}.${now() - 33_696_000}`, "cookie"),
    "a proof signed for another id, replayed": sign(`v2.${own}.${theirs.proof}.${now()}`, "cookie"),
    "a proof signed for this id, with another's": sign(`v2.${victim}.${theirs.proof}.${now()}`, "cookie"),
    "a proof that was never bound": sign(`v2.${victim}.${"f".repeat(32)}.${now()}`, "cookie"),
    "a proof of a guessed secret": sign(`v2.${victim}.${proof}.${now()}`, "cookie", "another secret of the same length!!"),
    "a proof of a secret that is not set": sign(`v2.${victim}.${proof}.${now()}`, "cookie", "another secret of the same length!!", 1),
    "a cookie of the first version": sign(`v1.${victim}.${now()}`, "cookie"),
    "a proof signed as a cart's capability": sign(`v2.${victim}.${proof}.${now()}`, "cart"),
    "a cart's capability": sign(`v1.${victim}.${now()}`, "cart"),
    "the id alone": victim,
    "the wish for a token": "new",
    "an empty text": "",
    "a long text": `v2.${victim}.${"x".repeat(3_000)}`,
  };
  const fields: Record<string, Json> = { "no proof": {}, "a forged user token": { "x-hilo-user-token": forged(signToken(claimsOf(victim))) } };
  for (const [name, text] of Object.entries(texts)) {
    fields[`${name}, as a cookie`] = { cookie: `hilo=${text}` };
    fields[`${name}, as a token`] = { "x-hilo-auth": text };
    fields[`${name}, from another site`] = { cookie: `hilo=${text}`, "x-hilo-auth": text, "sec-fetch-site": "cross-site" };
  }
  return fields;
}

const at = () => new Date().toISOString();
const change = (state: string) => ({ purpose: "analytics", state, at: at(), method: "api" });
const report = (id: string) => ({
  ...pageView(id, { type: "track", event: "Segment Consent Preference Updated" }),
  context: { consent: { categoryPreferences: { analytics: false, functional: false } } },
});

/** A hello on an envelope. */
const riding = (hello: Json, event: Json) => (headers: Json) => post(collector, "/_h/v1/batch", { hello, ...envelope([event]) }, headers);

/** Every public door that could read or change what is stored about `id`. */
function doors(id: string): Record<string, (headers: Json) => Promise<Answer>> {
  const call = (path: string, body: Json) => (headers: Json) => post(collector, path, { writeKey: "wk_shop", ...body }, { "x-hilo": "1", ...headers });
  const optIn = (state: string) => ({ anonymousId: id, channel: "sms", state, text: "Write to me.", version: "1", address: "+34600000000" });
  const consent = (base: number, state: string) => ({ anonymousId: id, sentAt: at(), consent: { base, changes: [change(state)] } });
  const seen = pageView(id, { messageId: `seen-${id}` });
  const guess = randomUUID();
  const spare = { anonymousId: undefined, spareId: id, spareProof: guess };
  return {
    "hello with the page's id": call("/_h/v1/hello", { anonymousId: id, consent: GRANTED }),
    "hello with a spare id": call("/_h/v1/hello", { spareId: id, consent: GRANTED }),
    "hello without consent": call("/_h/v1/hello", { anonymousId: id, consent: {} }),
    "a denial": call("/_h/v1/consent", consent(0, "denied")),
    "a grant": call("/_h/v1/consent", consent(9, "granted")),
    "a denial of the highest revision": call("/_h/v1/consent", consent(4_294_967_295, "denied")),
    "the copy": async (headers) => {
      const response = await collector.fetch("/_h/v1/consent", { headers: { origin: collector.url, "x-hilo": "1", ...headers } });
      return { status: response.status, headers: response.headers, body: (await response.json()) as Json };
    },
    "a subscription": call("/_h/v1/optin", optIn("subscribed")),
    "a hand-over": call("/_h/v1/handoff", { anonymousId: id, to: collector.url }),
    "a hand-over by the id for a token": call("/_h/v1/adopt", { token: id, consent: GRANTED }),
    "an opt-out": call("/_h/v1/optin", { ...optIn("unsubscribed"), channel: "email" }),
    // These send an event that is stored already: there it is a duplicate, and changes nothing.
    "a batch with the page's id in its hello": riding({ anonymousId: id }, seen),
    "a batch with a spare id in its hello": riding({ spareId: id, spareProof: guess }, seen),
    "a batch with a spare id and the proof of the cookie": riding({ spareId: id, spareProof: cookieOf(id) ? proofParts(valueOf(id)).proof : guess }, seen),
    "a grant for a spare id": call("/_h/v1/consent", { ...consent(9, "granted"), ...spare }),
    "a denial for a spare id": call("/_h/v1/consent", { ...consent(0, "denied"), ...spare }),
    "a report of consent": call("/_h/v1/batch", { sentAt: at(), batch: [{ ...report(id), messageId: randomUUID() }] }),
  };
}

test("a proof that this spec signs opens the record, so that the others fail for their own fault only", async () => {
  const id = await person();
  const { proof } = proofParts(valueOf(id));
  const text = sign(`v2.${id}.${proof}.${now()}`, "cookie");
  for (const headers of [{ cookie: `hilo=${text}` }, { "x-hilo-auth": text }]) {
    const answer = await doors(id)["the copy"]!(headers);
    assert.deepEqual([answer.status, answer.body["revision"]], [200, 1]);
  }
});

test("no door gives anything about a person to strangers, or changes it for them", async () => {
  const [victim, own] = [await person(), await person()];
  const before = await stateOf(victim);
  const secrets = [valueOf(victim), valueOf(victim).split(".")[2]!, ...before[1]["receipts"].map((one: Json) => one["hash"])];
  let attempts = 0;
  for (const [proof, headers] of Object.entries(proofs(victim, own))) {
    const tried = Object.entries(doors(victim)).map(async ([door, call]) => {
      const answer = await call(headers);
      attempts += 1;
      const said = `${door}, ${proof}: ${answer.status} ${JSON.stringify(answer.body)}`;
      assert.notEqual(answer.body["anonymousId"], victim, said);
      // The answer repeats the proof that the page has made itself.
      const { spareProof: _, ...body } = answer.body;
      const handed = `${JSON.stringify(body)} ${answer.headers.get("set-cookie") ?? ""}`;
      for (const secret of [...secrets, `v2.${victim}.`]) assert.ok(!handed.includes(secret), said);
      // A valid proof of another id opens the stranger's own copy, and nothing else succeeds.
      // What is sent for a spare id of somebody else counts for another new id.
      if (/consent|denial|grant|subscription|opt-out|hand-over/.test(door) && !/^hello|^a report|spare/.test(door)) assert.ok(answer.status >= 400, said);
    });
    await Promise.all(tried);
  }
  assert.ok(attempts >= 1_000, `${attempts} attempts`);
  assert.deepEqual(await stateOf(victim), before);
  const own_ = await post(collector, "/_h/v1/hello", { writeKey: "wk_shop", consent: GRANTED }, { "x-hilo": "1", cookie: cookieOf(victim) });
  assert.deepEqual([own_.body["anonymousId"], own_.body["revision"]], [victim, 1], "the person's own proof still works");
});

/** The doors that link a device to a user, where its proof and the user's token come along; and a backend's events under a page's key. */
function linkingDoors(id: string, user: string): Record<string, (headers: Json) => Promise<Answer>> {
  const { "hello with the page's id": greet, "hello with a spare id": spare, "a grant": grant } = doors(id);
  const events = (over: Json) => (headers: Json) =>
    post(collector, "/_h/v1/batch", { writeKey: "wk_shop", batch: [pageView(id, { userId: user, context: { consent: GRANTED }, ...over })] }, { "x-hilo": "1", ...headers });
  return {
    hello: greet!, spare: spare!, grant: grant!,
    cart: async (headers) => {
      const response = await collector.fetch("/_h/v1/cart", { headers: { origin: collector.url, "x-hilo": "1", authorization: "Bearer wk_shop", ...headers } });
      return { status: response.status, headers: response.headers, body: (await response.json()) as Json };
    },
    identify: events({ type: "identify", anonymousId: anonymousId() }),
    "identify with the id": events({ type: "identify" }),
    alias: events({ type: "alias", anonymousId: anonymousId(), previousId: id }),
  };
}

/** Tokens for `user` that vouch for nobody. */
function badTokens(user: string): Record<string, string> {
  const good = signToken(claimsOf(user));
  return {
    "a forged token": forged(good),
    "a token without a signature": signToken(claimsOf(user), { ...DEV_KEY, alg: "none" }),
    "an expired token": signToken(claimsOf(user, { iat: now() - 7200, exp: now() - 3600 })),
    "a token for another place": signToken(claimsOf(user, { aud: "production" })),
    "a token of another issuer": signToken(claimsOf(user, { iss: "somebody" })),
    "a token for carts alone": signToken(claimsOf(user, { scope: "cart" })),
    "no token": "",
  };
}

test("nobody links somebody else's id to a user, by whatever proof or token", async () => {
  const [victim, own] = [await person(), await person()];
  const before = await stateOf(victim);
  const attempts: Promise<Answer>[] = [];
  const mallory = signToken(claimsOf("mallory"));
  for (const headers of Object.values(proofs(victim, own))) {
    for (const call of Object.values(linkingDoors(victim, "mallory"))) attempts.push(call({ "x-hilo-user-token": mallory, ...headers }));
  }
  // Somebody at the person's own browser without a valid token.
  for (const token of Object.values(badTokens("mallory"))) {
    for (const [door, call] of Object.entries(linkingDoors(victim, "mallory"))) {
      if (door !== "grant") attempts.push(call({ cookie: cookieOf(victim), ...(token && { "x-hilo-user-token": token }) }));
    }
  }
  assert.ok(attempts.length >= 450, `${attempts.length} attempts`);
  const statuses = (await Promise.all(attempts)).map((answer) => answer.status);
  assert.deepEqual(statuses.filter((status) => status === 429 || status >= 500), [], "each attempt was judged");
  // A link that had begun would have moved before one that begins now.
  const last = await person();
  assert.equal((await linkingDoors(last, "last")["hello"]!({ cookie: cookieOf(last), "x-hilo-user-token": signToken(claimsOf("last")) })).status, 200);
  await eventually(async () => ((await collector.admin("/admin/v1/profiles/u:last")).links === 1 ? true : undefined), 30_000);
  const [summary, , , { events }] = Object.values(await stateOf(victim)) as [Json, Json, Json, Json];
  assert.deepEqual([summary["links"], summary["linking"], summary["profile"].userId], [0, undefined, undefined]);
  // Events under a public key are the device's, whatever they claim.
  const named = events.filter((event: Json) => event["claimedId"] === "mallory");
  assert.ok(named.length > 0 && events.every((event: Json) => event["userId"] === undefined));
  const stolen = (await collector.admin("/admin/v1/profiles/u:mallory/events?limit=200")).events.map((event: Json) => event["messageId"]);
  for (const { messageId } of before[3]["events"]) assert.ok(!stolen.includes(messageId));
  const receipts = (await collector.admin("/admin/v1/profiles/u:mallory/receipts")).receipts.map((one: Json) => one["hash"]);
  for (const { hash } of before[1]["receipts"]) assert.ok(!receipts.includes(hash));
});

test("the person's own proof beside a valid token links the id at each of these doors", async () => {
  for (const door of ["hello", "spare", "grant", "cart"]) {
    const [id, user] = [await person(), `owner-by-${door}`];
    const answer = await linkingDoors(id, user)[door]!({ cookie: cookieOf(id), "x-hilo-user-token": signToken(claimsOf(user)) });
    assert.equal(answer.status, 200, door);
    const linked = await eventually(async () => {
      const one = await collector.admin(`/admin/v1/profiles/u:${user}`);
      // The view, and the request to confirm the subscription.
      return one.links === 1 && one.events === 2 ? one : undefined;
    }).catch(() => assert.fail(door));
    assert.equal(linked.profile.userId, user);
  }
});

/** The doors to what is kept about a person: each reads all of it, or erases it. */
const ownDoors: Record<string, [string, string]> = {
  "what is kept": ["GET", "/_h/v1/me"],
  "the copy of all": ["GET", "/_h/v1/me/export"],
  "a later page of the copy": ["GET", "/_h/v1/me/export?cursor=events"],
  "the erasure": ["DELETE", "/_h/v1/me"],
};

async function knock([method, path]: [string, string], headers: Json): Promise<Answer> {
  const all: Json = { authorization: "Bearer wk_shop", "x-hilo": "1", origin: collector.url, ...headers };
  for (const [name, value] of Object.entries(all)) if (value === undefined) delete all[name];
  const response = await collector.fetch(path, { method, headers: all });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Json };
}

test("nobody reads, copies or erases what is kept about somebody else", async () => {
  const [victim, own] = [await person(), await person()];
  const user = `victim-${randomUUID()}`;
  const server = { authorization: "Bearer sk_dev_backend", origin: undefined };
  const seen = { type: "track", event: "Seen", messageId: randomUUID(), userId: user, timestamp: at() };
  assert.equal((await post(collector, "/v1/batch", { batch: [seen] }, server)).body["accepted"], 1);
  const stored = () => Promise.all([stateOf(victim), collector.admin(`/admin/v1/profiles/u:${user}`), collector.admin(`/admin/v1/profiles/u:${user}/events`)]);
  const before = await stored();
  const token = (over: Json = {}) => ({ "x-hilo-user-token": signToken(claimsOf(user, over)) });
  const cookie = cookieOf(victim);
  const attempts: Record<string, [Json, number]> = {
    "a token of another user's": [{ "x-hilo-user-token": forged(signToken(claimsOf(user))) }, 401],
    "a token that is over": [token({ iat: now() - 7_200, exp: now() - 3_600 }), 401],
    "a token of another audience": [token({ aud: "production" }), 401],
    "a token of another issuer": [token({ iss: "somebody" }), 401],
    "a token for the cart": [token({ scope: "cart" }), 403],
    "a bad token beside a good proof": [{ cookie: cookieOf(own), ...token({ exp: now() - 3_600, iat: now() - 7_200 }) }, 401],
    "the user's id in the address of a backend's call": [{ ...server, "x-hilo-user-id": user }, 401],
    "a cart's capability alone": [{ "x-hilo-cart-token": sign(`v1.${victim}.${now()}`, "cart") }, 401],
    "a proof without X-Hilo": [{ cookie, "x-hilo": undefined }, 403],
    "a proof from another origin": [{ cookie, origin: "https://evil.example" }, 403],
    "a proof from no origin of a page": [{ cookie, origin: "null" }, 403],
    "a proof without a key": [{ cookie, authorization: undefined }, 401],
    "a proof under a wrong key": [{ cookie, authorization: "Bearer wk_other" }, 401],
    "a page with the secret key": [{ cookie, authorization: "Bearer sk_dev_backend" }, 403],
  };
  for (const [name, headers] of Object.entries(proofs(victim, own))) {
    // A valid proof of the stranger's own id opens the stranger's own, see below.
    if (!/^(another person's proof|a proof signed for another id, replayed), /.test(name)) attempts[name] = [headers, 401];
  }
  let count = 0;
  for (const [name, [headers, status]] of Object.entries(attempts)) {
    for (const [door, target] of Object.entries(ownDoors)) {
      const answer = await knock(target, headers);
      assert.equal(answer.status, status, `${door}, ${name}: ${JSON.stringify(answer.body)}`);
      count += 1;
    }
  }
  for (const [door, target] of Object.entries(ownDoors).filter(([, [method]]) => method === "GET")) {
    const answer = await knock(target, { cookie: cookieOf(own) });
    assert.equal(answer.status, 200, door);
    assert.ok(!JSON.stringify(answer.body).includes(victim), door);
  }
  assert.equal((await knock(ownDoors["the erasure"]!, token({ scope: "profile" }))).status, 403, "a token that may read may not erase");
  const invented = await knock(["GET", `/_h/v1/me/erasure/${sign(`${"a".repeat(64)}`, "erasure", "another secret of the same length!!")}`], {});
  assert.equal(invented.status, 404);
  assert.ok(count >= 250, `${count} attempts`);
  assert.deepEqual(await stored(), before);
  // The same doors open for the person.
  for (const headers of [{ cookie }, { "x-hilo-auth": valueOf(victim) }, token(), token({ scope: "profile erase" })]) {
    for (const [door, target] of Object.entries(ownDoors).filter(([, [method]]) => method === "GET")) assert.equal((await knock(target, headers)).status, 200, door);
  }
  for (const [headers, erases] of [[{ cookie }, "device"], [token({ scope: "erase" }), "user"]] as const) {
    const answer = await knock(ownDoors["the erasure"]!, headers);
    assert.deepEqual([answer.status, answer.body["erases"]], [202, [erases]]);
  }
  assert.equal((await stored())[1].events, 0);
});

test("an id that its page proved itself opens to this proof alone", async () => {
  const [id, proof] = [anonymousId(), randomUUID()];
  const seen = pageView(id, { messageId: `seen-${id}` });
  const greet = (hello: Json) => riding(hello, seen)({});
  const first = await greet({ spareId: id, spareProof: proof });
  assert.equal(first.body["anonymousId"], id);
  const before = await stateOf(id);
  const bound = proofParts(/hilo=([^;]*)/.exec(first.headers.get("set-cookie")!)![1]!).proof;
  const guesses = [bound, "", "0", "x".repeat(32), "0".repeat(32), proof.slice(1), `${proof}0`, proof.toUpperCase(), spoiled(proof), id];
  for (const guess of [...guesses, ...Array.from({ length: 50 }, () => randomUUID())]) {
    if (guess === proof) continue;
    for (const answer of [await greet({ spareId: id, spareProof: guess }), await doors(id)["a grant for a spare id"]!({})]) {
      assert.notEqual(answer.body["anonymousId"], id, guess);
      assert.ok(!(answer.headers.get("set-cookie") ?? "").includes(id), guess);
    }
  }
  for (const [door, call] of Object.entries(doors(id))) if (door !== "a report of consent") assert.notEqual((await call({})).body["anonymousId"], id, door);
  assert.deepEqual(await stateOf(id), before);
  const again = await greet({ spareId: id, spareProof: proof });
  assert.deepEqual([again.body["anonymousId"], again.body["duplicate"]], [id, 1], "the page itself comes again");
});

test("the events of an id that nobody bound bind it to nobody", async () => {
  const id = anonymousId();
  await send(collector, [pageView(id, { messageId: `seen-${id}` })]);
  const before = await stateOf(id);
  for (const [door, call] of Object.entries(doors(id))) {
    if (door.startsWith("a report")) continue;
    const answer = await call({});
    assert.notEqual(answer.body["anonymousId"], id, door);
  }
  assert.deepEqual(await stateOf(id), before);
});

test("a refusal names the remedy", async () => {
  const id = await person();
  const answer = await doors(id)["a denial"]!({});
  assert.deepEqual([answer.status, answer.body["code"], answer.body["error"].field], [403, "not_yours", "anonymousId"]);
  assert.match(answer.body["message"], /say hello/);
});
