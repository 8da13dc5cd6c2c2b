/**
 * Carts that a shop keeps already, read from what it says anyway: GA4's ecommerce events in the dataLayer, `data-hilo-add` and
 * `data-hilo-remove` in its HTML, Segment's ecommerce calls. Each becomes an act on the same replica.
 *
 * What the shop reports itself (Segment's calls) is done quietly: no second touchpoint.
 */
import type { LineInput, Properties } from "../types.ts";
import type { OpenCart } from "./index.ts";
import { units } from "./line.ts";

type Json = any;

const ADD = 0;
const SET = 1;
const DEC = 2;

/** `event` and its ecommerce data, as `gtag` or a dataLayer has them. */
export function fromDataLayer(cart: OpenCart, event: string, data: Json) {
  const { items, currency, transaction_id } = data ?? {};
  const lines: LineInput[] = (Array.isArray(items) ? items : []).map((item: Json) => ({
    product_id: item.item_id ?? item.item_name,
    ...(item.item_variant && { options: { variant: item.item_variant } }),
    currency: item.currency ?? currency,
    name: item.item_name,
    price: item.price,
    quantity: item.quantity,
  }));
  if (event === "add_to_cart") for (const line of lines) cart.act(ADD, line, units(line.quantity));
  if (event === "remove_from_cart") for (const line of lines) remove(cart, line, line.quantity);
  if (event === "view_cart") cart.viewed();
  if (event === "begin_checkout") void cart.checkout();
  if (event === "purchase" && transaction_id !== undefined) void cart.ordered(String(transaction_id), lines.length ? lines : undefined);
}

/** A click on an element: its `data-hilo-add` or `data-hilo-remove`, `null` where it has none, and the product around it, as JSON. */
export function fromAttributes(cart: OpenCart, product: string, added: string | null, removed: string | null) {
  const line = JSON.parse(product) as LineInput;
  if (added !== null) cart.act(ADD, line, units(added || undefined));
  else remove(cart, line, removed || undefined);
}

/** A call of the Segment spec that the page made, and that is reported as such. */
export function fromSegment(cart: OpenCart, event: string, properties: Properties) {
  const { products, order_id } = properties as Json;
  const line = lineOf(properties);
  if (event === "Product Added") cart.act(ADD, line, units(line.quantity), true);
  if (event === "Product Removed") remove(cart, line, line.quantity, true);
  if (event === "Checkout Started") void cart.checkout(true);
  if (event === "Order Completed" && order_id !== undefined) {
    const lines = Array.isArray(products) ? products.map((one) => lineOf({ currency: properties["currency"], ...one })) : undefined;
    void cart.ordered(String(order_id), lines, true);
  }
}

function lineOf({ product_id, sku, variant, currency, name, url, image_url, price, quantity }: Json): LineInput {
  return { product_id: product_id ?? sku, ...(variant && { options: { variant } }), currency, name, url, image: image_url, price, quantity };
}

function remove(cart: OpenCart, line: LineInput, quantity: unknown, isQuiet = false) {
  if (quantity === undefined) cart.act(SET, line, 0, isQuiet);
  else cart.act(DEC, line, units(quantity), isQuiet);
}
