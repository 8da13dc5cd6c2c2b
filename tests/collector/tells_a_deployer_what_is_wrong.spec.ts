/**
 * Promise: a deployer's mistake or an outage never makes the collector refuse its senders for good. The collector goes on
 * with an earlier configuration or answers 503, and it tells the deployer in one sentence what to do.
 *
 * Each collector here is a live site: HILO_DEV is not set.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { type Json, envelope, pageView, post } from "./envelopes.ts";
import { anonymousId, type Collector, type CollectorOptions, DEV_SECRETS, configWith, eventually, startCollector, startSink } from "./mf.ts";

const TOKEN = "an admin token of this live site";
const SITE = "https://shop.example";
/** A key that this version of the collector does not know. */
const FUTURE = "\n[of_the_future]\nkey = 1\n";

/** A small file of a live site. */
function file(key: string, more = ""): string {
  return `[project]\ncontroller = "Shop"\n[[source]]\nname = "shop"\nkind = "browser"\nkeys = ["${key}"]\norigins = ["${SITE}"]\n${more}`;
}

async function live(options: CollectorOptions, work: (collector: Collector) => Promise<void>): Promise<void> {
  const vars = { HILO_DEV: undefined, HILO_ADMIN_TOKEN: TOKEN, ...options.vars };
  const collector = await startCollector({ ...options, vars });
  try {
    await work(collector);
  } finally {
    await collector.dispose();
  }
}

async function get(collector: Collector, path: string, token?: string): Promise<{ status: number; headers: Headers; body: Json }> {
  const response = await collector.fetch(path, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Json };
}

/** Sends one page view with this key, as a page of the live site. */
function send(collector: Collector, writeKey: string) {
  return post(collector, "/_h/v1/batch", envelope([pageView(anonymousId())], { writeKey }), { origin: SITE });
}

/** Starts every isolate of the collector anew, on the same state. */
async function restart(collector: Collector): Promise<void> {
  collector.kill();
  await eventually(async () => ((await collector.fetch("/version").catch(() => undefined))?.ok ? true : undefined));
}

/** Asserts that nothing can be sent, and the sentence that the deployer reads. */
async function refuses(collector: Collector, code: string, sentence: RegExp): Promise<void> {
  const answer = await send(collector, "wk_live");
  assert.deepEqual([answer.status, answer.body["code"]], [503, code]);
  assert.match(answer.body["message"], sentence);
  assert.ok(Number(answer.headers.get("retry-after")) > 0);
  assert.equal((await get(collector, "/_h/readyz")).status, 503);
  const health = await get(collector, "/_h/health");
  assert.deepEqual([health.status, health.body["status"]], [503, "failing"]);
  const fault = health.body["faults"].find((fault: Json) => fault["code"] === code);
  assert.ok(Date.parse(fault.since) <= Date.now() && fault.remedy !== "", JSON.stringify(health.body));
}

/** Asserts that an earlier file is in force, and returns what the operator reads about the newest. */
async function bridges(collector: Collector, key: string, code: string): Promise<Json> {
  assert.equal((await send(collector, key)).body["accepted"], 1);
  assert.equal((await get(collector, "/_h/readyz")).status, 200);
  const health = await get(collector, "/_h/health", TOKEN);
  assert.deepEqual([health.status, health.body["status"]], [200, "degraded"]);
  const [fault] = health.body["faults"];
  assert.deepEqual([fault.code, fault.bridged], [code, true]);
  return fault;
}

test("nobody has uploaded a file: no built-in file takes its place on a live site", () =>
  live({}, async (collector) => {
    await refuses(collector, "config_missing", /^no hilo\.toml is uploaded: cargo xtask config push FILE$/);
    const known = await send(collector, "wk_shop");
    assert.equal(known.status, 503);
  }));

test("KV is down: a cold isolate goes on with the copy of the file that was in force, and without a copy it answers 503", async () => {
  const state = mkdtempSync(join(tmpdir(), "hilo-state-"));
  try {
    await live({ state, config: file("wk_live") }, async (collector) => {
      assert.equal((await send(collector, "wk_live")).body["accepted"], 1);
      assert.deepEqual((await get(collector, "/_h/health", TOKEN)).body, { status: "ok", faults: [] });
    });
    await live({ state, kv: false }, async (collector) => {
      const fault = await bridges(collector, "wk_live", "config_unreadable");
      assert.match(fault["remedy"], /^KV does not give hilo\.toml: see that wrangler\.jsonc binds CONFIG/);
    });
    await live({ kv: false }, (collector) => refuses(collector, "config_unreadable", /^KV does not give hilo\.toml/));
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
});

test("the uploaded file is broken: without an earlier one the collector answers 503, and the operator reads the line", () =>
  live({ config: "[[source]]\nnmae = 1" }, async (collector) => {
    const sentence = /^this version cannot read the uploaded hilo\.toml: mend it and push it again, or cargo xtask config rollback$/;
    await refuses(collector, "config_invalid", sentence);
    const { body } = await get(collector, "/_h/health", TOKEN);
    assert.ok(body["faults"][0].details.some((line: string) => /^2:1: source\.nmae: .*did you mean `name`/.test(line)), JSON.stringify(body));
    assert.ok(!JSON.stringify((await get(collector, "/_h/health")).body).includes("nmae"), "a stranger reads no line of the file");
  }));

test("the code was rolled back: the older version takes the newest file that it can read, until the file is rolled back too", () =>
  live({ config: file("wk_newest", FUTURE) }, async (collector) => {
    await collector.configure(file("wk_newest", FUTURE), "hilo.toml.1");
    await collector.configure(file("wk_before"), "hilo.toml.2");
    await restart(collector);
    const fault = await bridges(collector, "wk_before", "config_invalid");
    assert.ok(fault["details"].some((line: string) => /of_the_future/.test(line)), JSON.stringify(fault));
    assert.match(fault["remedy"], /cargo xtask config rollback$/);
    await collector.configure(file("wk_before"));
    await restart(collector);
    assert.deepEqual((await get(collector, "/_h/health")).body, { status: "ok", faults: [] });
  }));

test("a secret is missing or too short: nothing is acknowledged, and the sentence names the command", async () => {
  const config = file("wk_live");
  const command = /openssl rand -base64 32 \| cargo xtask wrangler secret put HILO_SECRET$/;
  await live({ config, vars: { HILO_SECRET: undefined } }, (collector) => refuses(collector, "secret_missing", command));
  await live({ config, vars: { HILO_SECRET: "thirty-one bytes are not enough" } }, (collector) => refuses(collector, "secret_short", command));
});

test("the secret of a destination is missing: health fails and names the secret to the operator alone", async () => {
  const more = `[[destination]]\nname = "desk"\ntype = "webhook"\npurposes = ["analytics"]\nurl = "https://hooks.example/"\nsecret = { secret = "DESK_SECRET" }\n`;
  await live({ config: file("wk_live", more) }, async (collector) => {
    const [stranger, operator] = [await get(collector, "/_h/health"), await get(collector, "/_h/health", TOKEN)];
    assert.deepEqual([stranger.status, stranger.body["faults"][0].code], [503, "destination_secret_missing"]);
    assert.ok(!/desk/i.test(JSON.stringify(stranger.body)), JSON.stringify(stranger.body));
    assert.deepEqual([operator.body["faults"][0].about, operator.body["faults"][0].details], ["desk", ["DESK_SECRET"]]);
    // The collector still takes events, so a load balancer must leave it in place.
    assert.equal((await get(collector, "/_h/readyz")).status, 200);
  });
});

test("a destination takes nothing: health is not ok, names no destination to strangers, and is ok again once it takes something", async () => {
  const sink = await startSink();
  sink.answer(410);
  // A destination on this machine needs HILO_DEV.
  const vars = { HILO_DEV: "1", HILO_ADMIN_TOKEN: TOKEN, WEBHOOK_SECRET: DEV_SECRETS.WEBHOOK_SECRET };
  try {
    await live({ config: configWith(sink.url), vars }, async (collector) => {
      const health = (code?: string) =>
        eventually(async () => {
          const { status, body } = await get(collector, "/_h/health", TOKEN);
          return body["faults"][0]?.code === code ? { status, body } : undefined;
        }, 40_000);
      const view = () => post(collector, "/_h/v1/batch", envelope([pageView(anonymousId())]));
      assert.equal((await view()).body["accepted"], 1);
      const { status, body } = await health("destination_errors");
      assert.deepEqual([status, body["status"], body["faults"][0].about], [200, "degraded", "webhook"]);
      assert.ok(!JSON.stringify((await get(collector, "/_h/health")).body).includes("webhook"));
      sink.answer(204);
      assert.equal((await view()).body["accepted"], 1);
      assert.equal((await health(undefined)).body["status"], "ok");
    });
  } finally {
    await sink.close();
  }
});

test("the developer's file is pushed to a live site: health fails with the remedy", () =>
  live({ config: file("wk_live").replace("[project]", '[project]\nenvironment = "development"') }, async (collector) => {
    const health = await get(collector, "/_h/health");
    assert.deepEqual([health.status, health.body["faults"][0].code], [503, "config_development"]);
    assert.match(health.body["faults"][0].remedy, /cargo xtask config push your own$/);
    assert.equal((await get(collector, "/_h/readyz")).status, 503);
  }));

test("the admin token is wrong: 401 with the remedy, the same for every wrong token", async () => {
  await live({ config: file("wk_live") }, async (collector) => {
    const answers = new Set<string>();
    for (const token of [undefined, "", "x", TOKEN.slice(0, -1), `${TOKEN}x`, TOKEN.toUpperCase(), "x".repeat(5_000)]) {
      for (const path of ["/_h/admin/v1/config", "/_h/admin/v1/nothing"]) {
        const { status, body } = await get(collector, path, token);
        answers.add(`${status} ${JSON.stringify(body)}`);
      }
    }
    const [answer, ...others] = answers;
    assert.deepEqual(others, []);
    assert.match(answer!, /^401 .*"unauthorized".*Authorization: Bearer.*cargo xtask wrangler secret put HILO_ADMIN_TOKEN/);
    assert.equal((await get(collector, "/_h/admin/v1/config", TOKEN)).status, 200);
  });
  await live({ config: file("wk_live"), vars: { HILO_ADMIN_TOKEN: "short" } }, async (collector) => {
    const { status, body } = await get(collector, "/_h/admin/v1/config", "short");
    assert.equal(status, 401);
    assert.match(body["error"].message, /^the admin door is closed.*fewer than 16 bytes/);
    assert.equal((await get(collector, "/_h/health")).body["faults"][0].code, "admin_door_closed");
  });
});
