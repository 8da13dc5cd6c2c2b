/** walkerOS: collector, browser source, and a destination that sends each event by `sendWeb`. */
import { startFlow } from "@walkeros/collector";
import { sendWeb } from "@walkeros/web-core";
import { sourceBrowser } from "@walkeros/web-source-browser";

import { home } from "./home.js";

const api = { type: "api", config: {}, push: (event) => void sendWeb(`${home}/collect`, JSON.stringify(event), { transport: "fetch" }) };
const flow = startFlow({
  consent: { functional: true },
  run: true,
  sources: { browser: { code: sourceBrowser, config: { settings: { pageview: true } } } },
  destinations: { api: { code: api } },
});
// An event's name is an entity and an action.
window.act = (name, properties) => void flow.then(({ elb }) => elb(name.toLowerCase(), properties));
