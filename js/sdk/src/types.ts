/**
 * The public types of the tracker, written by hand: what a site may call, and what it gets back.
 */

import type * as kinds from "./capture/index.ts";

/** What is captured of the document beside page views. */
export type CaptureKind = keyof typeof kinds;

/** Why data may be used. `essential` is always on and cannot be chosen. */
export type Purpose = "functional" | "analytics" | "personalization" | "advertising" | "sale_share";

/** What the visitor said about a purpose. Silence is `unset`, and `unset` is never consent. */
export type Choice = "granted" | "denied" | "unset";

/** The visitor's choices. */
export type ConsentState = Record<Purpose, Choice> & { revision: number };

/** Anything JSON can say. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json | undefined };

/** Details of an event, or what is known about a person. */
export type Properties = { [key: string]: Json | undefined };

/** An event on its way to the queue, as `use` sees it. */
export interface Draft {
  type: "page" | "track" | "identify" | "group";
  /** The event's or page's name, or the id of the user or group. */
  name: string;
  properties: Properties;
}

/** A line of a cart, as a site names it. */
export interface LineInput {
  /** The shop's id of the article's variant. `variant` says the same. */
  product_id?: string | number;
  variant?: string | number;
  /** Chosen options, such as an engraving: lines with different options are different lines. */
  options?: Record<string, string | number | boolean>;
  /** Stands for the options in lines that `lines()` gave. */
  options_hash?: string;
  /** ISO 4217. */
  currency: string;
  /** Unit price, `"19.99"`: what the page shows, never what is paid. */
  price?: string | number;
  name?: string;
  url?: string;
  image?: string;
  /** Only where several lines are told at once. */
  quantity?: number;
}

/** A line of the cart. Can be given back to `add`, `set`, `dec` and `remove`. */
export interface CartLine {
  product_id: string;
  options_hash?: string;
  currency: string;
  quantity: number;
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
  /** Edits that were given up, because the hub refused them or nobody can know whether they counted. */
  lost: number;
}

/** What `cart.on` tells. */
export interface CartState {
  lines: CartLine[];
  /** Decimal text per currency, of the lines whose price is known. */
  totals: Record<string, string>;
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
  /** So many in all; 0 removes. */
  set(line: LineInput, count: number): void;
  dec(line: LineInput, count?: number): void;
  remove(line: LineInput): void;
  clear(): void;
  lines(): CartLine[];
  totals(): Record<string, string>;
  /** Calls back as soon as the cart of this device is known, where there is one, and on every change; answers a function that ends this. */
  on(callback: (state: CartState) => void): () => void;
  /** Notes the lines as they are; `null` when the hub cannot be reached. */
  checkout(): Promise<Checkout | null>;
  /** An order was placed: takes what was bought out of the cart. Told to the hub until it has heard it. */
  ordered(orderId: string, lines?: LineInput[]): Promise<void>;
}

/** Ways to write to somebody. */
export type Channel = "email" | "sms" | "push" | "phone" | "post";

/** What the visitor was shown, and where to write to. */
export interface OptInText {
  text: string;
  version: string;
  address?: string;
}

/** What the ledger says now. */
export interface OptInEntry {
  channel: Channel;
  state: "unset" | "subscribed" | "pending" | "unsubscribed";
  at: string;
}

/** What `load` takes. */
export interface Options {
  /** Write key of the source, `wk_…`. */
  key: string;
  /** Where the collector is; `/_h` on the site's own host by default. */
  endpoint?: string;
  capture?: {
    /** Page views, also in single-page apps. On by default. */
    pages?: boolean;
    /**
     * Where a cart that the shop keeps itself is read from: GA4's ecommerce events in `dataLayer`, the attributes
     * `data-hilo-add` and `data-hilo-remove`, or the Segment spec's ecommerce calls. By default only `hilo.cart` counts.
     */
    cart?: "dataLayer" | "attributes" | "segment" | "api";
  } & {
    /** What visitors do to the document, by kind. On by default. `forms`: begun, submitted, abandoned; names and timing, never values. */
    [kind in CaptureKind]?: boolean;
  };
  /** Gives a token of your backend's for who is signed in; asked again when it is over. */
  tokenProvider?: () => string | Promise<string>;
  consent?: {
    /** What happens while the visitor has not answered: wait in memory (default), or keep nothing at all. */
    pending?: "hold" | "drop";
    /** Version of the notice you show, for the receipts. */
    notice?: string;
  };
  /** Tell the developer what is wrong. */
  debug?: boolean;
}

/** The tracker. No call ever throws. */
export interface Hilo {
  /** A page view; only needed where `capture.pages` is off or the page has a name. */
  page(name?: string, properties?: Properties): void;
  /** A named act, in the Segment spec's words where it has one: "Product Added". */
  track(event: string, properties?: Properties): void;
  /**
   * Claims who the visitor is. A claim is forwarded, and never opens anybody's data; a token that your backend signed does,
   * the person's cart above all.
   */
  identify(userId: string, traits?: Properties, proof?: { token?: string }): void;
  group(groupId: string, traits?: Properties): void;
  /** Logout: whoever comes next on this device is somebody else. */
  reset(): void;
  /** `null` before consent. */
  anonymousId(): string | null;
  sessionId(): string | null;
  /** Calls back once the tracker is alive; at once if it is. */
  ready(callback: (hilo: Hilo) => void): void;
  consent: {
    grant(...purposes: Purpose[]): void;
    deny(...purposes: Purpose[]): void;
    state(): ConsentState;
    /** Calls back on every change; answers a function that ends this. */
    on(callback: (state: ConsentState) => void): () => void;
    /** Denies everything and leaves nothing of the visitor on the device. */
    withdraw(): void;
  };
  cart: Cart;
  /** The visitor agreed to be written to by `channel`. What the ledger says now; `null` if it could not be told. */
  optIn(channel: Channel, said: OptInText): Promise<OptInEntry | null>;
  optOut(channel: Channel): Promise<OptInEntry | null>;
  /** Runs before the queue: return the event, changed or not, or `null` to drop it. */
  use(change: (draft: Draft) => Draft | null): void;
  /** Sends what waits, now. */
  flush(): void;
  debug(on: boolean): void;
  /** Stops for good on this page. */
  destroy(): void;
}
