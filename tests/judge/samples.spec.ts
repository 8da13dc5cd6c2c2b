/**
 * Promise: the judge takes what each vendor takes, and refuses what the vendor refuses.
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { judgeOf, type Json, type Judged } from "./judge.ts";

const specs = new URL("../specs/", import.meta.url);
const read = (path: string) => JSON.parse(readFileSync(new URL(path, specs), "utf8"));

interface Samples {
  valid: Judged[];
  invalid: { why: string; request: Judged }[];
}

const vendors = readdirSync(specs, { withFileTypes: true }).filter((one) => one.isDirectory()).map((one) => one.name);

for (const vendor of vendors) {
  const { valid, invalid }: Samples = read(`${vendor}/samples.json`);
  const vectors = existsSync(new URL(`${vendor}/vectors.json`, specs)) ? read(`${vendor}/vectors.json`).rows : [];
  const secrets = (Array.isArray(vectors) ? vectors : []).map((row: { secret?: string }) => row.secret).filter((secret) => secret !== undefined);
  test(`${vendor}: every valid sample passes`, () => {
    assert.ok(valid.length > 0);
    for (const request of valid) assert.deepEqual(judgeOf(vendor).judge(request, { secrets }), [], request.url);
  });
  for (const { why, request } of invalid) {
    test(`${vendor}: the judge refuses ${why}`, () => {
      assert.notDeepEqual(judgeOf(vendor).judge(request, { secrets }), []);
    });
  }
}

/** Copies of a body, each with one member renamed. */
function* renamed(value: Json, build: (changed: Json) => Json = (changed) => changed): Generator<Json> {
  if (Array.isArray(value)) {
    for (const [at, one] of value.entries()) yield* renamed(one, (changed) => build(value.with(at, changed)));
  } else if (typeof value === "object" && value !== null) {
    for (const [name, one] of Object.entries(value)) {
      const { [name]: _, ...rest } = value;
      yield build({ ...rest, [`${name}_x`]: one });
      yield* renamed(one, (changed) => build({ ...value, [name]: changed }));
    }
  }
}

test("a slip of the pen in a name is noticed nearly everywhere: only free payloads may have any name", () => {
  let [all, unnoticed] = [0, 0];
  for (const vendor of vendors) {
    const judge = judgeOf(vendor);
    for (const request of (read(`${vendor}/samples.json`) as Samples).valid) {
      if (!request.body?.startsWith("{") || request.body.includes("\n")) continue;
      const custom = judge.custom(request).length;
      for (const body of renamed(JSON.parse(request.body))) {
        const changed = { ...request, body: JSON.stringify(body) };
        all += 1;
        if (judge.judge(changed).length === 0 && judge.custom(changed).length === custom) unnoticed += 1;
      }
    }
  }
  assert.ok(all > 250, `${all}`);
  assert.ok(unnoticed / all < 0.1, `${unnoticed} of ${all}`);
});

test("a signature of other bytes or of another secret is refused", () => {
  const [, row] = read("standard-webhooks/vectors.json").rows;
  const headers = { "content-type": "application/json", "webhook-id": row.id, "webhook-timestamp": row.timestamp, "webhook-signature": row.signature };
  const request = { method: "POST", url: "https://hooks.example/in", headers, body: row.body };
  const judge = judgeOf("standard-webhooks");
  assert.deepEqual(judge.judge(request, { secrets: [row.secret] }), []);
  const written = { ...request, body: JSON.stringify(JSON.parse(row.body), null, 1) };
  assert.match(judge.judge(written, { secrets: [row.secret] }).join(), /webhook-signature/);
  const other = `whsec_${Buffer.alloc(32).toString("base64")}`;
  assert.match(judge.judge(request, { secrets: [other] }).join(), /webhook-signature/);
});
