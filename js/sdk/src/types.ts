/**
 * The public types of the tracker, written by hand: what a site may call, and what it gets back.
 */

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

/** What `load` takes. */
export interface Options {
  /** Write key of the source, `wk_…`. */
  key: string;
  /** Where the collector is; `/_h` on the site's own host by default. */
  endpoint?: string;
  capture?: {
    /** Page views, also in single-page apps. On by default. */
    pages?: boolean;
    /** Forms begun, submitted, abandoned: names and timing, never values. On by default. */
    forms?: boolean;
  };
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
  /** Claims who the visitor is. A claim is forwarded, and never opens anybody's data. */
  identify(userId: string, traits?: Properties): void;
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
  /** Runs before the queue: return the event, changed or not, or `null` to drop it. */
  use(change: (draft: Draft) => Draft | null): void;
  /** Sends what waits, now. */
  flush(): void;
  debug(on: boolean): void;
  /** Stops for good on this page. */
  destroy(): void;
}
