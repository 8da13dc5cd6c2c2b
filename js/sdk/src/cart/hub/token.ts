/**
 * The proof of who is signed in: a token from `identify` or from the site's `tokenProvider`. Stays in memory, and is fetched anew
 * once when the collector says that it is over.
 */
import { host } from "../host.ts";
import { TOKEN_MS } from "../limits.ts";

/** The token; empty without one. */
export let token = "";
let asking: Promise<boolean> | undefined;

export function setToken(given: string) {
  token = given;
}

/** Asks the site for a token, one question at a time. Returns true for a token that differs from the last one. */
export const renew = () => (asking ??= ask().finally(() => (asking = undefined)));

async function ask() {
  const late = new Promise<string>((resolve) => setTimeout(resolve, TOKEN_MS, ""));
  const found = await Promise.race([Promise.resolve().then(() => host.tokenProvider?.()), late]).catch(() => "");
  const isNew = typeof found === "string" && found !== "" && found !== token;
  token = typeof found === "string" ? found : "";
  return isNew;
}
