/**
 * What the first file lends to the second one: the page's listeners and guards, the gate, the cart. Types only.
 */
import type { Shop } from "../cart.ts";
import type { Tab } from "./leads.ts";

/** What the first file lends. */
export interface Host extends Tab {
  /** The kinds that are on. */
  kinds: string[];
  /** Listens until the tracker stops, and keeps errors from the page. */
  listen(target: EventTarget, name: string, heard: (event: Event) => unknown): void;
  /** Calls `act` when the tracker stops. */
  atEnd(act: () => void): void;
  /** Tells the developer, in debug mode. */
  say(what: unknown): void;
  /** The cart, where the tag manager tells what is in it. */
  shop?: Shop;
  /** The currency where neither a push nor the page names one. */
  currency?: string | undefined;
  /** Hands a named act to the gate. */
  capture(name: string, properties: string, at: number): void;
}
