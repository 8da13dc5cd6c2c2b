/**
 * What outlives the page: a line of JSON, the replica's text, and a last line that shows that nothing is missing. Later deployments
 * read what earlier ones have stored.
 */
import * as core from "../core.ts";
import { host } from "../host.ts";
import type { Extras, Order } from "../hub/wire.ts";
import type { Shown } from "../types.ts";
import { quietly, read, write } from "./store.ts";

/** The first line. Its names stand in storage. */
export interface Head {
  /** The number of the last act that was done, by tab. */
  done: Record<string, number>;
  /** The customer whose cart it is; empty for a guest's. */
  user: string;
  capability: string;
  /** The checkout that began and has no order, and its lines. */
  checkout: string;
  lines?: Shown[] | undefined;
  /** Orders that the hub has to learn of. */
  orders: Order[];
  /** The last order's id: a page that is shown again tells its order again. */
  last?: string;
  /** Whether the collector has yet to learn that the visitor logged out. */
  isLeaving: boolean;
  /** Touchpoints of operations that could still change when this was stored. */
  drafts: string;
}

/** The last line. Where it is missing, something before it is missing too. */
const END = ".";

const empty = (): Head => ({ done: {}, user: "", capability: "", checkout: "", orders: [], isLeaving: false, drafts: "" });

export let head = empty();

/** Opens what storage holds: into the module, and into `head`. */
export function restore() {
  const [first = "", ...lines] = read().split("\n");
  head = { ...empty(), ...quietly(() => JSON.parse(first)) };
  const isWhole = !first || lines.pop() === END;
  if (core.open(lines.join("\n")) && isWhole) return;
  host.say("the cart in storage is damaged");
  openBeginning(lines);
  core.doubt();
}

/** Opens the longest beginning that can be read; the hub tells the rest. */
function openBeginning(lines: string[]) {
  // A beginning of a readable beginning is readable, so halving finds the longest.
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (core.open(lines.slice(0, middle).join("\n"))) low = middle;
    else high = middle - 1;
  }
  if (!low) core.open("");
}

/** Stores the module's cart and `head`; nothing where there is no cart. */
export function save() {
  const hasNothing = !core.label() && !core.waiting() && !head.orders.length && !head.isLeaving;
  write(hasNothing ? "" : `${host.json({ ...head, drafts: core.drafts() })}\n${core.stored()}\n${END}`);
}

/** Forgets everything: at a logout, of which the collector has yet to learn, or because another tab leads from now on. */
export function leave(isLeaving: boolean) {
  head = { ...empty(), isLeaving };
}

/** Takes what an answer holds for later requests. */
export function learn({ capability, merged }: Extras) {
  if (capability) head.capability = capability;
  if (merged) head.capability = "";
}
