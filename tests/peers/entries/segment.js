/** `@segment/analytics-next`, as its guide for npm shows it. The settings name the recorder as `apiHost`. */
import { AnalyticsBrowser } from "@segment/analytics-next";

import { home } from "./home.js";

const analytics = AnalyticsBrowser.load({ writeKey: "k", cdnURL: home });
analytics.page();
window.act = (name, properties) => void analytics.track(name, properties);
