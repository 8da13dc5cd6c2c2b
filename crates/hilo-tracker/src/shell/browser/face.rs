//! The JavaScript face of the first module: nothing but conversions. `js/sdk/src/index.ts` wraps it into the public API, and
//! `page.ts` calls it when something happens in the page.
//!
//! Functions work on the page's one tracker. A class would bring code for owning objects of wasm, which every visitor downloads.
//! A call does nothing while the tracker is at work.

use std::cell::RefCell;

use hilo_core::consent::{Choice, Purpose};
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Window;

use super::page::Browser;
use crate::platform::{Answer, Change, Happened, codes};
use crate::{Options, Tracker, transport};

thread_local! {
    static TRACKER: RefCell<Option<Tracker<Browser>>> = const { RefCell::new(None) };
}

/// Lets `act` work on the tracker, if there is one and it is not at work.
#[inline(never)]
fn with(act: &mut dyn FnMut(&mut Tracker<Browser>)) {
    let _ = TRACKER.try_with(|cell| {
        if let Ok(mut tracker) = cell.try_borrow_mut()
            && let Some(tracker) = tracker.as_mut()
        {
            act(tracker);
        }
    });
}

/// Hands something that happened to the tracker.
fn happened(what: Happened) {
    let mut what = Some(what);
    with(&mut |tracker| what.take().into_iter().for_each(|what| tracker.happened(what)));
}

/// Starts on this page, once; nothing is captured before [`begin`]. `flags` are the `FLAG_` codes.
#[wasm_bindgen]
pub fn start(
    window: Window,
    key: String,
    notice: String,
    first_in_history: Option<String>,
    flags: u8,
) {
    let has = |flag: u8| flags & flag != 0;
    let browser = Browser::new(window, first_in_history, has(codes::FLAG_GPC));
    let options = Options {
        key,
        pages: has(codes::FLAG_PAGES),
        query: has(codes::FLAG_QUERY),
        hash: has(codes::FLAG_HASH),
        is_strict: has(codes::FLAG_STRICT),
        notice,
    };
    let _ = TRACKER.try_with(|cell| {
        if let Ok(mut tracker) = cell.try_borrow_mut() {
            // Never replaced: replacing would bring the code that takes a tracker apart.
            tracker.get_or_insert_with(|| Tracker::new(options, browser));
        }
    });
}

/// Comes to life and captures the first view.
#[wasm_bindgen]
pub fn begin() {
    with(&mut Tracker::begin);
}

// Arguments are owned texts: a borrowed text arrives as a box, and the code that shrinks lists comes along.

/// Takes a draft: one of the `DRAFT_` codes, the event's or page's name (or the id of the user or group), details as JSON.
#[wasm_bindgen]
#[expect(clippy::cast_possible_truncation, reason = "a Date's milliseconds")]
pub fn tell(kind: u8, name: String, details: String, at: f64) {
    let at = at as i64;
    with(&mut |tracker| match kind {
        codes::DRAFT_PAGE => tracker.page(&name, &details, at),
        codes::DRAFT_TRACK => tracker.track(&name, &details, at),
        codes::DRAFT_IDENTIFY => tracker.identify(&name, &details, at),
        _ => tracker.group(&name, &details, at),
    });
}

/// A named act with a message id that the collector may use for the same act.
#[wasm_bindgen]
#[expect(clippy::cast_possible_truncation, reason = "a Date's milliseconds")]
pub fn track_as(id: String, event: String, details: String, at: f64) {
    with(&mut |tracker| tracker.track_as(&id, &event, &details, at as i64));
}

/// Logs the visitor out.
#[wasm_bindgen]
pub fn reset() {
    with(&mut Tracker::reset);
}

/// Grants (`true`) or denies purposes, separated by blanks.
#[wasm_bindgen]
pub fn choose(purposes: String, granted: bool) {
    let choice = if granted { Choice::Granted } else { Choice::Denied };
    with(&mut |tracker| tracker.choose(&purposes, choice));
}

/// Denies every purpose.
#[wasm_bindgen]
pub fn withdraw() {
    with(&mut Tracker::withdraw);
}

/// Sends the queue.
#[wasm_bindgen]
pub fn flush() {
    with(&mut Tracker::flush);
}

/// Stops for good.
#[wasm_bindgen]
pub fn destroy() {
    with(&mut Tracker::destroy);
}

/// The anonymous id, once it is certain; else empty.
#[wasm_bindgen]
pub fn anonymous_id() -> String {
    let mut id = String::new();
    with(&mut |tracker| id.push_str(tracker.anonymous_id().unwrap_or_default()));
    id
}

/// The session's id; empty for none.
#[wasm_bindgen]
pub fn session_id() -> String {
    let mut id = String::new();
    with(&mut |tracker| id = tracker.session_id().unwrap_or_default());
    id
}

/// The choices: two bits a purpose, one of the `CHOICE_` codes; the first purpose in wire order stands lowest. Above them stands
/// the `PERSISTENCE_` code.
#[wasm_bindgen]
pub fn choices() -> u32 {
    let mut bits = 0;
    with(&mut |tracker| {
        for (i, (_, choice)) in tracker.choices().enumerate() {
            let value = match choice {
                Choice::Unset => codes::CHOICE_UNSET,
                Choice::Granted => codes::CHOICE_GRANTED,
                Choice::Denied => codes::CHOICE_DENIED,
            };
            bits |= u32::from(value) << (2 * i);
        }
        bits |= u32::from(tracker.persistence()) << (2 * Purpose::ASKED.len());
    });
    bits
}

/// The revision of the choices.
#[wasm_bindgen]
pub fn revision() -> u32 {
    let mut revision = 0;
    with(&mut |tracker| revision = tracker.revision());
    revision
}

/// Whether the choices changed since the last call of this function.
#[wasm_bindgen]
pub fn is_consent_new() -> bool {
    let mut is_new = false;
    with(&mut |tracker| is_new = tracker.take_consent_change());
    is_new
}

/// Something happened in the page: one of the `HAPPENED_` codes.
#[wasm_bindgen]
pub fn happen(what: u8) {
    happened(match what {
        codes::HAPPENED_NAVIGATED => Happened::Navigated(Change::Went),
        codes::HAPPENED_REPLACED => Happened::Navigated(Change::Replaced),
        codes::HAPPENED_READY => Happened::Ready,
        codes::HAPPENED_RESTORED => Happened::Restored,
        codes::HAPPENED_HIDDEN => Happened::Hidden,
        codes::HAPPENED_SHOWN => Happened::Shown,
        codes::HAPPENED_ONLINE => Happened::Online,
        codes::HAPPENED_WOKE => Happened::Woke,
        codes::HAPPENED_TASK_ENDED => Happened::TaskEnded,
        _ => Happened::StoredElsewhere,
    });
}

/// What the collector has recorded, by the answer to the request `ticket`: the revision, and the denied purposes, separated by
/// blanks. Returns whether a proof in the answer is of use.
#[wasm_bindgen]
pub fn recorded(ticket: u32, revision: u32, denied: String) -> bool {
    let mut is_of_use = false;
    with(&mut |tracker| is_of_use = tracker.recorded(ticket, revision, &denied));
    is_of_use
}

/// Whether what happens now may be remembered until the second module can read it.
#[wasm_bindgen]
pub fn admits() -> bool {
    let mut is_admitted = false;
    with(&mut |tracker| is_admitted = tracker.admits());
    is_admitted
}

/// `count` occurrences or acts are lost: they are too old, or the page is left before the second module could read them.
#[wasm_bindgen]
pub fn lose(are_old: bool, count: u32) {
    let reason = if are_old { "expired" } else { "capture_unread" };
    with(&mut |tracker| tracker.lose(reason, count));
}

/// The answer to a request. A negative `retry_after_s` stands for none. `word` is what [`Answer`] says. Returns whether the answer
/// is the collector's own.
#[wasm_bindgen]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
pub fn answered(ticket: u32, status: u16, retry_after_s: f64, word: String) -> bool {
    let is_own = transport::is_own(status, &word);
    let retry_after_s = (retry_after_s >= 0.0).then_some(retry_after_s as u32);
    happened(Happened::Answered(Answer { ticket, status, retry_after_s, word }));
    is_own
}
