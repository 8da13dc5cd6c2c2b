/** `posthog-js`, its slim entry: the smallest that sends page views and acts. */
import { posthog } from "posthog-js/dist/module.slim";

import { home } from "./home.js";

posthog.init("phc_k", { api_host: home, person_profiles: "identified_only" });
window.act = (name, properties) => void posthog.capture(name, properties);
