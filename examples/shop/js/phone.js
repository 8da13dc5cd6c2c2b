/**
 * A phone with the shop's app: a few articles, the cart, and the state of the network.
 *
 * The app has no copy of the cart beside hilo's. The page around it names the person in the address.
 */
import { article } from "./cart.js";
import { find, picture, PRODUCTS } from "./catalog.js";
import { drawing, make } from "./dom.js";
import { introduce } from "./person.js";
import { lang, price, t } from "./words.js";

const user = new URLSearchParams(location.search).get("user") ?? "";
const SHOWN = [PRODUCTS[0], PRODUCTS[3], PRODUCTS[7], PRODUCTS[8]];

const state = make("p", { class: "phone-state", role: "status" });
const list = make("ul", { class: "phone-lines" });
const total = make("p", { class: "phone-total" });
const quantities = new Map();

function round(label, act, words) {
  return make("button", { type: "button", class: "round", "aria-label": words, onclick: act }, label);
}

function row(product, quantity) {
  const { cart } = window.hilo;
  return make(
    "li",
    { "data-line": product.id },
    drawing(picture(product), "picture tiny"),
    make("span", { class: "name" }, product[lang][0]),
    round("−", () => cart.dec(article(product)), t.fewer),
    make("output", {}, String(quantity)),
    round("+", () => cart.add(article(product)), t.more),
    round("×", () => cart.remove(article(product)), t.remove),
  );
}

function show({ lines, status }) {
  quantities.clear();
  for (const line of lines) if (find(line.product_id)) quantities.set(line.product_id, line.quantity);
  const sum = [...quantities].reduce((cents, [id, quantity]) => cents + find(id).price * quantity, 0);
  list.replaceChildren(...[...quantities].sort().map(([id, quantity]) => row(find(id), quantity)));
  if (quantities.size === 0) list.append(make("li", { class: "nothing" }, t.empty));
  total.textContent = price(sum);
  const word = !status.online ? "offline" : status.pending > 0 ? "sending" : "insync";
  state.className = `phone-state ${word}`;
  state.textContent = word === "offline" && status.pending > 0 ? `${t.offline} · ${t.waiting(status.pending)}` : t[word];
  parent.postMessage({ lines: Object.fromEntries([...quantities].sort()), word }, "*");
}

const shelf = SHOWN.map((product) =>
  make(
    "button",
    { type: "button", class: "shelf-item", "data-add": product.id, onclick: () => window.hilo.cart.add(article(product)) },
    drawing(picture(product), "picture"),
    make("span", {}, price(product.price)),
  ),
);
document.documentElement.lang = lang;
document.querySelector("main").append(
  make("header", {}, make("strong", { class: "brand" }, "Hebra"), state),
  make("div", { class: "shelf" }, ...shelf),
  make("h2", {}, t.cart),
  list,
  total,
);
state.textContent = t.offline;
window.hilo.ready((hilo) => {
  hilo.cart.on(show);
  introduce(user).catch(() => {});
});
