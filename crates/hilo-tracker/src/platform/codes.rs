//! Every number and letter that crosses the border between the page and a module.
//!
//! `js/sdk/src/codes.ts` holds the same names with the same values; `cargo xtask tidy` compares the two files.

// What happens in the page: calls of the first module.

/// The address changed without a new document.
pub const HAPPENED_NAVIGATED: u8 = 0;
/// The document came back from the back/forward cache.
pub const HAPPENED_RESTORED: u8 = 1;
/// The page is hidden or left.
pub const HAPPENED_HIDDEN: u8 = 2;
/// The network is back.
pub const HAPPENED_ONLINE: u8 = 3;
/// The timer ran out.
pub const HAPPENED_WOKE: u8 = 4;
/// Another tab wrote to the storage.
pub const HAPPENED_STORED_ELSEWHERE: u8 = 5;
/// The page's task is over.
pub const HAPPENED_TASK_ENDED: u8 = 6;
/// The site replaced the address in the tab's history.
pub const HAPPENED_REPLACED: u8 = 7;
/// The page is ready.
pub const HAPPENED_READY: u8 = 8;
/// The page is seen again.
pub const HAPPENED_SHOWN: u8 = 9;

// What a module answers to a request that it cannot read.

/// The request has another shape than the module expects.
pub const UNREADABLE: &str = "!";

// What the reader of the tag manager answers.

/// The next act needs the lines of the cart.
pub const CART_WANTED: &str = "?";
/// The entry needs the shop's own currency.
pub const CURRENCY_WANTED: &str = "$";

// The kinds of a draft: calls of the first module.

/// A page view.
pub const DRAFT_PAGE: u8 = 10;
/// A named act.
pub const DRAFT_TRACK: u8 = 11;
/// A claim of who the visitor is.
pub const DRAFT_IDENTIFY: u8 = 12;
/// The visitor belongs to a group.
pub const DRAFT_GROUP: u8 = 13;

// The other calls of the first module.

/// Starts on this page, once. Nothing is captured yet.
pub const CALL_START: u8 = 14;
/// Comes to life and captures the first view.
pub const CALL_BEGIN: u8 = 15;
/// Logs the visitor out.
pub const CALL_RESET: u8 = 16;
/// Grants purposes.
pub const CALL_GRANT: u8 = 17;
/// Denies purposes.
pub const CALL_DENY: u8 = 18;
/// Denies every purpose.
pub const CALL_WITHDRAW: u8 = 19;
/// Sends the queue.
pub const CALL_FLUSH: u8 = 20;
/// Stops for good.
pub const CALL_DESTROY: u8 = 21;
/// Answers the anonymous id, once it is certain; else nothing.
pub const CALL_ANONYMOUS_ID: u8 = 22;
/// Answers the session's id; nothing where there is no session.
pub const CALL_SESSION_ID: u8 = 23;
/// Returns the choices.
pub const CALL_CHOICES: u8 = 24;
/// Returns the revision of the choices.
pub const CALL_REVISION: u8 = 25;
/// Returns whether what happens now may be remembered until the second module can read it.
pub const CALL_ADMITS: u8 = 26;
/// Occurrences or acts are lost, because they are too old.
pub const CALL_LOST_OLD: u8 = 27;
/// Occurrences or acts are lost, because the page is left before the second module could read them.
pub const CALL_LOST_UNREAD: u8 = 28;
/// What the collector has recorded, by the answer to a request.
pub const CALL_RECORDED: u8 = 29;
/// The answer to a request.
pub const CALL_ANSWERED: u8 = 30;
/// What the page's consent tools tell.
pub const CALL_HEAR: u8 = 31;
/// Takes up the stored events of a tab, or of every other tab.
pub const CALL_TAKE_UP: u8 = 32;
/// Leaves what this tab stores to the tab that sends for all. Returns whether that was possible.
pub const CALL_HAND_OVER: u8 = 33;

// What the first module asks the page for as text.

/// Address, referrer and title, a line each.
pub const ASK_PLACE: u8 = 0;
/// The browser's description of itself, as fields of an envelope's context.
pub const ASK_SURROUNDINGS: u8 = 1;
/// A time in RFC 3339, UTC, with milliseconds.
pub const ASK_ISO: u8 = 2;
/// The value of a stored key; empty for none.
pub const ASK_STORED: u8 = 3;
/// The stored keys that begin with a text, a line each.
pub const ASK_KEYS: u8 = 4;
/// An event as the site changes it; nothing where the site drops it.
pub const ASK_CHANGED: u8 = 5;

// What the site and the browser want, one bit each: the flags of the start.

/// Page views are captured.
pub const FLAG_PAGES: u8 = 1;
/// Nothing is kept while consent is not answered.
pub const FLAG_STRICT: u8 = 2;
/// Global Privacy Control is on.
pub const FLAG_GPC: u8 = 4;
/// Another query is another page.
pub const FLAG_QUERY: u8 = 8;
/// A fragment may be a route.
pub const FLAG_HASH: u8 = 16;
/// The browser tells the first address of the tab's history.
pub const FLAG_HISTORY: u8 = 32;
/// Nothing passes before the second module has heard the page's consent tools.
pub const FLAG_SOURCES: u8 = 64;
/// The site obeys Do Not Track, and it is on.
pub const FLAG_DNT: u8 = 128;

// What a consent tool tells of a purpose: a bit in the byte of granted purposes, and one in the next byte, of denied ones.

/// The tool does not tell.
pub const CHOICE_UNSET: u16 = 0;
/// The visitor agreed.
pub const CHOICE_GRANTED: u16 = 1;
/// The visitor refused.
pub const CHOICE_DENIED: u16 = 256;
/// The tool has not answered yet.
pub const CHOICE_PENDING: u16 = 257;
/// In place of a whole report: nothing may pass before the next report.
pub const CHOICES_AWAITED: u32 = 4_294_967_295;

// Where a page keeps what it stores.

/// In localStorage.
pub const PERSISTENCE_LOCAL: u8 = 0;
/// In sessionStorage: localStorage is blocked or full.
pub const PERSISTENCE_TAB: u8 = 1;
/// In memory: no storage takes anything.
pub const PERSISTENCE_MEMORY: u8 = 2;

// The steps of filling in a form.

/// A field got the focus.
pub const FORM_FOCUSED: u8 = 0;
/// A field lost the focus.
pub const FORM_BLURRED: u8 = 1;
/// The form was submitted.
pub const FORM_SUBMITTED: u8 = 2;
/// A script submitted the form, which causes no event of the document.
pub const FORM_SENT: u8 = 3;
/// The visitor typed into a field.
pub const FORM_TYPED: u8 = 4;
/// A field has another value.
pub const FORM_CHANGED: u8 = 5;
/// The visitor went to another step of the form.
pub const FORM_STEPPED: u8 = 6;
/// The page shows what is wrong with the form.
pub const FORM_ERRORS: u8 = 7;
/// The submission arrived: the page went on, or the form is gone.
pub const FORM_CONFIRMED: u8 = 8;
/// Nothing showed what became of the submission.
pub const FORM_SETTLED: u8 = 9;

// What a player of the page does.

/// It plays, for the first time or again.
pub const MEDIA_PLAYING: u8 = 0;
/// It was paused, and not because it is at its end or jumps.
pub const MEDIA_PAUSED: u8 = 1;
/// It has nothing to play for so long that a visitor notices.
pub const MEDIA_WAITING: u8 = 2;
/// It jumps to another position.
pub const MEDIA_SEEKING: u8 = 3;
/// It has jumped.
pub const MEDIA_SOUGHT: u8 = 4;
/// Its time goes on.
pub const MEDIA_TIME: u8 = 5;
/// It is at the end.
pub const MEDIA_ENDED: u8 = 6;
/// Its content or the player itself was taken away.
pub const MEDIA_GONE: u8 = 7;
/// It cannot play on.
pub const MEDIA_FAILED: u8 = 8;

// What the cart's module is asked for: the first letter of a request.

/// Opens the stored cart.
pub const CART_OPEN: u8 = b'k';
/// Does an act on a line.
pub const CART_ACT: u8 = b'a';
/// Removes every line.
pub const CART_CLEAR: u8 = b'c';
/// Writes the lines as the visitor sees them.
pub const CART_SHOWN: u8 = b's';
/// Writes the touchpoints that are final, once each.
pub const CART_TOUCHPOINTS: u8 = b't';
/// Writes the touchpoints of operations that may still change.
pub const CART_DRAFTS: u8 = b'w';
/// Closes the operations that may still change.
pub const CART_SEAL: u8 = b'e';
/// Writes the text that the page stores.
pub const CART_STORED: u8 = b'p';
/// Writes the next message for the hub.
pub const CART_MESSAGE: u8 = b'm';
/// Writes the cart's label.
pub const CART_LABEL: u8 = b'l';
/// Writes epoch and revision to ask the hub with.
pub const CART_POSITION: u8 = b'h';
/// Learns the whole cart.
pub const CART_FULL: u8 = b'f';
/// Learns what changed.
pub const CART_DELTA: u8 = b'd';
/// Learns a refusal.
pub const CART_REFUSED: u8 = b'r';
/// Asks for the whole cart next time.
pub const CART_DOUBT: u8 = b'x';
/// Counts the operations that wait and those that were given up.
pub const CART_COUNTS: u8 = b'u';
/// Forgets the cart at logout.
pub const CART_LEAVE: u8 = b'v';
/// Begins or ends an order. Also the answer to [`CART_MESSAGE`] while an order is due.
pub const CART_ORDER: u8 = b'b';
/// The hub has taken the order that was due, or never will.
pub const CART_ORDERED: u8 = b'g';

/// The module's answer to a request that it cannot read.
pub const CART_UNREADABLE: u8 = b'!';

// What a visitor does to a line of the cart.

/// Adds units.
pub const CART_ACT_ADD: u8 = 0;
/// Sets how many units there are; 0 removes the line.
pub const CART_ACT_SET: u8 = 1;
/// Takes units away.
pub const CART_ACT_DEC: u8 = 2;

// What the page does after a view or a refusal.

/// The page sends the next message.
pub const CART_NEXT_GO: u8 = 0;
/// The page asks the hub first.
pub const CART_NEXT_ASK: u8 = 1;
/// The page tries again later.
pub const CART_NEXT_WAIT: u8 = 2;

// Why the hub refused a message.

/// The hub lacks an operation that the message builds on.
pub const CART_REFUSAL_MISSING: u8 = 0;
/// The epoch is over.
pub const CART_REFUSAL_EPOCH: u8 = 1;
/// The replica has another owner, or its numbers are used up.
pub const CART_REFUSAL_FOREIGN: u8 = 2;
/// The cart has moved into a customer's.
pub const CART_REFUSAL_MERGED: u8 = 3;
/// The hub is busy or full.
pub const CART_REFUSAL_BUSY: u8 = 4;
/// The message itself is bad.
pub const CART_REFUSAL_BAD_MESSAGE: u8 = 5;
