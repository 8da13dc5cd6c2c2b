/** Who the hub's own touchpoints are about: the visitor, with what was consented to. */
import type { Host } from "./index.ts";

/** Nobody without consent. */
export function personOf({ consent, anonymousId }: Host) {
  const { revision, ...choices } = consent();
  const id = anonymousId();
  if (choices.analytics !== "granted" || !id) return;
  const said = Object.entries(choices).filter(([, choice]) => choice !== "unset");
  const categoryPreferences = Object.fromEntries(said.map(([purpose, choice]) => [purpose, choice === "granted"]));
  return { anonymousId: id, consent: { categoryPreferences, revision } };
}
