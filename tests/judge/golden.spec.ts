/**
 * Promise: each vendor would take every request of the golden cases, no URL has a secret, and no name is a slip of the pen.
 *
 * Names that a vendor does not describe are custom ones. They stand in the kind's `custom.json`; `HILO_BLESS=1` writes it, and a
 * person reads it.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";

import { judgeOf } from "./judge.ts";
import { casesOf, customFile, customOf, kinds, secretsOf, specOf } from "./kinds.ts";

/** GA4 takes its secret in the query and nowhere else. */
const SECRET_IN_QUERY = "ga4";

test("there are kinds to judge", () => assert.ok(kinds().length > 0));

for (const kind of kinds()) {
  test(`${kind}: its vendor takes every golden request`, () => {
    const [judge, secrets] = [judgeOf(specOf(kind)), secretsOf(kind)];
    for (const { name, requests } of casesOf(kind)) {
      for (const request of requests) assert.deepEqual(judge.judge(request, { secrets }), [], `${kind}/${name}`);
    }
  });

  test(`${kind}: no URL has a secret`, () => {
    for (const { name, requests } of casesOf(kind)) {
      for (const { url } of requests) {
        const isThere = secretsOf(kind).some((secret) => url.includes(secret) || url.includes(encodeURIComponent(secret)));
        assert.ok(!isThere || kind === SECRET_IN_QUERY, `${kind}/${name}: ${url}`);
      }
    }
  });

  test(`${kind}: the vendor describes every name, or it is a custom one`, () => {
    const judge = judgeOf(specOf(kind));
    const requests = casesOf(kind).flatMap((one) => one.requests);
    const names = [...new Set(requests.flatMap((request) => judge.custom(request)))].sort();
    if (process.env["HILO_BLESS"] && names.length > 0) writeFileSync(customFile(kind), `${JSON.stringify(names, null, 2)}\n`);
    assert.deepEqual(names, customOf(kind));
  });
}
