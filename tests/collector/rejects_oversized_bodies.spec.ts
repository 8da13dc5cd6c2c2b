/**
 * Promise: a body, envelope or event over its limit is refused with a code of its own, with and without a Content-Length.
 * Everything up to the limit is accepted.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";

import { SERVER_KEY } from "./carts.ts";
import { codes, envelope, GRANTED, pageView, post, send } from "./envelopes.ts";
import { anonymousId, startCollector } from "./mf.ts";

const BODY_BYTES_MAX = 512 * 1024;

const collector = await startCollector();
after(() => collector.dispose());

/** An envelope of exactly `bytes` bytes. JSON may end in blanks. */
const padded = (bytes: number) => JSON.stringify(envelope([pageView(anonymousId())])).padEnd(bytes, " ");

test("a body at the limit is accepted", async () => {
  assert.equal((await post(collector, "/_h/v1/batch", padded(BODY_BYTES_MAX))).status, 200);
});

test("a body one byte over the limit is refused", async () => {
  const answer = await post(collector, "/_h/v1/batch", padded(BODY_BYTES_MAX + 1));
  assert.equal(answer.status, 413);
  assert.equal(answer.body["error"].code, "body_too_large");
});

test("a stream over the limit is refused without a Content-Length", async () => {
  // One chunk more than fits. The collector stops reading at the last chunk, so the sender has nothing left to write.
  const chunk = new TextEncoder().encode(" ".repeat(64 * 1024));
  let sent = 0;
  const body = new ReadableStream({
    pull(controller) {
      if (sent++ * chunk.length <= BODY_BYTES_MAX) controller.enqueue(chunk);
      else controller.close();
    },
  });
  const init = { method: "POST", body, duplex: "half", headers: { origin: collector.url } } as RequestInit;
  const response = await collector.fetch("/_h/v1/batch", init);
  assert.equal(response.status, 413);
  assert.equal((await response.json() as any).error.code, "body_too_large");
});

test("an envelope with 2,500 events is accepted, and one with 2,501 is refused", async () => {
  const batch = Array.from({ length: 2_501 }, () => ({}));
  const answer = await send(collector, batch);
  assert.equal(answer.status, 413);
  assert.equal(answer.body["error"].code, "too_many_events");
  assert.equal((await send(collector, batch.slice(1))).body["rejected"].length, 2_500);
});

test("every event of the largest envelope is kept once", async () => {
  const id = anonymousId();
  const batch = Array.from({ length: 2_500 }, () => pageView(id));
  const zipped = async (body: object, headers: Record<string, string | undefined> = {}) =>
    (await post(collector, "/_h/v1/batch", gzipSync(JSON.stringify(body)), { "content-encoding": "gzip", ...headers })).body;
  assert.equal((await zipped(envelope(batch)))["accepted"], 2_500);
  // A backend repeats it at once. The page would have to wait: a person's object counts the events under public keys.
  const again = { context: { consent: GRANTED }, batch };
  assert.equal((await zipped(again, { origin: undefined, authorization: `Bearer ${SERVER_KEY}` }))["duplicate"], 2_500);
  assert.equal((await collector.admin(`/admin/v1/profiles/a:${id}`)).events, 2_500);
});

test("an event over the limit is rejected, and the events beside it are kept", async () => {
  const id = anonymousId();
  const large = pageView(id, { properties: Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`p${n}`, "x".repeat(4_000)])) });
  const answer = await send(collector, [large, pageView(id)]);
  assert.equal(answer.body["accepted"], 1);
  assert.deepEqual(codes(answer), { 0: "event_too_large" });
});
