//! Listening to the page. In: a sink. Out: handles that stop listening when they are dropped.

use js_sys::Function;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{
    AddEventListenerOptions, Event, EventTarget, PageTransitionEvent, StorageEvent,
    VisibilityState, Window,
};

use super::browser::{Sink, get};
use super::{FormStep, Happened, dom};

/// How long a single-page app gets to set its title after it changed the address.
const TITLE_MS: i32 = 20;

/// One listener.
pub struct Listener {
    target: EventTarget,
    kind: &'static str,
    heard: Closure<dyn FnMut(Event)>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        let function: &Function = self.heard.as_ref().unchecked_ref();
        let _ = self.target.remove_event_listener_with_callback_and_bool(self.kind, function, true);
    }
}

fn on(target: &EventTarget, kind: &'static str, heard: impl FnMut(Event) + 'static) -> Listener {
    let heard = Closure::<dyn FnMut(Event)>::new(heard);
    let options = AddEventListenerOptions::new();
    // Before the page's own listeners, which may stop the event; and never in the way of scrolling.
    options.set_capture(true);
    options.set_passive(true);
    let function: &Function = heard.as_ref().unchecked_ref();
    let _ = target
        .add_event_listener_with_callback_and_add_event_listener_options(kind, function, &options);
    Listener { target: target.clone(), kind, heard }
}

/// Everything the tracker listens to.
pub fn all(window: &Window, sink: &Sink, has_forms: bool) -> Vec<Listener> {
    let mut listeners = vec![
        on(window, "pagehide", tell(sink, |_| Some(Happened::Left))),
        on(
            window,
            "pageshow",
            tell(sink, |event| {
                let is_back = event
                    .dyn_ref::<PageTransitionEvent>()
                    .is_some_and(PageTransitionEvent::persisted);
                is_back.then_some(Happened::Restored)
            }),
        ),
        on(window, "online", tell(sink, |_| Some(Happened::Online))),
        on(
            window,
            "storage",
            tell(sink, |event| {
                let key = event.dyn_ref::<StorageEvent>()?.key();
                // No key: everything was cleared.
                key.is_none_or(|key| key == "hilo.c").then_some(Happened::ConsentChangedElsewhere)
            }),
        ),
    ];
    if let Some(document) = window.document() {
        let seen = document.clone();
        listeners.push(on(
            &document,
            "visibilitychange",
            tell(sink, move |_| {
                (seen.visibility_state() == VisibilityState::Hidden).then_some(Happened::Hidden)
            }),
        ));
        if has_forms {
            for (kind, step) in [
                ("focusin", FormStep::Focused),
                ("focusout", FormStep::Left),
                ("submit", FormStep::Submitted),
            ] {
                let read = move |event: &Event| dom::form_act(event, step).map(Happened::Form);
                listeners.push(on(&document, kind, tell(sink, read)));
            }
        }
    }
    // Where the Navigation API is missing, the JavaScript side wraps the History API and calls `navigated`.
    if let Some(navigation) =
        get(window, "navigation").and_then(|n| n.dyn_into::<EventTarget>().ok())
    {
        let (later, window) = (sink.clone(), window.clone());
        listeners.push(on(&navigation, "currententrychange", move |_| navigated(&window, &later)));
    }
    listeners
}

/// Tells that the address changed, once the page had a moment to follow.
pub fn navigated(window: &Window, sink: &Sink) {
    let sink = sink.clone();
    let then: JsValue = Closure::once_into_js(move || sink(Happened::Navigated));
    let _ = window
        .set_timeout_with_callback_and_timeout_and_arguments_0(then.unchecked_ref(), TITLE_MS);
}

fn tell(
    sink: &Sink,
    read: impl Fn(&Event) -> Option<Happened> + 'static,
) -> impl FnMut(Event) + 'static {
    let sink = sink.clone();
    move |event| {
        if let Some(happened) = read(&event) {
            sink(happened);
        }
    }
}
