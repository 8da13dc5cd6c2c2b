/**
 * The shop's cart, kept by hilo: the same one on every device of a customer.
 *
 * What is shown comes from a copy of its own, so that a page is right before the tracker is there, and goes on without it.
 * The copy is written only when the visitor puts something in: keeping what somebody asked to keep needs no consent.
 */
import { find } from "./catalog.js";
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
    // Blocked or full: this page still knows.
  }
  dispatchEvent(new CustomEvent("cart"));
}

/** An article as hilo's cart knows it. The price is what this page shows, never an authority for payment. */
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

/** So many more. `add` and not `set`: two devices that add at once both count. */
export function add(id, quantity) {
  keep(id, (read()[id] ?? 0) + quantity);
  window.hilo?.cart.add(article(find(id)), quantity);
}

/** So many in all. */
export function set(id, quantity) {
  keep(id, quantity);
  window.hilo?.cart.set(article(find(id)), Math.min(quantity, 99));
}

/** The visitor looks at the way to pay: the cart as it is now is what will be bought. */
export const checkout = () => window.hilo?.cart.checkout();

/** Paid: what was bought leaves the cart on every device; what another device adds meanwhile stays. */
export function ordered(id) {
  window.hilo?.cart.ordered(id);
  write({});
}

/** Follows what other tabs and devices do. */
export function follow() {
  window.hilo?.ready((hilo) =>
    hilo.cart?.on(({ lines }) => write(Object.fromEntries(lines.map((line) => [line.product_id, line.quantity])))),
  );
}

/** Signed out: the next visitor begins with nothing. */
export const forget = () => write({});
