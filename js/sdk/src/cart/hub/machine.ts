/**
 * The state machine of the way to the hub: which request is due, what its answer leads to, and when the next request may go out.
 *
 * In: states and events as numbers; the clock and chance are arguments. Out: the move that `talk.ts` makes. Sends nothing, stores
 * nothing and sets no timer, so `tests/sdk` drives it without a browser.
 */
import { CART_NEXT_ASK, CART_ORDER } from "../../codes.ts";
import { BACKOFF_MS, BACKOFF_MS_MAX, POLL_MS, QUESTIONS_MAX, REFUSED_MS, RETRY_AFTER_S_MAX } from "../limits.ts";
import { ASKING, BACK_OFF, BAD, EMPTY, FORBIDDEN, FORGET_LEAVING, FORGET_ORDER, LEARN, LEARN_REFUSAL, LEAVING, NOT_FOUND, ORDERING, OTHER_CART, PAUSE, RENEW_TOKEN, RESTING, SENDING, STUCK, TAKEN, TOKEN_OVER, UNANSWERED } from "./states.ts";

/** The move by state and event. Every pair that is missing backs off. */
const MOVES: Record<number, Record<number, number>> = {
  [LEAVING]: { [TAKEN]: FORGET_LEAVING, [EMPTY]: FORGET_LEAVING },
  [ASKING]: { [TAKEN]: LEARN, [TOKEN_OVER]: RENEW_TOKEN, [OTHER_CART]: LEARN_REFUSAL, [FORBIDDEN]: PAUSE, [NOT_FOUND]: PAUSE },
  [SENDING]: {
    [TAKEN]: LEARN,
    [TOKEN_OVER]: RENEW_TOKEN,
    [OTHER_CART]: LEARN_REFUSAL,
    [FORBIDDEN]: PAUSE,
    [NOT_FOUND]: PAUSE,
    [BAD]: LEARN_REFUSAL,
  },
  // An order that the hub refuses for its content is refused always.
  [ORDERING]: {
    [TAKEN]: LEARN,
    [TOKEN_OVER]: RENEW_TOKEN,
    [OTHER_CART]: LEARN_REFUSAL,
    [FORBIDDEN]: PAUSE,
    [NOT_FOUND]: FORGET_ORDER,
    [BAD]: FORGET_ORDER,
  },
};

/** The events of these statuses. */
const EVENTS: Record<number, number> = { 200: TAKEN, 204: EMPTY, 400: BAD, 401: FORBIDDEN, 403: FORBIDDEN, 404: NOT_FOUND, 409: BAD, 410: FORBIDDEN, 413: BAD, 422: BAD };

/** Whether the hub is asked before anything is sent. */
export let mustAsk: boolean;
/** No request goes out before this time. */
export let notBefore: number;
/** Requests that failed in a row. */
export let failures: number;
/** Questions since an answer that led to none. */
let questions = 0;
/** The message that the hub took without confirming it. */
let unconfirmed: string;
/** Whether the token was renewed since the hub last took a request. */
let isRenewed: boolean;

/** The beginning: the first request is a question. */
export function begin() {
  unconfirmed = "";
  isRenewed = false;
  questions = 0;
  forgive();
}

/** The hub is asked next, where `isWanted`. */
export function ask(isWanted: boolean) {
  mustAsk ||= isWanted;
}

/** The hub is asked next, without waiting. */
export function hurry() {
  notBefore = 0;
  mustAsk = true;
}

/** The hub is asked next, as if no request had failed. */
export function forgive() {
  failures = 0;
  hurry();
}

/** What there is to do. [`due`] calls the functions in this order, and only where it needs their answer: to take the next message seals it. */
export interface Work {
  hasLeft(): boolean;
  /** Whether the hub has a cart to ask for. */
  mayAsk(): unknown;
  /** The next message; empty for none, `CART_ORDER` while an order is due. */
  nextMessage(): string;
  isWaiting(): unknown;
  hasLabel(): unknown;
  /** Whether an order waits that an earlier deployment stored, so that the messages have no place for it. */
  hasOrder(): unknown;
}

/** The state that comes next. */
export function due(work: Work): number {
  // Before anything else: what comes next must not go into the cart of the visitor who left.
  if (work.hasLeft()) return LEAVING;
  // The first act of a guest asks nothing: there is no cart yet.
  const isQuestion = mustAsk && work.mayAsk();
  mustAsk = false;
  if (!isQuestion) {
    const message = work.nextMessage();
    if (message) return message === CART_ORDER ? ORDERING : SENDING;
    if (!work.isWaiting()) return work.hasOrder() ? ORDERING : RESTING;
    if (!work.hasLabel()) return STUCK;
  }
  questions += 1;
  return ASKING;
}

/** The event that an answer is. */
export function eventOf(status: number, code: string): number {
  if (status === 401 && code.startsWith("token_")) return TOKEN_OVER;
  if (code === "foreign_replica" || code === "cart_merged") return OTHER_CART;
  return EVENTS[status] ?? UNANSWERED;
}

/** The move that an event in a state leads to. The hub is asked again where it did not take a question. */
export function moveOf(state: number, event: number): number {
  if (event === TAKEN) {
    failures = 0;
    isRenewed = false;
  } else if (state === ASKING) mustAsk = true;
  return MOVES[state]?.[event] ?? BACK_OFF;
}

/** Notes what the module wants after a view. Returns false for an answer that leads nowhere, which counts as no answer. */
export function learned(next: number): boolean {
  const isQuestion = next === CART_NEXT_ASK;
  if (next !== next || (isQuestion && questions > QUESTIONS_MAX)) return false;
  if (isQuestion) mustAsk = true;
  else questions = 0;
  return true;
}

/** Notes that the hub took a message without confirming it, so that the hub is asked. Returns false the second time: another question is in vain. */
export function doubts(message: string): boolean {
  if (unconfirmed === message) return false;
  unconfirmed = message;
  return (mustAsk = true);
}

/** Notes that the token is over. Returns false if it was renewed already since the hub last took a request. */
export const renews = (): boolean => !isRenewed && (isRenewed = true);

/** The next request waits as long as the hub says, else longer after each failure. `chance` is below 1. */
export function backOff(now: number, chance: number, retryAfterS?: number) {
  failures += 1;
  const ms = chance * Math.min(BACKOFF_MS_MAX, BACKOFF_MS * 2 ** failures);
  notBefore = now + (retryAfterS === undefined ? ms : Math.min(retryAfterS, RETRY_AFTER_S_MAX) * 1e3);
  unconfirmed = "";
  questions = 0;
}

/** The next request waits long. */
export function pause(now: number) {
  notBefore = now + REFUSED_MS;
}

/** How long a poll waits. */
export const pollMs = (chance: number) => POLL_MS * (0.5 + chance);
