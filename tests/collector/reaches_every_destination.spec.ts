/**
 * Promise: one session reaches every kind of destination, in order and once, and nothing reaches a service that its person refused.
 *
 * Every service is a stub (`tests/stubs`), and its judge sees each request. A stub with a table of what it expects is compared with it;
 * of the others, requests are counted.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { purposesOf, stubsConfig, stubsSecrets } from "../stubs/configuration.ts";
import { STUBS } from "../stubs/index.ts";
import { startStubs } from "../stubs/server.ts";
import type { Vendor } from "../stubs/vendor.ts";
import { hello, type Json, post, postAs } from "./envelopes.ts";
import { eventually, startCollector } from "./mf.ts";
import { isSettled, newPerson, type Person, sessionOf, takenOf } from "./stub_people.ts";

const stubs = await startStubs({ stubs: STUBS });
const collector = await startCollector({ config: stubsConfig(), stubs: stubs.url, vars: stubsSecrets() });
after(async () => {
  await collector.dispose();
  await stubs.close();
});

/** How long an event may take to all services. */
const ARRIVES_MS = 30_000;

const people = {
  granted: newPerson("granted"),
  analytics: newPerson("analytics", ["analytics"]),
  nothing: newPerson("nothing", []),
};
type Name = keyof typeof people;

const sendAs = async (event: Json) => (await post(collector, "/v1/batch", { writeKey: "sk_dev_backend", batch: [event] }, { origin: undefined })).body;

async function subscribe({ anonymousId, email }: Person) {
  await hello(collector, anonymousId);
  const body = { anonymousId, channel: "email", state: "subscribed", address: email, text: "Write to me.", version: "2026-11" };
  assert.equal((await postAs(collector, anonymousId, "/_h/v1/optin", body)).status, 200);
}

const expected = ({ stub }: Vendor, name: Name): readonly string[] | undefined => stub.expects && (stub.expects[name] ?? []);

/** Events that were still on their way when their time had passed. */
const late: string[] = [];

/** Sends a session event by event: the next one when nothing of the one before is on its way. */
async function play(name: Name) {
  const person = people[name];
  for (const event of sessionOf(person)) {
    if (event) await sendAs(event);
    else await subscribe(person);
    // When something is late, nobody waits any more.
    if (late.length === 0) await eventually(() => isSettled(person, collector.admin), ARRIVES_MS).catch(() => late.push(`${event?.["event"] ?? event?.["type"]} of ${name}`));
  }
}

await Promise.all((Object.keys(people) as Name[]).map(play));

const { vendors, strays } = stubs.state();
const taken = (kind: string, name: Name) => takenOf(vendors.find((one) => one.kind === kind)!, people[name]);

console.log(
  vendors
    .flatMap(({ kind }) => (Object.keys(people) as Name[]).map((name) => `${kind.padEnd(14)}${name.padEnd(11)}${taken(kind, name).join(", ") || "–"}`))
    .join("\n"),
);

for (const vendor of stubs.vendors) {
  const { kind } = vendor.stub;
  for (const name of Object.keys(people) as Name[]) {
    test(`${kind}: what arrives of somebody who granted ${name === "granted" ? "everything" : name}`, () => {
      const [found, table] = [taken(kind, name), expected(vendor, name)];
      if (table) return assert.deepEqual(found, table);
      const isForAll = !purposesOf(kind).includes("advertising");
      const isAllowed = name === "granted" || (name === "analytics" && isForAll);
      if (isAllowed) assert.ok(found.length > 0);
      else assert.deepEqual(found, []);
    });
  }
  test(`${kind}: every request is one that the service takes`, () => assert.deepEqual(vendor.violations, []));
}

test("no event is late", () => assert.deepEqual(late, []));

test("no request goes anywhere else", () => assert.deepEqual(strays, []));
