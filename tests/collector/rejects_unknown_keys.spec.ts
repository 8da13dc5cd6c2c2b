/**
 * Promise: nothing is kept without a key that opens a source. The answer's code names what is wrong with the key. A server's
 * key opens its source from a server, in a header or in the body, and never from a page or an address.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { envelope, GRANTED, type Json, pageView, post, send, timeline } from "./envelopes.ts";
import { anonymousId, rejectLog, startCollector } from "./mf.ts";
import { shopConfig } from "./shop_config.ts";

const CONFIG = shopConfig({ keys: ['"kJ83hsoD0w2nQpzX61VbTyRmL4uAcEgI"', '{ key = "wk_old", state = "revoked" }'] });

const collector = await startCollector({ config: CONFIG });
after(() => collector.dispose());

async function check(over: object, headers: object, status: number, code?: string) {
  const id = anonymousId();
  const answer = await post(collector, "/_h/v1/batch", { ...envelope([pageView(id)]), ...over }, headers);
  assert.equal(answer.status, status);
  assert.equal(answer.body["error"]?.code, code);
  // Older Segment libraries read the top level, and send again without it.
  assert.deepEqual([answer.body["code"], answer.body["message"]], [code, answer.body["error"]?.message]);
  assert.equal((await timeline(collector, id)).length, status === 200 ? 1 : 0);
}

test("a request without a key is refused", () => check({ writeKey: undefined }, {}, 401, "missing_key"));
test("a key that no source has is refused", () => check({ writeKey: "wk_nobody" }, {}, 401, "unknown_key"));
test("a key of a source is accepted", () => check({}, {}, 200));
test("a site that comes from another collector keeps its key", () => check({ writeKey: "kJ83hsoD0w2nQpzX61VbTyRmL4uAcEgI" }, {}, 200));

test("a revoked key is refused with 410, which makes the tracker purge its storage, and with 401 for clients that would try again", async () => {
  const of = (name: string): Json => ({ writeKey: "wk_old", context: { consent: GRANTED, library: { name, version: "1" } } });
  await check(of("hilo"), {}, 410, "key_revoked");
  await check(of("analytics.js"), {}, 401, "key_revoked");
  await check({ writeKey: "wk_old" }, {}, 401, "key_revoked");
});

test("a server key counts in a header and in the body", async () => {
  const server = { origin: undefined };
  await check({ writeKey: "sk_dev_backend" }, server, 200);
  // The `fetch` of Node sends this field, and no page is involved.
  await check({ writeKey: "sk_dev_backend" }, { ...server, "sec-fetch-mode": "cors" }, 200);
  await check({ writeKey: undefined }, { ...server, authorization: "Bearer sk_dev_backend" }, 200);
  await check({ writeKey: undefined }, { ...server, authorization: `Basic ${btoa("sk_dev_backend:")}` }, 200);
  await check({ writeKey: undefined }, { ...server, "x-write-key": "sk_dev_backend" }, 200);
});

test("a server key that a page sends is refused, wherever it stands", async () => {
  for (const page of [{}, { origin: "https://shop.example" }, { origin: undefined, "sec-fetch-site": "same-origin" }]) {
    await check({ writeKey: "sk_dev_backend" }, page, 403, "key_exposed");
    await check({ writeKey: undefined }, { ...page, authorization: "Bearer sk_dev_backend" }, 403, "key_exposed");
  }
});

test("a server key in an address is refused, and a page's key is not", async () => {
  const beacon = async (key: string) => {
    const headers = { origin: undefined };
    return post(collector, `/_h/beacon/v1/batch?writeKey=${key}`, { ...envelope([pageView(anonymousId())]), writeKey: undefined }, headers);
  };
  const refused = await beacon("sk_dev_backend");
  assert.deepEqual([refused.status, refused.body["code"]], [403, "key_exposed"]);
  assert.equal((await beacon("wk_shop")).body["accepted"], 1);
  assert.deepEqual((await beacon("")).body["code"], "missing_key");
});

test("a key in the body counts where the header is about something else", async () => {
  // A browser repeats the password of a protected test shop with every request of its pages.
  await check({}, { origin: "https://shop.example", authorization: `Basic ${btoa("staging:password")}` }, 200);
  await check({ writeKey: "wk_nobody" }, { authorization: `Basic ${btoa("staging:password")}` }, 401, "unknown_key");
});

test("a refused request stands in the reject log", async () => {
  await send(collector, [], { writeKey: "wk_somebody" });
  await rejectLog(collector, (rejects) => rejects.some((reject) => reject.code === "unknown_key"));
});
