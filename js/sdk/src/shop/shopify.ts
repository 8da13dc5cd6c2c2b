/**
 * Shopify's theme cart: the answers of its AJAX calls → lines for the module. Wraps `fetch` and `XMLHttpRequest.open`, and looks at
 * calls of the shop's own cart only. The page gets its own promise and its own answer; the wrappers go when the tracker stops.
 */
import type { Host } from "../more/host.ts";
import type { ShopCart, ShopLine } from "./shop_cart.ts";

/** A call of the cart, behind a market's folder such as `/es-mx/`. A cart that is only read is `cart.js`. */
const CALL = /^\/(?:\w\w(?:-\w\w)?\/)?cart(?:\/(add|change|update|clear)(?:\.js)?|\.js)$/;
/** Shopify's amounts have two decimals in every currency, the yen included. */
const DECIMALS = 2;

/** Reads the answers of the shop's cart until the tracker stops. */
export function watchShopify({ atEnd, guarded }: Host, take: (cart: ShopCart) => void) {
  /** What the call of this address does: empty for reading, nothing for a call of something else. */
  function callOf(address: string | URL): string | undefined {
    const { origin, pathname } = new URL(address, location.href);
    const call = origin === location.origin && CALL.exec(pathname);
    return call ? (call[1] ?? "") : undefined;
  }

  /** `add` answers the lines that it added to, with their units in all. Any other call answers the whole cart. */
  function told(call: string, answer: unknown) {
    guarded(() => {
      const cart = typeof answer === "string" ? JSON.parse(answer) : answer;
      take({
        isAct: !!call,
        isWhole: call !== "add",
        currency: cart.currency ?? (window as any).Shopify?.currency?.active,
        decimals: DECIMALS,
        lines: (cart.items ?? [cart]).map(lineOf),
      });
    });
  }

  const { fetch } = window;
  const wrapped: typeof fetch = function (this: unknown, ...args) {
    const answer = fetch.apply(this as Window, args);
    guarded(() => {
      const [input] = args;
      const call = callOf(input instanceof Request ? input.url : input);
      if (call === undefined) return;
      // A page whose call fails gets its error; what this promise makes of it is nobody's.
      answer.then((response) => (response.ok ? response.clone().text() : "")).then((text) => text && told(call, text), () => {});
    });
    return answer;
  };
  const proto = XMLHttpRequest.prototype;
  const { open } = proto;
  const opened = function (this: XMLHttpRequest, ...args: Parameters<typeof open>) {
    guarded(() => {
      const call = callOf(args[1]);
      if (call !== undefined) this.addEventListener("load", () => this.status < 300 && told(call, this.response), { once: true });
    });
    return open.apply(this, args);
  } as typeof open;
  window.fetch = wrapped;
  proto.open = opened;
  atEnd(() => {
    // Another script may have wrapped them since, and still calls these functions.
    if (window.fetch === wrapped) window.fetch = fetch;
    if (proto.open === opened) proto.open = open;
  });
}

function lineOf({ id, variant_id, key, title, final_price, price, quantity, properties }: any): ShopLine {
  return { id: variant_id ?? id, key: Object.keys(properties ?? {}).length ? key : "", name: title, price: final_price ?? price, quantity };
}
