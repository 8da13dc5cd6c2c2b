/**
 * What pages store when they are left too early: calls that met no cart (`../../loader.ts`, `../../cart.ts`), and the numbered acts of a
 * tab that does not know whether a leader has done them. Each lot has a key of its own in localStorage.
 */
import { host } from "../host.ts";
import { LOT_MS_MAX } from "../limits.ts";
import type { Act } from "../types.ts";
import { LEFT } from "./keys.ts";
import { quietly } from "./store.ts";

/** A call by name, as `perform` takes it, and when it was made. */
export type NamedCall = [name: string, args: unknown[], at?: number];

const keys = () => Object.keys(localStorage).filter((key) => key.startsWith(LEFT));

/** Stores the acts of the tab `own`, and its orders. An order that is told twice counts once. */
export function leave(own: string, acts: Act[], orders: NamedCall[]) {
  const write = (key: string, left: unknown[]) => left[0] && quietly(() => localStorage.setItem(LEFT + key, host.json(left)!));
  write(own, acts);
  write(`${own}.o`, orders);
}

/**
 * Hands on the stored lots: calls at once and once only, acts each time until this tab leads. A lot that is too old is deleted and
 * counted.
 */
export function takeOver(isLeader: boolean, call: (name: string, args: unknown[]) => void, hear: (acts: Act[], from: string) => void) {
  for (const key of quietly(keys) ?? []) {
    // Anything may stand in storage. Whatever is no lot fails below, quietly.
    const left = quietly(() => JSON.parse(localStorage.getItem(key)!)) as NamedCall[] | Act[];
    const isCalled = typeof left?.[0]?.[0] === "string";
    const isOld = Date.now() - (left?.[0]?.[isCalled ? 2 : 0] as number) > LOT_MS_MAX;
    if (isOld || isCalled || isLeader) localStorage.removeItem(key);
    if (isOld) host.lose(left.length);
    // A call that cannot be done keeps no other call from being done.
    else if (isCalled) for (const one of left as NamedCall[]) quietly(() => call(one[0], one[1]));
    else quietly(() => hear(left as Act[], key.slice(LEFT.length)));
  }
}

/** Logout: deletes the stored lots. */
export const forget = () => quietly(() => keys().forEach((key) => localStorage.removeItem(key)));
