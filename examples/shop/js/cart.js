/**
 * The shop's cart. hilo keeps it, the same on every device of a customer.
 *
 * The shop shows a copy of its own, so that a page is right before the tracker has loaded, and without the tracker. The shop writes
 * the copy only when the visitor changes the cart. This storage needs no consent, because the visitor asked for it.
 */
import { find } from "./catalog.js";
import { known } from "./person.js";
import { lang, link } from "./words.js";

const KEY = "hebra.cart";
let memory = {};

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "null") ?? memory;
  } catch {
    return memory;
  }
}

function write(lines) {
  memory = lines;
  try {
    localStorage.setItem(KEY, JSON.stringify(lines));
  } catch {
    // Storage is blocked or full: this page has the cart in memory.
  }
  dispatchEvent(new CustomEvent("cart"));
}

/** An article as hilo's cart takes it. The price is for showing, never for payment. */
export const article = (product) => ({
  product_id: product.id,
  currency: "EUR",
  price: product.price / 100,
  name: product[lang][0],
  url: new URL(link(`/product/?id=${product.id}`), location.href).href,
});

/** Lines with their products, in the order they were added. */
export const lines = () =>
  Object.entries(read())
    .map(([id, quantity]) => ({ product: find(id), quantity }))
    .filter((line) => line.product);

export const count = () => lines().reduce((sum, line) => sum + line.quantity, 0);
export const subtotal = () => lines().reduce((sum, line) => sum + line.quantity * line.product.price, 0);
export const shipping = () => (subtotal() >= 4000 || count() === 0 ? 0 : 390);

function keep(id, quantity) {
  const all = { ...read() };
  if (quantity > 0) all[id] = Math.min(quantity, 99);
  else delete all[id];
  write(all);
}

/** Adds units. `add` and not `set`: two devices that add at the same time both count. */
export function add(id, quantity) {
  keep(id, (read()[id] ?? 0) + quantity);
  window.hilo?.cart.add(article(find(id)), quantity);
}

/** Sets how many units there are. */
export function set(id, quantity) {
  keep(id, quantity);
  window.hilo?.cart.set(article(find(id)), Math.min(quantity, 99));
}

/** The visitor begins to pay: the order will take the lines of this moment. A customer's cart opens with the customer's token only. */
export const checkout = () => known.then(() => window.hilo?.cart.checkout());

/**
 * The visitor has paid: the bought units leave the cart on every device. Units that another device adds meanwhile stay. hilo reports
 * the order, with the sums that only the shop has.
 */
export function ordered(id, sums) {
  window.hilo?.cart.ordered(id, undefined, sums);
  write({});
}

/** Shows the changes of other tabs and devices. Another tab's first article is in the shop's copy before hilo opens a cart in this tab. */
export function follow() {
  addEventListener("storage", ({ key }) => key === KEY && dispatchEvent(new CustomEvent("cart")));
  window.hilo?.ready((hilo) =>
    hilo.cart?.on(({ lines }) => write(Object.fromEntries(lines.map((line) => [line.product_id, line.quantity])))),
  );
}

/** Logout: the next visitor begins with an empty cart. */
export const forget = () => write({});
