/**
 * Promise: only pages of the origins that a source lists may send events. No other page can read the answer.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { envelope, pageView, post, timeline } from "./envelopes.ts";
import { anonymousId, startCollector } from "./mf.ts";

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

test("events whose Sec-Fetch-Site contradicts their origin are refused", async () => {
  await check({ "sec-fetch-site": "same-origin" }, 200);
  await check({ origin: "http://localhost:1", "sec-fetch-site": "cross-site" }, 200);
  await check({ origin: "http://localhost:1", "sec-fetch-site": "same-origin" }, 403);
  await check({ origin: undefined, "sec-fetch-site": "cross-site" }, 403);
  await check({ "sec-fetch-site": "none" }, 403);
});

test("a program that is no browser may send events without an origin", () => check({ origin: undefined }, 200));

test("calls for identity and consent need a header that no form can send", async () => {
  for (const path of ["/_h/v1/hello", "/_h/v1/consent", "/_h/v1/optin"]) {
    const answer = await post(collector, path, { writeKey: "wk_shop" });
    assert.equal(answer.status, 403);
    assert.equal(answer.body["error"].code, "missing_header");
  }
});
