/**
 * The pages: each fills `main` from the catalog and the cart, and reports the events of a shop to the tracker.
 */
import * as cart from "./cart.js";
import { CATEGORIES, find, picture, PRODUCTS } from "./catalog.js";
import { drawing, field, make } from "./dom.js";
import { frame } from "./frame.js";
import { person, signIn, signOut } from "./person.js";
import * as tracking from "./tracking.js";
import { lang, link, price, t } from "./words.js";

const main = document.querySelector("main");
const query = new URLSearchParams(location.search);

const card = (product) =>
  make(
    "a",
    { class: "card", href: link(`/product/?id=${product.id}`) },
    drawing(picture(product)),
    make("span", { class: "name" }, product[lang][0]),
    make("span", { class: "price" }, price(product.price)),
  );

function home() {
  const favorites = PRODUCTS.filter((_, i) => i % 3 !== 1).slice(0, 4);
  main.append(
    make(
      "section",
      { class: "hero" },
      make("div", {}, make("h1", {}, t.heroTitle), make("p", {}, t.heroText), make("a", { class: "button", href: link("/list/") }, t.heroButton)),
      drawing(picture(PRODUCTS[0]), "picture hero-picture"),
    ),
    make("ul", { class: "promises" }, ...[t.freeShipping, t.returns, t.advice].map((promise) => make("li", {}, promise))),
    make("h2", {}, t.favorites),
    make("div", { class: "grid" }, ...favorites.map(card)),
  );
}

function list() {
  const grid = make("div", { class: "grid" });
  const tabs = make("nav", { class: "tabs", "aria-label": t.shop });
  const show = () => {
    const category = new URLSearchParams(location.search).get("category") ?? "all";
    const products = PRODUCTS.filter((product) => category === "all" || product.category === category);
    grid.replaceChildren(...products.map(card));
    for (const tab of tabs.children) tab.setAttribute("aria-current", String(tab.dataset.category === category));
    document.title = `${t[category] ?? t.all} · Hebra`;
    tracking.listed(category, products);
  };
  for (const category of ["all", ...CATEGORIES]) {
    const href = link(category === "all" ? "/list/" : `/list/?category=${category}`);
    const open = (event) => {
      event.preventDefault();
      history.pushState(null, "", href);
      show();
    };
    tabs.append(make("a", { href, "data-category": category, onclick: open }, t[category]));
  }
  addEventListener("popstate", show);
  main.append(make("h1", {}, t.shop), tabs, grid);
  show();
}

function product() {
  const one = find(query.get("id"));
  if (!one) return nothing(t.missingTitle, t.missing);
  const quantity = make("input", { type: "number", min: 1, max: 99, value: 1, inputmode: "numeric", id: "quantity" });
  const button = make("button", { class: "button", "data-add": one.id }, t.add);
  button.addEventListener("click", () => {
    const count = Math.max(1, Math.min(99, Math.trunc(Number(quantity.value)) || 1));
    cart.add(one.id, count);
    tracking.added(one, count);
    button.textContent = `${t.added} ✓`;
    setTimeout(() => (button.textContent = t.add), 1500);
  });
  main.append(
    make(
      "article",
      { class: "product" },
      drawing(picture(one)),
      make(
        "div",
        {},
        make("p", { class: "eyebrow" }, t[one.category]),
        make("h1", {}, one[lang][0]),
        make("p", { class: "price big" }, price(one.price)),
        make("p", {}, one[lang][1]),
        make("div", { class: "buy" }, make("label", { for: "quantity" }, t.quantity), quantity, button),
        make("ul", { class: "promises plain" }, ...[t.freeShipping, t.returns].map((promise) => make("li", {}, promise))),
      ),
    ),
    make("h2", {}, t.related),
    make("div", { class: "grid" }, ...PRODUCTS.filter((other) => other !== one && other.category === one.category).map(card)),
  );
  document.title = `${one[lang][0]} · Hebra`;
  tracking.viewed(one);
}

function sums() {
  const row = (label, value, kind) => make("div", { class: kind ?? "row" }, make("span", {}, label), make("span", {}, value));
  return make(
    "div",
    { class: "sums" },
    row(t.subtotal, price(cart.subtotal())),
    row(t.shipping, cart.shipping() ? price(cart.shipping()) : t.free),
    row(t.total, price(cart.subtotal() + cart.shipping()), "row total"),
  );
}

/** A line of the cart. The row stays while its numbers change, so that the focus and a number that is being typed stay too. `left` is called when the number lost the focus. */
function row(one, left) {
  const sum = make("span", { class: "price" });
  const input = make("input", { type: "number", min: 0, max: 99, "aria-label": `${t.quantity}: ${one[lang][0]}` });
  let quantity = 0;
  let isTyping = false;
  const set = (wanted) => {
    if (wanted > quantity) tracking.added(one, wanted - quantity);
    if (wanted < quantity) tracking.removed(one, quantity - wanted);
    cart.set(one.id, wanted);
  };
  const end = () => {
    isTyping = false;
    left();
  };
  input.addEventListener("input", () => (isTyping = true));
  input.addEventListener("change", () => {
    isTyping = false;
    set(Math.max(0, Math.min(99, Math.trunc(Number(input.value)) || 0)));
  });
  input.addEventListener("blur", end);
  return {
    element: make(
      "li",
      { class: "line", "data-line": one.id },
      make("a", { href: link(`/product/?id=${one.id}`) }, drawing(picture(one), "picture small")),
      make("div", {}, make("strong", {}, one[lang][0]), make("span", { class: "price" }, price(one.price))),
      input,
      sum,
      make("button", { type: "button", class: "quiet", "aria-label": `${t.remove}: ${one[lang][0]}`, onclick: () => set(0) }, t.remove),
    ),
    /** Shows how many units there are now. */
    count(now) {
      quantity = now;
      sum.textContent = price(one.price * quantity);
      if (!isTyping) input.value = quantity;
    },
    isTyping: () => isTyping,
  };
}

function basket() {
  const rows = new Map();
  const list = make("ul", { class: "lines" });
  const aside = make("aside", {}, sums(), make("a", { class: "button", href: link("/checkout/") }, t.checkout), make("a", { class: "quiet", href: link("/list/") }, t.keep));
  const full = make("div", { class: "columns" }, list, aside);
  const empty = make("div", {}, ...nothingIn());
  const place = make("div", {}, empty);

  function show() {
    const quantities = new Map(cart.lines().map((line) => [line.product.id, line]));
    for (const [id, { product }] of quantities) {
      if (rows.has(id)) continue;
      rows.set(id, row(product, show));
      list.append(rows.get(id).element);
    }
    for (const [id, { element, count, isTyping }] of rows) {
      count(quantities.get(id)?.quantity ?? 0);
      if (quantities.has(id) || isTyping()) continue;
      const next = (element.nextElementSibling ?? element.previousElementSibling)?.querySelector("input");
      if (element.contains(document.activeElement)) (next ?? title).focus();
      rows.delete(id);
      element.remove();
    }
    aside.firstChild.replaceWith(sums());
    const shown = rows.size > 0 ? full : empty;
    if (place.firstChild !== shown) place.replaceChildren(shown);
  }

  const title = make("h1", { tabindex: -1 }, t.cart);
  main.replaceChildren(title, place);
  show();
  addEventListener("cart", show);
  addEventListener("pageshow", show);
  tracking.cartViewed(cart.lines(), cart.subtotal());
}

const nothingIn = () => [
  make("p", { class: "empty" }, t.empty, make("br"), t.emptyText),
  make("a", { class: "button", href: link("/list/") }, t.goShop),
];

function nothing(title, text) {
  document.title = `${title} · Hebra`;
  main.replaceChildren(make("h1", {}, title), make("p", { class: "empty" }, text), make("a", { class: "button", href: link("/list/") }, t.goShop));
}

function checkout() {
  if (cart.count() === 0) {
    main.replaceChildren(make("h1", {}, t.checkoutTitle), ...nothingIn());
    // An article from another device may take a moment to arrive.
    return addEventListener("cart", checkout, { once: true });
  }
  tracking.checkoutStarted(cart.lines(), cart.subtotal() + cart.shipping());
  cart.checkout();
  const pay = (event) => {
    event.preventDefault();
    const id = `P-${Date.now().toString(36).toUpperCase()}`;
    const [lines, revenue, shipping] = [cart.lines(), cart.subtotal(), cart.shipping()];
    const sums = tracking.sums(revenue, shipping);
    tracking.ordered(id, lines, revenue, shipping);
    cart.ordered(id, sums);
    const giveBack = ({ target }) => {
      tracking.refunded(id, lines, sums);
      target.replaceWith(make("p", { class: "note", role: "status" }, t.givenBack));
    };
    document.title = `${t.orderDone} · Hebra`;
    main.replaceChildren(
      make("section", { class: "thanks" }, make("h1", {}, t.thanks), make("p", {}, t.thanksText, " ", make("strong", {}, id)), make("p", { class: "note" }, t.demo), make("a", { class: "button", href: link("/list/") }, t.keep), make("p", {}, make("button", { type: "button", class: "quiet", "data-refund": id, onclick: giveBack }, t.giveBack))),
    );
    scrollTo(0, 0);
  };
  main.replaceChildren(
    make("h1", {}, t.checkoutTitle),
    make(
      "div",
      { class: "columns" },
      make(
        "form",
        { id: "checkout", name: "checkout", onsubmit: pay },
        make("h2", {}, t.delivery),
        field(t.name, { name: "name", autocomplete: "name", required: true }),
        field(t.email, { name: "email", type: "email", autocomplete: "email", required: true }),
        field(t.address, { name: "address", autocomplete: "street-address", required: true }),
        field(t.city, { name: "city", autocomplete: "address-level2", required: true }),
        make("h2", {}, t.payment),
        make(
          "div",
          { "data-hilo-private": true, class: "pair" },
          field(t.card, { name: "card", autocomplete: "cc-number", inputmode: "numeric" }),
          field(t.expiry, { name: "expiry", autocomplete: "cc-exp", placeholder: t.expiryForm }),
        ),
        make("p", { class: "note" }, t.demo),
        make("button", { class: "button" }, t.pay, " ", price(cart.subtotal() + cart.shipping())),
      ),
      make("aside", {}, make("ul", { class: "short" }, ...cart.lines().map((line) => make("li", {}, `${line.quantity} × ${line.product[lang][0]}`))), sums()),
    ),
  );
}

function contact() {
  const send = (event) => {
    event.preventDefault();
    tracking.leadSent("contact", event.target.elements.email.value);
    event.target.replaceWith(make("p", { class: "empty", role: "status" }, t.sent));
  };
  const topic = make("label", { class: "field" }, make("span", {}, t.topic), make("select", { name: "topic" }, ...t.topics.map((one) => make("option", {}, one))));
  main.append(
    make("h1", {}, t.contactTitle),
    make("p", { class: "lead" }, t.contactText),
    make(
      "form",
      { id: "contact", name: "contact", class: "narrow", onsubmit: send },
      field(t.name, { name: "name", autocomplete: "name", required: true }),
      field(t.email, { name: "email", type: "email", autocomplete: "email", required: true }),
      topic,
      field(t.message, { name: "message", rows: 5, required: true }),
      make("button", { class: "button" }, t.send),
    ),
  );
}

function account() {
  const show = (who) => {
    const enter = async (event) => {
      event.preventDefault();
      const form = event.target;
      try {
        show((await signIn(form.elements.email.value)).email);
      } catch {
        form.querySelector("[role=alert]").textContent = t.signInFailed;
      }
    };
    const leave = () => {
      signOut();
      cart.forget();
      show(null);
    };
    const form = make(
      "form",
      { id: "sign-in", name: "sign-in", class: "narrow", onsubmit: enter },
      field(t.email, { name: "email", type: "email", autocomplete: "username", required: true }),
      field(t.password, { name: "password", type: "password", autocomplete: "current-password" }),
      make("p", { role: "alert", class: "note" }),
      make("button", { class: "button" }, t.signIn),
    );
    const inside = [make("p", {}, t.signedIn, " ", make("strong", {}, who ?? "")), make("button", { type: "button", class: "button", onclick: leave }, t.signOut)];
    main.replaceChildren(make("h1", {}, t.accountTitle), make("p", { class: "lead" }, t.accountText), ...(who ? inside : [form]));
  };
  show(person()?.email ?? null);
}

const PAGES = { home, list, product, cart: basket, checkout, contact, account, missing: () => nothing(t.notFoundTitle, t.notFound) };
const TITLES = { list: t.shop, cart: t.cart, checkout: t.checkoutTitle, contact: t.contact, account: t.account };

// The title comes first, because the tracker reports it with the page view.
frame(TITLES[main.dataset.page]);
PAGES[main.dataset.page]();
