/**
 * Promise: a new signing secret logs nobody out and renames no object. A signature of the secret before it is still valid,
 * an older one is not.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { GRANTED, envelope, pageView, post } from "./envelopes.ts";
import { anonymousId, type Collector, startCollector } from "./mf.ts";

const state = mkdtempSync(join(tmpdir(), "hilo-state-"));
after(() => rmSync(state, { recursive: true, force: true }));

const ONE = { HILO_SIGNING_SECRET_1: "the first signing secret of thirty-two bytes or more" };
const TWO = { ...ONE, HILO_SIGNING_SECRET_2: "the second signing secret of thirty-two bytes or more" };

/** Runs `work` on a collector with these signing secrets. The state is that of the collectors before it. */
async function running(vars: Record<string, string>, work: (collector: Collector) => Promise<void>): Promise<void> {
  const collector = await startCollector({ state, vars });
  try {
    await work(collector);
  } finally {
    await collector.dispose();
  }
}

/** The cookie that a page gets for a fresh id, and the id. */
async function greet(collector: Collector): Promise<{ id: string; cookie: string }> {
  const body = { writeKey: "wk_shop", anonymousId: anonymousId(), consent: GRANTED };
  const answer = await post(collector, "/_h/v1/hello", body, { "x-hilo": "1" });
  return { id: answer.body["anonymousId"], cookie: answer.headers.get("set-cookie")!.split(";")[0]! };
}

/** The id that a page without storage gets for its cookie. */
async function restored(collector: Collector, cookie: string): Promise<string | null> {
  const answer = await post(collector, "/_h/v1/hello", { writeKey: "wk_shop", consent: GRANTED }, { "x-hilo": "1", cookie });
  return answer.body["anonymousId"];
}

test("a cookie outlives one new signing secret and not two, and the profile stays the same", async () => {
  let first = { id: "", cookie: "" };
  let second = first;
  await running({}, async (collector) => {
    first = await greet(collector);
    await post(collector, "/_h/v1/batch", envelope([pageView(first.id)]));
    assert.match(first.cookie, /\.0\.[\w-]{43}$/);
  });
  await running(ONE, async (collector) => {
    assert.equal(await restored(collector, first.cookie), first.id);
    second = await greet(collector);
    assert.match(second.cookie, /\.1\.[\w-]{43}$/);
    // The number of the secret in a cookie chooses the secret, and a wrong number makes nothing valid.
    assert.notEqual(await restored(collector, second.cookie.replace(/\.1\.(?=[\w-]+$)/, ".0.")), second.id);
    const { events } = await collector.admin(`/admin/v1/profiles/a:${first.id}/events`);
    assert.equal(events.length, 1);
  });
  await running(TWO, async (collector) => {
    assert.equal(await restored(collector, second.cookie), second.id);
    assert.notEqual(await restored(collector, first.cookie), first.id);
  });
});
