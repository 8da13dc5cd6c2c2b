/**
 * Promise: only pages of the origins that a source lists may send events. No other page can read the answer.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { envelope, type Json, pageView, post, timeline } from "./envelopes.ts";
import { anonymousId, rejectLog, startCollector } from "./mf.ts";

const collector = await startCollector();
after(() => collector.dispose());

async function check(headers: object, status: number) {
  const id = anonymousId();
  const answer = await post(collector, "/_h/v1/batch", envelope([pageView(id)]), headers);
  assert.equal(answer.status, status);
  if (status === 200) return;
  assert.equal(answer.body["error"].code, "origin_refused");
  assert.equal((await timeline(collector, id)).length, 0);
}

for (const origin of ["https://evil.example", "http://127.0.0.1.evil.example", "null", "https://localhost.evil.example:8787"]) {
  test(`events from ${origin} are refused`, async () => {
    const answer = await post(collector, "/_h/v1/batch", envelope([pageView(anonymousId())]), { origin });
    assert.equal(answer.status, 403);
    assert.equal(answer.body["error"].code, "origin_refused");
    assert.equal(answer.headers.get("access-control-allow-origin"), null);
    assert.equal(answer.headers.get("vary"), "Origin");
  });

  test(`a preflight from ${origin} is refused`, async () => {
    const response = await collector.fetch("/_h/v1/hello", { method: "OPTIONS", headers: { origin } });
    assert.equal(response.status, 403);
    assert.equal(response.headers.get("access-control-allow-origin"), null);
    await response.text();
  });
}

test("a browser may remember a preflight from a page of the shop for two hours", async () => {
  const response = await collector.fetch("/_h/v1/hello", { method: "OPTIONS", headers: { origin: collector.url } });
  assert.equal(response.status, 204);
  assert.equal(response.headers.get("access-control-allow-origin"), collector.url);
  assert.equal(response.headers.get("access-control-max-age"), "7200");
  assert.match(response.headers.get("access-control-allow-headers") ?? "", /x-hilo/);
});

test("a preflight allows the fields that the clients of Segment, RudderStack and Jitsu send", async () => {
  const response = await collector.fetch("/_h/v1/t", { method: "OPTIONS", headers: { origin: collector.url } });
  const allowed = (response.headers.get("access-control-allow-headers") ?? "").split(", ");
  const rudderstack = ["anonymousid", "sentat", "rsa-recovered", "rsa-retry-attempt", "rsa-since-last-attempt", "rsa-since-first-attempt", "rsa-retry-reason"];
  for (const name of ["authorization", "content-type", "x-retry-count", ...rudderstack, "x-write-key", "x-enable-debug", "x-ip-policy"]) {
    assert.ok(allowed.includes(name), name);
  }
});

test("a page of the shop may read every answer, and when to try again", async () => {
  const body = envelope([pageView(anonymousId())]);
  for (const [path, over, status] of [
    ["/_h/v1/batch", body, 200],
    ["/_h/v1/batch", { ...body, writeKey: "wk_nobody" }, 401],
    ["/_h/v1/batch", { batch: {} }, 422],
    ["/_h/nothing", {}, 404],
    ["/_h/health", {}, 405],
  ] as const) {
    const answer = await post(collector, path, over);
    assert.equal(answer.status, status, path);
    assert.equal(answer.headers.get("access-control-allow-origin"), collector.url, path);
    assert.equal(answer.headers.get("access-control-expose-headers"), "retry-after, x-hilo-request-id", path);
  }
});

test("events of a page whose proxy changes the host are kept, and events without a page's origin are refused", async () => {
  await check({ "sec-fetch-site": "same-origin" }, 200);
  await check({ origin: "http://localhost:5173", "sec-fetch-site": "same-origin" }, 200);
  await check({ origin: "http://localhost:5173", "sec-fetch-site": "cross-site" }, 200);
  await check({ origin: "https://evil.example", "sec-fetch-site": "same-origin" }, 403);
  await check({ origin: undefined, "sec-fetch-site": "cross-site" }, 403);
  await check({ "sec-fetch-site": "none" }, 403);
});

test("the refusal of an origin names it and the setting to change, in the answer and in the reject log", async () => {
  const answer = await post(collector, "/_h/v1/batch", envelope([]), { origin: "https://new.example" });
  assert.match(answer.body["message"], /add "https:\/\/new\.example" to the origins of your \[\[source\]\] called shop in hilo\.toml/);
  const preflight = await collector.fetch("/_h/v1/t", { method: "OPTIONS", headers: { origin: "https://other.example" } });
  assert.match(((await preflight.json()) as Json)["message"], /"https:\/\/other\.example"/);
  for (const origin of ["https://new.example", "https://other.example"]) {
    await rejectLog(collector, (rejects) => rejects.some((reject: Json) => reject["message"].includes(`"${origin}"`)));
  }
});

test("a program that is no browser may send events without an origin", () => check({ origin: undefined }, 200));

test("calls for identity and consent need a header that no form can send", async () => {
  for (const path of ["/_h/v1/hello", "/_h/v1/handoff", "/_h/v1/adopt", "/_h/v1/consent", "/_h/v1/optin"]) {
    const answer = await post(collector, path, { writeKey: "wk_shop" });
    assert.equal(answer.status, 403);
    assert.equal(answer.body["error"].code, "missing_header");
  }
});
