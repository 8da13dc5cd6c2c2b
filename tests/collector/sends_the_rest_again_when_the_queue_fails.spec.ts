/**
 * Promise: when a call of the queue fails, only what the queue did not accept is sent again. The receiver gets each event once, and
 * no delivery counts an attempt that was not made. The log's line about it is written in the profile's object, and names the request.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { type Json, pageView, send } from "./envelopes.ts";
import { anonymousId, configWith, eventually, startCollector, startSink } from "./mf.ts";

/** Events of one envelope. A message of the queue has room for five of them, and a call of the queue for three such messages. */
const EVENTS = 30;
const EVENT_BYTES = 12_000;

const sink = await startSink();
const lines: string[] = [];
const collector = await startCollector({ config: configWith(sink.url), entry: "failing_queue.js", onLine: (line) => lines.push(line) });
after(async () => {
  await collector.dispose();
  await sink.close();
});

test("after a call of the queue that failed, each event is forwarded once", async () => {
  const id = anonymousId();
  const views = () => Array.from({ length: EVENTS }, () => pageView(id, { properties: { text: "x ".repeat(EVENT_BYTES / 2) } }));
  const requests: (string | null)[] = [];
  for (let n = 0; n < 2; n++) {
    const { body, headers } = await send(collector, views());
    assert.equal(body["accepted"], EVENTS);
    requests.push(headers.get("x-hilo-request-id"));
  }
  const states = async (): Promise<Json[]> => (await collector.admin(`/admin/v1/profiles/a:${id}/deliveries?limit=200`)).deliveries;
  const waiting = await eventually(async () => {
    const rows = (await states()).filter((row) => row["reason"] === "the queue did not accept it");
    return rows.length > 0 ? rows : undefined;
  });
  assert.ok(waiting.length < 2 * EVENTS, "the first call was accepted");
  const told = lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as Json).find(({ what }) => what === "queue");
  assert.ok(told && requests.includes(told["request"]), JSON.stringify([told, requests]));
  // The alarm comes within twenty seconds.
  await eventually(async () => ((await states()).every((row) => row["state"] === "delivered") ? true : undefined), 60_000);
  const counts = [...sink.counts().values()];
  assert.deepEqual([counts.length, Math.max(...counts)], [2 * EVENTS, 1]);
  assert.ok((await states()).every((row) => row["attempts"] === 0));
});
