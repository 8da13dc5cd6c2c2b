/**
 * What the page tells search engines about its products, in JSON-LD and microdata → products for the module.
 */
import * as core from "hilo-shop-wasm";

import { plain } from "../more/plain.ts";
import { productsIn } from "./schema.ts";

/** Characters of one script. */
const TEXT_MAX = 100_000;
/** Products in microdata. */
const ITEMS_MAX = 50;
const PRODUCT = '[itemscope][itemtype*="schema.org/Product"]';

/** Gives the function that learns the page's products where they changed, and returns a single one in GA4's words. */
export function productsOf() {
  let last = "";
  let item: object | undefined;

  return () => {
    const scripts = [...document.querySelectorAll('script[type="application/ld+json"]')].map((one) => one.textContent ?? "").filter((text) => text.length <= TEXT_MAX);
    const items = [...document.querySelectorAll(PRODUCT)].filter((one) => !one.parentElement?.closest(PRODUCT)).slice(0, ITEMS_MAX).map(read);
    const told = JSON.stringify([scripts, items]);
    if (told === last) return item;
    last = told;
    const { products, heads } = productsIn([...scripts.flatMap(parsed), ...items]);
    core.learn_products(plain(products));
    item = undefined;
    const [only] = products;
    if (heads === 1 && only) {
      const { id, name, brand, category, ...price } = only;
      item = { item_id: id, item_name: name, item_brand: brand, item_category: category, ...price };
    }
    return item;
  };
}

/** The objects of a script. A broken one has none. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return [];
  }
}

/** An item of microdata in JSON-LD's form. */
function read(scope: Element): Record<string, unknown> {
  const item: Record<string, unknown> = { "@type": scope.getAttribute("itemtype") };
  for (const one of scope.querySelectorAll("[itemprop]")) {
    if (one.parentElement?.closest("[itemscope]") !== scope) continue;
    const value = ["content", "href", "src", "datetime"].map((name) => one.getAttribute(name)).find((value) => value !== null);
    item[one.getAttribute("itemprop")!] ??= one.hasAttribute("itemscope") ? read(one) : (value ?? one.textContent?.trim());
  }
  return item;
}
