/**
 * The proof of who is signed in: a token from `identify` or from the site's `tokenProvider`. Stays in memory, and is fetched anew
 * once when the collector says that it is over.
 */
import { host } from "../host.ts";
import { TOKEN_MS } from "../limits.ts";
import { head } from "../storage/stored.ts";

/** The token; empty without one. */
export let token = "";
/** The token of the visitor who left, until the collector has learned of it. */
export let left = "";
let asking: Promise<boolean> | undefined;

/** Logs out. */
export function leaveToken() {
  left = token;
  setToken("");
}

export function setToken(given: string) {
  // A choice of consent counts for this visitor too.
  host.vouch((token = given));
  // The site's answer to an open question may be for another visitor.
  asking = undefined;
}

/** Asks the site for a token, one question at a time. Returns true for a token that differs from the last one. */
export const renew = () => (asking ??= ask());

async function ask() {
  const { user } = head;
  const late = new Promise<string>((resolve) => setTimeout(resolve, TOKEN_MS, ""));
  const found = await Promise.race([Promise.resolve().then(() => host.tokenProvider?.()), late]).catch(() => "");
  asking = undefined;
  if (head.user !== user) return false;
  const before = token;
  host.vouch((token = typeof found === "string" ? found : ""));
  return token !== "" && token !== before;
}
