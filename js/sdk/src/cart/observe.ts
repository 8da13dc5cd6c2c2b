/**
 * Carts that a shop keeps already, read from what the shop publishes anyway: `data-hilo-add` and `data-hilo-remove` in its HTML,
 * Segment's ecommerce calls. Each becomes an act on the same replica. `../shop/tag_manager.ts` reads the dataLayer.
 *
 * Segment's calls are touchpoints already, so their acts are quiet: no second touchpoint comes of them.
 */
import { CART_ACT_ADD, CART_ACT_DEC, CART_ACT_SET } from "../codes.ts";
import type { LineInput, Properties } from "../types.ts";
import type { OpenCart } from "./types.ts";

/** A product in the words of the Segment spec. */
interface Product extends Omit<LineInput, "image"> {
  sku?: string;
  image_url?: string;
}

/** A click on an element: its `data-hilo-add` and `data-hilo-remove`, `null` for a missing one, and the product around it as JSON. */
export function fromAttributes(cart: OpenCart, product: string, added: string | null, removed: string | null) {
  const line = JSON.parse(product) as LineInput;
  if (added !== null) cart.act(CART_ACT_ADD, line, added || undefined);
  else remove(cart, line, removed || undefined);
}

/** A call of the Segment spec that the page made, and that is reported as such. */
export function fromSegment(cart: OpenCart, event: string, properties: Properties) {
  const { products, order_id } = properties;
  const line = lineOf(properties as unknown as Product);
  if (event === "Product Added") cart.act(CART_ACT_ADD, line, line.quantity, true);
  if (event === "Product Removed") remove(cart, line, line.quantity, true);
  if (event === "Checkout Started") void cart.checkout(true);
  if (event === "Order Completed" && order_id !== undefined) {
    const lines = Array.isArray(products) ? products.map((one) => lineOf({ currency: properties["currency"], ...(one as object) } as Product)) : undefined;
    void cart.ordered(String(order_id), lines, true);
  }
}

function lineOf({ product_id, sku, variant, currency, name, url, image_url, price, quantity }: Product): LineInput {
  const line = { product_id: product_id ?? sku, ...(variant && { options: { variant } }), currency, name, url, image: image_url, price, quantity };
  return line as LineInput;
}

/** Takes so many units away, or the whole line where no number is given. */
function remove(cart: OpenCart, line: LineInput, quantity: unknown, isQuiet = false) {
  if (quantity === undefined) cart.act(CART_ACT_SET, line, 0, isQuiet);
  else cart.act(CART_ACT_DEC, line, quantity, isQuiet);
}
