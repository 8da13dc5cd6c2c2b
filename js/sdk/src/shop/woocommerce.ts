/**
 * WooCommerce's cart: any of its signals says that the cart may have changed, and the cart of its Store API says what is in it.
 */
import type { Host } from "../more/host.ts";
import type { ShopCart, ShopLine } from "./shop_cart.ts";

/** jQuery's signals, which the document's own listeners do not see. The first ones come of an act of the visitor. */
const ACTS = "added_to_cart removed_from_cart updated_wc_div updated_cart_totals";
const SHOWN = "wc_fragments_refreshed";
/** The signals of blocks. */
const BLOCKS = ["wc-blocks_added_to_cart", "wc-blocks_removed_from_cart"];
/** One act causes several signals. */
const SIGNALS_MS = 300;

/** Reads the shop's cart after each signal until the tracker stops. */
export function watchWooCommerce({ listen, atEnd, guarded, anonymousId }: Host, take: (cart: ShopCart) => void) {
  const page = window as any;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isAct = false;

  /** The cart of the page's own store, once it is loaded. */
  function stored() {
    const store = page.wp?.data?.select?.("wc/store/cart");
    return store?.hasFinishedResolution?.("getCartData") ? store.getCartData() : undefined;
  }

  /** The cart as the shop's server has it: one request, and only with consent. */
  async function asked() {
    if (!anonymousId()) return;
    const root = document.querySelector<HTMLLinkElement>('link[rel="https://api.w.org/"]')?.href ?? "/wp-json/";
    const answer = await fetch(`${root}wc/store/v1/cart`);
    return answer.ok ? answer.json() : undefined;
  }

  async function look() {
    const wasAct = isAct;
    isAct = false;
    try {
      const cart = stored() ?? (await asked());
      if (cart) guarded(() => take({ isAct: wasAct, isWhole: true, lines: cart.items.map(lineOf) }));
    } catch {
      // No network, or no Store API: the next signal looks again.
    }
  }

  function signal(byVisitor: boolean) {
    isAct ||= byVisitor;
    clearTimeout(timer);
    timer = setTimeout(() => guarded(() => void look()), SIGNALS_MS);
  }

  for (const name of BLOCKS) listen(document.body, name, () => signal(true));
  const body = page.jQuery?.(document.body);
  const acted = () => guarded(() => signal(true));
  const shown = () => guarded(() => signal(false));
  body?.on(ACTS, acted).on(SHOWN, shown);
  // What the store holds already was there before.
  let last = stored();
  if (last) signal(false);
  const unsubscribe = page.wp?.data?.subscribe?.(() =>
    guarded(() => {
      const cart = stored();
      if (!cart || cart === last) return;
      signal(!!last);
      last = cart;
    }),
  );
  atEnd(() => {
    clearTimeout(timer);
    body?.off(ACTS, acted).off(SHOWN, shown);
    unsubscribe?.();
  });
}

function lineOf({ id, key, name, quantity, prices, item_data }: any): ShopLine {
  const { price, currency_code, currency_minor_unit } = prices;
  return { id, key: item_data?.length ? key : "", name, price, quantity: Math.ceil(quantity), currency: currency_code, decimals: currency_minor_unit };
}
