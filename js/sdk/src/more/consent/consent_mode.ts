/**
 * Google Consent Mode v2: the commands that the page puts into its `dataLayer`, as arguments or as an array, and those that hilo puts
 * there itself where the site asks for it.
 */
import * as core from "hilo-more-wasm";

import type { Host } from "../host.ts";
import { names, watchEntries } from "../layers.ts";
import { page, type Source } from "./source.ts";

/** How long Google's tags wait for an update (Consent Mode's `wait_for_update`). */
const WAIT_MS = 500;
const KEYS = "ad_storage ad_user_data ad_personalization analytics_storage functionality_storage personalization_storage security_storage".split(" ");

/** What hilo itself put there: hilo does not listen to itself. */
const own = new WeakSet<object>();

export const consentMode: Source = {
  read(tell, host) {
    const seen = new WeakSet<object>();
    watchEntries(host, (entry) => {
      if (typeof entry !== "object" || !entry || own.has(entry) || seen.has(entry)) return;
      seen.add(entry);
      const [kind, command, states] = Array.prototype.slice.call(entry, 0, 3);
      if (kind === "consent") tell({ command, states });
    });
    return true;
  },
};

/** Tells Google's tags: everything denied at first, and every choice as it is made. */
export function emitConsentMode({ consent, guarded }: Host) {
  function gtag(..._: unknown[]) {
    own.add(arguments);
    for (const name of names()) (page[name] ??= []).push(arguments);
  }
  let told = "";
  const states = (granted: string) => Object.fromEntries(KEYS.map((key) => [key, granted.split(" ").includes(key) ? "granted" : "denied"]));
  const update = () =>
    guarded(() => {
      const chosen = Object.entries(consent.state()).filter(([, choice]) => choice === "granted" || choice === "denied");
      const granted = core.granted_keys(chosen.map(([purpose, choice]) => (choice === "granted" ? purpose : "")).join(" "));
      // Until the visitor has chosen, the default stands. Choices that end take their grants with them.
      if (!(chosen.length || told) || granted === told) return;
      told = granted;
      gtag("consent", "update", states(granted));
    });
  gtag("consent", "default", { ...states("security_storage"), wait_for_update: WAIT_MS });
  gtag("set", "ads_data_redaction", true);
  update();
  consent.on(update);
}
