/**
 * The cart's module as functions. It has one itself, which takes text and answers text: a request's first letter says what is
 * wanted. `hilo-tracker/src/shell/browser/cart_face.rs` lists them.
 */
import { bind, call, imports } from "hilo-cart-wasm";

import { row } from "./flat.ts";
import type { Cells } from "./line.ts";
import { answered } from "./page.ts";

/** Compiles the module and binds it. */
export async function instantiate(source: BufferSource | Promise<Response>) {
  const found = await source;
  const bytes = found instanceof Response ? await found.arrayBuffer() : found;
  const { instance } = await WebAssembly.instantiate(bytes, imports);
  bind(instance.exports);
}

/** What cannot be read is answered by this. */
const UNREADABLE = "!";

function ask(request: string): string {
  call(request);
  return answered();
}

/** A cart that nobody has heard of. */
const NEW = "k\t\t0\t0";

/** Opens what was kept, or a new cart for empty text. Whether it could be read; a beginning in whole lines can. */
export const open = (kept: string) => (!kept || kept[0] === "k") && ask(kept || NEW) !== UNREADABLE;

/** Does it: `kind` 0 adds, 1 sets, 2 takes away. The code of the refusal; empty if it was done. */
export function act(kind: number, units: number, [variant, options, currency, price, name, url, image]: Cells, isQuiet: boolean) {
  const looks = [name && `n${name}`, url && `u${url}`, image && `m${image}`].filter(Boolean);
  return ask(row("a", kind, units, +isQuiet, price, variant, options, currency, ...looks));
}
export const clear = (isQuiet: boolean) => ask(row("c", +isQuiet));
/** The lines as the person sees them. */
export const shown = () => ask("s");
/** The touchpoints that are final, once each. */
export const touches = () => ask("t");
/** The touchpoints of what may still change. Whoever opens what is kept now reports them. */
export const drafts = () => ask("w");
/** Ends the changing of what was done. */
export const seal = () => ask("e");
export const kept = () => ask("p");
/** The next message for the hub; empty for none. */
export const message = () => ask("m");
/** The cart's public name; empty before the first contact. */
export const label = () => ask("l");
/** Epoch and revision to ask the hub with. */
export const asks = () => ask("h").split("\t");
/** Learns a view. What to do next: 0 go on, 1 ask, 2 wait; not a number if it could not be read. */
export const learn = (view: string) => +ask(view);
/** The hub's whole cart is needed, whatever is known. */
export const doubt = () => ask("x");
/** Learns a refusal: what to do next. `previous` is what was applied at an epoch's end, where the hub told. */
export const refused = (why: number, replica: string, from: number, previous?: Record<string, number>) =>
  +ask(row("r", why, replica, from, +!!previous, ...Object.entries(previous ?? {}).flat()));
/** How many operations the hub has not confirmed. */
export const waiting = () => +ask("u").split("\t")[0]!;
/** How many operations were given up. */
export const lost = () => +ask("u").split("\t")[1]!;
export const leave = () => ask("v");
