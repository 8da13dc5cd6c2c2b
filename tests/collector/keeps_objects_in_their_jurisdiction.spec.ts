/**
 * Promise: under a jurisdiction no Durable Object is called outside it, by a request, a queue, an alarm or the scheduled check, and where
 * it cannot be had nothing is stored anywhere else.
 *
 * workerd on a machine of one's own has no jurisdictions. `jurisdictions.js` lends it the method, so what is tested here is every call that
 * the collector makes, and not what Cloudflare makes of it.
 */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";

import { GRANTED, hello, type Json, pageView, post, postAs, send } from "./envelopes.ts";
import { Device, MUG } from "./carts.ts";
import { anonymousId, type Collector, configWith, eventually, startCollector, startSink } from "./mf.ts";
import { claimsOf, signToken } from "./tokens.ts";

const EU = "[storage]\njurisdiction = \"eu\"\n";
const LIVE = `[project]\ncontroller = "Shop"\n[[source]]\nname = "shop"\nkind = "browser"\nkeys = ["wk_shop"]\norigins = ["https://shop.example"]\n`;
const TOKEN = "an admin token of this live site";

/** The files of the profiles that this collector has made. */
const profiles = ({ state }: Collector) => readdirSync(state, { recursive: true, encoding: "utf8" }).filter((path) => /ProfileObject.*[0-9a-f]{64}\.sqlite$/.test(path));

test("a visit, a login, a cart, its deliveries and an erasure call objects of the jurisdiction alone", async () => {
  const sink = await startSink();
  const config = `${configWith(sink.url).replace("abandoned_minutes = 60", "abandoned_seconds = 1")}\n${EU}`;
  const collector = await startCollector({ config, entry: "jurisdictions.js", vars: { HILO_JURISDICTION: "eu" }, triggers: true });
  try {
    const id = anonymousId();
    const token = signToken(claimsOf("u-eu"));
    assert.equal((await hello(collector, id)).status, 200);
    assert.equal((await send(collector, [pageView(id)])).body["accepted"], 1);
    const device = new Device(collector, token);
    await device.add(MUG, 1, { person: { anonymousId: id, consent: GRANTED } });
    // The profile's alarm moves the device into its user, and the cart's alarm reports to the user's profile.
    assert.equal((await postAs(collector, id, "/_h/v1/hello", { anonymousId: id, consent: GRANTED }, { "x-hilo-user-token": token })).status, 200);
    await sink.until((received) => received.some(({ body }) => body.includes("Cart Abandoned")));
    const events = async () => ((await collector.admin("/admin/v1/profiles/u%3Au-eu/events")).events ?? []) as Json[];
    await eventually(async () => ((await events()).some(({ type }) => type === "page") ? true : undefined));
    await collector.fetch("/cdn-cgi/local/scheduled");
    const deployment = await collector.admin("/admin/v1/deployment");
    assert.equal(deployment.jurisdiction, "eu");
    await collector.admin("/admin/v1/profiles/u%3Au-eu/erase", { method: "POST" });
    await eventually(async () => ((await events()).length === 0 ? true : undefined));
    const called = (await (await collector.fetch("/called")).json()) as { inside: Record<string, number>; outside: string[] };
    assert.deepEqual(called.outside, []);
    for (const binding of ["PROFILES", "CARTS", "JOURNAL"]) assert.ok(called.inside[binding]! > 0, JSON.stringify(called));
  } finally {
    await collector.dispose();
    await sink.close();
  }
});

test("a runtime without the jurisdiction is answered with 503, and no object is made elsewhere", async () => {
  const vars = { HILO_JURISDICTION: "eu", HILO_DEV: undefined, HILO_ADMIN_TOKEN: TOKEN };
  const collector = await startCollector({ config: `${LIVE}${EU}`, vars });
  try {
    const id = anonymousId();
    const refused = await post(collector, "/_h/v1/batch", { writeKey: "wk_shop", context: { consent: GRANTED }, batch: [pageView(id)] }, { origin: "https://shop.example" });
    assert.deepEqual([refused.status, refused.body["code"]], [503, "unavailable"]);
    assert.deepEqual(profiles(collector), []);
  } finally {
    await collector.dispose();
  }
});

test("a file and a deployment of different jurisdictions are refused with the remedy, until they agree", async () => {
  const vars = { HILO_JURISDICTION: "eu", HILO_DEV: undefined, HILO_ADMIN_TOKEN: TOKEN };
  const collector = await startCollector({ config: LIVE, vars, entry: "jurisdictions.js" });
  try {
    const view = () =>
      post(collector, "/_h/v1/batch", { writeKey: "wk_shop", context: { consent: GRANTED }, batch: [pageView(anonymousId())] }, { origin: "https://shop.example" });
    const refused = await view();
    assert.deepEqual([refused.status, refused.body["code"]], [503, "jurisdiction_changed"]);
    const health = (await (await collector.fetch("/_h/health", { headers: { authorization: `Bearer ${TOKEN}` } })).json()) as Json;
    const fault = health["faults"].find(({ code }: Json) => code === "jurisdiction_changed");
    assert.deepEqual(fault.details, ['hilo.toml: "", deployment: "eu"']);
    assert.match(fault.remedy, /^\[storage\] jurisdiction of hilo\.toml and HILO_JURISDICTION/);
    await collector.configure(`${LIVE}${EU}`);
    const taken = await eventually(async () => {
      const answer = await view();
      return answer.status === 200 ? answer : undefined;
    });
    assert.equal(taken.body["accepted"], 1);
    assert.equal(profiles(collector).length, 1);
  } finally {
    await collector.dispose();
  }
});
