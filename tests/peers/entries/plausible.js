/** `@plausible-analytics/tracker`, as its guide shows it. Its custom properties are texts. */
import { init, track } from "@plausible-analytics/tracker";

import { home } from "./home.js";

init({ domain: "shop.example", endpoint: `${home}/api/event` });
const text = (value) => (typeof value === "string" ? value : JSON.stringify(value));
window.act = (name, properties) =>
  track(name, { props: Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, text(value)])) });
