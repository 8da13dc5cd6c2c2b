/**
 * The shop's events: GA4's dataLayer as shops have it, and Segment's e-commerce events through hilo.
 *
 * The shop does not check consent here. The tracker's gate does: an event before consent waits in memory, an event after a denial is
 * dropped.
 */
import { lang } from "./words.js";

const layer = (window.dataLayer = window.dataLayer ?? []);
const euro = (cents) => cents / 100;

const properties = (product, quantity = 1) => ({
  product_id: product.id, name: product[lang][0], category: product.category, price: euro(product.price), currency: "EUR", quantity,
});
const item = (product, quantity = 1) => ({
  item_id: product.id, item_name: product[lang][0], item_category: product.category, price: euro(product.price), quantity,
});

function tell(ga4, event, details, ecommerce) {
  layer.push({ event: ga4, ecommerce });
  // hilo.cart reports changes of the cart, checkouts and orders itself, each once.
  if (event) window.hilo?.track(event, details);
}

export const listed = (category, products) =>
  tell("view_item_list", "Product List Viewed", { category, products: products.map((p) => properties(p)) }, { items: products.map((p) => item(p)) });
export const viewed = (product) =>
  tell("view_item", "Product Viewed", properties(product), { currency: "EUR", value: euro(product.price), items: [item(product)] });
export const added = (product, quantity) =>
  tell("add_to_cart", null, null, { currency: "EUR", value: euro(product.price * quantity), items: [item(product, quantity)] });
export const removed = (product, quantity) =>
  tell("remove_from_cart", null, null, { currency: "EUR", items: [item(product, quantity)] });

const all = (lines) => lines.map((line) => properties(line.product, line.quantity));
const items = (lines) => lines.map((line) => item(line.product, line.quantity));

export const cartViewed = (lines, total) =>
  tell("view_cart", "Cart Viewed", { currency: "EUR", value: euro(total), products: all(lines) }, { currency: "EUR", value: euro(total), items: items(lines) });
export const checkoutStarted = (lines, total) =>
  tell("begin_checkout", null, null, { currency: "EUR", value: euro(total), items: items(lines) });
export const ordered = (id, lines, revenue, shipping) =>
  tell("purchase", null, null, { transaction_id: id, currency: "EUR", value: euro(revenue), shipping: euro(shipping), items: items(lines) });
/** The customer returns an order. In a real shop its back office tells this, once the goods are there. */
export const refunded = (id, lines, { shipping, total }) =>
  tell("refund", "Order Refunded", { order_id: id, currency: "EUR", total, shipping, products: all(lines) }, { transaction_id: id, currency: "EUR", value: total, shipping, items: items(lines) });
/** Somebody wrote to the shop. The address comes from the form: services that keep contacts know people by it. */
export const leadSent = (form, email) => tell("generate_lead", "Lead Submitted", { form_id: form, form_name: form, email });
/** The sums of an order, for hilo's own report of it. */
export const sums = (revenue, shipping) => ({ revenue: euro(revenue), shipping: euro(shipping), total: euro(revenue + shipping) });
