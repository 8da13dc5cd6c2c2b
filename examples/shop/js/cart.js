/**
 * The cart: articles and quantities in localStorage.
 *
 * Written only when the visitor puts something in: keeping what somebody asked to keep is strictly necessary and needs no
 * consent. Without storage the cart lives as long as the page.
 */
import { find } from "./catalog.js";

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

/** Lines with their products, in the order they were added. */
export const lines = () =>
  Object.entries(read())
    .map(([id, quantity]) => ({ product: find(id), quantity }))
    .filter((line) => line.product);

export const count = () => lines().reduce((sum, line) => sum + line.quantity, 0);
export const subtotal = () => lines().reduce((sum, line) => sum + line.quantity * line.product.price, 0);
export const shipping = () => (subtotal() >= 4000 || count() === 0 ? 0 : 390);

export const set = (id, quantity) => {
  const all = { ...read() };
  if (quantity > 0) all[id] = Math.min(quantity, 99);
  else delete all[id];
  write(all);
};
export const add = (id, quantity) => set(id, (read()[id] ?? 0) + quantity);
export const clear = () => write({});
