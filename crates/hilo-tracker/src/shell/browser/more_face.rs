//! The JavaScript face of the second module: nothing but conversions. `js/sdk/src/more/` listens to the document and hands
//! what comes out to the first module.

use std::cell::RefCell;

use gloo_storage::{SessionStorage, Storage as _};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Storage;

use crate::capture::kinds;
use crate::platform::capture::{CaptureKind, Captured, Moment};
use crate::platform::codes::UNREADABLE;
use crate::shell::browser::copied::{milliseconds, plain};
use crate::sources::{self, Sources};

type Kinds = Vec<(&'static str, Box<dyn CaptureKind>)>;

thread_local! {
    static KINDS: RefCell<Kinds> = RefCell::new(kinds());
    static SOURCES: RefCell<Sources> = RefCell::default();
}

/// Reads one occurrence of `kind`. Answers the named acts, a line each: name, tab, properties; or [`UNREADABLE`].
#[wasm_bindgen]
pub fn read(kind: String, cells: JsValue, url: String, elapsed_ms: f64) -> String {
    let mut lines = String::new();
    let moment = Moment::new(&url, milliseconds(elapsed_ms));
    let Some(cells) = plain(cells) else { return String::from(UNREADABLE) };
    with(&mut |name, capture| {
        if name == kind {
            write(&capture.read(&cells, &moment), &mut lines);
        }
    });
    lines
}

/// The page is left. Answers named acts as [`read`] does.
#[wasm_bindgen]
pub fn leave(url: String, elapsed_ms: f64) -> String {
    let mut lines = String::new();
    let moment = Moment::new(&url, milliseconds(elapsed_ms));
    with(&mut |_, capture| write(&capture.leave(&moment), &mut lines));
    lines
}

/// Begins with the site's settings, see [`Sources::new`].
#[wasm_bindgen]
pub fn expect_sources(settings: JsValue) {
    let settings = plain(settings).unwrap_or_default();
    let _ =
        SOURCES.try_with(|cell| cell.try_borrow_mut().map(|mut it| *it = Sources::new(&settings)));
}

/// Hears a consent source, see [`Sources::hear`].
#[wasm_bindgen]
pub fn hear(source: String, told: JsValue) -> String {
    let told = plain(told).unwrap_or_default();
    let answer =
        SOURCES.try_with(|cell| cell.try_borrow_mut().map(|mut it| it.hear(&source, &told)));
    answer.ok().and_then(Result::ok).unwrap_or_default()
}

/// The keys of Consent Mode that these purposes grant; blanks separate both.
#[wasm_bindgen]
pub fn granted_keys(granted: String) -> String {
    sources::keys(&granted)
}

/// Lets `act` work on every kind, unless the module is at work already.
fn with(act: &mut dyn FnMut(&str, &mut dyn CaptureKind)) {
    let _ = KINDS.try_with(|cell| {
        if let Ok(mut kinds) = cell.try_borrow_mut() {
            kinds.iter_mut().for_each(|(name, capture)| act(name, capture.as_mut()));
        }
    });
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
    let storage = tab();
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
    let _ = tab().remove_item(LEADS_KEY);
}

/// The storage of this tab. Throws where the browser blocks it.
fn tab() -> Storage {
    SessionStorage::raw()
}
