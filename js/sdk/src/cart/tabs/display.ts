/**
 * The cart as this tab shows it: the leader's lines, with the acts that the leader has not done yet laid over them; the status; and
 * the site's callbacks.
 */
import type { CartState, CartStatus } from "../../types.ts";
import { lineOf, totalsOf, unpricedOf } from "../flat.ts";
import { overlay } from "../line.ts";
import { isPersistent, quietly, read } from "../storage/store.ts";
import type { Act, Shown } from "../types.ts";

const listeners = new Set<(state: CartState) => void>();
let last = "";
/** Whether this tab has seen the cart: the site gets no empty cart that only was not opened yet. */
let isKnown = false;

/** The leader's lines. */
export let base: Shown[] = [];
/** The leader's status. */
export let status: CartStatus;
/** This tab's acts that the leader has not done yet. */
export let undone: Act[] = [];

/** Begins with an empty cart, which is right where storage holds none. */
export function begin() {
  status = { online: navigator.onLine, pending: 0, checkoutOpen: false, persistent: isPersistent(), lost: 0 };
  isKnown = !read();
}

/** Shows the leader's cart. */
export function show(lines: Shown[], said: CartStatus) {
  base = lines;
  status = said;
  known();
}

/** Notes whether a checkout is open, where an answer tells it. */
export function note(isCheckoutOpen: boolean | undefined) {
  status.checkoutOpen = isCheckoutOpen ?? status.checkoutOpen;
}

/** Shows what there is, which may be nothing. */
export function known() {
  isKnown = true;
  emit();
}

/** Lays these acts over the leader's lines from now on. */
export function lay(acts: Act[]) {
  undone = acts;
}

/** What the site gets. */
export function state(): CartState {
  const lines = undone.reduce(overlay, base);
  return { lines: lines.map(lineOf), totals: totalsOf(lines), unpriced: unpricedOf(lines), status: { ...status, pending: status.pending + undone.length } };
}

/** Calls back where the cart looks different. */
export function emit() {
  if (!isKnown) return;
  const now = state();
  const text = JSON.stringify(now);
  if (text === last) return;
  last = text;
  for (const listener of listeners) quietly(() => listener(now));
}

/** Calls back now, if this tab has seen the cart, and on every change. */
export function on(callback: (state: CartState) => void): () => void {
  listeners.add(callback);
  if (isKnown) quietly(() => callback(state()));
  return () => void listeners.delete(callback);
}
