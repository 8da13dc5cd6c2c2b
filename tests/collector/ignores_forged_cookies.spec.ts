/**
 * Promise: a cookie that the collector did not sign identifies nobody, and no profile object is opened for it.
 */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { after, test } from "node:test";

import { GRANTED, decide, post } from "./envelopes.ts";
import { anonymousId, startCollector } from "./mf.ts";
import { proofParts, sign, spoiled } from "./signatures.ts";

const collector = await startCollector();
after(() => collector.dispose());

/** The database files of all profile objects. */
function objects(): string[] {
  return readdirSync(collector.state, { recursive: true, encoding: "utf8" })
    .filter((path) => path.includes("ProfileObject") && path.endsWith(".sqlite"))
    .sort();
}

const copy = (cookie: string) => collector.fetch("/_h/v1/consent", { headers: { cookie } });

test("forged, foreign, outdated and broken cookies are ignored", async () => {
  const id = anonymousId();
  const signed = (await decide(collector, id, 0, { analytics: "granted" })).headers.get("set-cookie")!.split(";")[0]!;
  assert.equal((await copy(signed)).status, 200);
  const before = objects();
  assert.ok(before.length > 0);
  const [name, value] = signed.split("=") as [string, string];
  const { version, proof, issued, key, tag } = proofParts(value);
  const now = Math.floor(Date.now() / 1000);
  assert.equal((await copy(`${name}=${sign([version, id, proof, now].join("."), "cookie")}`)).status, 200, "this spec signs as the collector does");
  const forged = [
    [version, anonymousId(), proof, issued, key, tag].join("."),
    [version, id, "0".repeat(32), issued, key, tag].join("."),
    [version, id, proof, Number(issued) + 1, key, tag].join("."),
    [version, id, proof, issued, 1, tag].join("."),
    [version, id, proof, issued, key, spoiled(tag)].join("."),
    [version, id, proof, issued, key, tag.slice(0, -2)].join("."),
    [version, id, proof, issued, key, ""].join("."),
    [version, id, proof, issued, key].join("."),
    sign([version, id, proof, now].join("."), "cart"),
    sign([version, id, proof, now].join("."), "cookie", "another secret of the same length!!"),
    sign([version, id, proof, now - 33_696_000].join("."), "cookie"),
    sign(["v1", id, now].join("."), "cookie"),
    ["v1", id, issued, key, tag].join("."),
    [version, id].join("."),
    "",
    "v2." + "x".repeat(3_000),
    "%00",
  ];
  for (const cookie of forged) {
    const answer = await copy(`${name}=${cookie}`);
    assert.equal(answer.status, 401, cookie);
  }
  assert.deepEqual(objects(), before);
  for (const cookie of forged) {
    const hello = await post(
      collector, "/_h/v1/hello", { writeKey: "wk_shop", consent: GRANTED }, { "x-hilo": "1", cookie: `${name}=${cookie}` },
    );
    assert.notEqual(hello.body["anonymousId"], id, "it is a new visitor");
  }
});
