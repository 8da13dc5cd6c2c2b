/** `@jitsu/js`, as its guide shows it. */
import { jitsuAnalytics } from "@jitsu/js";

import { home } from "./home.js";

const jitsu = jitsuAnalytics({ host: home, writeKey: "k" });
void jitsu.page();
window.act = (name, properties) => void jitsu.track(name, properties);
