/**
 * The frame around every page: header, footer, hilo's consent banner, and the developer's live panel.
 */
import * as cart from "./cart.js";
import { make } from "./dom.js";
import { newsletter } from "./newsletter.js";
import { resume } from "./person.js";
import { lang, link, t } from "./words.js";

function header() {
  const badge = make("span", { class: "badge", "aria-live": "polite" });
  const show = () => {
    badge.textContent = String(cart.count());
    badge.hidden = cart.count() === 0;
  };
  addEventListener("cart", show);
  // The cart may have changed while this page was in the back/forward cache.
  addEventListener("pageshow", show);
  show();
  const here = location.pathname.replace(/\/$/, "") || "/";
  const item = (path, label, extra) =>
    make("a", { href: link(path), "aria-current": here === path.replace(/\/$/, "") && path !== "/" ? "page" : null }, label, extra);
  const other = lang === "es" ? "en" : "es";
  const parameters = new URLSearchParams(location.search);
  parameters.set("lang", other);
  return make(
    "header",
    { class: "top" },
    make("a", { class: "brand", href: link("/") }, "Hebra", make("small", {}, t.tagline)),
    make(
      "nav",
      { "aria-label": "Hebra" },
      item("/list/", t.shop),
      item("/contact/", t.contact),
      item("/account/", t.account),
      item("/two-devices/", t.devices),
      item("/cart/", t.cart, badge),
    ),
    make("a", { class: "lang", href: "?" + parameters, hreflang: other, lang: other }, other.toUpperCase()),
  );
}

/** The purposes that the shop asks for. */
const PURPOSES = "functional analytics personalization advertising";

/** hilo's banner, in the language of the page. The banner asks, and opens again by the button `data-hilo-consent`. */
function banner() {
  return make("script", { src: "/_h/hilo-banner.js", "data-purposes": PURPOSES, "data-controller": "Hebra", "data-lang": lang, "data-text-link": t.privacy });
}

function footer() {
  return make(
    "footer",
    { class: "bottom" },
    newsletter(),
    make("p", {}, t.footer),
    liveButton(),
    make("button", { type: "button", class: "quiet", "data-hilo-consent": true }, t.privacy),
  );
}

/**
 * Opens the live panel with the touchpoints of this visit, on a developer's machine only. The panel is beside the page, or below it
 * where the window is narrow; neither the panel nor its button covers anything.
 */
function liveButton() {
  if (!["127.0.0.1", "localhost"].includes(location.hostname) || self !== top) return null;
  const button = make("button", { type: "button", class: "live-button", "aria-expanded": "false" }, t.live.open);
  button.addEventListener("click", () => {
    const open = document.querySelector(".live-panel");
    button.setAttribute("aria-expanded", String(!open));
    document.body.classList.toggle("has-panel", !open);
    if (open) return open.remove();
    const panel = make("iframe", { class: "live-panel", src: `/live/?lang=${lang}`, title: t.live.title });
    document.body.append(panel);
    panel.scrollIntoView({ block: "nearest" });
  });
  return button;
}

/** Puts the frame around `main`. */
export function frame(title) {
  document.documentElement.lang = lang;
  document.title = title ? `${title} · Hebra` : `Hebra · ${t.tagline}`;
  document.body.prepend(header());
  cart.follow();
  resume();
  document.body.append(footer());
  document.head.append(banner());
}
