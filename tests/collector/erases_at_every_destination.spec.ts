/**
 * Promise: an erasure reaches every service that can delete a person, by a key under which the service knows the person.
 *
 * Every service is a stub (`tests/stubs`). Of services without such a call only their requests are judged.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { stubsConfig, stubsSecrets } from "../stubs/configuration.ts";
import { STUBS } from "../stubs/index.ts";
import { startStubs } from "../stubs/server.ts";
import { cookieOf, hello, type Json, post } from "./envelopes.ts";
import { eventually, startCollector } from "./mf.ts";
import { eventOf, namesOf, newPerson, order } from "./stub_people.ts";
import { claimsOf, signToken } from "./tokens.ts";

const stubs = await startStubs({ stubs: STUBS });
const collector = await startCollector({ config: stubsConfig(), stubs: stubs.url, vars: stubsSecrets() });
after(async () => {
  await collector.dispose();
  await stubs.close();
});

const person = newPerson("erased");
const send = (event: Json) => post(collector, "/v1/batch", { writeKey: "sk_dev_backend", batch: [event] }, { origin: undefined });

await hello(collector, person.anonymousId);
await send(eventOf(person, "identify", { traits: { email: person.email, firstName: "Ana", lastName: "García" } }));
await send(order(person, "order-erased"));
await eventually(async () => {
  const { deliveries } = await collector.admin(`/admin/v1/profiles/u:${person.userId}/deliveries`);
  return (deliveries.length > 0 && deliveries.every(({ state }: Json) => state === "delivered")) || undefined;
}, 60_000);
const before = stubs.vendors.map(({ stub }) => stub.deleted && namesOf(person).some((name) => stub.deleted!(name)));

const headers = { authorization: "Bearer wk_shop", "x-hilo": "1", origin: collector.url, cookie: cookieOf(person.anonymousId)!, "x-hilo-user-token": signToken(claimsOf(person.userId)) };
const asked = (await (await collector.fetch("/_h/v1/me", { method: "DELETE", headers })).json()) as Json;
await eventually(async () => {
  const standing = (await (await collector.fetch(`/_h${asked["poll"]}`)).json()) as Json;
  return standing["status"] === "done" || undefined;
}, 120_000);

for (const [at, { stub, violations }] of stubs.vendors.entries()) {
  if (stub.deleted) {
    test(`${stub.kind}: the person was deleted, and not before they asked`, () => {
      assert.equal(before[at], false);
      assert.ok(namesOf(person).some((name) => stub.deleted!(name)));
    });
  }
  test(`${stub.kind}: every request is one that the service takes`, () => assert.deepEqual(violations, []));
}
