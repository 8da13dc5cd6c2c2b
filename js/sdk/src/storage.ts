/**
 * What the first module keeps in the page, and its chance: keys and values in the first storage that takes them, else in memory.
 *
 * Never throws: where a browser refuses storage or cryptography, memory and a weaker chance stand in.
 */
import { PERSISTENCE_MEMORY } from "./codes.ts";

/** What the browser gives: the storage of all tabs, and of this tab. */
const stores: Storage[] = [];
for (const name of ["localStorage", "sessionStorage"] as const) {
  try {
    const store = window[name];
    // Looking stores nothing.
    store.getItem("");
    stores.push(store);
  } catch {
    // The browser blocks this one: it throws, or is `null` in some web views.
  }
}

/** Keys and values that no storage takes. */
const memory = new Map<string, string>();
const first = PERSISTENCE_MEMORY - stores.length;
let place = first;

/** Where the last key was written, a `PERSISTENCE_` code. Before that, where it would be. */
export const persistence = () => place;

/** Calls `act`, which a browser may refuse. Returns nothing then. */
function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

/** Writes a key. Returns the `PERSISTENCE_` code of its place. */
export function save(key: string, value: string): number {
  place = first;
  memory.set(key, value);
  for (const store of stores) {
    // Behind the place of the new value no older one must come back, above all no older choice.
    if (memory.has(key) && attempt(() => (store.setItem(key, value), 1))) memory.delete(key);
    else attempt(() => store.removeItem(key));
    if (memory.has(key)) place++;
  }
  return place;
}

export function remove(key: string) {
  memory.delete(key);
  for (const store of stores) attempt(() => store.removeItem(key));
}

/** The value of a key; empty for none. */
export function stored(key: string): string {
  let value = memory.get(key);
  for (const store of stores) value ??= attempt(() => store.getItem(key)) ?? undefined;
  return value ?? "";
}

/** The keys that begin with `prefix`, a line each. */
export const keys = (prefix: string) =>
  [...memory.keys(), ...stores.flatMap((store) => attempt(() => Object.keys(store)) ?? [])].filter((key) => key.startsWith(prefix)).join("\n");

/** Random bits that are fetched together: one call of the browser costs as much as many ids. */
const pool = new Uint32Array(128);
let left = 0;

/** 32 random bits. A page without https has no cryptography in some browsers; an id must be unlikely to repeat there too. */
export function random(): number {
  if (!left) {
    left = pool.length;
    if (!attempt(() => crypto.getRandomValues(pool))) pool.forEach((_, i) => (pool[i] = Math.random() * 2 ** 32));
  }
  return pool[--left]!;
}
