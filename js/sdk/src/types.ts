/**
 * The public types of the tracker, written by hand: what a site may call, and what it gets back.
 */

import type * as kinds from "./capture/index.ts";

/** What is captured of the document beside page views. */
export type CaptureKind = keyof typeof kinds;

/** Why data may be used. `essential` is always on and cannot be chosen. */
export type Purpose = "functional" | "analytics" | "personalization" | "advertising" | "sale_share";

/** The visitor's choice about a purpose. Silence is `unset`, and `unset` is never consent. */
export type Choice = "granted" | "denied" | "unset";

/** The visitor's choices. */
export type ConsentState = Record<Purpose, Choice> & {
  revision: number;
  /**
   * Where the choices are kept: `local` for all pages, `tab` for the pages of this tab and `memory` for this page only, where the
   * browser blocks its storage. Missing until the tracker is there.
   */
  persistence?: "local" | "tab" | "memory";
};

/**
 * Details of an event, or traits of a person: an object of values that JSON has, or dates, which become text. `any` also accepts
 * the interfaces of a site. `unknown` would refuse them, because an interface has no index signature.
 */
export type Properties = { [key: string]: any };

/** An event on its way to the queue, as `use` gets it. */
export interface Draft {
  type: "page" | "track" | "identify" | "group";
  /** The event's or page's name, or the id of the user or group. */
  name: string;
  properties: Properties;
}

/** A line of a cart, as a site names it: `product_id` is the shop's id of the article's variant, and `variant` says the same. */
export type LineInput = LineFields & (
  | { product_id: string | number; variant?: string | number | undefined }
  | { product_id?: string | number | undefined; variant: string | number }
);

/** The rest of a line. */
export interface LineFields {
  /** Chosen options, such as an engraving: lines with different options are different lines. */
  options?: Record<string, string | number | boolean>;
  /** Stands for the options in a line that `lines()` returned. */
  options_hash?: string;
  /** ISO 4217. */
  currency: string;
  /** Unit price, `"19.99"`, as the page shows it. The price that is paid is the shop's. */
  price?: string | number;
  name?: string;
  url?: string;
  image?: string;
  /** Only for a list of lines. A unit that was begun counts: 1.5 kg are 2. */
  quantity?: number;
}

/** A line of the cart. `add`, `set`, `dec` and `remove` accept it as well. */
export interface CartLine {
  product_id: string;
  options_hash?: string;
  /** ISO 4217; `XXX`, its code for no currency, where nothing tells the currency. */
  currency: string;
  quantity: number;
  /** None where the price is unknown. */
  price?: string;
  name?: string;
  url?: string;
  image?: string;
}

/** How the cart is doing. */
export interface CartStatus {
  /** Whether the hub answers. */
  online: boolean;
  /** Edits of this device that the hub has not confirmed. */
  pending: number;
  /** Whether a checkout is open on any device. */
  checkoutOpen: boolean;
  /** Whether unsent edits outlive the page. */
  persistent: boolean;
  /** Edits that were given up, because the hub refused them or because nothing shows whether they counted. */
  lost: number;
}

/** What the callback of `cart.on` gets. */
export interface CartState {
  lines: CartLine[];
  /** Decimal text per currency, of the lines whose price is known. */
  totals: Record<string, string>;
  /** Units whose price is unknown. The totals are incomplete unless this is 0. */
  unpriced: number;
  status: CartStatus;
}

/** A checkout that began. */
export interface Checkout {
  checkout_id: string;
  /** Of the lines, as the hub has them. */
  sum_hash: string;
  lines: CartLine[];
  totals: Record<string, string>;
}

/** The visitor's cart, the same on every device. Acts show at once, offline too, and reach the hub when they can. */
export interface Cart {
  add(line: LineInput, count?: number): void;
  /** Sets the number in all; 0 removes the line. */
  set(line: LineInput, count: number): void;
  dec(line: LineInput, count?: number): void;
  remove(line: LineInput): void;
  clear(): void;
  lines(): CartLine[];
  /** Decimal text per currency. Incomplete unless `unpriced()` is 0. */
  totals(): Record<string, string>;
  /** Units whose price is unknown, so that no total has them. */
  unpriced(): number;
  /** Calls back once the cart of this device is open, and on every change. Returns a function that ends this. */
  on(callback: (state: CartState) => void): () => void;
  /** Begins a checkout of the present lines, and reports `Checkout Started`. Returns `null` when the hub cannot be reached. */
  checkout(): Promise<Checkout | null>;
  /**
   * Takes the lines of a placed order out of the cart, at once and for good: `lines`, or else those of the checkout, or else all. An order
   * counts once.
   *
   * Reports `Order Completed` with the order's products, their currency and the sum of their prices as `total`, so do not call `track`
   * for it. `properties` are the rest: `{ total: 43.88, shipping: 3.9, tax: 7.62, coupon: "MAY" }`.
   */
  ordered(orderId: string, lines?: LineInput[], properties?: Properties): Promise<void>;
}

/** Ways to write to somebody. */
export type Channel = "email" | "sms" | "push" | "phone" | "post";

/** The text that the visitor agreed to, and the address to write to. */
export interface OptInText {
  text: string;
  version: string;
  address?: string;
}

/** The ledger's present state of one channel. */
export interface OptInEntry {
  channel: Channel;
  state: "unset" | "subscribed" | "pending" | "unsubscribed";
  at: string;
}

/** What `load` takes. */
export interface Options {
  /** Write key of the source, `wk_…`. */
  key: string;
  /** Address of the collector; `/_h` on the site's own host by default. */
  endpoint?: string;
  capture?: {
    /**
     * Page views, also in single-page apps. On by default: another path is another view. `"query"`: another query that the
     * visitor went to is another view as well, as in a list with filters. `"hash"`: `#/list` is a route.
     */
    pages?: boolean | "query" | "hash" | "query hash";
    /**
     * The source of a cart that the shop keeps itself: the ecommerce events of GA4 and Universal Analytics in `dataLayer`, the attributes
     * `data-hilo-add` and `data-hilo-remove`, or the Segment spec's ecommerce calls. By default only `hilo.cart` counts.
     */
    cart?: "dataLayer" | "attributes" | "segment" | "api";
    /** ISO 4217: the currency of a captured price where neither event nor page names one. By default `normalize.currency` of `hilo.toml`. */
    currency?: string;
  } & {
    /** What visitors do to the document, by kind. On by default. `forms`: begun, submitted, abandoned; names and timing, never values. */
    [kind in CaptureKind]?: boolean;
  };
  /** Returns your backend's token for the signed-in user. Called again when the token has expired. */
  tokenProvider?: () => string | Promise<string>;
  consent?: {
    /** What happens to events while the visitor has not answered: they wait in memory (default), or are dropped. */
    pending?: "hold" | "drop";
    /** Version of the notice that you show, for the receipts. A choice under another version is unset: ask the visitor again. */
    notice?: string;
  };
  /** Write to the console what becomes of each event, and warnings. Errors that keep hilo from working are written in any case. */
  debug?: boolean;
}

/** The tracker. No call ever throws. */
export interface Hilo {
  /** A page view; only needed where `capture.pages` is off or the page has a name. It replaces the captured view of the page. */
  page(name?: string, properties?: Properties): void;
  /** A named act, in the Segment spec's words where it has one: "Product Added". */
  track(event: string, properties?: Properties): void;
  /**
   * Claims the visitor's user id. A claim is forwarded, and it never opens anybody's data. A token that your backend signed
   * opens the person's data, above all the cart, and links this device to the person until `reset()`.
   */
  identify(userId: string, traits?: Properties, proof?: { token?: string }): void;
  group(groupId: string, traits?: Properties): void;
  /** Logout: the next visitor on this device is a new one. */
  reset(): void;
  /** `null` before consent. */
  anonymousId(): string | null;
  sessionId(): string | null;
  /** Calls back once the tracker is there. */
  ready(callback: (hilo: Hilo) => void): void;
  consent: {
    grant(...purposes: Purpose[]): void;
    deny(...purposes: Purpose[]): void;
    state(): ConsentState;
    /** Calls back on every change. Returns a function that ends this. */
    on(callback: (state: ConsentState) => void): () => void;
    /** Denies every purpose. Only the denial stays on the device. */
    withdraw(): void;
  };
  cart: Cart;
  /** The visitor agreed to messages by `channel`. Returns the ledger's state, or `null` if the collector did not answer. */
  optIn(channel: Channel, said: OptInText): Promise<OptInEntry | null>;
  optOut(channel: Channel): Promise<OptInEntry | null>;
  /** Runs before the queue. Return the event, changed or not, or `null` to drop it. */
  use(change: (draft: Draft) => Draft | null): void;
  /** Sends the queue now. */
  flush(): void;
  debug(on: boolean): void;
  /** Stops for good on this page. */
  destroy(): void;
}
