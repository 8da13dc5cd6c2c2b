/**
 * What of the cart every page has: the calls, and what wakes the rest. The cart itself is a file of its own and loads with the
 * visitor's first act on it, where this device kept one, or when a customer signs in. Before that nothing is stored or requested.
 */
import type { Host, OpenCart } from "./cart/index.ts";
import { quietly } from "./page.ts";
import type { Cart, Draft, LineInput, Options } from "./types.ts";

/** The file that loads: `cart/entry.ts`. */
export type CartFile = typeof import("./cart/entry.ts");

const ECOMMERCE = /^(add_to_cart|remove_from_cart|view_cart|begin_checkout|purchase)$/;
const SEGMENT = /^(Product (Added|Removed)|Checkout Started|Order Completed)$/;

/** The cart's calls for the site, and what the tracker tells it. */
export function cartOf(host: Host, load: () => Promise<CartFile>, { capture, tokenProvider }: Options) {
  let open: OpenCart | undefined;
  let file: Promise<CartFile> | undefined;
  const early: (() => void)[] = [];

  /** Does it with the cart and its file; loads them first where they are not there. */
  async function use<T>(act: (cart: OpenCart, file: CartFile) => T | Promise<T>): Promise<T | null> {
    try {
      const loaded = await (file ??= load());
      if (!open) {
        open = loaded.open(host);
        // After the acts that waited for the file: who listens sees what they came to.
        queueMicrotask(() => early.forEach((listen) => listen()));
      }
      return await act(open, loaded);
    } catch (error) {
      file = undefined;
      host.say(error);
      return null;
    }
  }
  const act = (kind: number, line: LineInput | null, count: number) =>
    void (open ? quietly(() => open!.act(kind, line, count), undefined) : use((cart) => cart.act(kind, line, count)));

  const cart: Cart = {
    add: (line, n = 1) => act(0, line, n),
    set: (line, n) => act(1, line, n),
    dec: (line, n = 1) => act(2, line, n),
    remove: (line) => act(1, line, 0),
    clear: () => act(3, null, 0),
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
    ordered: (id, lines) => use((cart) => cart.ordered(id, lines)).then(() => {}),
  };

  const isKept = () => [localStorage, sessionStorage].some((storage) => storage.getItem("hilo.cart"));
  const hasOne = () => !!open || quietly(isKept, false);
  if (hasOne()) void use(() => {});
  if (capture?.cart === "dataLayer") watchDataLayer((event, data) => void use((cart, { fromDataLayer }) => fromDataLayer(cart, event, data)));
  if (capture?.cart === "attributes") {
    document.addEventListener("click", ({ target }) => {
      const element = target instanceof Element && target.closest("[data-hilo-add],[data-hilo-remove]");
      if (element) void use((cart, { fromAttributes }) => fromAttributes(cart, element));
    });
  }

  return {
    cart,
    use,
    /** The page told an event itself. */
    tracked({ type, name, properties }: Draft) {
      if (type === "track" && capture?.cart === "segment" && SEGMENT.test(name)) void use((cart, { fromSegment }) => fromSegment(cart, name, properties));
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
