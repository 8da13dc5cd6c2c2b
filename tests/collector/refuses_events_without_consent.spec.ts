/**
 * Promise: an event without consent for every purpose that it needs is refused, and no part of it is stored.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { codes, pageView, send, timeline } from "./envelopes.ts";
import { anonymousId, messageHash, rejectLog, startCollector } from "./mf.ts";

const collector = await startCollector();
after(() => collector.dispose());

const SECRET = "what-nobody-may-see";

async function check(consent: object | undefined, code: string) {
  const id = anonymousId();
  const view = pageView(id, { name: SECRET, properties: { secret: SECRET } });
  const answer = await send(collector, [view], { context: consent === undefined ? {} : { consent } });
  assert.equal(answer.status, 200);
  assert.deepEqual(codes(answer), { 0: code });
  assert.deepEqual(await timeline(collector, id), []);
  const log = await rejectLog(collector, (rejects) => rejects.some((reject) => reject.messageHash === messageHash(view["messageId"])));
  assert.ok(!JSON.stringify(log).includes(SECRET));
}

test("an event without a consent state is refused", () => check(undefined, "no_consent"));
test("an event whose consent leaves analytics unset is refused", () => check({ categoryPreferences: { functional: true }, revision: 1 }, "consent_denied"));
test("an event whose consent denies analytics is refused", () => check({ categoryPreferences: { analytics: false }, revision: 1 }, "consent_denied"));
