/**
 * The shop's file: reads what the shop's page tells of itself, as the site wants it captured: its `dataLayer`, its shop system's cart,
 * its products. The second file loads it where the site wants one of them.
 */
import * as core from "hilo-shop-wasm";

import type { Host } from "../more/host.ts";
import { plain } from "../more/plain.ts";
import type { Given } from "../parts.ts";
import { performer } from "./acts.ts";
import { productsOf } from "./products.ts";
import type { ShopCart } from "./shop_cart.ts";
import { watchShopify } from "./shopify.ts";
import { watchLayers } from "./tag_manager.ts";
import { watchWooCommerce } from "./woocommerce.ts";

/** When a page without a new document shows its product. */
const SETTLED_MS = 1_000;

/** Binds the module and reads what the site wants until the tracker stops. Returns what is to be done when the page is left. */
export async function open(given: Given, host: Host): Promise<() => void> {
  core.bind(await host.instantiate(given, core.imports));
  const { options, capture, listen, guarded } = host;
  /** The page whose product was told. */
  let viewed = "";
  const perform = performer({
    ...host,
    capture(name, properties, at) {
      if (name === "Product Viewed") viewed = location.pathname;
      capture(name, properties, at);
    },
  });
  function take(cart: ShopCart) {
    core.read_cart(plain(cart));
    perform();
  }
  const learn = productsOf();
  /** The page shows a single product, which no layer has told. */
  function view() {
    const item = learn();
    if (!item || viewed === location.pathname) return;
    core.read_push(plain({ event: "view_item", items: [item] }), location.href, performance.now(), "", false);
    perform();
  }

  let leave = () => {};
  if (options.cart === "shopify") watchShopify(host, take);
  if (options.cart === "woocommerce") watchWooCommerce(host, take);
  if (options.cart === "dataLayer") leave = watchLayers(host, perform, learn);
  if (options.products) {
    view();
    if ("navigation" in window) listen(window.navigation as EventTarget, "currententrychange", () => setTimeout(() => guarded(view), SETTLED_MS));
  }
  return () => {
    leave();
    perform(true);
  };
}
