/**
 * Promise: people with the admin token see the outcome of every event. Nobody else sees anything.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { pageView, send } from "./envelopes.ts";
import { anonymousId, DEV_SECRETS, startCollector } from "./mf.ts";

const collector = await startCollector();
after(() => collector.dispose());

const PATHS = ["", "live", "rejects", "deliveries", "dead-letters", "config", "profiles/a:x", "profiles/a:x/events"];

test("an admin call without the token or with another token shows nothing", async () => {
  for (const path of PATHS) {
    for (const headers of [{}, { authorization: "Bearer wrong" }, { authorization: "Basic ZGV2LWFkbWluOg==" }] as Record<string, string>[]) {
      const response = await collector.fetch(`/admin/v1/${path}`, { headers });
      assert.equal(response.status, 401, path);
      const { code, message, error } = (await response.json()) as any;
      assert.deepEqual([code, error.code], ["unauthorized", "unauthorized"]);
      assert.equal(message, error.message);
    }
  }
});

test("a deployment without an admin token answers no admin call", async () => {
  const closed = await startCollector({ vars: { HILO_ADMIN_TOKEN: undefined } });
  try {
    const response = await closed.fetch("/admin/v1/config", { headers: { authorization: "Bearer undefined" } });
    assert.equal(response.status, 401);
    assert.match((await response.json() as any).error.message, /wrangler secret put/);
  } finally {
    await closed.dispose();
  }
});

test("the door lists its calls, each with method and purpose, and every call without a name in its path that reads can be made", async () => {
  const { calls } = await collector.admin("/_h/admin/v1/");
  assert.ok(calls.length > 5);
  for (const { method, path, purpose } of calls) {
    assert.ok(purpose.length > 0, path);
    // The archive's calls need a day or a file.
    if (method !== "GET" || path.includes(":") || path.includes("/archive/") || path.endsWith("/live")) continue;
    const headers = { authorization: `Bearer ${DEV_SECRETS.HILO_ADMIN_TOKEN}` };
    assert.equal((await collector.fetch(path, { headers })).status, 200, path);
  }
});

test("the admin call for the configuration leaves its secrets out", async () => {
  const text = JSON.stringify(await collector.admin("/admin/v1/config"));
  assert.ok(text.includes("WEBHOOK_SECRET"), "secrets are named");
  for (const secret of Object.values(DEV_SECRETS)) assert.ok(!text.includes(secret));
});

test("the live stream carries each event with its outcome at once", async () => {
  const stop = new AbortController();
  const headers = { authorization: `Bearer ${DEV_SECRETS.HILO_ADMIN_TOKEN}` };
  const stream = await collector.fetch("/_h/admin/v1/live", { headers, signal: stop.signal });
  assert.equal(stream.headers.get("content-type"), "text/event-stream; charset=utf-8");
  const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = (await reader.read()).value ?? "";
  const id = anonymousId();
  await send(collector, [pageView(id), pageView(id, { context: { page: { url: "https://shop.example/" }, consent: null } }), { type: "page" }]);
  while (text.split("data: ").length < 4) text += (await reader.read()).value ?? "";
  stop.abort();
  const lines = text.split("\n").filter((line) => line.startsWith("data: ")).map((line) => JSON.parse(line.slice(6)));
  assert.deepEqual(lines.map((line) => line.outcome).slice(0, 1), ["accepted"]);
  assert.equal(lines[0].anonymousId, id);
  assert.deepEqual(lines[0].destinations, ["webhook"]);
  assert.ok(lines.some((line) => line.code === "no_consent" || line.code === "missing_id"), JSON.stringify(lines));
});

test("a watcher of the live stream gets the last events from before the connection, with plain values only", async () => {
  const own = await startCollector();
  const stop = new AbortController();
  try {
    const id = anonymousId();
    const track = (event: string) => ({ ...pageView(id), messageId: `${event}-${id}`, type: "track", event, properties: { price: 8.9, currency: "EUR", email: "ana@example.com", "ana@example.com": true } });
    // Nobody watches, so the isolate keeps its events until somebody does.
    for (const event of ["First", "Second", "Third"]) await send(own, [track(event)]);
    const headers = { authorization: `Bearer ${DEV_SECRETS.HILO_ADMIN_TOKEN}` };
    const stream = await own.fetch("/admin/v1/live", { headers, signal: stop.signal });
    const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (text.split("data: ").length < 4) text += (await reader.read()).value ?? "";
    const lines = text.split("\n").filter((line) => line.startsWith("data: ")).map((line) => JSON.parse(line.slice(6)));
    assert.deepEqual(lines.map((line) => line.name), ["First", "Second", "Third"]);
    assert.deepEqual(lines[2].properties, { price: 8.9, currency: "EUR", email: "<text 15>", "<key 15>": "<flag>" });
  } finally {
    stop.abort();
    await own.dispose();
  }
});

test("a watcher of the live stream that comes back gets only what it has not seen", async () => {
  const own = await startCollector();
  const stop = new AbortController();
  try {
    const id = anonymousId();
    for (const event of ["First", "Second", "Third"]) await send(own, [{ ...pageView(id), type: "track", event }]);
    const headers = { authorization: `Bearer ${DEV_SECRETS.HILO_ADMIN_TOKEN}` };
    const watch = async (after: number, lines: number) => {
      const stream = await own.fetch(`/admin/v1/live?after=${after}`, { headers, signal: stop.signal });
      const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      while (text.split("data: ").length <= lines) text += (await reader.read()).value ?? "";
      return text.split("\n").filter((line) => line.startsWith("data: ")).map((line) => JSON.parse(line.slice(6)));
    };
    const all = await watch(0, 3);
    const missed = await watch(all[1].seq, 1);
    assert.deepEqual(missed.map((line) => line.name), ["Third"]);
  } finally {
    stop.abort();
    await own.dispose();
  }
});

test("the live stream has a bounded number of watchers, and one watcher more gets 503", async () => {
  const stop = new AbortController();
  const headers = { authorization: `Bearer ${DEV_SECRETS.HILO_ADMIN_TOKEN}` };
  const watch = () => collector.fetch("/admin/v1/live", { headers, signal: stop.signal });
  const watchers = await Promise.all(Array.from({ length: 40 }, watch));
  const statuses = watchers.map(({ status }) => status);
  stop.abort();
  assert.ok(statuses.filter((status) => status === 200).length <= 32, statuses.join());
  assert.ok(statuses.filter((status) => status === 503).length >= 8, statuses.join());
});

test("a broken configuration leaves the last good one in force, and the health call reports it", async () => {
  const own = await startCollector({ config: "[[source]]\nnmae = 1" });
  try {
    const health = await (await own.fetch("/health")).json() as any;
    assert.deepEqual([health.status, health.faults[0].code, health.faults[0].bridged], ["degraded", "config_invalid", true]);
    assert.equal((await send(own, [pageView(anonymousId())])).body["accepted"], 1);
    const { problems } = await own.admin("/admin/v1/config");
    assert.ok(problems.some((problem: string) => /nmae/.test(problem)), JSON.stringify(problems));
  } finally {
    await own.dispose();
  }
});
