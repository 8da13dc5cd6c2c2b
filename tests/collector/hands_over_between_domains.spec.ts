/**
 * Promise: a visitor who follows a link from one site of a company to another stays one person. The token in the link opens once, at its
 * origin and under its source, also after a restart and for many that come at once; and it stands in no log and no storage.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { Canaries } from "./canaries.ts";
import { type Answer, GRANTED, type Json, envelope, pageView, post, timeline } from "./envelopes.ts";
import { anonymousId, eventually, rejectLog, startCollector } from "./mf.ts";

const SHOP = "https://shop.example";
const BLOG = "https://blog.example";

/** The entry gives each request the address of its site, because workerd listens without a certificate. */
const ENTRY = `
export default {
  fetch(request, env) {
    const { pathname } = new URL(request.url);
    const host = request.headers.get("x-spec-host");
    return env.COLLECTOR.fetch(host ? new Request("https://" + host + pathname, request) : request);
  },
};`;

const source = (name: string) => `
[[source]]
name = "${name}"
kind = "browser"
keys = ["wk_${name}"]
origins = ["${SHOP}", "${BLOG}"]
`;
const CONFIG = `
[project]
controller = "Example Shop"
${source("shop")}${source("other")}
[[source]]
name = "app"
kind = "app"
keys = ["wk_app"]
origins = ["capacitor://localhost"]
`;

const lines: string[] = [];
const canaries = new Canaries();
const front = [{ name: "front", modules: true, script: ENTRY, compatibilityDate: "2026-08-01", serviceBindings: { COLLECTOR: "collector" } }];
const collector = await startCollector({ config: CONFIG, front, onLine: (line) => lines.push(line) });
after(() => collector.dispose());

/** Asks the collector from a page of `origin`, through the route of that site. */
function ask(origin: string, call: string, said: Json, headers: Json = {}): Promise<Answer> {
  const own = { origin, "x-hilo": "1", "x-spec-host": new URL(origin).host };
  return post(collector, `/_h/v1/${call}`, { writeKey: "wk_shop", ...said }, { ...own, ...headers });
}

/** The id cookie as a browser sends it. */
const cookieOf = ({ headers }: Answer) => headers.getSetCookie()[0]!.split(";")[0]!;

/** A visitor of the shop who reads a page, with the cookie. */
async function visitor(): Promise<{ id: string; cookie: string }> {
  const answer = await ask(SHOP, "hello", { spareId: anonymousId(), consent: GRANTED });
  const [id, cookie] = [answer.body["anonymousId"] as string, cookieOf(answer)];
  await ask(SHOP, "batch", envelope([pageView(id)]), { cookie });
  return { id, cookie };
}

/** The token for a link to the blog. */
async function token({ id, cookie }: { id: string; cookie: string }): Promise<string> {
  const answer = await ask(SHOP, "handoff", { anonymousId: id, to: BLOG }, { cookie });
  assert.deepEqual([answer.status, answer.body["expiresIn"]], [200, 60], JSON.stringify(answer.body));
  assert.match(answer.body["token"], /^[\w-]{100,500}$/);
  return canaries.plant(answer.body["token"], `the token of ${id}`);
}

const adopt = (token: string, { origin = BLOG, ...over }: Json = {}, headers: Json = {}) =>
  ask(origin, "adopt", { token, consent: GRANTED, ...over }, headers);

async function refused(token: string, over: Json = {}) {
  const { status, body, headers } = await adopt(token, over);
  assert.deepEqual([status, body["code"]], [403, "handoff_refused"], JSON.stringify(body));
  assert.equal(headers.get("set-cookie"), null);
}

test("a visitor goes on under the same id on the company's other site, and has a cookie there", async () => {
  const shop = await visitor();
  const answer = await adopt(await token(shop));
  assert.equal(answer.body["anonymousId"], shop.id);
  assert.match(cookieOf(answer), /^__Host-hilo=v2\./);
  const cookie = cookieOf(answer);
  assert.deepEqual((await ask(BLOG, "hello", { consent: GRANTED }, { cookie })).body, answer.body);
  await ask(BLOG, "batch", envelope([pageView(shop.id)]), { cookie });
  assert.equal((await timeline(collector, shop.id)).length, 2);
});

test("a page of another site lets its browser ask first, and gets a token where no cookie works", async () => {
  const shop = await visitor();
  for (const call of ["handoff", "adopt"]) {
    const asked = { origin: BLOG, "access-control-request-method": "POST", "access-control-request-headers": "x-hilo" };
    const { status, headers } = await collector.fetch(`/_h/v1/${call}`, { method: "OPTIONS", headers: asked });
    assert.deepEqual([status, headers.get("access-control-allow-origin")], [204, BLOG]);
  }
  const answer = await adopt(await token(shop), {}, { "sec-fetch-site": "cross-site", "x-hilo-auth": "new" });
  assert.deepEqual([answer.body["anonymousId"], answer.headers.get("set-cookie")], [shop.id, null]);
  const known = await ask(BLOG, "hello", { consent: GRANTED }, { "x-hilo-auth": answer.body["token"] });
  assert.equal(known.body["anonymousId"], shop.id);
});

test("of twenty pages that show a token at once one gets the id, and after a restart none", async () => {
  const shop = await visitor();
  const [used, unused] = [await token(shop), await token(shop)];
  const end = Date.now() + 55_000;
  const answers = await Promise.all(Array.from({ length: 20 }, () => adopt(used)));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array(19).fill(403)]);
  assert.equal(answers.filter(({ body }) => body["anonymousId"] === shop.id).length, 1);
  collector.kill();
  await eventually(async () => ((await collector.fetch("/readyz").catch(() => undefined))?.ok ? true : undefined), 60_000);
  await refused(used);
  // On a machine so slow that the minute is over, this token has ended too.
  const { body } = await adopt(unused);
  if (Date.now() < end) assert.equal(body["anonymousId"], shop.id, "the other token still opens");
});

test("nobody uses a token elsewhere or changes it, and nobody gets one without the proof of the id", async () => {
  const [shop, other] = [await visitor(), await visitor()];
  const handed = await token(shop);
  await refused(handed, { origin: SHOP });
  await refused(handed, { writeKey: "wk_other" });
  for (const at of [0, 1, 20, 100, handed.length - 1]) await refused(`${handed.slice(0, at)}${handed[at] === "A" ? "B" : "A"}${handed.slice(at + 1)}`);
  assert.equal((await adopt(handed, { origin: "https://evil.example" })).body["code"], "origin_refused");
  assert.equal((await adopt(handed, {}, { "x-hilo": undefined })).body["code"], "missing_header");
  const said = { anonymousId: shop.id, to: BLOG };
  for (const [cookie, over, code] of [
    [undefined, {}, "not_yours"],
    [other.cookie, {}, "not_yours"],
    [shop.cookie.replace(/.$/, (c) => (c === "A" ? "B" : "A")), {}, "not_yours"],
    [shop.cookie, { to: "https://evil.example" }, "origin_refused"],
    [shop.cookie, { to: `${BLOG}/#hilo=${handed}` }, "origin_refused"],
    [shop.cookie, { to: undefined }, "missing_field"],
  ] as [string | undefined, Json, string][]) {
    const { body } = await ask(SHOP, "handoff", { ...said, ...over }, { cookie });
    assert.deepEqual([body["code"], body["token"]], [code, undefined], JSON.stringify(over));
  }
  const denied = { token: handed, consent: { categoryPreferences: { analytics: false }, revision: 1 } };
  const answer = await ask(BLOG, "adopt", denied);
  assert.deepEqual([answer.status, answer.body["anonymousId"], answer.headers.get("set-cookie")], [200, null, null]);
  assert.equal((await adopt(handed)).body["anonymousId"], shop.id, "none of it used the token");
});

test("an app hands its id over by the proof that it keeps itself", async () => {
  const app = { origin: "capacitor://localhost", "x-spec-host": "shop.example", "x-hilo": "1" };
  const call = (name: string, said: Json, auth: string) =>
    post(collector, `/_h/v1/${name}`, { writeKey: "wk_app", ...said }, { ...app, "x-hilo-auth": auth });
  const { body } = await call("hello", { spareId: anonymousId(), consent: GRANTED }, "new");
  const { body: handed } = await call("handoff", { anonymousId: body["anonymousId"], to: app.origin }, body["token"]);
  const view = await call("adopt", { token: canaries.plant(handed["token"], "an app's"), consent: GRANTED }, "new");
  assert.deepEqual([view.body["anonymousId"], view.headers.get("set-cookie")], [body["anonymousId"], null]);
  assert.ok(view.body["token"].includes(body["anonymousId"]));
});

test("no line of the log and nothing that is stored has a token", async () => {
  const shop = await visitor();
  const handed = await token(shop);
  // Each of these meets another refusal, and the events are those of another system's client, which reports the address as it stands.
  const address = `${BLOG}/?page=2#hilo=${handed}`;
  const seen = (over: Json) => pageView(shop.id, { properties: { url: address, path: address }, context: { page: { url: address, referrer: address } }, ...over });
  await ask(BLOG, "batch", envelope([seen({}), seen({ anonymousId: 7 }), seen({ type: handed })]));
  await refused(handed, { origin: SHOP });
  await adopt(handed, { origin: "https://evil.example" });
  await adopt(handed, { writeKey: handed });
  await post(collector, "/_h/v1/adopt", `{"token":"${handed}"`, { origin: BLOG, "x-hilo": "1" });
  assert.equal((await adopt(handed)).status, 200);
  await refused(handed);
  await rejectLog(collector, (rejects) => rejects.some(({ code }) => code === "handoff_refused"));
  assert.ok(canaries.planted.size > 4);
  assert.deepEqual(canaries.found(collector.state, lines), []);
});
