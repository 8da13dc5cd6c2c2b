/**
 * The shapes that files of the cart share: what the page gives the cart, what the cart gives the page, and lines and acts as tabs
 * exchange them. Types only, so that no file has to import another one for them.
 */
import type { instantiate, Source } from "../parts.ts";
import type { CartState, CartStatus, Channel, Checkout, ConsentState, LineInput, OptInEntry, OptInText, Properties } from "../types.ts";

/** What the cart needs of the tracker and its page. */
export interface Host {
  key: string;
  endpoint: string;
  /** Where the cart's module comes from. */
  source: Source;
  instantiate: typeof instantiate;
  /** A value as JSON. */
  json(value: unknown): string | undefined;
  /** Reports a touchpoint under an id that the hub may use too. */
  track(event: string, properties: Properties, messageId: string): void;
  consent(): ConsentState;
  anonymousId(): string | null;
  tokenProvider?: (() => string | Promise<string>) | undefined;
  /** Counts acts that were stored for too long. */
  lose(count: number): void;
  /** From now on choices of consent count for the visitor of this token too; empty for nobody but the device. */
  vouch(token: string): void;
  /** The token that proves the visitor's id on this page, where no cookie does; `new` or empty for none. From now on it is `other`, where there is one. */
  idProof(other?: string): string;
  /** Shows the developer what is wrong. */
  say(what: unknown): void;
  /** Shows the developer, once a page, an error that keeps the cart from working. */
  fail(code: string, detail: unknown): void;
}

/** The opened cart: what `../cart.ts` and `perform` call. */
export interface OpenCart {
  act(kind: number, line: LineInput | null, count: unknown, isQuiet?: boolean): void;
  state(): CartState;
  on(callback: (state: CartState) => void): () => void;
  checkout(isQuiet?: boolean): Promise<Checkout | null>;
  ordered(orderId: string, lines?: LineInput[], more?: Properties | true): Promise<void>;
  viewed(): void;
  identify(user: string, token?: string): void;
  reset(): void;
  optIn(channel: Channel, state: "subscribed" | "unsubscribed", said: Partial<OptInText>): Promise<OptInEntry | null>;
  flush(): Promise<void>;
  /** Ends the cart on this page. */
  destroy(): void;
}

/** A line of the cart as tabs exchange it: enough to show it and to add to it. */
export interface Shown {
  quantity: number;
  variant: string;
  options: string;
  currency: string;
  /** Decimals of the currency. */
  decimals: number;
  /** Minor units as text. */
  unit_price?: string;
  name?: string;
  url?: string;
  image?: string;
}

/** A line as the cart's module takes it: `variant options currency price name url image`. */
export type Cells = [variant: string, options: string, currency: string, price: string, name?: string, url?: string, image?: string];

/** An act as tabs exchange it. `n` also tells when its page opened. `kind` is a `CART_ACT_` code or `CLEAR`; `cells` is null for clearing. */
export type Act = [n: number, kind: number, units: number, cells: Cells | null, isQuiet: boolean];

/** What only the leader does, by its name in messages between tabs. */
export type TaskName = "checkout" | "ordered" | "identify" | "reset" | "flush";

/** What tabs tell each other. A message has the fields of one kind; tabs of an older deployment send the same. */
export interface TabMessage {
  /** A follower's acts that the leader has not confirmed. */
  acts?: Act[];
  /** A follower asks the leader for a task, under the follower's number `id`. */
  ask?: [name: TaskName, args: unknown[]];
  id?: number;
  /** The name of the tab that sends `acts` or `ask`. */
  from?: string;
  /** The leader's answer to a task. */
  result?: [from: string, id: number, value: unknown];
  /** The leader's cart, its status, and how far it has done each tab's acts. */
  shown?: Shown[];
  status?: CartStatus;
  done?: Record<string, number>;
  /** A tab begins to lead. */
  lead?: boolean;
  /** A new tab asks for the leader's cart. */
  hello?: boolean;
}
