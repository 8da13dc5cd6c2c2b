/**
 * A shop that keeps its own cart: it calls hilo for each act of a visitor, and shows the acts of the visitor's other devices.
 *
 * With `capture: { cart: "dataLayer" }` the shop needs no calls: hilo reads GA4's ecommerce events.
 */
import { load, type CartLine } from "hilo-tracker";

const hilo = await load({ key: "wk_shop", tokenProvider: async () => (await fetch("/session/token")).text() });

document.querySelector("#add")?.addEventListener("click", () => {
  hilo.cart.add({ product_id: "mug-blue", currency: "EUR", price: "19.99", name: "Blue mug", options: { engraving: "Ana" } });
});

const badge = document.querySelector("#badge");
hilo.cart.on(({ lines, totals, unpriced, status }) => {
  // An article whose price nothing tells is in no total.
  const units = lines.reduce((sum: number, line: CartLine) => sum + line.quantity, 0);
  if (badge) badge.textContent = `${units} · ${Object.entries(totals).map((total) => total.join(" ")).join(" + ")}${unpriced ? " + ?" : ""}${status.online ? "" : " (offline)"}`;
});

document.querySelector("#pay")?.addEventListener("click", async () => {
  const checkout = await hilo.cart.checkout();
  // Without a network there is no checkout id. The shop decides whether the visitor may pay.
  if (checkout) location.assign(`/pay?checkout=${checkout.checkout_id}`);
});
