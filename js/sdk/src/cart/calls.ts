/**
 * The site's calls by name and as plain data. So a call can wait for the cart in memory and, when its page is left first, in
 * storage. `../loader.ts`, `../cart.ts` and `../shop/tag_manager.ts` write such calls.
 */
import { CART_ACT_ADD, CART_ACT_DEC, CART_ACT_SET } from "../codes.ts";
import { CLEAR } from "./limits.ts";
import { fromAttributes, fromSegment } from "./observe.ts";
import type { OpenCart } from "./types.ts";

const ACTS: Record<string, number> = {
  "cart.add": CART_ACT_ADD,
  "cart.set": CART_ACT_SET,
  "cart.dec": CART_ACT_DEC,
  "cart.remove": CART_ACT_SET,
  "cart.clear": CLEAR,
};

/** Performs one call on the cart. */
export function perform(cart: OpenCart, name: string, args: unknown[]) {
  // A call from storage may hold anything. The functions below bear that: what is no line becomes a line that the module refuses.
  const [first, second, third] = args as never[];
  if (name === "attributes") fromAttributes(cart, first!, second!, third!);
  else if (name === "segment") fromSegment(cart, first!, second!);
  else if (name === "cart.ordered") void cart.ordered(first!, second ?? undefined, third);
  else if (name === "cart.viewed") cart.viewed();
  else if (name === "cart.checkout") void cart.checkout();
  else cart.act(ACTS[name]!, first ?? null, name === "cart.remove" ? 0 : second, third);
}
