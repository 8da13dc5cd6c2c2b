/**
 * The acts that wait in the module → calls of the cart, and named acts for the gate. The cart opens where an act needs its lines.
 */
import * as core from "hilo-shop-wasm";

import type { OpenCart } from "../cart/types.ts";
import { CART_WANTED } from "../codes.ts";
import type { Host } from "../more/host.ts";
import { plain } from "../more/plain.ts";
import type { LineInput } from "../types.ts";

/** Of a line of the cart the module needs these fields. */
const LINE = /^(product_id|options_hash|currency|price|quantity)$/;

/** Performs what waits; the last time when the page `isLeaving`. */
export type Perform = (isLeaving?: boolean) => void;

/** Performs the calls that the module answers. */
export function performer({ say, capture, shop: { tell, use } }: Host): Perform {
  let cart: OpenCart | undefined;
  let isAsked = false;

  /** Performs what waits, act by act: each act sees the cart that the act before it left. */
  function perform(isLeaving = false) {
    for (;;) {
      const calls = core.next_act(plain(cart?.state().lines, (name) => LINE.test(name)), isLeaving);
      if (calls === CART_WANTED) return openCart();
      if (!calls) return;
      for (const line of calls.split("\n").filter(Boolean)) {
        const [name, properties] = line.split("\t") as [string, string?];
        if (properties) {
          capture(name, properties, Date.now());
          continue;
        }
        const { call, args } = JSON.parse(line) as { call: string; args: [line: LineInput, units: number, isCorrection?: unknown] };
        if (args[2] === true) say(`the shop's cart differs from the captured one; corrected: ${args[0].product_id} is ${args[1]} now`);
        tell(call, args);
      }
    }
  }

  function openCart() {
    if (isAsked) return;
    isAsked = true;
    const known = (opened: OpenCart) => () => {
      if (cart) return;
      cart = opened;
      perform();
    };
    void use((opened) => void opened.on(known(opened))).then(() => {
      // The cart's file did not come: a later push tries again.
      if (!cart) isAsked = false;
    });
  }
  return perform;
}
