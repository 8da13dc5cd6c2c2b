//! Making events alike, whoever sent them: the ordered list of steps, each a file of its own.
//!
//! Event and facts → the same event. No step fails: what it cannot improve it leaves. Applying the list twice changes
//! nothing. To add a step: a file with `apply`, a line below at its place with the reason, golden cases.

pub mod campaign;
pub mod channel;
pub mod click_id;
pub mod clock;
pub mod geo;
pub mod name;
pub mod page;
pub mod scrub;
pub mod user_agent;

use crate::event::{Event, Facts};

/// Normalizes an event that validation has passed.
pub fn apply(event: &mut Event, facts: &Facts) {
    clock::apply(event, facts); // first: nothing else depends on it, and everything is read with its time
    name::apply(event, facts);
    page::apply(event, facts); // before whatever reads an address
    scrub::apply(event, facts); // before anything is read from one: an e-mail posing as a click id must not survive
    campaign::apply(event, facts);
    click_id::apply(event, facts);
    channel::apply(event, facts); // after campaign and click ids: it is decided by them
    user_agent::apply(event, facts); // takes the raw text out
    geo::apply(event, facts); // takes the raw address out
}

/// A parameter of a query, decoded.
fn parameter(query: &str, key: &str) -> Option<String> {
    let found = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == key)?;
    let value = found.1.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

/// Cuts text at a character's boundary.
fn cut(text: &str, bytes_max: usize) -> &str {
    let end = (0..=bytes_max.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

/// The query of the address a session began on, else of the page's own.
fn landing_query(event: &Event) -> Option<String> {
    let landing = event.context.hilo.session.as_ref().and_then(|session| session.landing.as_ref());
    let url = match landing {
        Some(landing) => landing.url.as_deref(),
        None => event.context.page.as_ref().and_then(|page| page.url.as_deref()),
    };
    let (_, query) = url?.split('#').next()?.split_once('?')?;
    Some(query.to_owned())
}
