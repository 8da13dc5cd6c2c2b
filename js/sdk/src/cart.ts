/**
 * The part of the cart that every page has: the calls, and what wakes the rest. The cart itself is a file of its own. It loads with
 * the visitor's first act, where this device has stored a cart, or when a customer signs in. Before that nothing is stored or
 * requested.
 *
 * A page has one cart, so its state are variables of this module: objects that pass it on cost bytes.
 */
import { CART, LEFT } from "./cart/storage/keys.ts";
import type { Host, OpenCart } from "./cart/types.ts";
import { json } from "./json.ts";
import { listen, quietly } from "./page.ts";
import type { Cart, Options } from "./types.ts";

/** The file that loads: `cart/entry.ts`. */
export type CartFile = typeof import("./cart/entry.ts");

const SEGMENT = /^(Product (Added|Removed)|Checkout Started|Order Completed)$/;

let host: Host;
let load: () => Promise<CartFile>;
let isSegment: boolean;
let open: OpenCart | undefined;
let perform: CartFile["perform"];
let file: Promise<CartFile> | undefined;
/** What is done once the cart is open. */
const early: (() => void)[] = [];
/** Calls that wait for the file. */
const waiting: [name: string, args: unknown[], at?: number][] = [];

/** Calls back with the cart, which loads first where it is not there. */
export async function use<T>(act: (cart: OpenCart) => T | Promise<T>): Promise<T | null> {
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

/** Performs one of the site's calls, now or once the cart's file is there. */
function tell(name: string, args: unknown[], _at?: number) {
  if (open) return quietly(() => perform(open!, name, args), undefined);
  waiting.push([name, args, Date.now()]);
  // A window calls its listeners in the order of their registration, and a capture kind may tell its last act when the page is left.
  addEventListener("pagehide", keep);
  void use(() => {});
}

/** An act or an order counts, though the page is left before the cart is there. */
const keep = () => waiting.length && quietly(() => localStorage.setItem(LEFT + Math.random(), json(waiting.splice(0))!), undefined);

const state = () => open?.state();

/** The cart's calls for the site. */
export const cart = {
  lines: () => state()?.lines ?? [],
  totals: () => state()?.totals ?? {},
  unpriced: () => state()?.unpriced ?? 0,
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
  ordered(id, lines, properties) {
    tell("cart.ordered", [id, lines, properties]);
    return use((cart) => cart.flush()).then(() => {});
  },
} as Cart;
// A third argument would make an act quiet, and `forEach` passes one.
for (const name of ["add", "set", "dec", "remove", "clear"] as const) cart[name] = (...args: unknown[]) => void tell("cart." + name, args.slice(0, 2));

/** What the page's other files do with the cart. */
export const shop = () => ({ use, tell, host });
export type Shop = ReturnType<typeof shop>;

/** The tracker starts: takes up a cart that this device has. */
export function beginCart(page: Host, source: typeof load, capture: Options["capture"]) {
  host = page;
  load = source;
  isSegment = capture?.cart === "segment";
  if (hasOne()) void use(() => {});
  if (capture?.cart === "attributes") listen(document, "click", readAttributes);
}

/** The page reported a named act itself. */
export function tracked(name: string, properties: unknown) {
  if (isSegment && SEGMENT.test(name)) tell("segment", [name, properties ?? {}]);
}

export function identified(user: string, token?: string) {
  if (user && (token || host.tokenProvider)) void use((cart) => cart.identify(user, token));
}

export function resetCart() {
  if (hasOne()) void use((cart) => cart.reset());
}

export const destroyCart = () => open?.destroy();

const hasOne = () => !!open || quietly(isStored, false);

/** Whether this device has stored a cart, or acts for one. */
const isStored = () => [localStorage, sessionStorage].some((storage) => Object.keys(storage).some((key) => key === CART || key.startsWith(LEFT)));

/** Reads a click on an element with `data-hilo-add` or `data-hilo-remove`. `more/marks.ts` reads frames and shadow roots. */
function readAttributes({ target }: Event) {
  const element = (target as Element).closest?.("[data-hilo-add],[data-hilo-remove]");
  const product = element?.closest("[data-hilo-product]")?.getAttribute("data-hilo-product");
  if (product) tell("attributes", [product, element!.getAttribute("data-hilo-add"), element!.getAttribute("data-hilo-remove")]);
}
