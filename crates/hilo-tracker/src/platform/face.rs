//! The JavaScript face: nothing but conversions. `js/sdk/src` wraps it into the public API.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use hilo_core::consent::Choice;
use js_sys::Function;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Window;

use crate::platform::Happened;
use crate::platform::browser::{Browser, Sink};
use crate::platform::listen::{self, Listener};
use crate::{Options, Tracker};

type Shared = Rc<RefCell<Tracker<Browser>>>;

/// The tracker of this page.
#[wasm_bindgen]
pub struct Core {
    tracker: Shared,
    window: Window,
    sink: Sink,
    listeners: Vec<Listener>,
    is_debug: Rc<Cell<bool>>,
    on_consent: Function,
}

#[wasm_bindgen]
impl Core {
    /// Starts on this page. `on_consent` is called whenever the choices changed.
    ///
    /// The options come one by one: reading them as an object through serde-wasm-bindgen brings the formatting of
    /// numbers along for its error messages, a third of the module.
    ///
    /// # Errors
    /// Outside a window.
    #[wasm_bindgen(constructor)]
    pub fn new(
        key: String,
        endpoint: String,
        notice: String,
        pages: bool,
        forms: bool,
        strict: bool,
        on_consent: Function,
    ) -> Result<Core, JsValue> {
        let window = web_sys::window().ok_or(JsValue::NULL)?;
        let is_debug = Rc::new(Cell::new(false));
        let browser = Browser::new(window.clone(), endpoint, is_debug.clone());
        let outlet = browser.sink();
        let options = Options { key, pages, forms, is_strict: strict, notice };
        let tracker: Shared = Rc::new(RefCell::new(Tracker::new(options, browser)));
        let (weak, notify) = (Rc::downgrade(&tracker), on_consent.clone());
        let sink: Sink = Rc::new(move |happened: Happened| {
            let Some(tracker) = weak.upgrade() else { return };
            let Ok(mut tracker) = tracker.try_borrow_mut() else { return };
            tracker.happened(happened);
            let is_new = tracker.take_consent_change();
            drop(tracker);
            if is_new {
                let _ = notify.call0(&JsValue::NULL);
            }
        });
        outlet.replace(Some(sink.clone()));
        let listeners = listen::all(&window, &sink, forms);
        Ok(Core { tracker, window, sink, listeners, is_debug, on_consent })
    }

    /// Comes to life; after this the first view is told.
    pub fn begin(&self) {
        self.with(Tracker::begin);
    }

    /// A page view told by the site.
    pub fn page(&self, name: &str, properties: &str, at: f64) {
        self.with(|tracker| tracker.page(name, properties, ms(at)));
    }

    /// A named act.
    pub fn track(&self, event: &str, properties: &str, at: f64) {
        self.with(|tracker| tracker.track(event, properties, ms(at)));
    }

    /// A claim of who the visitor is.
    pub fn identify(&self, user: &str, traits: &str, at: f64) {
        self.with(|tracker| tracker.identify(user, traits, ms(at)));
    }

    /// The visitor belongs to a group.
    pub fn group(&self, id: &str, traits: &str, at: f64) {
        self.with(|tracker| tracker.group(id, traits, ms(at)));
    }

    /// Logout.
    pub fn reset(&self) {
        self.with(Tracker::reset);
    }

    /// The anonymous id, once it is certain.
    pub fn anonymous_id(&self) -> Option<String> {
        self.tracker.try_borrow().ok()?.anonymous_id().map(str::to_owned)
    }

    /// The session's id.
    pub fn session_id(&self) -> Option<String> {
        self.tracker.try_borrow().ok()?.session_id()
    }

    /// Grants (`true`) or denies purposes, separated by blanks.
    pub fn choose(&self, purposes: &str, granted: bool) {
        let names: Vec<String> =
            purposes.split(' ').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        let choice = if granted { Choice::Granted } else { Choice::Denied };
        self.with(|tracker| tracker.choose(&names, choice));
    }

    /// Takes everything back.
    pub fn withdraw(&self) {
        self.with(Tracker::withdraw);
    }

    /// The choices: one letter a purpose in wire order, `g`ranted, `d`enied or `u`nset.
    pub fn choices(&self) -> String {
        let Ok(tracker) = self.tracker.try_borrow() else { return String::new() };
        let letter = |choice| match choice {
            Choice::Granted => 'g',
            Choice::Denied => 'd',
            Choice::Unset => 'u',
        };
        tracker.choices().map(|(_, choice)| letter(choice)).collect()
    }

    /// The revision of the choices.
    pub fn revision(&self) -> u32 {
        self.tracker.try_borrow().map_or(0, |tracker| tracker.revision())
    }

    /// The address changed; called where the browser has no Navigation API.
    pub fn navigated(&self) {
        listen::navigated(&self.window, &self.sink);
    }

    /// Sends what waits.
    pub fn flush(&self) {
        self.with(Tracker::flush);
    }

    /// Tells the developer what is wrong, or not.
    pub fn debug(&self, is_on: bool) {
        self.is_debug.set(is_on);
    }

    /// The end.
    pub fn destroy(&mut self) {
        self.listeners.clear();
        self.with(Tracker::destroy);
    }

    fn with(&self, act: impl FnOnce(&mut Tracker<Browser>)) {
        let Ok(mut tracker) = self.tracker.try_borrow_mut() else { return };
        act(&mut tracker);
        let is_new = tracker.take_consent_change();
        drop(tracker);
        if is_new {
            let _ = self.on_consent.call0(&JsValue::NULL);
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a Date's milliseconds")]
fn ms(at: f64) -> i64 {
    at as i64
}
