/**
 * Promise: every kind of destination has a stub, and the stubs take what a deployer's own `hilo.toml` sends, whatever its secrets are called.
 */
import assert from "node:assert/strict";
import { test } from "node:test";

import { kinds } from "../judge/kinds.ts";
import { destinationBlocks, secretsFor, secretsOfEnvironment, stubKinds, stubsConfig, stubsSecrets } from "./configuration.ts";

const OWN = `
[[destination]]
name = "shop"
type = "ga4"
api_secret = { secret = "MY_GA4" }
[[destination]]
name = "warehouse"
type="webhook"
secret = { secret = "WEBHOOK_SECRET" }
# previous_secret = { secret = "OLDER" }
[[destination]]
name = "lake"
type = "webhook"
secret = { secret = "LAKE" }
previous_secret = { secret = "LAKE_OLD" }
`;

test("a secret of any name gets the value that the stub of its kind takes, and a known value stays", () => {
  const golden = stubsSecrets();
  assert.deepEqual(secretsFor(OWN, { WEBHOOK_SECRET: "whsec_known" }), { MY_GA4: golden["GA4_API_SECRET"], WEBHOOK_SECRET: "whsec_known", LAKE: golden["HOOK"] });
});

test("without stubs only the environment has values", () => {
  process.env["LAKE"] = "whsec_lake";
  assert.deepEqual(secretsOfEnvironment(OWN), { LAKE: "whsec_lake" });
});

test("every kind of destination has a stub in the list of tests/stubs/index.ts", () => assert.deepEqual(stubKinds().sort(), kinds().sort()));

test("the stubs' own file has one destination of each kind, and a value for each of its secrets", () => {
  const text = stubsConfig();
  assert.deepEqual([...text.matchAll(/^\[\[destination\]\]$/gm)].length, stubKinds().length);
  assert.deepEqual([...destinationBlocks().keys()], stubKinds());
  for (const [, name] of text.matchAll(/^\w.*\{ secret = "(\w+)" \}/gm)) assert.ok(stubsSecrets()[name!], name);
});
