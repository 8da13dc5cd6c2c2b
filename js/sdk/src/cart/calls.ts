/**
 * What a site calls, by name and as plain data: so it can wait for the cart, in memory and, when its page is left before the cart
 * was there, in storage. `../loader.ts` and `../cart.ts` write such calls down.
 */
import type { OpenCart } from "./index.ts";
import { fromAttributes, fromDataLayer, fromSegment } from "./observe.ts";

type Json = any;

/** The acts, as the cart's module numbers them. */
const ACTS: Record<string, number> = { "cart.add": 0, "cart.set": 1, "cart.dec": 2, "cart.remove": 1, "cart.clear": 3 };

/** Does what was called. */
export function perform(cart: OpenCart, name: string, args: Json[]) {
  const [first, second, third] = args;
  if (name === "dataLayer") fromDataLayer(cart, first, second);
  else if (name === "attributes") fromAttributes(cart, first, second, third);
  else if (name === "segment") fromSegment(cart, first, second);
  else if (name === "cart.ordered") void cart.ordered(first, second ?? undefined, third);
  else cart.act(ACTS[name]!, first ?? null, name === "cart.remove" ? 0 : second);
}
