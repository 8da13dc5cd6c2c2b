/**
 * The public types of the tracker, written by hand: what a site may call, and what it gets back.
 */

import type * as kinds from "./capture/index.ts";

/** What is captured of the document beside page views. */
export type CaptureKind = keyof typeof kinds;

/** Why data may be used. `essential` is always on and cannot be chosen. */
export type Purpose = "functional" | "analytics" | "personalization" | "advertising" | "sale_share";

/** A consent tool or signal that decides, by name. The IAB's tools (`tcf`, `gpp`) are found without a name. */
export type ConsentSource =
  | "tcf"
  | "gpp"
  | "consent_mode"
  | "shopify"
  | "wp"
  | "onetrust"
  | "cookiebot"
  | "usercentrics"
  | "didomi"
  | "cookieyes"
  | "complianz"
  | "iubenda"
  | "cookiefirst";

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

/** An event on its way to the queue, in the Segment spec's shape. The site may change what is not `readonly`. */
export interface CapturedEvent {
  readonly type: "page" | "track" | "identify" | "group";
  readonly messageId: string;
  readonly timestamp: string;
  /** The visitor's id, as far as this page has it: the collector may answer an earlier one. */
  readonly anonymousId: string;
  readonly userId?: string;
  readonly groupId?: string;
  /** The name of a named act. */
  event?: string;
  /** The name of a page. */
  name?: string;
  properties?: Properties;
  traits?: Properties;
  context: {
    page: Properties;
    /** What brought the visitor, in place of the campaign that the address names. */
    campaign?: Properties;
    readonly hilo: { readonly session: Properties };
  };
}

/**
 * What `use` takes. Return the event, changed or not, or nothing after changing it in place, or `null` to drop it. Anything else, such as
 * a promise, counts as nothing.
 */
export type Change = (event: CapturedEvent) => CapturedEvent | null | void;

/** What the collector made of an event. */
export interface Outcome {
  messageId: string;
  /** `notice`: the event was kept, and something in it was corrected or left out. */
  outcome: "accepted" | "notice" | "rejected";
  /** Why. None for an event that was accepted as it was. Of a notice that many events of a batch share, only the first is told. */
  faults: Fault[];
}

/** A reason with a stable code. */
export interface Fault {
  code: string;
  /** Dotted path of the field to blame. */
  field?: string;
  /** The collector's own sentence. */
  message: string;
  /** What to do. */
  remedy: string;
}

/** What `on` calls back with. */
export interface Told {
  /** An event that was queued, as it will be sent. */
  event: CapturedEvent;
  /** The collector's answer to an event. While it does not answer there is none, nor for an event that another tab sends. */
  outcome: Outcome;
  /** The visitor's choices after each change. */
  consent: ConsentState;
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
     * `data-hilo-add` and `data-hilo-remove`, the Segment spec's ecommerce calls, Shopify's theme cart, or WooCommerce's cart. By
     * default only `hilo.cart` counts. Of `dataLayer` views of products, lists and promotions, searches, steps of a checkout, wishes
     * and refunds are reported too, as named acts.
     */
    cart?: "dataLayer" | "attributes" | "segment" | "shopify" | "woocommerce" | "api";
    /** `jsonld`: a page that tells search engines of exactly one product is `Product Viewed`, unless `dataLayer` has told the view. */
    products?: "jsonld";
    /** ISO 4217: the currency of a captured price where neither event nor page names one. By default `normalize.currency` of `hilo.toml`. */
    currency?: string;
    /**
     * Cookies of other services that your destinations need, by name: `"_ga _ga_ABC123 _fbp _fbc _ttp hubspotutk _mkto_trk"`; no others are ever read. Each
     * is read once the visitor allows what it is for, sent with the events, and not kept in the page.
     */
    cookies?: string;
    /**
     * Other sites of yours, such as `["blog.example", "*.pay.example"]`: a link to them is not outbound. Nor is a link to another host of this
     * site. Where both sites have hilo, one source, and the other one in this list, such a link also hands the visitor over, who keeps
     * the anonymous id. A star stands for one label of a host.
     */
    domains?: string | string[];
    /**
     * What visitors look for on the site: `Products Searched`. Off by default, because nothing else that a visitor typed is captured. On:
     * the names that Google Analytics reads in a query (`q`, `s`, `search`, `query`, `keyword`). Text adds names: `"term buscar"`.
     */
    search?: boolean | string;
  } & {
    /**
     * What visitors do to the document, by kind.
     *
     * `forms` (on): begun, steps, errors, submitted, abandoned; names and timing, never values, but for what the site marks in a form
     * with `data-hilo-lead`. `clicks` (on): links to other sites, files, contacts and
     * shares, and elements marked `data-hilo-track`; never a number or an address. `media` (on): the page's own videos and sounds, in the
     * words of Segment's video spec. These cost an event where a visitor acts.
     *
     * `engagement` (off): how long each view was used and how far it was read. Each view that is left costs an event and a request of
     * their own, as many as the views themselves.
     */
    [kind in Exclude<CaptureKind, "search">]?: boolean;
  };
  /** Returns your backend's token for the signed-in user. Called again when the token has expired. */
  tokenProvider?: () => string | Promise<string>;
  consent?: {
    /** What happens to events while the visitor has not answered: they wait in memory (default), or are dropped. */
    pending?: "hold" | "drop";
    /** Version of the notice that you show, for the receipts. A choice under another version is unset: ask the visitor again. */
    notice?: string;
    /**
     * The tools that ask the visitor: one name, several in a list or in one text. Every event waits until each of them has told the
     * visitor's choice; a tool that never answers grants nothing. A denial of any tool wins, and a later `hilo.consent.grant()` comes before
     * all of them. `"api"`, alone or among others: your calls alone decide, even where a tool of
     * the IAB is on the page.
     */
    source?: ConsentSource | "api" | ConsentSource[] | (string & {});
    /** The purposes of the tool's categories: `{ C0002: "analytics", mkt: ["advertising", "sale_share"] }`. They come before hilo's own table. */
    categories?: Record<string, Purpose | Purpose[]> | string;
    /** Your id on IAB's vendor list. Without one, the consents that the visitor gave to the publisher count. */
    vendor?: number | string;
    /** Obey Do Not Track: it denies all purposes but `functional` until the visitor grants them here. Off by default. */
    dnt?: boolean | string;
    /** Tell Google's tags the visitor's choices by Consent Mode v2: everything denied at first, then each choice. */
    emit?: "consent_mode" | (string & {});
  };
  /** Write to the console what becomes of each event, and warnings; without the debugger. Errors that keep hilo from working are written in any case. */
  debug?: boolean;
}

/** Every text of the banner. `{controller}`, `{vendors}` and `{link}` are filled in. A purpose's text is its name, a colon, and its reason. */
export type BannerTexts = Record<
  | Purpose
  | "title" | "body" | "accept" | "reject" | "choose" | "save" | "back" | "essential"
  | "withdraw" | "link" | "gpc" | "more" | "messages" | "saved" | "failed",
  string
>;

/** What `addBanner` takes. */
export interface BannerOptions {
  /** The purposes that the site has in use, and asks for. `analytics` by default. */
  purposes?: Purpose[];
  /** Who asks. The page's host by default. */
  controller?: string;
  /** Who gets data for advertising, as text. */
  vendors?: string;
  /** Address of the cookie policy. */
  policy?: string;
  /** Language of the texts; by default the page's `lang`. hilo has Spanish and English, and your own `texts` may be in any. */
  lang?: string;
  /** Your own texts in place of hilo's. */
  texts?: Partial<BannerTexts>;
  /** Colors; by default dark only where the page says that it supports dark, by `color-scheme`. */
  theme?: "light" | "dark";
  /** Messages that the visitor may ask for beside the purposes, with the text to agree to. */
  optIns?: (OptInText & { channel: Channel })[];
}

/** The banner of the page. */
export interface Banner {
  /** Opens the choices, as each element with `data-hilo-consent` does when it is clicked. */
  open(): void;
  /** Takes the banner from the page. */
  remove(): void;
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
  /** `null` before consent, and until the collector has answered whose events the first ones are. */
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
  /** The banner, where the page has hilo's. */
  banner?: Banner;
  /** The visitor agreed to messages by `channel`. Returns the ledger's state, or `null` if the collector did not answer. */
  optIn(channel: Channel, said: OptInText): Promise<OptInEntry | null>;
  optOut(channel: Channel): Promise<OptInEntry | null>;
  /**
   * Lets `change` see every event before it is queued, captured ones too, once the visitor has consented. The first `change` comes first,
   * and a later one gets what the earlier one left. A dropped event is counted.
   *
   * Type, ids, time, session and consent stay what they were, whatever `change` writes there. No call of hilo's counts inside it.
   *
   * A `change` that throws changes nothing: the event goes out as it was, and the console names the error. A `change` that holds something
   * back has to catch its own errors and return `null`.
   */
  use(change: Change): void;
  /** Calls back for each `kind` from now on. A callback that throws harms nothing. Returns a function that ends this. */
  on<Kind extends keyof Told>(kind: Kind, callback: (told: Told[Kind]) => void): () => void;
  /** Sends the queue now. Of several tabs one sends for all: the events of another one are stored, and leave within seconds. */
  flush(): void;
  /**
   * Writes to the console what becomes of each event, and opens the debugger: a panel with consent, ids, queue, and each event with the
   * collector's outcome and its remedy.
   *
   * `?hilo_debug` in the address opens it too, where the source allows that by `debug = true` in `hilo.toml`: the page asks the collector.
   */
  debug(on: boolean): void;
  /** Stops for good on this page. */
  destroy(): void;
}
