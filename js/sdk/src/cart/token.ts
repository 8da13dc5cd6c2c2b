/**
 * The proof of who is signed in: a token from `identify` or from the site's `tokenProvider`. Kept in memory only, fetched anew
 * once when the collector says that it is over.
 */
export interface Token {
  get(): string;
  set(token: string): void;
  /** Asks the site for a token; whether there is one. Only one question at a time. */
  renew(): Promise<boolean>;
}

/** How long the site's own backend may take. */
const TIMEOUT_MS = 10_000;

export function tokenOf(provider: (() => string | Promise<string>) | undefined): Token {
  let token = "";
  let asking: Promise<boolean> | undefined;
  async function ask() {
    const late = new Promise<string>((resolve) => setTimeout(resolve, TIMEOUT_MS, ""));
    const found = await Promise.race([Promise.resolve().then(() => provider?.()), late]).catch(() => "");
    const isNew = typeof found === "string" && found !== "" && found !== token;
    token = typeof found === "string" ? found : "";
    return isNew;
  }
  return {
    get: () => token,
    set: (given) => void (token = given),
    renew: () => (asking ??= ask().finally(() => (asking = undefined))),
  };
}
