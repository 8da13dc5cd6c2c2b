/**
 * What a visit to the example shop is to the vendors: `tests/browser/shop/destinations.spec.ts` does it by clicks.
 *
 * The events of each act as hilo names them → a vendor's own words for those that it takes. An act's words are in the alphabet's order,
 * because vendors that do not ask for it get the events of one act in any order.
 */

/** The acts of the visit, with the events that each is to hilo. */
export const VISIT = {
  "comes from an advertisement": ["page"],
  "signs in": ["Form Started", "Form Submitted", "identify", "page"],
  "puts an article into the cart": ["Product Added", "Product List Viewed", "Product Viewed", "identify", "identify", "page", "page"],
  "writes to the shop": ["Form Started", "Form Submitted", "Lead Submitted", "identify", "page"],
  "asks for the newsletter": ["Form Started", "Form Submitted", "Opt-In Requested"],
  orders: ["Cart Viewed", "Checkout Started", "Form Started", "Form Submitted", "Order Completed", "identify", "identify", "page", "page"],
  "returns the order": ["Order Refunded"],
} as const;

export type Act = keyof typeof VISIT;
export const ACTS = Object.keys(VISIT) as Act[];

/** A vendor's words, act by act. */
export type Words = Readonly<Record<Act, readonly string[]>>;

/** A vendor's words for events. An event without a word is not for the vendor. */
export type Dictionary = Readonly<Record<string, string | readonly string[]>>;

/** The visit in a vendor's words. `from` is the first act of which the vendor knows the person. */
export function visitIn(words: Dictionary, from: Act = ACTS[0]!): Words {
  const told = (act: Act) => (ACTS.indexOf(act) < ACTS.indexOf(from) ? [] : VISIT[act].flatMap((event) => words[event] ?? []).sort());
  return Object.fromEntries(ACTS.map((act) => [act, told(act)])) as unknown as Words;
}

/** What a visit is to a vendor that gets none of it. */
export const NOTHING = visitIn({});

const EVENTS = [...new Set(ACTS.flatMap((act): readonly string[] => VISIT[act]))];
/** hilo's own words, of a vendor that takes every event. The request of a subscription has links, so it is for its carrier alone. */
export const ALL: Dictionary = Object.fromEntries(EVENTS.filter((event) => event !== "Opt-In Requested").map((event) => [event, event]));
const { page: _page, identify: _identify, ...acts } = ALL;
/** The acts of the visitor in hilo's own words: neither views nor who the person is. */
export const NAMED_ACTS: Dictionary = acts;
