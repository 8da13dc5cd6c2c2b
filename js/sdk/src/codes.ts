/**
 * Every number and letter that crosses the border between the page and a module.
 *
 * `crates/hilo-tracker/src/platform/codes.rs` holds the same names with the same values; `cargo xtask tidy` compares the two files.
 */

/** What happens in the page: the argument of `happen`. */
export const HAPPENED_NAVIGATED = 0;
export const HAPPENED_RESTORED = 1;
export const HAPPENED_HIDDEN = 2;
export const HAPPENED_ONLINE = 3;
export const HAPPENED_WOKE = 4;
export const HAPPENED_STORED_ELSEWHERE = 5;
export const HAPPENED_TASK_ENDED = 6;
export const HAPPENED_REPLACED = 7;
export const HAPPENED_READY = 8;
export const HAPPENED_SHOWN = 9;

/** What a module answers to a request that it cannot read. */
export const UNREADABLE = "!";

/** What the reader of the tag manager needs: the lines of the cart for the next act, the shop's own currency for an entry. */
export const CART_WANTED = "?";
export const CURRENCY_WANTED = "$";

/** The kinds of a draft: the first argument of `tell`. */
export const DRAFT_PAGE = 0;
export const DRAFT_TRACK = 1;
export const DRAFT_IDENTIFY = 2;
export const DRAFT_GROUP = 3;

/** What the site and the browser want, one bit each: the flags of `start`. */
export const FLAG_PAGES = 1;
export const FLAG_STRICT = 2;
export const FLAG_GPC = 4;
export const FLAG_QUERY = 8;
export const FLAG_HASH = 16;

/** The choices of a visitor, two bits a purpose. */
export const CHOICE_UNSET = 0;
export const CHOICE_GRANTED = 1;
export const CHOICE_DENIED = 2;

/** Where a page keeps what it stores: bits above the choices. */
export const PERSISTENCE_LOCAL = 0;
export const PERSISTENCE_TAB = 1;
export const PERSISTENCE_MEMORY = 2;

/** The steps of filling in a form. */
export const FORM_FOCUSED = 0;
export const FORM_BLURRED = 1;
export const FORM_SUBMITTED = 2;
export const FORM_SENT = 3;

/** What the cart's module is asked for: the first letter of a request. */
export const CART_OPEN = "k";
export const CART_ACT = "a";
export const CART_CLEAR = "c";
export const CART_SHOWN = "s";
export const CART_TOUCHPOINTS = "t";
export const CART_DRAFTS = "w";
export const CART_SEAL = "e";
export const CART_STORED = "p";
export const CART_MESSAGE = "m";
export const CART_LABEL = "l";
export const CART_POSITION = "h";
export const CART_FULL = "f";
export const CART_DELTA = "d";
export const CART_REFUSED = "r";
export const CART_DOUBT = "x";
export const CART_COUNTS = "u";
export const CART_LEAVE = "v";
export const CART_ORDER = "b";
export const CART_ORDERED = "g";

/** The module's answer to a request that it cannot read. */
export const CART_UNREADABLE = "!";

/** What a visitor does to a line of the cart. */
export const CART_ACT_ADD = 0;
export const CART_ACT_SET = 1;
export const CART_ACT_DEC = 2;

/** What the page does after a view or a refusal. */
export const CART_NEXT_GO = 0;
export const CART_NEXT_ASK = 1;
export const CART_NEXT_WAIT = 2;

/** Why the hub refused a message. */
export const CART_REFUSAL_MISSING = 0;
export const CART_REFUSAL_EPOCH = 1;
export const CART_REFUSAL_FOREIGN = 2;
export const CART_REFUSAL_MERGED = 3;
export const CART_REFUSAL_BUSY = 4;
export const CART_REFUSAL_BAD_MESSAGE = 5;
