/**
 * What the hub and this device write to each other as JSON (`hilo_core::cart::wire`). Types only. Numbers that may pass 2⁵³ are
 * strings.
 */

/** What names a line. */
export type LineName = [variant: string, options: string, currency: string];
/** What names an operation. */
export type Dot = [replica: string, n: number];
/** How a line looks. */
export type Look = Partial<Record<"name" | "url" | "image" | "unit_price", string>>;
/** A live dot of a line: what it says, of how many units, and how many of them each replica took back. */
export type Put = [line: LineName, dot: Dot, kind: string, quantity: number, used?: Record<string, number>];

/** One message to the hub: the operations `from` to `to` of one replica. */
export interface Ops {
  v: number;
  cart: string;
  epoch: number;
  replica: string;
  token: string;
  from: number;
  to: number;
  base: string;
  put: Put[];
  drop: Dot[];
  info: [line: LineName, look: Look][];
}

/** What the hub tells of a cart. */
interface Content {
  /** What was seen without a gap, and beyond one. Of a whole cart only. */
  vv?: Record<string, number>;
  cloud?: Dot[];
  put?: Put[];
  info?: [line: LineName, rev: string, look: Look][];
}

/** The hub's cart or, without `full`, what happened to it since the revision that was asked for. */
export interface HubView extends Content {
  cart?: string | null;
  rev: string;
  epoch: number;
  acked?: number;
  drop?: Dot[];
  full?: Content;
}

/** What the collector adds to a view. */
export interface Extras {
  /** Opens the live socket. */
  live?: string;
  checkout_open?: boolean;
  capability?: string;
  merged?: unknown;
}

/** Why the hub refused a message. */
export interface Refusal {
  code?: string;
  replica?: string;
  from?: number;
  /** What was applied at the end of the epoch before. */
  previous?: Record<string, number>;
}

/** The body of an answer: a view, or an error. */
export interface HubAnswer extends Partial<HubView>, Extras {
  error?: Refusal;
}

/** A frame of the live socket, by `t`. */
export type Frame =
  | ({ t: "view" | "delta" } & HubView)
  | { t: "ack" | "merged" }
  | { t: "checkout"; open: boolean }
  | { t: "refused"; error: Refusal };

/** The answer to a checkout that began. */
export interface CheckoutAnswer {
  checkout_id: string;
  sum_hash: string;
}

/** An order that the hub has to hear of. */
export interface Order {
  order_id: string;
  checkout_id?: string;
  /** What was bought. */
  lines?: { line: LineName; quantity: number }[];
  /** Whether it took something out of this device's cart. The device's own note: the hub ignores it. */
  isPending?: boolean;
}

/** The visitor as the hub's own touchpoints name them, with what they consented to. */
export interface Person {
  anonymousId: string;
  consent: { categoryPreferences: Record<string, boolean>; revision: number };
}
