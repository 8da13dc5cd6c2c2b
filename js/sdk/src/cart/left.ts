/**
 * What pages write down when they are left before anybody did it: calls that met no cart (`../loader.ts`, `../cart.ts`), and the
 * numbered acts of a tab of which nobody knows whether a leader has done them. Each lot has a key of its own in localStorage.
 */
import type { Act } from "./line.ts";
import { quietly } from "./store.ts";

/** Prefix of these keys; the stub has it too. */
export const LEFT = "hilo.w";

const keys = () => Object.keys(localStorage).filter((key) => key.startsWith(LEFT));

/** Writes down the acts of the tab `own`, and its orders: of one that is told twice the second counts nothing. */
export function leave(own: string, acts: Act[], orders: unknown[][]) {
  const write = (key: string, left: unknown[]) => left.length && quietly(() => localStorage.setItem(LEFT + key, JSON.stringify(left)));
  write(own, acts);
  write(`${own}.o`, orders.map((args) => ["cart.ordered", args]));
}

/** Hands on what was written down: calls to whoever comes first, acts again and again until a leader comes. */
export function takeOver(isLeader: boolean, call: (name: string, args: any[]) => void, hear: (acts: Act[], from: string) => void) {
  for (const key of quietly(keys) ?? []) {
    const left = quietly(() => JSON.parse(localStorage.getItem(key)!));
    const isCalled = typeof left?.[0]?.[0] === "string";
    if (isCalled || isLeader) localStorage.removeItem(key);
    // One that cannot be done keeps no other from being done.
    if (isCalled) for (const one of left) quietly(() => call(one[0], one[1]));
    else quietly(() => hear(left, key.slice(LEFT.length)));
  }
}

/** Logout: what was written down is nobody's. */
export const forget = () => quietly(() => keys().forEach((key) => localStorage.removeItem(key)));
