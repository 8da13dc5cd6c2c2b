/**
 * The part of the cart that every page has: the calls, and what wakes the rest. The cart itself is a file of its own. It loads with
 * the visitor's first act, where this device has stored a cart, or when a customer signs in. Before that nothing is stored or
 * requested.
 */
import { CART, LEFT } from "./cart/storage/keys.ts";
import type { Host, OpenCart } from "./cart/types.ts";
import { quietly } from "./page.ts";
import type { Cart, Draft, Options } from "./types.ts";

/** The file that loads: `cart/entry.ts`. */
export type CartFile = typeof import("./cart/entry.ts");

/** Performs one of the site's calls, now or once the cart's file is there. */
type Tell = (name: string, args: unknown[]) => void;

const SEGMENT = /^(Product (Added|Removed)|Checkout Started|Order Completed)$/;

/** What `cartOf` gives. */
export type Shop = ReturnType<typeof cartOf>;

/** The cart's file: loads with its first use, and opens the cart. */
function fileOf(host: Host, load: () => Promise<CartFile>) {
  let open: OpenCart | undefined;
  let perform: CartFile["perform"];
  let file: Promise<CartFile> | undefined;
  /** What is done once the cart is open. */
  const early: (() => void)[] = [];
  /** Calls that wait for the file. */
  const waiting: [name: string, args: unknown[], at?: number][] = [];

  /** Calls back with the cart, which loads first where it is not there. */
  async function use<T>(act: (cart: OpenCart) => T | Promise<T>): Promise<T | null> {
    try {
      const loaded = await (file ??= load());
      if (!open) {
        ({ perform } = loaded);
        open = quietly(() => loaded.open(host), undefined);
        // The tracker ended while the file was on its way.
        if (!open) return null;
        // After the calls that waited for the file: callbacks get the cart with these acts in it.
        queueMicrotask(() => early.forEach((act) => act()));
      }
      for (const call of waiting.splice(0)) tell(...call);
      return await act(open);
    } catch (error) {
      file = undefined;
      host.say(error);
      return null;
    }
  }

  function tell(name: string, args: unknown[], _at?: number) {
    if (open) return quietly(() => perform(open!, name, args), undefined);
    waiting.push([name, args, Date.now()]);
    // A window calls its listeners in the order of their registration, and a capture kind may tell its last act when the page is left.
    addEventListener("pagehide", keep);
    void use(() => {});
  }
  /** An act or an order counts, though the page is left before the cart is there. */
  const keep = () => waiting.length && quietly(() => localStorage.setItem(LEFT + Math.random(), JSON.stringify(waiting.splice(0))), undefined);
  return { use, tell, early, opened: () => open };
}

/** The cart's calls for the site, and what the tracker tells the cart. */
export function cartOf(host: Host, load: () => Promise<CartFile>, { capture, tokenProvider }: Options) {
  const { use, tell, early, opened } = fileOf(host, load);

  const cart: Cart = {
    add: (line, n = 1) => tell("cart.add", [line, n]),
    set: (line, n) => tell("cart.set", [line, n]),
    dec: (line, n = 1) => tell("cart.dec", [line, n]),
    remove: (line) => tell("cart.remove", [line]),
    clear: () => tell("cart.clear", []),
    lines: () => opened()?.state().lines ?? [],
    totals: () => opened()?.state().totals ?? {},
    unpriced: () => opened()?.state().unpriced ?? 0,
    on(callback) {
      let stop: (() => void) | null = () => {};
      const listen = () => stop && (stop = opened()!.on(callback));
      if (opened()) listen();
      else early.push(listen);
      return () => {
        stop?.();
        stop = null;
      };
    },
    checkout: () => use((cart) => cart.checkout()),
    ordered(id, lines, properties) {
      tell("cart.ordered", [id, lines, properties]);
      return use((cart) => cart.flush()).then(() => {});
    },
  };

  const hasOne = () => !!opened() || quietly(isStored, false);
  if (hasOne()) void use(() => {});
  if (capture?.cart === "attributes") watchAttributes(tell);

  return {
    cart,
    use,
    tell,
    host,
    /** The page reported an event itself. */
    tracked({ type, name, properties }: Draft) {
      if (type === "track" && capture?.cart === "segment" && SEGMENT.test(name)) tell("segment", [name, properties]);
    },
    identified(user: string, token?: string) {
      if (user && (token || tokenProvider)) void use((cart) => cart.identify(user, token));
    },
    reset() {
      if (hasOne()) void use((cart) => cart.reset());
    },
    destroy: () => opened()?.destroy(),
  };
}

/** Whether this device has stored a cart, or acts for one. */
const isStored = () => [localStorage, sessionStorage].some((storage) => Object.keys(storage).some((key) => key === CART || key.startsWith(LEFT)));

/** Reads clicks on elements with `data-hilo-add` or `data-hilo-remove`. */
function watchAttributes(tell: Tell) {
  document.addEventListener("click", ({ target }) => {
    const element = target instanceof Element && target.closest("[data-hilo-add],[data-hilo-remove]");
    const product = element && element.closest("[data-hilo-product]")?.getAttribute("data-hilo-product");
    if (product) tell("attributes", [product, element.getAttribute("data-hilo-add"), element.getAttribute("data-hilo-remove")]);
  });
}
