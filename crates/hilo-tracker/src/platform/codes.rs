//! Every number and letter that crosses the border between the page and a module.
//!
//! `js/sdk/src/codes.ts` holds the same names with the same values; `cargo xtask tidy` compares the two files.

// What happens in the page: the argument of `happen`.

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

// The kinds of a draft: the first argument of `tell`.

/// A page view.
pub const DRAFT_PAGE: u8 = 0;
/// A named act.
pub const DRAFT_TRACK: u8 = 1;
/// A claim of who the visitor is.
pub const DRAFT_IDENTIFY: u8 = 2;
/// The visitor belongs to a group.
pub const DRAFT_GROUP: u8 = 3;

// What the site and the browser want, one bit each: the flags of `start`.

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

// The choices of a visitor, two bits a purpose.

/// The visitor has not answered.
pub const CHOICE_UNSET: u8 = 0;
/// The visitor agreed.
pub const CHOICE_GRANTED: u8 = 1;
/// The visitor refused.
pub const CHOICE_DENIED: u8 = 2;

// Where a page keeps what it stores: bits above the choices.

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
