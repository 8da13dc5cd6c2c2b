/**
 * Promise: the collector looks at itself from time to time, posts what has changed once, and learns whether its queue moves. Each answer
 * has the id under which the log names its request.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { pageView, send } from "./envelopes.ts";
import { anonymousId, configWith, DEV_SECRETS, eventually, startCollector, startSink } from "./mf.ts";

const [sink, alerts] = [await startSink(), await startSink()];
const lines: string[] = [];
const alert = `\n[health]\nalert = { url = "${alerts.url}", secret = { secret = "WEBHOOK_SECRET" } }\n`;
const second = `[[destination]]\nname = "desk"\ntype = "webhook"\npurposes = ["analytics"]\nurl = "${sink.url}"\nsecret = { secret = "DESK_SECRET" }\n`;
const collector = await startCollector({
  config: configWith(sink.url) + second + alert,
  triggers: true,
  onLine: (line) => lines.push(line),
});
after(async () => {
  await collector.dispose();
  await Promise.all([sink.close(), alerts.close()]);
});

/** Runs the scheduled check. */
const check = () => collector.fetch("/cdn-cgi/local/scheduled?cron=*/5+*+*+*+*");

test("a fault is told once, signed, with what to do", async () => {
  for (let run = 0; run < 3; run += 1) assert.equal((await check()).status, 200);
  assert.equal(alerts.received.length, 1, lines.join("\n"));
  const [told] = alerts.received;
  const body = JSON.parse(told!.body);
  assert.deepEqual([body.type, body.status, body.begun.length], ["health.worse", "failing", 1]);
  assert.deepEqual([body.begun[0].code, body.begun[0].about], ["destination_secret_missing", "desk"]);
  assert.match(body.begun[0].remedy, /wrangler secret put/);
  assert.match(String(told!.headers["webhook-signature"]), /^v1,/);
  assert.ok(!told!.body.includes(DEV_SECRETS.WEBHOOK_SECRET));
});

test("a probe of the check arrives through the queue", async () => {
  await check();
  await eventually(async () => {
    const { queue } = await collector.admin("/_h/admin/v1/deployment");
    return queue.probedAt && queue.probedAt === queue.arrivedAt ? true : undefined;
  });
});

test("its end is told too", async () => {
  await collector.configure(configWith(sink.url) + alert);
  collector.kill();
  await eventually(async () => ((await collector.fetch("/version").catch(() => undefined))?.ok ? true : undefined));
  await eventually(async () => (await check().catch(() => undefined), alerts.received.length > 1 ? true : undefined), 60_000);
  const body = JSON.parse(alerts.received[1]!.body);
  assert.deepEqual([body.type, body.status, body.ended[0].about], ["health.better", "ok", "desk"]);
});

test("each answer has its own id, Cloudflare's where it comes along, and the log names the request by it", async () => {
  const id = async (headers: Record<string, string> = {}) => (await collector.fetch("/_h/v1/batch", { method: "POST", headers, body: "{}" })).headers.get("x-hilo-request-id");
  const [first, other] = [await id(), await id()];
  assert.ok(first && other && first !== other);
  assert.equal(await id({ "cf-ray": "8f1c2a3b4d5e6f70-MAD" }), "8f1c2a3b4d5e6f70-MAD");
  const headers = { authorization: `Bearer ${DEV_SECRETS.HILO_ADMIN_TOKEN}`, "cf-ray": "ray-of-the-call" };
  await collector.fetch("/_h/admin/v1/profiles/a%3Asomebody", { headers });
  const line = await eventually(async () => lines.find((one) => one.includes("ray-of-the-call")));
  const { request, what, who, call } = JSON.parse(line);
  assert.deepEqual({ request, what, who, call }, { request: "ray-of-the-call", what: "admin", who: "HILO_ADMIN_TOKEN", call: "GET /admin/v1/profiles/:key" });
});

test("events are taken where a dataset for points is bound", async () => {
  assert.equal((await send(collector, [pageView(anonymousId())])).body["accepted"], 1);
  const { bindings } = await collector.admin("/_h/admin/v1/deployment");
  const missing = bindings.filter(({ isBound }: { isBound: boolean }) => !isBound);
  assert.deepEqual(missing, []);
});
