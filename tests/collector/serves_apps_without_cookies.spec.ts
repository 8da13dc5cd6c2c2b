/**
 * Promise: an app may send, from its own code and from its web view, whose origin the source lists. It never gets a cookie,
 * and no other source may use an app's origin.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { Device, MUG } from "./carts.ts";
import { envelope, GRANTED, pageView, post } from "./envelopes.ts";
import { anonymousId, startCollector } from "./mf.ts";
import { shopConfig } from "./shop_config.ts";

const LISTED = ["capacitor://localhost", "ionic://localhost", "https://localhost", "http://localhost"];
const CONFIG = shopConfig({ tables: `[[source]]
name = "app"
kind = "app"
keys = ["wk_app"]
origins = ${JSON.stringify(LISTED)}` });

// As deployed: on a developer's machine every page of the machine may send.
const collector = await startCollector({ config: CONFIG, vars: { HILO_DEV: undefined } });
// Over http the collector sets cookies on a developer's machine only.
const machine = await startCollector({ config: CONFIG });
after(() => Promise.all([collector.dispose(), machine.dispose()]));

async function check(writeKey: string, origin: string | undefined, status: number, message = /^/) {
  const id = anonymousId();
  const answer = await post(collector, "/v1/batch", { ...envelope([pageView(id)]), writeKey }, { origin });
  assert.equal(answer.status, status, `${writeKey} ${origin}: ${JSON.stringify(answer.body)}`);
  assert.match(answer.body["message"] ?? "", message);
  assert.equal(answer.headers.get("set-cookie"), null);
  return answer;
}

test("an app sends from the origins that its source lists, and may read the answer", async () => {
  for (const origin of LISTED) {
    const answer = await check("wk_app", origin, 200);
    assert.equal(answer.headers.get("access-control-allow-origin"), origin);
    const preflight = await collector.fetch("/v1/hello", { method: "OPTIONS", headers: { origin } });
    assert.deepEqual([preflight.status, preflight.headers.get("access-control-allow-origin")], [204, origin]);
  }
});

test("an app's own code sends without an origin", () => check("wk_app", undefined, 200).then(() => undefined));

test("an origin that the app's source does not list is refused, and the refusal names the setting to change", async () => {
  await check("wk_app", "https://evil.example", 403, /add "https:\/\/evil\.example" to the origins of your \[\[source\]\] called app/);
  await check("wk_app", "tauri://localhost", 403, /add "tauri:\/\/localhost"/);
  await check("wk_app", "https://localhost:8443", 403, /add "https:\/\/localhost:8443"/);
});

test("the origin of an app is refused for a page's source, and the refusal names the kind of source that it needs", async () => {
  for (const origin of LISTED) await check("wk_shop", origin, 403, /kind = "app"/);
  await check("wk_shop", "capacitor://localhost", 403, /every app of its framework, so it proves nothing/);
});

test("a page without an origin of its own is refused for every source, and nobody is told to list it", async () => {
  for (const origin of ["null", "file://"]) {
    for (const key of ["wk_app", "wk_shop"]) {
      const answer = await check(key, origin, 403, /serve it over https/);
      assert.doesNotMatch(answer.body["message"], /add/);
      assert.equal(answer.headers.get("access-control-allow-origin"), null);
    }
  }
});

test("no answer sets a cookie for an app, and the same answer to a page sets one", async () => {
  for (const [key, isSet] of [["wk_shop", true], ["wk_app", false]] as const) {
    const at = new Date().toISOString();
    const changes = [{ purpose: "analytics", state: "granted", at, method: "api" }];
    const adding = new Device(machine, undefined).adding(MUG, 1);
    for (const [path, body] of [
      ["/v1/hello", { writeKey: key, anonymousId: anonymousId(), consent: GRANTED }],
      ["/v1/consent", { writeKey: key, sentAt: at, anonymousId: anonymousId(), consent: { base: 0, changes, notice: { version: "1" } } }],
      ["/v1/cart/ops", adding],
    ] as const) {
      const answer = await post(machine, path, body, { "x-hilo": "1", authorization: `Bearer ${key}` });
      assert.equal(answer.status, 200, `${path} ${JSON.stringify(answer.body)}`);
      assert.equal(answer.headers.has("set-cookie"), isSet, `${path} ${key}`);
    }
  }
});
