//! The page of an event: `context.page`, completed from the properties of a page call and from the page's own address.
//! Reads addresses as browsers do (WHATWG URL). An unreadable address stays unchanged.

use serde_json::Value;
use url::Url;

use crate::event::{Event, EventKind, Facts, Page};
use crate::redact;

/// Completes the page.
pub fn apply(event: &mut Event, _facts: &Facts) {
    if let EventKind::Page { properties, .. } = &event.kind {
        let property = |name: &str| properties.get(name).and_then(Value::as_str).map(str::to_owned);
        // Segment's libraries repeat the page in the properties, and some send it only there.
        let page = event.context.page.get_or_insert_default();
        let Page { url, path, search, referrer, title } = page;
        for (slot, name) in [
            (url, "url"),
            (path, "path"),
            (search, "search"),
            (referrer, "referrer"),
            (title, "title"),
        ] {
            if slot.is_none() {
                *slot = property(name);
            }
        }
    }
    let Some(page) = &mut event.context.page else { return };
    for slot in
        [&mut page.url, &mut page.referrer, &mut page.search, &mut page.title, &mut page.path]
    {
        if slot.as_ref().is_some_and(|text| text.trim().is_empty()) {
            *slot = None;
        }
    }
    // A page without a known field is removed, because it would count as an arrival.
    if *page == Page::default() {
        event.context.page = None;
        return;
    }
    if let Some(url) = page.url.as_deref().and_then(address) {
        page.path.get_or_insert_with(|| url.path().to_owned());
        if page.search.is_none() {
            page.search =
                url.query().filter(|query| !query.is_empty()).map(|query| format!("?{query}"));
        }
        page.url = Some(url.into());
    }
    if let Some(referrer) = page.referrer.as_deref().and_then(address) {
        page.referrer = Some(referrer.into());
    }
}

/// Reads an address, a second time without its credentials if the first fails: credentials before a missing host make an
/// address unreadable, and `scrub` removes them anyway.
fn address(text: &str) -> Option<Url> {
    let text = text.trim();
    Url::parse(text).or_else(|_| Url::parse(&redact::url(text))).ok()
}
