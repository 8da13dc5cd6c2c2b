/**
 * The cart's module as functions. The module has one function, which takes text and answers text. `../codes.ts` lists what the
 * first letter of a request asks for, and `hilo-tracker/src/shell/browser/cart_face.rs` the cells that follow.
 */
import { bind, call, imports } from "hilo-cart-wasm";

import * as code from "../codes.ts";
import { row, shownOf, table } from "./flat.ts";
import { answered } from "./page.ts";
import { host } from "./host.ts";
import type { Cells } from "./types.ts";

/** Compiles the module and binds it. */
export const compile = async () => bind(await host.instantiate(await host.source(), imports));

function ask(request: string): string {
  call(request);
  return answered();
}

/** The stored text of a new cart. */
const NEW = code.CART_OPEN + "\t\t0\t0";

/** Opens the stored text, or a new cart for empty text. Returns false for a text that cannot be read; its beginning in whole lines may be readable. */
export const open = (stored: string) => (!stored || stored[0] === code.CART_OPEN) && ask(stored || NEW) !== code.CART_UNREADABLE;

/** Does an act on a line. Returns the code of the refusal; empty for an act that is done. */
export function act(kind: number, units: number, [variant, options, currency, price, name, url, image]: Cells, isQuiet: boolean) {
  const looks = [name && `n${name}`, url && `u${url}`, image && `m${image}`].filter(Boolean);
  return ask(row(code.CART_ACT, kind, units, +isQuiet, price, variant, options, currency, ...looks));
}
export const clear = (isQuiet: boolean) => ask(row(code.CART_CLEAR, +isQuiet));
/** The lines as the visitor sees them. */
export const shown = () => table(ask(code.CART_SHOWN)).map(([quantity = "", ...cells]) => shownOf(quantity, cells));
/** The touchpoints that are final, once each. */
export const touchpoints = () => ask(code.CART_TOUCHPOINTS);
/** The touchpoints of operations that may still change. The page that opens the stored text reports them. */
export const drafts = () => ask(code.CART_DRAFTS);
/** Closes the operations that may still change. */
export const seal = () => ask(code.CART_SEAL);
/** The text to store. */
export const stored = () => ask(code.CART_STORED);
/** The next message for the hub; empty for none, `CART_ORDER` while an order is due. */
export const message = () => ask(code.CART_MESSAGE);
/** The cart's label; empty before the first contact. */
export const label = () => ask(code.CART_LABEL);
/** Epoch and revision to ask the hub with. */
export const position = () => ask(code.CART_POSITION).split("\t");
/** Learns a view. Returns what to do next, as a `CART_NEXT_` code; not a number for a view that cannot be read. */
export const learn = (view: string) => +ask(view);
/** Asks for the hub's whole cart next time. */
export const doubt = () => ask(code.CART_DOUBT);
/** Learns a refusal. Returns what to do next, as for a view. `previous` is what was applied at the end of an epoch, where the hub told it. */
export const refused = (why: number, replica: string, from: number, previous?: Record<string, number>) =>
  +ask(row(code.CART_REFUSED, why, replica, from, +!!previous, ...Object.entries(previous ?? {}).flat()));
/** Begins an order, which takes what the acts until its end do, out of this device's cart until `ordered`. */
export const order = (isOver: 0 | 1) => ask(row(code.CART_ORDER, isOver));
/** The hub has taken the order that was due, or never will. */
export const ordered = () => ask(code.CART_ORDERED);
/** How many operations the hub has not confirmed. */
export const waiting = () => +ask(code.CART_COUNTS).split("\t")[0]!;
/** How many operations were given up. */
export const lost = () => +ask(code.CART_COUNTS).split("\t")[1]!;
/** Forgets the cart. */
export const leave = () => ask(code.CART_LEAVE);
