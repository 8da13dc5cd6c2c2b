/**
 * Channel opt-ins: may the shop write to the visitor by e-mail, SMS …? Goes to the collector with the text that was shown, and is
 * not stored here.
 */
import type { Channel, OptInEntry, OptInText } from "../../types.ts";
import { call } from "./call.ts";

/** Sends the visitor's answer. Returns the ledger's entry, or null where the answer did not arrive. */
export async function optIn(channel: Channel, state: "subscribed" | "unsubscribed", said: Partial<OptInText>, anonymousId: string | null) {
  const body = { channel, state, text: said.text, version: said.version, address: said.address, anonymousId: anonymousId ?? undefined, url: location.href };
  const { status, json } = await call<OptInEntry>("POST", "/v1/optin", body);
  return status === 200 ? json : null;
}
