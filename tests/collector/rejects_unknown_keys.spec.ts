/**
 * Promise: nothing is kept without a key that opens a source. The answer's code names what is wrong with the key.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { envelope, pageView, post, send, timeline } from "./envelopes.ts";
import { anonymousId, startCollector } from "./mf.ts";

const CONFIG = `
[project]
controller = "Example Shop"

[[source]]
name = "shop"
kind = "browser"
keys = ["wk_shop", { key = "wk_old", state = "revoked" }]
origins = ["https://shop.example"]

[[source]]
name = "backend"
kind = "server"
keys = [{ sha256 = "85e11d562f804d06514402310d04e3af66b105a2c2e3a664c626c18a695defd9" }]
consent_basis = { basis = "contract", purposes = ["analytics"] }
`;

const collector = await startCollector({ config: CONFIG });
after(() => collector.dispose());

async function check(over: object, headers: object, status: number, code?: string) {
  const id = anonymousId();
  const answer = await post(collector, "/_h/v1/batch", { ...envelope([pageView(id)]), ...over }, headers);
  assert.equal(answer.status, status);
  assert.equal(answer.body["error"]?.code, code);
  assert.equal((await timeline(collector, id)).length, status === 200 ? 1 : 0);
}

test("a request without a key is refused", () => check({ writeKey: undefined }, {}, 401, "missing_key"));
test("a key that no source has is refused", () => check({ writeKey: "wk_nobody" }, {}, 401, "unknown_key"));
test("a revoked key is refused with 410, which makes the tracker purge its storage", () => check({ writeKey: "wk_old" }, {}, 410, "key_revoked"));
test("a key of a source is accepted", () => check({}, {}, 200));

test("a server key counts in the header and never in the body", async () => {
  await check({ writeKey: "sk_dev_backend" }, { origin: undefined }, 401, "unknown_key");
  await check({ writeKey: undefined }, { origin: undefined, authorization: "Bearer sk_dev_backend" }, 200);
});

test("a refused request stands in the reject log", async () => {
  await send(collector, [], { writeKey: "wk_somebody" });
  const { rejects } = await collector.admin("/admin/v1/rejects");
  assert.ok(rejects.some((reject: { code: string }) => reject.code === "unknown_key"));
});
