/**
 * Promise: a page view that a page sends is answered with 200 and stands in the person's timeline.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { envelope, pageView, post, send, timeline } from "./envelopes.ts";
import { anonymousId, startCollector } from "./mf.ts";

const collector = await startCollector();
after(() => collector.dispose());

test("a batch from a page is answered with 200 and stands in the timeline", async () => {
  const id = anonymousId();
  const view = pageView(id);
  const answer = await send(collector, [view]);
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.body, { success: true, accepted: 1, duplicate: 0, rejected: [] });
  assert.equal(answer.headers.get("access-control-allow-origin"), collector.url);
  assert.equal(answer.headers.get("access-control-allow-credentials"), "true");
  const [kept, ...others] = await timeline(collector, id);
  assert.deepEqual(others, []);
  assert.equal(kept!["messageId"], view["messageId"]);
  assert.equal(kept!["context"].page.path, "/");
  assert.deepEqual(kept!["context"].consent.categoryPreferences, { functional: true, analytics: true });
});

test("Segment's paths are served, long and short, with the key in the header and without the mount", async () => {
  const id = anonymousId();
  const headers = { authorization: `Basic ${Buffer.from("wk_shop:").toString("base64")}` };
  const context = envelope([])["context"];
  for (const path of ["/v1/page", "/v1/p", "/_h/v1/p"]) {
    const { type: _, ...message } = pageView(id, { context });
    assert.equal((await post(collector, path, message, headers)).status, 200, path);
  }
  const types = (await timeline(collector, id)).map((event) => event["type"]);
  assert.deepEqual(types, ["page", "page", "page"]);
});

test("the pages of a timeline follow each other without a gap", async () => {
  const id = anonymousId();
  await send(collector, Array.from({ length: 250 }, () => pageView(id)));
  assert.equal(new Set((await timeline(collector, id)).map((event) => event["messageId"])).size, 250);
});
