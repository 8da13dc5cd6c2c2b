//! What a visitor does in a document → what a capture kind makes of it.
//!
//! In: a list of steps, in order. Out: a list with what each step gave.
//! A step of a kind of the second module is `{atMs, url, cells}`, or `{atMs, url}` for the end of the page; it gives named acts.
//! A step of page views is `{place}` for an address that the visitor went to, `{replaced}` for one that the site put into its
//! place, `{told}` for a view that the site tells itself, `{query, hash}` for settings, or `{}` for a return from the
//! back/forward cache; it gives the view, if it is one.
//! A step of the tag manager is `{push}`, with `atMs` where the reader saw the push, or `{lines}` for the cart's lines from then
//! on, `null` before the cart is open. A push gives the calls of the cart, named acts and what the developer is told, and so do
//! `{push: null, leaving: true}` for the end of the page, `{cart}` for a shop system's own cart, and `{products}` for what the page tells
//! search engines.

use hilo_core::plain::Plain;
use hilo_core::tag_manager::{self, Line};
use hilo_tests::marked;
use hilo_tracker::capture;
use hilo_tracker::capture::pages::Pages;
use hilo_tracker::platform::capture::{Captured, Moment};
use hilo_tracker::platform::codes::CART_WANTED;
use hilo_tracker::platform::{Change, Place};
use hilo_tracker::tag_manager::TagManager;
use serde_json::{Value, from_value, json};

/// The one kind of the first module: it reads no cells, so the list of the second module lacks it.
const PAGES: &str = "pages";

/// The reader of the tag manager, which is no kind: it gives calls of the cart.
const TAG_MANAGER: &str = "tag_manager";

/// Every capture kind.
pub(crate) fn kinds() -> Vec<&'static str> {
    let listed = capture::kinds().into_iter().map(|(name, _)| name);
    listed.chain([PAGES, TAG_MANAGER]).collect()
}

/// What the kind `name` makes of the steps.
pub(crate) fn run(name: &str, input: &Value) -> Value {
    let steps = input.as_array().cloned().unwrap_or_default();
    if name == PAGES {
        let mut pages = Pages::default();
        return steps.iter().map(|step| view(&mut pages, step)).collect();
    }
    if name == TAG_MANAGER {
        return pushes(&steps);
    }
    let known = capture::kinds().into_iter().find(|(known, _)| *known == name);
    let Some((_, mut kind)) = known else { return json!("there is no such kind") };
    let read = |step: &Value| {
        let elapsed_ms = step.get("atMs").and_then(Value::as_i64).unwrap_or_default();
        let moment = Moment::new(text(step, "url"), elapsed_ms);
        match step.get("cells") {
            Some(cells) => {
                let cells = from_value(marked(Some(cells))).ok()?;
                Some(shown(&kind.read(&cells, &moment)))
            }
            None => Some(shown(&kind.leave(&moment))),
        }
    };
    steps.iter().map(read).map(|acts| acts.unwrap_or_else(|| json!("unreadable"))).collect()
}

fn shown(captured: &[Captured]) -> Value {
    let act = |one: &Captured| {
        let properties: Value = serde_json::from_str(&one.properties).unwrap_or_default();
        json!({ "name": one.name, "properties": properties })
    };
    captured.iter().map(act).collect()
}

fn view(pages: &mut Pages, step: &Value) -> Value {
    let went = step.get("place").map(|found| (found, Change::Went));
    let found = went.or_else(|| step.get("replaced").map(|found| (found, Change::Replaced)));
    if let Some((found, change)) = found {
        if let Some(Place { url, referrer, title }) = pages.read(place(found), change) {
            return json!({ "url": url, "referrer": referrer, "title": title });
        }
    } else if let Some(told) = step.get("told") {
        pages.note_own_view(&place(told));
    } else if let Some(query) = step.get("query") {
        *pages = Pages::new(query == true, step.get("hash").is_some_and(|hash| hash == true));
    } else {
        pages.forget();
    }
    Value::Null
}

fn place(value: &Value) -> Place {
    let [url, referrer, title] =
        ["url", "referrer", "title"].map(|key| text(value, key).to_owned());
    Place { url, referrer, title }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn pushes(steps: &[Value]) -> Value {
    let mut reader = TagManager::default();
    let mut lines = Some(Vec::new());
    let mut answers = Vec::new();
    for step in steps {
        if let Some(known) = step.get("lines") {
            lines = from_value(marked(Some(known))).ok().as_ref().and_then(Line::all);
            continue;
        }
        let plain = |name| from_value::<Plain>(marked(step.get(name))).unwrap_or_default();
        let at_ms = step.get("atMs").and_then(Value::as_i64);
        let moment = tag_manager::Moment {
            at_ms,
            path: text(step, "path"),
            currency: text(step, "currency"),
            may_ask: step.get("mayAsk").is_some(),
        };
        let mut notes = String::new();
        if step.get("push").is_some() {
            notes = reader.read(&plain("push"), &moment);
        } else if step.get("cart").is_some() {
            reader.read_cart(&plain("cart"));
        } else {
            reader.learn_products(plain("products"));
        }
        let mut calls = String::new();
        loop {
            let next = reader.next(lines.as_deref(), step.get("leaving").is_some());
            if next.is_empty() || next == CART_WANTED {
                break;
            }
            calls.push_str(&next);
        }
        let read = |line: &str| match line.split_once('\t') {
            Some((name, text)) => {
                let properties: Value = serde_json::from_str(text).ok()?;
                Some(json!({ "name": name, "properties": properties }))
            }
            None => serde_json::from_str(line).ok(),
        };
        let calls: Vec<Value> = calls.lines().filter_map(read).collect();
        let notes: Vec<&str> = notes.lines().collect();
        answers.push(json!({ "calls": calls, "notes": notes }));
    }
    answers.into()
}
