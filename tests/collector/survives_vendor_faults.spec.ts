/**
 * Promise: whatever a service does wrong, every event has arrived when it is well again: sent again, or as a dead letter that a replay
 * delivers. An event is repeated only where nobody could know whether it had arrived, and not at all where the service would count it twice.
 *
 * Every kind of destination that has a stub gets an order during each fault of the catalogue (`tests/stubs/faults.ts`), all kinds at once.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { stubsConfig, stubsSecrets } from "../stubs/configuration.ts";
import { FAULTS, type Fault } from "../stubs/faults.ts";
import { STUBS } from "../stubs/index.ts";
import { startStubs } from "../stubs/server.ts";
import type { Vendor } from "../stubs/vendor.ts";
import { type Json, post } from "./envelopes.ts";
import { eventually, startCollector } from "./mf.ts";
import { eventOf, namesOf, newPerson, order } from "./stub_people.ts";

const stubs = await startStubs({ stubs: STUBS });
const collector = await startCollector({ config: stubsConfig(), stubs: stubs.url, vars: stubsSecrets() });
after(async () => {
  await collector.dispose();
  await stubs.close();
});

/** What the collector may take for an attempt without an answer, the brake after it, and the next attempt. */
const SETTLES_MS = 90_000;

const CASES: Record<string, Fault> = {
  "an outage": { fault: "status", status: 503 },
  "too many requests": { fault: "status", status: 429, retryAfter: "1" },
  "too many requests, until a date": { fault: "status", status: 429, retryAfter: new Date(Date.now() + 5_000).toUTCString() },
  "a request that took too long": { fault: "status", status: 408 },
  "a connection that ends before the commit": { fault: "drop_before" },
  "a connection that ends after the commit": { fault: "drop_after" },
  "half an answer": { fault: "truncated_json" },
  "the page of a proxy": { fault: "html_page" },
  "a success without a word": { fault: "empty_200" },
  "a success that has no body": { fault: "no_content" },
  "a redirect to a private host": { fault: "redirect" },
  "an error of 5 MB": { fault: "large_body" },
  "no answer, before the commit": { fault: "timeout_before" },
  "no answer, after the commit": { fault: "timeout_after" },
  "an answer that drips": { fault: "slow_drip" },
};

const person = newPerson("faults");
const send = async (event: Json) => {
  const { body } = await post(collector, "/v1/batch", { writeKey: "sk_dev_backend", batch: [event] }, { origin: undefined });
  assert.equal(body["accepted"] ?? 1, 1);
};

/** The requests of an order that a vendor has taken. */
const countOf = ({ taken }: Vendor, id: string) => taken.filter(({ url, body }) => (url + body).includes(id)).length;

const rows = async () => (await collector.admin(`/admin/v1/profiles/u:${person.userId}/deliveries`)).deliveries as Json[];

/** Waits until nothing of the person is on its way any more. Dead letters are replayed meanwhile. */
async function settles() {
  await eventually(async () => {
    const under = (await rows()).filter(({ state }) => state !== "delivered");
    if (under.length === 0) return true;
    await collector.admin("/admin/v1/dead-letters/replay", { method: "POST", body: JSON.stringify({}) });
    return undefined;
  }, SETTLES_MS);
}

/** What a vendor that knows a repeat has of the person. */
const arrivedOf = ({ stub }: Vendor) => stub.arrived?.().filter(({ who }) => namesOf(person).includes(who)).length ?? 0;

/** The requests of an order without a fault, by kind. */
const usual = new Map<string, number>();

await send(eventOf(person, "identify", { traits: { email: person.email, firstName: "Ana", lastName: "García", phone: "+34600111222" } }));
await settles();
const before = stubs.vendors.map(arrivedOf);
await send(order(person, "order-usual"));
await settles();
for (const vendor of stubs.vendors) usual.set(vendor.stub.kind, countOf(vendor, "order-usual"));
/** What one order adds to each vendor that knows a repeat. */
const added = stubs.vendors.map((vendor, at) => arrivedOf(vendor) - before[at]!);

/** The kinds that an order reaches. A service that only publishes gets none, and one that gets sealed files does not show its number. */
const busy = stubs.vendors.filter(({ stub }, at) => usual.get(stub.kind)! > 0 || added[at]! > 0);

test("an order reaches every kind that expects something", () => {
  for (const vendor of stubs.vendors) assert.ok(busy.includes(vendor) || vendor.stub.expects?.granted.length === 0, vendor.stub.kind);
});

for (const [what, fault] of Object.entries(CASES)) {
  const id = `order-during-${fault.fault}-${Object.keys(CASES).indexOf(what)}`;
  test(`after ${what}, the order has arrived everywhere`, async () => {
    const { isCommitted, isKnown } = FAULTS[fault.fault];
    for (const vendor of busy) stubs.fault(vendor.stub.kind, fault);
    await send(order(person, id));
    await settles();
    const unmet = busy.filter(({ faults }) => faults.splice(0).length > 0).map(({ stub }) => stub.kind);
    assert.deepEqual(unmet, [], "these met no fault");
    for (const vendor of busy) {
      const { kind, assumesSent } = vendor.stub;
      const [count, once] = [countOf(vendor, id), usual.get(kind)!];
      const least = assumesSent && !isKnown && !isCommitted ? 0 : once;
      const most = assumesSent || isKnown || !isCommitted ? once : 2 * once;
      assert.ok(count >= least && count <= most, `${kind}: ${count} requests, of ${least} to ${most}`);
    }
  });
}

/** A log keeps what comes twice; its readers find repeats by the key. */
const KEEPS_REPEATS = ["kafka"];

test("a vendor that knows a repeat has each order once", () => {
  const orders = 1 + Object.keys(CASES).length;
  for (const [at, vendor] of stubs.vendors.entries()) {
    const { kind, arrived, assumesSent } = vendor.stub;
    if (arrived && !assumesSent && !KEEPS_REPEATS.includes(kind)) assert.equal(arrivedOf(vendor), before[at]! + added[at]! * orders, vendor.stub.kind);
  }
});

test("after a door that is shut once, a new token opens it, or the order waits for the deployer", async () => {
  const id = "order-at-a-shut-door";
  const asked = order(person, id);
  for (const vendor of busy) stubs.fault(vendor.stub.kind, { fault: "unauthorized" });
  const isFree = ({ state, reason }: Json) => state === "delivered" || (state === "pending" && `${reason}`.includes("401"));
  await send(asked);
  const own = await eventually(async () => {
    const found = (await rows()).filter(({ messageId }) => messageId === asked["messageId"]);
    return found.length > 0 && found.every(isFree) ? found : undefined;
  }, SETTLES_MS);
  const delivered = own.filter(({ state }) => state === "delivered").map(({ destination }) => destination);
  for (const vendor of busy) assert.equal(countOf(vendor, id), delivered.includes(vendor.stub.kind) ? usual.get(vendor.stub.kind) : 0, vendor.stub.kind);
  // Marketo gives the same token again until its end, so nothing is gained there.
  for (const kind of ["bigquery", "google_ads", "salesforce", "zoho"]) assert.ok(delivered.includes(kind), `${kind} gives a new token`);
});

test("no fault made a request that a service would refuse", () => {
  for (const { stub, violations } of stubs.vendors) assert.deepEqual(violations, [], stub.kind);
});
