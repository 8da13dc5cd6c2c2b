/**
 * Promise: an archived event is one sealed line in the bound bucket, and no byte of the storage or the bucket shows what is personal in it.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { Canaries } from "./canaries.ts";
import { pageView, send } from "./envelopes.ts";
import { anonymousId, configWith, eventually, startCollector, startSink } from "./mf.ts";

const sink = await startSink();
const state = mkdtempSync(join(tmpdir(), "hilo-archives-"));
const archive = '[[destination]]\nname = "files"\ntype = "archive"\npurposes = ["analytics"]\nto = "r2"\n';
const collector = await startCollector({ state, config: `${configWith(sink.url)}\n${archive}` });
after(async () => {
  await collector.dispose();
  await sink.close();
  rmSync(state, { recursive: true, force: true });
});

/** The lines of all files of the bucket that are stored so far. */
function lines(): { v: number; id: string; subject: string; sealed: string }[] {
  // The storage's own journals come and go.
  const isKept = (name: string) => !/-(journal|wal|shm)$/.test(name);
  const files = readdirSync(state, { recursive: true, withFileTypes: true }).filter((one) => one.isFile() && isKept(one.name));
  const texts = files.map((file) => readFileSync(join(file.parentPath, file.name), "latin1"));
  return texts.flatMap((text) => text.match(/^\{"v":1,"id":"[^\n]*\}$/gm) ?? []).map((line) => JSON.parse(line));
}

test("an event is a sealed line of the bucket, and its properties stand nowhere in clear", async () => {
  const canaries = new Canaries();
  const id = anonymousId();
  const event = { ...pageView(id), properties: { note: canaries.text("properties") } };
  assert.equal((await send(collector, [event])).body["accepted"], 1);
  const [line] = await eventually(async () => (lines().length > 0 ? lines() : undefined));
  assert.match(line!.subject, /^[0-9a-f]{64}$/);
  assert.ok(line!.sealed.length > 100);
  assert.deepEqual(canaries.found(state), []);
  const delivered = await eventually(async () => {
    const { deliveries } = await collector.admin(`/admin/v1/profiles/a:${id}/deliveries`);
    return deliveries.find((one: any) => one.destination === "files" && one.state === "delivered");
  });
  assert.equal(delivered.attempts, 0);
});
