//! The JavaScript face of the first module: one function, nothing but conversions. `js/sdk/src/core.ts` gives its calls their
//! names, `index.ts` wraps them into the public API, and `page.ts` makes them when something happens in the page.
//!
//! A function and its glue for each of these calls would be a tenth of the first file. The first argument is the code of the call;
//! `platform/codes.rs` names the codes. `text` holds lines where a call needs several texts, and the last line may hold anything:
//!
//! ```text
//! HAPPENED_…                                  something happened in the page
//! DRAFT_…        number: time                 text: details as JSON, message id (empty to mint one), name or id
//! CALL_START     number: FLAG_… bits, ticket: the tab's number   text: first address of the tab's history, write key, version of the notice
//! CALL_GRANT, CALL_DENY                       text: purposes, separated by blanks
//! CALL_CHOICES                                → granted | denied << 8 | `PERSISTENCE_` code << 16, a bit a purpose
//! CALL_LOST_OLD, CALL_LOST_UNREAD             number: occurrences or acts
//! CALL_RECORDED  ticket, status: revision     text: denied purposes → whether a proof in the answer is of use
//! CALL_HEAR      number: CHOICE_… codes at the places of the purposes   text: the method for each purpose in wire order, separated by blanks;
//!                behind a line break the raw signals, as a field of JSON behind a comma
//! CALL_TAKE_UP                                text: the tab's part of the storage keys, empty for every other tab's
//! CALL_HAND_OVER                              → whether this tab hands over
//! CALL_ANSWERED  ticket, status, number: Retry-After in seconds, negative for none   text: word and hello, parted by a bar → whether it is our collector's
//! ```
//!
//! The functions work on the page's one tracker. A call does nothing while the tracker is at work.

use std::cell::{Cell, RefCell};

use hilo_core::consent::{Choice, Purpose, PurposeSet};
use hilo_core::text::cut;
use wasm_bindgen::prelude::wasm_bindgen;

use super::page::{Browser, began_ms};
use crate::platform::{Answer, Change, Happened, codes};
use crate::{Options, Tracker, transport};

#[wasm_bindgen(raw_module = "hilo-said")]
extern "C" {
    /// Takes the text that a call answers.
    fn answer(text: &str);
    /// The choices changed during the call.
    #[wasm_bindgen(js_name = consentChanged)]
    fn consent_changed();
}

thread_local! {
    static TRACKER: RefCell<Option<Tracker<Browser>>> = const { RefCell::new(None) };
}

/// Does the call `what`.
// The text is owned: a borrowed text arrives as a box, and the code that shrinks lists comes along.
#[wasm_bindgen]
pub fn call(what: u8, number: f64, ticket: u32, status: u32, text: String) -> u32 {
    let mut result = 0;
    let _ = TRACKER.try_with(|cell| {
        let Ok(mut place) = cell.try_borrow_mut() else { return };
        if let Some(tracker) = place.as_mut() {
            result = done(tracker, what, number as i64, ticket, status, text);
            if tracker.take_consent_change() {
                consent_changed();
            }
        } else if what == codes::CALL_START {
            // Never replaced: replacing would bring the code that takes a tracker apart.
            place.get_or_insert_with(|| started(number as u8, ticket, &text));
        }
    });
    result
}

/// The tracker of this page; nothing is captured before [`codes::CALL_BEGIN`].
fn started(flags: u8, tab: u32, text: &str) -> Tracker<Browser> {
    let has = |flag: u8| flags & flag != 0;
    let (first, rest) = cut(text, b'\n');
    let (key, notice) = cut(rest.unwrap_or_default(), b'\n');
    let first_in_history = has(codes::FLAG_HISTORY).then(|| first.to_owned());
    const BY_DNT: PurposeSet = PurposeSet::of(&Purpose::DNT_DENIES);
    const BY_GPC: PurposeSet = PurposeSet::of(&Purpose::GPC_DENIES);
    let denies = match (has(codes::FLAG_DNT), has(codes::FLAG_GPC)) {
        (true, _) => BY_DNT,
        (_, true) => BY_GPC,
        _ => PurposeSet::of(&[]),
    };
    let options = Options {
        key: key.to_owned(),
        pages: has(codes::FLAG_PAGES),
        query: has(codes::FLAG_QUERY),
        hash: has(codes::FLAG_HASH),
        is_strict: has(codes::FLAG_STRICT),
        is_awaiting: has(codes::FLAG_SOURCES),
        notice: notice.unwrap_or_default().to_owned(),
        tab,
    };
    let began_ms = Cell::new(began_ms());
    Tracker::new(options, Browser { began_ms, first_in_history, denies })
}

fn done(
    tracker: &mut Tracker<Browser>,
    what: u8,
    number: i64,
    ticket: u32,
    status: u32,
    text: String,
) -> u32 {
    match what {
        codes::DRAFT_PAGE..=codes::DRAFT_GROUP => tell(tracker, what, number, &text),
        codes::CALL_BEGIN => tracker.begin(),
        codes::CALL_RESET => tracker.reset(),
        codes::CALL_GRANT => tracker.choose(&text, Choice::Granted),
        codes::CALL_DENY => tracker.choose(&text, Choice::Denied),
        codes::CALL_WITHDRAW => tracker.withdraw(),
        codes::CALL_FLUSH => tracker.flush(),
        codes::CALL_DESTROY => tracker.destroy(),
        codes::CALL_ANONYMOUS_ID => answer(tracker.anonymous_id().unwrap_or_default()),
        codes::CALL_SESSION_ID => answer(&tracker.session_id().unwrap_or_default()),
        codes::CALL_CHOICES => {
            return tracker.choice_bits() | (u32::from(tracker.persistence()) << 16);
        }
        codes::CALL_HEAR => tracker.hear(number as u32, &text),
        codes::CALL_TAKE_UP => tracker.take_up(&text),
        codes::CALL_HAND_OVER => return u32::from(tracker.hand_over()),
        codes::CALL_REVISION => return tracker.revision(),
        codes::CALL_ADMITS => return u32::from(tracker.admits()),
        codes::CALL_LOST_OLD => tracker.lose("expired", number as u32),
        codes::CALL_LOST_UNREAD => tracker.lose("capture_unread", number as u32),
        codes::CALL_RECORDED => return u32::from(tracker.recorded(ticket, status, &text)),
        codes::CALL_ANSWERED => {
            let status = status as u16;
            let (word, hello) = cut(&text, b'|');
            let is_own = transport::is_own(status, word);
            let retry_after_s = (number >= 0).then_some(number as u32);
            let (word, hello) = (word.to_owned(), hello.unwrap_or_default().to_owned());
            let answer = Answer { ticket, status, retry_after_s, word, hello };
            tracker.happened(Happened::Answered(answer));
            return u32::from(is_own);
        }
        _ => tracker.happened(happened(what)),
    }
    0
}

/// Takes a draft.
fn tell(tracker: &mut Tracker<Browser>, what: u8, at_ms: i64, text: &str) {
    let at_ms = tracker.steady_ms(at_ms);
    // JSON and ids hold no line breaks.
    let (details, rest) = cut(text, b'\n');
    let (id, name) = cut(rest.unwrap_or_default(), b'\n');
    let name = name.unwrap_or_default();
    match what {
        codes::DRAFT_PAGE => tracker.page(name, details, at_ms),
        codes::DRAFT_TRACK => tracker.track_as(id, name, details, at_ms),
        codes::DRAFT_IDENTIFY => tracker.identify(name, details, at_ms),
        _ => tracker.group(name, details, at_ms),
    }
}

const fn happened(what: u8) -> Happened {
    match what {
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
    }
}
