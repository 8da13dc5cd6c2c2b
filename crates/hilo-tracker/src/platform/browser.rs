//! The page as browsers have it: web-sys for document and network, gloo for storage. The twin of `memory.rs`.
//!
//! Nothing here throws into the page: what a browser refuses (storage, clocks, chance) is replaced by memory or left
//! out, and said so where it matters.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo_storage::{LocalStorage, Storage as _};
use js_sys::{Date, Intl, Math, Reflect};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Storage, Window};

use super::{Happened, Place, Platform, Request, Surroundings, fetch};

/// Where what happens is told to.
pub type Sink = Rc<dyn Fn(Happened)>;

/// The page of this window.
pub struct Browser {
    window: Window,
    endpoint: String,
    is_debug: Rc<Cell<bool>>,
    is_persistent: Cell<bool>,
    memory: RefCell<Vec<(String, String)>>,
    timer: RefCell<Option<Timer>>,
    sink: Rc<RefCell<Option<Sink>>>,
}

/// A timeout that is taken back when it is dropped.
struct Timer {
    id: i32,
    window: Window,
    _then: Closure<dyn FnMut()>,
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.window.clear_timeout_with_handle(self.id);
    }
}

impl Browser {
    /// The page of `window`, with the collector at `endpoint`.
    pub fn new(window: Window, endpoint: String, is_debug: Rc<Cell<bool>>) -> Browser {
        // Looking whether there is a storage stores nothing. gloo takes its presence for granted.
        let is_persistent = Cell::new(matches!(window.local_storage(), Ok(Some(_))));
        Browser {
            window,
            endpoint,
            is_debug,
            is_persistent,
            memory: RefCell::default(),
            timer: RefCell::default(),
            sink: Rc::default(),
        }
    }

    /// Where events will be told; set once the tracker exists.
    pub fn sink(&self) -> Rc<RefCell<Option<Sink>>> {
        self.sink.clone()
    }

    fn storage(&self) -> Option<Storage> {
        // Asked anew each time: browsers may take the storage away while the page lives.
        matches!(self.window.local_storage(), Ok(Some(_))).then(LocalStorage::raw)
    }
}

impl Platform for Browser {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "milliseconds of a date fit by definition; NaN becomes 0"
    )]
    fn now_ms(&self) -> i64 {
        Date::now() as i64
    }

    #[expect(clippy::cast_precision_loss, reason = "bounded to what a Date can hold")]
    fn iso(&self, ms: i64) -> String {
        /// The last moment a Date can hold (ECMA-262, time values).
        const DATE_MS_MAX: i64 = 8_640_000_000_000_000;
        let date = Date::new(&JsValue::from_f64(ms.clamp(0, DATE_MS_MAX) as f64));
        date.to_iso_string().into()
    }

    #[expect(clippy::cast_possible_truncation, reason = "a page does not live for centuries")]
    fn monotonic_ms(&self) -> i64 {
        self.window.performance().map_or_else(|| self.now_ms(), |clock| clock.now() as i64)
    }

    fn random16(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        let is_filled = self
            .window
            .crypto()
            .is_ok_and(|c| c.get_random_values_with_u8_array(&mut bytes).is_ok());
        if !is_filled {
            for byte in &mut bytes {
                *byte = weak_byte();
            }
        }
        bytes
    }

    fn gpc(&self) -> bool {
        get(&self.window.navigator(), "globalPrivacyControl").is_some_and(|value| value.is_truthy())
    }

    fn place(&self) -> Place {
        let document = self.window.document();
        Place {
            url: self.window.location().href().unwrap_or_default(),
            referrer: document.as_ref().map(web_sys::Document::referrer).unwrap_or_default(),
            title: document.map(|document| document.title()).unwrap_or_default(),
        }
    }

    fn first_in_history(&self) -> Option<String> {
        let navigation = get(&self.window, "navigation").filter(JsValue::is_object)?;
        let entries = call(&navigation, "entries")?;
        let first = Reflect::get_u32(&entries, 0).ok()?;
        Some(get(&first, "url")?.as_string().unwrap_or_default())
    }

    fn surroundings(&self) -> Surroundings {
        let screen = self.window.screen().ok();
        let side = |value: Option<i32>| i64::from(value.unwrap_or_default());
        let zone = Intl::DateTimeFormat::default().resolved_options();
        Surroundings {
            locale: self.window.navigator().language().unwrap_or_default(),
            timezone: get(&zone, "timeZone").and_then(|zone| zone.as_string()).unwrap_or_default(),
            width: side(screen.as_ref().and_then(|screen| screen.width().ok())),
            height: side(screen.and_then(|screen| screen.height().ok())),
        }
    }

    fn load(&self, key: &str) -> Option<String> {
        if let Some((_, value)) = self.memory.borrow().iter().find(|(known, _)| known == key) {
            return Some(value.clone());
        }
        self.storage()?.get_item(key).ok().flatten()
    }

    fn save(&self, key: &str, value: &str) -> bool {
        let is_stored = self.storage().is_some_and(|storage| storage.set_item(key, value).is_ok());
        self.is_persistent.set(is_stored);
        let mut memory = self.memory.borrow_mut();
        memory.retain(|(known, _)| known != key);
        if !is_stored {
            memory.push((key.to_owned(), value.to_owned()));
        }
        is_stored
    }

    fn is_persistent(&self) -> bool {
        self.is_persistent.get()
    }

    fn remove(&self, key: &str) {
        self.memory.borrow_mut().retain(|(known, _)| known != key);
        if let Some(storage) = self.storage() {
            let _ = storage.remove_item(key);
        }
    }

    fn keys(&self, prefix: &str) -> Vec<String> {
        let memory = self.memory.borrow();
        let kept = memory.iter().map(|(key, _)| key);
        let mut keys: Vec<String> = kept.filter(|key| key.starts_with(prefix)).cloned().collect();
        if let Some(storage) = self.storage() {
            let count = storage.length().unwrap_or(0);
            let stored = (0..count).filter_map(|i| storage.key(i).ok().flatten());
            keys.extend(stored.filter(|key| key.starts_with(prefix)));
        }
        keys
    }

    fn post(&self, request: Request) {
        let sink = self.sink.clone();
        fetch::post(&self.window, &self.endpoint, request, move |answer| {
            let sink = sink.borrow().clone();
            if let Some(tell) = sink {
                tell(Happened::Answered(answer));
            }
        });
    }

    fn wake_in(&self, ms: i64) {
        let sink = self.sink.clone();
        let then = Closure::once(move || {
            let sink = sink.borrow().clone();
            if let Some(tell) = sink {
                tell(Happened::Woke);
            }
        });
        let ms = i32::try_from(ms).unwrap_or(i32::MAX);
        let timeout = self.window.set_timeout_with_callback_and_timeout_and_arguments_0(
            then.as_ref().unchecked_ref(),
            ms,
        );
        let timer = timeout.ok().map(|id| Timer { id, window: self.window.clone(), _then: then });
        self.timer.replace(timer);
    }

    fn say(&self, sentence: &str) {
        if self.is_debug.get() {
            web_sys::console::warn_2(&JsValue::from_str("hilo:"), &JsValue::from_str(sentence));
        }
    }
}

/// Where the browser has no cryptography (a page without https), an id must still be unlikely to repeat.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 ≤ random < 1")]
fn weak_byte() -> u8 {
    (Math::random() * 256.0) as u8
}

/// A property that may be missing.
pub(super) fn get(object: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(object, &JsValue::from_str(name))
        .ok()
        .filter(|value| !value.is_undefined() && !value.is_null())
}

/// Calls a method without arguments.
fn call(object: &JsValue, name: &str) -> Option<JsValue> {
    let method: js_sys::Function = get(object, name)?.dyn_into().ok()?;
    method.call0(object).ok()
}
