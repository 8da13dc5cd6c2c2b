/** `@snowplow/browser-tracker`, as its guide shows it: a self-describing event for each act. */
import { newTracker, trackPageView, trackSelfDescribingEvent } from "@snowplow/browser-tracker";

import { home } from "./home.js";

newTracker("sp", home, { appId: "shop" });
trackPageView();
window.act = (name, properties) =>
  trackSelfDescribingEvent({ event: { schema: "iglu:example.shop/act/jsonschema/1-0-0", data: { name, ...properties } } });
