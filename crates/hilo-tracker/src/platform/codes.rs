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

// What a module answers to a request that it cannot read.

/// The request has another shape than the module expects.
pub const UNREADABLE: &str = "!";

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

// The choices of a visitor, two bits a purpose.

/// The visitor has not answered.
pub const CHOICE_UNSET: u8 = 0;
/// The visitor agreed.
pub const CHOICE_GRANTED: u8 = 1;
/// The visitor refused.
pub const CHOICE_DENIED: u8 = 2;

// The steps of filling in a form.

/// A field got the focus.
pub const FORM_FOCUSED: u8 = 0;
/// A field lost the focus.
pub const FORM_BLURRED: u8 = 1;
/// The form was submitted.
pub const FORM_SUBMITTED: u8 = 2;
