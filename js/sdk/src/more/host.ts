/**
 * What the first file lends to the second one: the page's listeners and guards, the gate, the cart. Types only.
 */
import type { Shop } from "../cart.ts";
import type { Given, instantiate, Pack, Part } from "../parts.ts";
import type { Options } from "../types.ts";
import type { Tab } from "./leads.ts";

/** The shop's file: `shop/entry.ts`. */
export interface ShopFile {
  open(given: Given, host: Host): Promise<() => void>;
}

/** Code and module under this name on the collector. The second file has the names, so that the first file need not. */
export type LatePart = (name: string) => Part<any>;

/** The queue as far as several tabs share it, and its requests. A list, because the first file counts bytes. */
export type SharedQueue = [
  /** This page's number in the keys of what it stores. */
  tab: number,
  /** The stored keys that begin with a text, a line each. */
  keys: (prefix: string) => string,
  /** Gives this tab's lock back: another tab may take what it has stored. */
  free: () => void,
  /** A call of the first module. */
  happen: (what: number, text?: string) => number,
  packBy: (pack: Pack) => void,
];

/** What the first file lends. */
export interface Host extends Tab {
  /** The queue, which other tabs share. */
  queue: SharedQueue;
  /** What the site wants. */
  options: NonNullable<Options["capture"]>;
  /** The kinds that are on. */
  kinds: string[];
  /** Listens until the tracker stops, and keeps errors from the page. */
  listen(target: EventTarget, name: string, heard: (event: Event) => unknown): void;
  /** A value as JSON. */
  json(value: unknown): string | undefined;
  /** Compiles a module. */
  instantiate: typeof instantiate;
  /** Calls `act` when the tracker stops. */
  atEnd(act: () => void): void;
  /** Tells the developer, in debug mode. */
  say(what: unknown): void;
  /** The cart, which also takes opt-ins. */
  shop: Shop;
  /** Where the shop's file comes from, if the site wants what it reads. */
  reader: LatePart | false;
  /** The site's options about consent. */
  settings: NonNullable<Options["consent"]>;
  /** Tells the gate what the page's consent tools say: codes of the purposes, methods, raw signals. */
  hear(codes: number, methods: string, signals: string): void;
  /** Hands a named act to the gate. */
  capture(name: string, properties: string, at: number): void;
}
