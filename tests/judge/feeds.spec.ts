/**
 * Promise: each vendor would take every request by which a feed reads it, and would give every answer that the golden cases have.
 */
import assert from "node:assert/strict";
import { test } from "node:test";

import { judgeOf } from "./judge.ts";
import { feedsRead, readsOf } from "./kinds.ts";

test("there are feeds to judge", () => assert.ok(feedsRead().length >= 5));

for (const feed of feedsRead()) {
  test(`${feed}: its vendor takes every golden request`, () => {
    for (const { name, request } of readsOf(feed)) assert.deepEqual(judgeOf(feed).judge(request), [], name);
  });

  test(`${feed}: its vendor gives such answers`, () => {
    let judged = 0;
    for (const { name, request, answer } of readsOf(feed)) {
      if ((answer as { odd?: boolean }).odd || (answer.status ?? 200) !== 200) continue;
      assert.deepEqual(judgeOf(feed).judgeAnswer(request, answer.body), [], name);
      judged += 1;
    }
    assert.ok(judged > 0);
  });
}
