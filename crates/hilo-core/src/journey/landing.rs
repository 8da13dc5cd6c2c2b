//! The address on which a visit began, for campaign and click ids.
//! In: an event. Out: its landing's query, and parameters of a query.

use crate::event::Event;

/// The query of the session's landing, else of the event's own page.
pub(crate) fn landing_query(event: &Event) -> Option<String> {
    let landing = event.context.hilo.session.as_ref().and_then(|session| session.landing.as_ref());
    let url = match landing {
        Some(landing) => landing.url.as_deref(),
        None => event.context.page.as_ref().and_then(|page| page.url.as_deref()),
    };
    let (_, query) = url?.split('#').next()?.split_once('?')?;
    Some(query.to_owned())
}

/// A parameter of a query, decoded.
pub(crate) fn parameter(query: &str, key: &str) -> Option<String> {
    let found = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == key)?;
    let value = found.1.trim();
    (!value.is_empty()).then(|| value.to_owned())
}
