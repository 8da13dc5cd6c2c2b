/**
 * Promise: a client of Segment, RudderStack or Jitsu works after its host was changed, and nothing else: it finds the
 * settings that it asks for, the paths that it calls, and answers that it understands.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { envelope, GRANTED, type Json, pageView, post, timeline } from "./envelopes.ts";
import { anonymousId, rejectLog, startCollector } from "./mf.ts";
import { shopConfig } from "./shop_config.ts";

const CONFIG = shopConfig({ keys: ['{ key = "wk_old", state = "revoked" }', '{ key = "wk_dev", state = "development" }'] });

const collector = await startCollector({ config: CONFIG });
const released = await startCollector({ config: CONFIG.replace('kind = "browser"', 'kind = "browser"\ndebug = true'), vars: { HILO_DEV: undefined } });
after(() => Promise.all([collector.dispose(), released.dispose()]));

async function get(path: string, headers: Record<string, string> = {}, of = collector) {
  const response = await of.fetch(path, { headers });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: (text === "" ? {} : JSON.parse(text)) as Json };
}

for (const prefix of ["/_h", ""]) {
  test(`the settings of Segment's libraries below "${prefix}" lead back to the place where they were asked for`, async () => {
    const { status, headers, body } = await get(`${prefix}/v1/projects/wk_shop/settings`, { origin: "https://anybody.example" });
    assert.equal(status, 200);
    const { apiKey, apiHost, protocol } = body["integrations"]["Segment.io"];
    assert.deepEqual({ apiKey, apiHost, protocol }, { apiKey: "wk_shop", apiHost: `${new URL(collector.url).host}${prefix}/v1`, protocol: "http" });
    // Kotlin's reader refuses the document unless these are objects.
    for (const name of ["plan", "edgeFunction", "middlewareSettings", "metrics", "consentSettings"]) assert.equal(typeof body[name], "object", name);
    assert.equal(body["metrics"].sampleRate, 0);
    assert.equal(headers.get("access-control-allow-origin"), "*");
    assert.equal(headers.get("access-control-allow-credentials"), null);
    assert.equal(headers.get("cache-control"), "public, max-age=300");
  });
}

test("unchanged settings are not sent twice", async () => {
  const first = await get("/v1/projects/wk_shop/settings");
  const again = await get("/v1/projects/wk_shop/settings", { "if-none-match": first.headers.get("etag")! });
  assert.deepEqual([again.status, again.body, again.headers.get("etag")], [304, {}, first.headers.get("etag")]);
});

test("the settings tell hilo's page whether an address may open the debugger: the source says so, and no source by itself", async () => {
  assert.equal((await get("/v1/projects/wk_shop/settings")).body["debug"], false);
  assert.equal((await get("/v1/projects/wk_shop/settings", {}, released)).body["debug"], true);
});

test("a revoked key has settings, because a library for phones without settings sends to Segment itself", async () => {
  assert.equal((await get("/v1/projects/wk_old/settings")).body["integrations"]["Segment.io"].apiKey, "wk_old");
});

test("an unknown key and the key of a server have no settings", async () => {
  for (const key of ["wk_nobody", "sk_dev_backend", "", "%20", "wk_shop%00"]) {
    const { status, body, headers } = await get(`/v1/projects/${key}/settings`);
    assert.deepEqual([status, body["code"], headers.get("access-control-allow-origin")], [404, "not_found", "*"], key);
  }
  assert.equal((await get("/v1/projects/wk_dev/settings")).status, 200);
  assert.equal((await get("/v1/projects/wk_dev/settings", {}, released)).status, 404);
  const posted = await post(collector, "/v1/projects/wk_shop/settings", {});
  assert.equal(posted.status, 405);
});

test("RudderStack's libraries find their settings by the address or by the header", async () => {
  for (const path of ["/_h/sourceConfig/?p=npm&v=3&writeKey=wk_shop", "/sourceConfig?writeKey=wk_shop"]) {
    const { status, body, headers } = await get(path);
    assert.equal(status, 200, path);
    assert.deepEqual([body["source"].writeKey, body["source"].enabled, body["source"].destinations], ["wk_shop", true, []]);
    assert.equal(headers.get("access-control-allow-origin"), "*");
  }
  assert.equal((await get("/sourceConfig/?p=android", { authorization: `Basic ${btoa("wk_shop:")}` })).status, 200);
  for (const [query, code] of [["", "missing_key"], ["?writeKey=wk_nobody", "unknown_key"], ["?writeKey=sk_dev_backend", "unknown_key"]]) {
    const { status, body } = await get(`/sourceConfig/${query}`);
    assert.deepEqual([status, body["code"]], [401, code], query);
  }
});

const page = { origin: "https://shop.example" };

test("every path of a batch is served, with and without a slash at its end", async () => {
  for (const path of ["/v1/batch", "/v1/batch/", "/v1/b", "/v1/import", "/v1/import/", "/_h/v1/import/"]) {
    const id = anonymousId();
    const answer = await post(collector, path, envelope([pageView(id)]), page);
    assert.deepEqual([answer.status, answer.body["success"], answer.body["accepted"]], [200, true, 1], path);
    assert.equal((await timeline(collector, id)).length, 1, path);
  }
});

test("RudderStack's beacon is served with the key in its address", async () => {
  const id = anonymousId();
  const { batch, sentAt, context } = envelope([pageView(id)]);
  const answer = await post(collector, "/_h/beacon/v1/batch?writeKey=wk_shop", { batch, sentAt, context }, page);
  assert.deepEqual([answer.status, answer.body["accepted"]], [200, 1]);
  const foreign = await post(collector, "/beacon/v1/batch?writeKey=wk_shop", { batch, sentAt, context }, { origin: "https://evil.example" });
  assert.deepEqual([foreign.status, foreign.body["code"]], [403, "origin_refused"]);
  assert.equal((await timeline(collector, id)).length, 1);
});

test("Jitsu's paths take one event, and its answer says ok", async () => {
  const event = (id: string) => ({ type: "page", messageId: `j-${id}`, anonymousId: id, userId: null, context: { consent: GRANTED, library: { name: "@jitsu/js" } } });
  for (const [path, headers] of [
    ["/api/s/page", { ...page, "x-write-key": "wk_shop" }],
    ["/_h/api/s/s2s/page", { origin: undefined, "x-write-key": "sk_dev_backend" }],
  ] as const) {
    const id = anonymousId();
    const answer = await post(collector, path, event(id), headers);
    assert.deepEqual([answer.status, answer.body["ok"], answer.body["success"], answer.body["accepted"]], [200, true, true, 1], path);
    assert.equal((await timeline(collector, id)).length, 1, path);
  }
});

test("a library's measurements of itself are acknowledged and not stored", async () => {
  const answer = await post(collector, "/v1/m", { series: [{ type: "Counter", metric: "analytics_js.invoke", value: 1, tags: {} }] }, page);
  assert.deepEqual([answer.status, answer.body], [200, { success: true }]);
});

test("an item of an old library names its type by action, and the envelope's bookkeeping gives no notice", async () => {
  const id = anonymousId();
  const { type: _, ...untyped } = pageView(id);
  const answer = await post(collector, "/v1/batch", { ...envelope([{ ...untyped, action: "page", surprise: 1 }]), messageId: "b-1", sequence: 4 }, page);
  assert.equal(answer.body["accepted"], 1);
  assert.equal((await timeline(collector, id))[0]!["type"], "page");
  const { rejects } = await rejectLog(collector, (rejects) => rejects.some((reject: Json) => reject["field"] === "surprise"));
  for (const field of ["messageId", "sequence", "action"]) assert.ok(!rejects.some((reject: Json) => reject["field"] === field), field);
});

test("a bad event sent alone is answered with 200 and said, because some clients keep it for ever otherwise", async () => {
  const view = pageView(anonymousId());
  for (const [path, bad] of [
    ["/v1/page", { userId: "u" }],
    ["/v1/page", { ...view, context: {} }],
    ["/v1/track", view],
  ] as const) {
    const answer = await post(collector, path, { ...bad, writeKey: "wk_shop" }, page);
    assert.deepEqual([answer.status, answer.body["success"], answer.body["accepted"], answer.body["rejected"].length], [200, true, 0, 1]);
  }
});
