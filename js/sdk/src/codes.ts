/**
 * Every number and letter that crosses the border between the page and a module.
 *
 * `crates/hilo-tracker/src/platform/codes.rs` holds the same names with the same values; `cargo xtask tidy` compares the two files.
 */

/** What happens in the page: calls of the first module. */
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

/** The kinds of a draft: calls of the first module. */
export const DRAFT_PAGE = 10;
export const DRAFT_TRACK = 11;
export const DRAFT_IDENTIFY = 12;
export const DRAFT_GROUP = 13;

/** The other calls of the first module; `core.ts` gives them names. */
export const CALL_START = 14;
export const CALL_BEGIN = 15;
export const CALL_RESET = 16;
export const CALL_GRANT = 17;
export const CALL_DENY = 18;
export const CALL_WITHDRAW = 19;
export const CALL_FLUSH = 20;
export const CALL_DESTROY = 21;
export const CALL_ANONYMOUS_ID = 22;
export const CALL_SESSION_ID = 23;
export const CALL_CHOICES = 24;
export const CALL_REVISION = 25;
export const CALL_ADMITS = 26;
export const CALL_LOST_OLD = 27;
export const CALL_LOST_UNREAD = 28;
export const CALL_RECORDED = 29;
export const CALL_ANSWERED = 30;
export const CALL_HEAR = 31;
export const CALL_TAKE_UP = 32;
export const CALL_HAND_OVER = 33;

/** What the first module asks the page for as text. */
export const ASK_PLACE = 0;
export const ASK_SURROUNDINGS = 1;
export const ASK_ISO = 2;
export const ASK_STORED = 3;
export const ASK_KEYS = 4;
export const ASK_CHANGED = 5;

/** What the site and the browser want, one bit each: the flags of the start. */
export const FLAG_PAGES = 1;
export const FLAG_STRICT = 2;
export const FLAG_GPC = 4;
export const FLAG_QUERY = 8;
export const FLAG_HASH = 16;
export const FLAG_HISTORY = 32;
export const FLAG_SOURCES = 64;
export const FLAG_DNT = 128;

/** What a consent tool tells of a purpose: a bit in the byte of granted purposes, and one in the next byte, of denied ones. */
export const CHOICE_UNSET = 0;
export const CHOICE_GRANTED = 1;
export const CHOICE_DENIED = 256;
export const CHOICE_PENDING = 257;
export const CHOICES_AWAITED = 4_294_967_295;

/** Where a page keeps what it stores: the answer to a write. */
export const PERSISTENCE_LOCAL = 0;
export const PERSISTENCE_TAB = 1;
export const PERSISTENCE_MEMORY = 2;

/** The steps of filling in a form. */
export const FORM_FOCUSED = 0;
export const FORM_BLURRED = 1;
export const FORM_SUBMITTED = 2;
export const FORM_SENT = 3;
export const FORM_TYPED = 4;
export const FORM_CHANGED = 5;
export const FORM_STEPPED = 6;
export const FORM_ERRORS = 7;
export const FORM_CONFIRMED = 8;
export const FORM_SETTLED = 9;

/** What a player of the page does. */
export const MEDIA_PLAYING = 0;
export const MEDIA_PAUSED = 1;
export const MEDIA_WAITING = 2;
export const MEDIA_SEEKING = 3;
export const MEDIA_SOUGHT = 4;
export const MEDIA_TIME = 5;
export const MEDIA_ENDED = 6;
export const MEDIA_GONE = 7;
export const MEDIA_FAILED = 8;

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
