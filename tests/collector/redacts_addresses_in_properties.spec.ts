/**
 * Promise: no secret of an address is stored, wherever in the event the address stands.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { GRANTED, pageView, send, timeline } from "./envelopes.ts";
import { anonymousId, startCollector } from "./mf.ts";

const collector = await startCollector();
after(() => collector.dispose());

test("addresses in properties, lists and context are stored without their secrets, and other texts as they are", async () => {
  const id = anonymousId();
  const properties = {
    landing: "https://shop.example/?token=s3cret&utm_source=mail",
    comment: "I like /p/mug?",
    products: [{ product_id: "MUG", url: "https://shop.example/p/mug?email=ana", image_url: "/i.png?token=s3cret" }],
  };
  const context = { referrer: "https://ana:s3cret@ads.example/", consent: GRANTED };
  const { body } = await send(collector, [pageView(id, { type: "track", event: "A", properties, context })]);
  assert.equal(body["accepted"], 1);
  const [kept] = await timeline(collector, id);
  assert.deepEqual(kept!["properties"], {
    landing: "https://shop.example/?token=redacted&utm_source=mail",
    comment: "I like /p/mug?",
    products: [{ product_id: "MUG", url: "https://shop.example/p/mug?email=redacted", image_url: "/i.png?token=redacted" }],
  });
  assert.deepEqual(kept!["context"]["referrer"], { url: "https://ads.example/" });
});
