/** `@rudderstack/analytics-js`, its bundled entry: the other one loads plugins from RudderStack's own servers. */
import { RudderAnalytics } from "@rudderstack/analytics-js/bundled";

import { home } from "./home.js";

const analytics = new RudderAnalytics();
analytics.load("k", home, { configUrl: home });
analytics.page();
window.act = (name, properties) => analytics.track(name, properties);
