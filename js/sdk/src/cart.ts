/**
 * What of the cart every page has: the calls, and what wakes the rest. The cart itself is a file of its own and loads with the
 * visitor's first act on it, where this device kept one, or when a customer signs in. Before that nothing is stored or requested.
 */
import type { Host, OpenCart } from "./cart/index.ts";
import { LEFT } from "./cart/left.ts";
import { quietly } from "./page.ts";
import type { Cart, Draft, Options } from "./types.ts";

/** The file that loads: `cart/entry.ts`. */
export type CartFile = typeof import("./cart/entry.ts");

const ECOMMERCE = /^(add_to_cart|remove_from_cart|view_cart|begin_checkout|purchase)$/;
const SEGMENT = /^(Product (Added|Removed)|Checkout Started|Order Completed)$/;

/** The cart's calls for the site, and what the tracker tells it. */
export function cartOf(host: Host, load: () => Promise<CartFile>, { capture, tokenProvider }: Options) {
  let open: OpenCart | undefined;
  let perform: CartFile["perform"];
  let file: Promise<CartFile> | undefined;
  const early: (() => void)[] = [];
  /** Calls that wait for the file. */
  const waiting: [name: string, args: unknown[]][] = [];

  /** Does it with the cart and its file; loads them first where they are not there. */
  async function use<T>(act: (cart: OpenCart) => T | Promise<T>): Promise<T | null> {
    try {
      const loaded = await (file ??= load());
      if (!open) {
        ({ perform } = loaded);
        open = loaded.open(host);
        // After the acts that waited for the file: who listens sees what they came to.
        queueMicrotask(() => early.forEach((listen) => listen()));
      }
      for (const call of waiting.splice(0)) tell(...call);
      return await act(open);
    } catch (error) {
      file = undefined;
      host.say(error);
      return null;
    }
  }

  function tell(name: string, args: unknown[]) {
    if (open) return quietly(() => perform(open!, name, args), undefined);
    waiting.push([name, args]);
    void use(() => {});
  }
  // What is put in or bought counts, though the page is left before the cart is there.
  addEventListener("pagehide", () => {
    if (waiting.length) quietly(() => localStorage.setItem(LEFT + Math.random(), JSON.stringify(waiting.splice(0))), undefined);
  });

  const cart: Cart = {
    add: (line, n = 1) => tell("cart.add", [line, n]),
    set: (line, n) => tell("cart.set", [line, n]),
    dec: (line, n = 1) => tell("cart.dec", [line, n]),
    remove: (line) => tell("cart.remove", [line]),
    clear: () => tell("cart.clear", []),
    lines: () => open?.state().lines ?? [],
    totals: () => open?.state().totals ?? {},
    on(callback) {
      let stop: (() => void) | null = () => {};
      const listen = () => stop && (stop = open!.on(callback));
      if (open) listen();
      else early.push(listen);
      return () => {
        stop?.();
        stop = null;
      };
    },
    checkout: () => use((cart) => cart.checkout()),
    ordered(id, lines) {
      tell("cart.ordered", [id, lines]);
      return use((cart) => cart.flush()).then(() => {});
    },
  };

  const isKept = () => [localStorage, sessionStorage].some((storage) => Object.keys(storage).some((key) => key === "hilo.cart" || key.startsWith(LEFT)));
  const hasOne = () => !!open || quietly(isKept, false);
  if (hasOne()) void use(() => {});
  if (capture?.cart === "dataLayer") watchDataLayer((event, data) => tell("dataLayer", [event, data]));
  if (capture?.cart === "attributes") {
    document.addEventListener("click", ({ target }) => {
      const element = target instanceof Element && target.closest("[data-hilo-add],[data-hilo-remove]");
      const product = element && element.closest("[data-hilo-product]")?.getAttribute("data-hilo-product");
      if (product) tell("attributes", [product, element.getAttribute("data-hilo-add"), element.getAttribute("data-hilo-remove")]);
    });
  }

  return {
    cart,
    use,
    /** The page told an event itself. */
    tracked({ type, name, properties }: Draft) {
      if (type === "track" && capture?.cart === "segment" && SEGMENT.test(name)) tell("segment", [name, properties]);
    },
    identified(user: string, token?: string) {
      if (user && (token || tokenProvider)) void use((cart) => cart.identify(user, token));
    },
    reset() {
      if (hasOne()) void use((cart) => cart.reset());
    },
    destroy: () => open?.destroy(),
  };
}

/** Hears the ecommerce events that were and will be pushed, in either of their two forms. */
function watchDataLayer(heard: (event: string, data: unknown) => void) {
  const layer: any[] = ((window as any).dataLayer ??= []);
  const hear = (entry: any) => {
    const event = entry?.[0] === "event" ? entry[1] : entry?.event;
    if (ECOMMERCE.test(event)) heard(event, entry.event ? entry.ecommerce : entry[2]);
  };
  layer.forEach((entry) => quietly(() => hear(entry), undefined));
  const { push } = layer;
  layer.push = function (...entries) {
    entries.forEach((entry) => quietly(() => hear(entry), undefined));
    return push.apply(layer, entries);
  };
}
