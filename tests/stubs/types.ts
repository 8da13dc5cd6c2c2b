/** The shapes that every stub of a vendor shares. `server.ts` runs them; nothing here does. */

import type { Words } from "./visit.ts";

/** A request as the vendor would get it: with the vendor's own host. */
export interface StubRequest {
  readonly method: string;
  readonly url: URL;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Milliseconds since the epoch. A test moves this clock. */
  readonly now: number;
}

export interface StubAnswer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  /** A text is sent as it is, anything else as JSON. */
  readonly body?: unknown;
}

/**
 * A vendor on this machine. It is stricter than the vendor: the judge of `tests/specs` has looked at each request before, and what it
 * refused never comes here. A stub keeps what the vendor would keep, so that repeats, upserts, tokens and limits behave.
 */
export interface Stub {
  /** The kind of the destination, or of the feed; `tests/golden/forward/<kind>`, or `feeds/<kind>`, has its cases. */
  readonly kind: string;
  /** The folder of its judge in `tests/specs`. */
  readonly spec: string;
  /** The hosts that it answers for, with anchors. */
  readonly hosts: RegExp;
  /** Whether a request to one of its hosts is for this vendor. Only for a host of several vendors, such as Google's for tokens. */
  isMine?(request: StubRequest): boolean;
  /** Whether the vendor answers 2xx to whatever it cannot use. A request that the judge refuses is noted, and answered so. */
  readonly silent?: StubAnswer;
  /** What a session brings to the vendor. Without it, specs only count requests. */
  readonly expects?: Expectation;
  /** What a visit to the example shop brings to the vendor. Without it, specs only look whether anything comes. */
  readonly visit?: VisitExpectation;
  /** Whether an order counts as sent where nobody knows what became of its attempt. Otherwise it is sent again. */
  readonly assumesSent?: boolean;
  /** Answers a request that the judge let through. */
  answer(request: StubRequest): StubAnswer;
  /** What the vendor has taken, oldest first: once where it knows a repeat, twice where it does not. */
  arrived?(): readonly Arrival[];
  /** Whether the vendor was asked to delete the person whom it knows by this key. Only for a vendor with such a call. */
  deleted?(who: string): boolean;
  /** What the vendor has now, for its page and for tests: plain data. */
  state(): unknown;
}

/** One thing that the vendor has taken. */
export interface Arrival {
  /** The person by the vendor's own key: an id, an e-mail address or its hash. */
  readonly who: string;
  /** What it is, in the vendor's words. */
  readonly what: string;
}

/**
 * What the session of `tests/collector/reaches_every_destination.spec.ts` brings to the vendor, in order: a page view, the person's own
 * traits, a product added, a lead form, a newsletter, an order, a refund.
 */
export interface Expectation {
  /** Of somebody who granted everything. */
  readonly granted: readonly string[];
  /** Of somebody who granted analytics only. */
  readonly analytics: readonly string[];
  /** Of somebody who granted nothing. A newsletter's request is what the person asked for. */
  readonly nothing?: readonly string[];
}

/** What the visit of `tests/browser/shop/destinations.spec.ts` brings to the vendor, by what the visitor allows. */
export interface VisitExpectation {
  readonly granted: Words;
  readonly analytics: Words;
  /** Of somebody who allows nothing. */
  readonly nothing?: Words;
}

/** A stub's module: `export const create: CreateStub = () => …`. */
export type CreateStub = () => Stub;
