/** The states, events and moves of `machine.ts`. A file of its own without imports, so that the build puts the numbers in place of the names. */

/** The states: the request that is under way. */
export const LEAVING = 0;
export const ASKING = 1;
export const SENDING = 2;
export const ORDERING = 3;
/** No request is under way, and none is due. */
export const RESTING = 4;
/** Operations wait, and neither a message nor a question is possible. */
export const STUCK = 5;

/** The events: what a request came to. */
export const TAKEN = 0;
export const EMPTY = 1;
export const TOKEN_OVER = 2;
export const OTHER_CART = 3;
export const BAD = 4;
export const NOT_FOUND = 5;
export const FORBIDDEN = 6;
export const UNANSWERED = 7;

/** The moves: what an event leads to. */
export const BACK_OFF = 0;
export const LEARN = 1;
export const FORGET_LEAVING = 2;
export const RENEW_TOKEN = 3;
export const LEARN_REFUSAL = 4;
export const PAUSE = 5;
export const FORGET_ORDER = 6;
