//! The JavaScript face of the second module: nothing but conversions. `js/sdk/src/more/` listens to the document and hands
//! what comes out to the first module.

use std::cell::RefCell;

use gloo_storage::{SessionStorage, Storage as _};
use hilo_core::tag_manager::{self, Line, Plain};
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::capture::kinds;
use crate::platform::capture::{Capture, Captured, Moment, PageValue};
use crate::platform::codes::UNREADABLE;
use crate::tag_manager::TagManager;

/// An object that the page made.
struct PageObject(JsValue);

impl PageValue for PageObject {
    fn read<T: DeserializeOwned>(self) -> Option<T> {
        serde_wasm_bindgen::from_value(self.0).ok()
    }
}

type Kinds = Vec<(&'static str, Box<dyn Capture<PageObject>>)>;

thread_local! {
    static KINDS: RefCell<Kinds> = RefCell::new(kinds());
    static TAG_MANAGER: RefCell<TagManager> = RefCell::default();
}

/// Reads one occurrence of `kind`. Answers the named acts, a line each: name, tab, properties; or [`UNREADABLE`].
#[wasm_bindgen]
pub fn read(kind: String, cells: JsValue, url: String, elapsed_ms: f64) -> String {
    let mut lines = String::new();
    let moment = moment(&url, elapsed_ms);
    let mut cells = Some(PageObject(cells));
    with(&mut |name, capture| {
        if name == kind
            && let Some(cells) = cells.take()
        {
            match capture.read_value(cells, &moment) {
                Some(captured) => write(&captured, &mut lines),
                None => lines.push_str(UNREADABLE),
            }
        }
    });
    lines
}

/// The page is left. Answers named acts as [`read`] does.
#[wasm_bindgen]
pub fn leave(url: String, elapsed_ms: f64) -> String {
    let mut lines = String::new();
    let moment = moment(&url, elapsed_ms);
    with(&mut |_, capture| write(&capture.leave_page(&moment), &mut lines));
    lines
}

/// Reads an entry of the `dataLayer`. `elapsed_ms` is negative for an entry from before the reader. Answers sentences for the
/// developer, a line each; or [`UNREADABLE`]; or, where `may_ask`, that the entry needs the shop's currency.
#[wasm_bindgen]
pub fn read_push(
    entry: JsValue,
    url: String,
    elapsed_ms: f64,
    currency: String,
    may_ask: bool,
) -> String {
    let Moment { elapsed_ms, path } = moment(&url, elapsed_ms);
    let at_ms = (elapsed_ms >= 0).then_some(elapsed_ms);
    let moment = tag_manager::Moment { at_ms, path: &path, currency: &currency, may_ask };
    match PageObject(entry).read::<Plain>() {
        Some(entry) => of_tag_manager(&mut |reader| reader.read(&entry, &moment)),
        None => String::from(UNREADABLE),
    }
}

/// The calls of the next act, as [`TagManager::next`] writes them. `lines` are the cart's, `undefined` before they are known.
#[wasm_bindgen]
pub fn next_act(lines: JsValue, is_leaving: bool) -> String {
    let lines = Line::all(&PageObject(lines).read::<Plain>().unwrap_or_default());
    of_tag_manager(&mut |reader| reader.next(lines.as_deref(), is_leaving))
}

fn of_tag_manager(act: &mut dyn FnMut(&mut TagManager) -> String) -> String {
    let answer =
        TAG_MANAGER.try_with(|cell| cell.try_borrow_mut().map(|mut reader| act(&mut reader)));
    answer.ok().and_then(Result::ok).unwrap_or_default()
}

/// Lets `act` work on every kind, unless the module is at work already.
fn with(act: &mut dyn FnMut(&str, &mut dyn Capture<PageObject>)) {
    let _ = KINDS.try_with(|cell| {
        if let Ok(mut kinds) = cell.try_borrow_mut() {
            kinds.iter_mut().for_each(|(name, capture)| act(name, capture.as_mut()));
        }
    });
}

#[expect(clippy::cast_possible_truncation, reason = "a page does not live for centuries")]
fn moment(url: &str, elapsed_ms: f64) -> Moment {
    Moment::new(url, elapsed_ms as i64)
}

/// JSON has neither tabs nor line breaks where the tracker writes it.
fn write(captured: &[Captured], lines: &mut String) {
    for Captured { name, properties } in captured {
        for part in [name, "\t", properties, "\n"] {
            lines.push_str(part);
        }
    }
}

/// The key of the tab's storage under which `page.ts` looks for leads.
const LEADS_KEY: &str = "hilo.f";
/// Bytes of earlier leads that stay.
const LEADS_BYTES_MAX: usize = 4_000;

/// Stores where a GET form leads, for the next pages of the tab. Throws where the browser blocks its storage; the caller expects
/// that.
#[wasm_bindgen]
pub fn store_lead(lead: String) {
    let storage = SessionStorage::raw();
    let earlier = storage.get_item(LEADS_KEY).ok().flatten().unwrap_or_default();
    let from = earlier.len().saturating_sub(LEADS_BYTES_MAX);
    // A lead is ASCII: the browser escapes everything else.
    let mut leads = earlier.get(from..).unwrap_or_default().to_owned();
    leads.push_str(&lead);
    let _ = storage.set_item(LEADS_KEY, &leads);
}

/// Removes the leads of this tab. Throws as [`store_lead`] does.
#[wasm_bindgen]
pub fn forget_leads() {
    let _ = SessionStorage::raw().remove_item(LEADS_KEY);
}
