/** The visitor as the hub's own touchpoints name them, with what they consented to. */
import type { Host } from "../types.ts";
import type { Person } from "./wire.ts";

/** The field `person` of a message to the hub; no field without consent. */
export function personOf({ consent, anonymousId }: Host): { person?: Person } {
  const { revision, ...choices } = consent();
  const id = anonymousId();
  if (choices.analytics !== "granted" || !id) return {};
  const answered = Object.entries(choices).filter(([, choice]) => choice !== "unset");
  const categoryPreferences = Object.fromEntries(answered.map(([purpose, choice]) => [purpose, choice === "granted"]));
  return { person: { anonymousId: id, consent: { categoryPreferences, revision } } };
}
