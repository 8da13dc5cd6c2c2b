/**
 * Channel opt-ins: may we write to you by e-mail, SMS …? Told to the collector with the text that was shown; kept nowhere here.
 */
import type { Channel, OptInText } from "../types.ts";
import type { Call } from "./call.ts";

/** Tells what the visitor said; what the ledger says now, or null if it could not be told. */
export async function optIn(call: Call, channel: Channel, state: "subscribed" | "unsubscribed", said: Partial<OptInText>, anonymousId: string | null) {
  const body = { channel, state, text: said.text, version: said.version, address: said.address, anonymousId: anonymousId ?? undefined, url: location.href };
  const { status, json } = await call("POST", "/v1/optin", body);
  return status === 200 ? json : null;
}
