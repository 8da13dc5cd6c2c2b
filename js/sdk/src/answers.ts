/**
 * The visitor's answers about consent where there was no tracker, as the stub stores them: `,grant,analytics;,deny,advertising;`.
 * Whichever page has a tracker first takes them. The tracker's first choice deletes them.
 */
const KEY = "hilo.a";
/** Characters that are kept, the newest. The stub keeps as many. */
const LENGTH_MAX = 999;

/** The stored answers as the stub records calls, the oldest first. */
export function answers(): [name: string, purposes: string[], at: number][] {
  try {
    const text: string = localStorage[KEY] ?? "";
    return [...text.matchAll(/,(grant|deny|withdraw),([^;]*);/g)].map(([, name, purposes]) => [`consent.${name}`, purposes!.split(","), 0]);
  } catch {
    return [];
  }
}

/** Stores an answer for the next page that has a tracker. */
export function keepAnswer(name: "grant" | "deny" | "withdraw", purposes: unknown[]) {
  try {
    localStorage[KEY] = `${localStorage[KEY] ?? ""},${[name, purposes]};`.slice(-LENGTH_MAX);
  } catch {
    // The storage is blocked, so the answer ends with this page.
  }
}
