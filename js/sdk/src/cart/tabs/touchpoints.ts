/**
 * The cart's touchpoints in the words of Segment's ecommerce spec. The tracker decides whether a touchpoint may be reported.
 */
import type { Properties } from "../../types.ts";
import * as core from "../core.ts";
import { lineOf, shownOf, table, totalsOf, unpricedOf } from "../flat.ts";
import { host } from "../host.ts";
import { NO_CURRENCY } from "../limits.ts";
import { quietly } from "../storage/store.ts";
import type { Shown } from "../types.ts";
import { base } from "./display.ts";

/** A line as Segment's spec has it. */
function product(line: Shown): Properties {
  const { price, image, currency, ...rest } = lineOf(line);
  return { ...rest, ...(currency !== NO_CURRENCY && { currency }), ...(price && { price: +price }), ...(image && { image_url: image }) };
}

/** The cart's id as a property; none before the first contact. */
const cartId = () => core.label() && { cart_id: core.label() };

/** Reports the module's touchpoints. */
export function report(touchpoints = core.touchpoints()) {
  for (const [change = "", id = "", ...cells] of table(touchpoints)) {
    const line = shownOf(change.replace("-", ""), cells);
    host.track(change[0] === "-" ? "Product Removed" : "Product Added", { ...cartId(), ...product(line) }, id);
  }
}

/**
 * The whole cart, or these lines, as properties; with their value where each price is known, in one currency. A tab that does not lead
 * has no module to give the cart's id.
 */
export function products(lines = base): Properties {
  const [sum, other] = Object.entries(totalsOf(lines));
  return { ...quietly(cartId), products: lines.map(product), ...(sum && !other && !unpricedOf(lines) && { currency: sum[0], value: +sum[1] }) };
}
