/**
 * Promise: a new page sends its events at once with an id of its own making, as a simple request. The answer tells whose they are, and
 * the same page that comes again, even after workerd was killed, is the same person.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, test } from "node:test";

import { type Json, cookieOf, decide, envelope, hello, pageView, post, timeline } from "./envelopes.ts";
import { anonymousId, eventually, startCollector } from "./mf.ts";

const collector = await startCollector();
after(() => collector.dispose());

const greet = (hello: Json, batch: Json[], headers: Json = {}) => post(collector, "/_h/v1/batch", { ...envelope(batch), hello }, headers);
const newcomer = () => ({ spareId: anonymousId(), spareProof: randomUUID() });
const names = async (id: string) => (await timeline(collector, id)).map((event) => event["messageId"]);

test("a new page's events are stored under its id, and the answer brings cookie and settings", async () => {
  const hello = newcomer();
  const view = pageView(hello.spareId);
  const { status, headers, body } = await greet(hello, [view]);
  assert.deepEqual([status, body["accepted"], body["anonymousId"], body["denied"]], [200, 1, hello.spareId, []]);
  assert.match(headers.get("set-cookie")!, RegExp(`^hilo=v2\\.${hello.spareId}\\.[0-9a-f]{32}\\..*HttpOnly; SameSite=Lax`));
  assert.equal(typeof body["settings"].askAgainMonths, "number");
  assert.deepEqual(await names(hello.spareId), [view["messageId"]]);
});

test("the id that the cookie proves comes first, and a denial recorded for it judges the events", async () => {
  const own = anonymousId();
  await hello(collector, own);
  const said = newcomer();
  const view = pageView(said.spareId);
  const first = await greet(said, [view], { cookie: cookieOf(own) });
  assert.deepEqual([first.body["anonymousId"], first.body["accepted"]], [own, 1]);
  assert.deepEqual([await names(own), await names(said.spareId)], [[view["messageId"]], []]);
  await decide(collector, own, 0, { analytics: "denied", functional: "granted" });
  const second = await greet(said, [pageView(said.spareId)], { cookie: cookieOf(own) });
  assert.deepEqual([second.body["rejected"][0].code, second.body["denied"], second.body["revision"]], ["consent_denied", ["analytics"], 1]);
});

test("a page of another site gets a token by a simple request, and a page of no listed origin gets nothing", async () => {
  const said = newcomer();
  const foreign = { origin: "http://localhost:8787", "sec-fetch-site": "cross-site" };
  const { headers, body } = await greet(said, [pageView(said.spareId)], foreign);
  assert.match(body["token"], RegExp(`^v2\\.${said.spareId}\\.`));
  assert.deepEqual([headers.get("set-cookie"), headers.get("access-control-allow-origin"), headers.get("access-control-allow-credentials")], [null, foreign.origin, "true"]);
  const other = newcomer();
  const refused = await greet(other, [pageView(other.spareId)], { origin: "https://evil.example", "sec-fetch-site": "cross-site" });
  assert.deepEqual([refused.status, refused.headers.get("access-control-allow-origin"), refused.headers.get("set-cookie")], [403, null, null]);
  assert.deepEqual(await names(other.spareId), []);
});

test("after a lost answer and a killed workerd the same page is the same person, and its event a duplicate", async () => {
  const said = newcomer();
  const view = pageView(said.spareId);
  const cookieIn = (headers: Headers) => /^hilo=v2\.[^.]+\.([^.]+)/.exec(headers.get("set-cookie") ?? "")?.[1];
  const first = await greet(said, [view]);
  collector.kill();
  const again = await eventually(async () => {
    const answer = await greet(said, [view]).catch(() => undefined);
    return answer?.status === 200 ? answer : undefined;
  });
  assert.deepEqual([again.body["anonymousId"], again.body["accepted"], again.body["duplicate"]], [said.spareId, 0, 1]);
  assert.ok(cookieIn(first.headers));
  assert.equal(cookieIn(again.headers), cookieIn(first.headers));
});

test("a batch of a server's source, and one without a hello, gets neither id nor settings", async () => {
  const said = newcomer();
  const plain = await post(collector, "/_h/v1/batch", envelope([pageView(said.spareId)]));
  const server = await post(collector, "/_h/v1/batch", { ...envelope([pageView(said.spareId)]), hello: said, writeKey: undefined }, { authorization: "Bearer sk_dev_backend", origin: undefined });
  for (const { headers, body } of [plain, server]) {
    assert.deepEqual([body["accepted"], body["anonymousId"], body["settings"], headers.get("set-cookie")], [1, undefined, undefined, null]);
  }
});
