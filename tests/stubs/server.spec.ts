/**
 * Promise: the stub server gives each vendor its own requests, judges them, keeps what came, and spoils answers on demand.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { specOf } from "../judge/kinds.ts";
import { VENDORS } from "./index.ts";
import { startStubs } from "./server.ts";
import type { CreateStub } from "./types.ts";

/** A vendor that counts, and whose judge is Segment's. */
const create: CreateStub = () => {
  const ids: string[] = [];
  return {
    kind: "counter",
    spec: "segment",
    hosts: /^api\.segment\.io$/,
    answer({ body }) {
      ids.push(...JSON.parse(body).batch.map((one: { messageId: string }) => one.messageId));
      return { status: 200, headers: { "x-vendor": "yes" }, body: { success: true } };
    },
    state: () => ({ ids }),
  };
};

/** Two vendors that get their tokens at one host. */
const sharing = (kind: string): CreateStub => () => ({
  kind,
  spec: "segment",
  hosts: /^tokens\.example$/,
  isMine: ({ body }) => body.includes(kind),
  answer: () => ({ status: 200, body: { kind } }),
  state: () => ({}),
});

const stubs = await startStubs({ stubs: [create, sharing("first"), sharing("second")] });
after(() => stubs.close());
const vendor = stubs.vendor("counter");

let count = 0;
const newId = () => `id-${++count}`;

function post(id: string, over: object = {}, path = "/api.segment.io/v1/batch") {
  const headers = { "content-type": "application/json", authorization: `Basic ${btoa("a write key:")}`, connection: "close" };
  const batch = [{ type: "track", event: "A", messageId: id, anonymousId: "a-1", ...over }];
  return fetch(stubs.url + path, { method: "POST", headers, body: JSON.stringify({ batch }), redirect: "manual", signal: AbortSignal.timeout(5_000) });
}
const ids = () => (vendor.stub.state() as { ids: string[] }).ids;
const control = (path: string, body: object) =>
  fetch(`${stubs.url}/__stubs/${path}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

test("a request reaches the vendor with its own host, and is kept without its secret", async () => {
  const id = newId();
  const answer = await post(id);
  assert.deepEqual([answer.status, answer.headers.get("x-vendor"), await answer.json()], [200, "yes", { success: true }]);
  assert.ok(ids().includes(id));
  const kept = vendor.received.at(-1)!;
  assert.equal(kept.url, "https://api.segment.io/v1/batch");
  assert.deepEqual([kept.method, kept.isCommitted, kept.status], ["POST", true, 200]);
  assert.doesNotMatch(JSON.stringify(kept.headers), new RegExp(btoa("a write key:")));
});

test("a request that the judge refuses is a violation, and never reaches the stub", async () => {
  const id = newId();
  const answer = await post(id, { evnet: "A" });
  assert.equal(answer.status, 400);
  assert.match(vendor.violations.map(({ finding }) => finding).join(), /evnet/);
  assert.ok(!ids().includes(id));
});

test("a host without a stub is named", async () => {
  assert.equal((await post(newId(), {}, "/unknown.example/v1/batch")).status, 404);
  assert.deepEqual(stubs.state().strays.at(-1), "POST https://unknown.example/v1/batch");
});

test("at a host of several vendors, the one answers whose request it is", async () => {
  for (const kind of ["first", "second"]) {
    const answer = await post(kind, {}, "/tokens.example/v1/batch");
    assert.deepEqual([answer.status, await answer.json()], [200, { kind }]);
    assert.equal(stubs.vendor(kind).received.length, 1);
  }
  assert.equal((await post("nobody's", {}, "/tokens.example/v1/batch")).status, 404);
});

test("a fault spoils as many answers as it was asked for", async () => {
  assert.equal((await control("faults", { vendor: "counter", fault: "status", status: 429, retryAfter: "7", count: 2 })).status, 200);
  for (const _ of [1, 2]) {
    const id = newId();
    const answer = await post(id);
    assert.deepEqual([answer.status, answer.headers.get("retry-after"), ids().includes(id)], [429, "7", false]);
  }
  assert.equal((await post(newId())).status, 200);
});

test("a fault after the commit leaves the request with the vendor, and one before does not", async () => {
  for (const [fault, isKept] of [["drop_after", true], ["drop_before", false], ["timeout_after", true], ["timeout_before", false]] as const) {
    stubs.fault("counter", { fault });
    const id = newId();
    await assert.rejects(post(id));
    assert.equal(ids().includes(id), isKept, fault);
  }
});

test("every other fault looks as it is called", async () => {
  const spoiled = async (fault: Parameters<typeof stubs.fault>[1]) => {
    stubs.fault("counter", fault);
    const answer = await post(newId());
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  };
  const truncated = await spoiled({ fault: "truncated_json" });
  assert.throws(() => JSON.parse(truncated.text));
  assert.match((await spoiled({ fault: "html_page", status: 200 })).text, /^<!doctype html>/);
  const empty = await spoiled({ fault: "empty_200" });
  assert.deepEqual([empty.status, empty.text], [200, ""]);
  assert.equal((await spoiled({ fault: "no_content" })).status, 204);
  assert.match((await spoiled({ fault: "redirect" })).headers.get("location")!, /^http:\/\/169\.254/);
  assert.equal((await spoiled({ fault: "large_body" })).text.length, 5 * 1024 * 1024);
  assert.equal((await spoiled({ fault: "unauthorized" })).status, 401);
  stubs.fault("counter", { fault: "slow_drip" });
  await assert.rejects(post(newId()).then((answer) => answer.text()));
});

test("the vendors' clock can be moved", async () => {
  const before = Date.parse(stubs.state().now);
  await control("clock", { advanceMs: 3_600_000 });
  assert.ok(Date.parse(stubs.state().now) - before >= 3_600_000);
});

test("the page shows in two languages what came, as text", async () => {
  await post(newId(), { event: "<script>alert(1)</script>" });
  for (const [language, word] of [["en", "received"], ["es", "recibidas"]] as const) {
    const answer = await fetch(`${stubs.url}/__stubs/`, { headers: { "accept-language": language } });
    const html = await answer.text();
    assert.match(html, new RegExp(`<html lang="${language}">`));
    assert.match(html, new RegExp(word));
    assert.ok(!html.includes("<script>alert(1)"));
  }
});

test("no page of another site can spoil anything", async () => {
  const form = await fetch(`${stubs.url}/__stubs/faults`, { method: "POST", headers: { "content-type": "text/plain" }, body: "{}" });
  assert.equal(form.status, 404);
});

test("every stub has the judge of its kind, and answers for whole hosts only", () => {
  for (const create of VENDORS) {
    const { kind, spec, hosts } = create();
    assert.equal(spec, specOf(kind));
    assert.match(hosts.source, /^\^.*\$$/, kind);
  }
});
