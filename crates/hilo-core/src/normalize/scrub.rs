//! Redacts secrets and personal data in every address of an event, and shortens addresses to their limit.
//! Our tracker redacts too. This step covers other libraries, servers and old trackers.

use serde_json::Value;

use crate::event::fields::URL_BYTES_MAX;
use crate::event::{Event, Facts};
use crate::redact;
use crate::text::shortened;

/// Properties that hold an address (Segment's page call and product objects).
const PROPERTIES: [&str; 5] = ["url", "path", "search", "referrer", "image_url"];

/// One round redacts, and a second finds no change. Further rounds redact values that shortening created.
const ROUNDS_MAX: usize = 4;

/// Redacts and shortens every address.
pub fn apply(event: &mut Event, _facts: &Facts) {
    if let Some(page) = &mut event.context.page {
        for slot in [&mut page.url, &mut page.path, &mut page.search, &mut page.referrer] {
            slot.iter_mut().for_each(scrub);
        }
    }
    if let Some(landing) =
        event.context.hilo.session.as_mut().and_then(|session| session.landing.as_mut())
    {
        for slot in [&mut landing.url, &mut landing.referrer] {
            slot.iter_mut().for_each(scrub);
        }
    }
    if let Some(details) = event.kind.details_mut() {
        for name in PROPERTIES {
            if let Some(Value::String(text)) = details.get_mut(name) {
                scrub(text);
            }
        }
    }
}

/// Redacts and shortens until nothing changes: digits that were cut in the middle may look like a card number.
fn scrub(text: &mut String) {
    for _ in 0..ROUNDS_MAX {
        let mut scrubbed = redact::url(text);
        scrubbed.truncate(shortened(&scrubbed, URL_BYTES_MAX).len());
        if scrubbed == *text {
            return;
        }
        *text = scrubbed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_shortening_created_is_redacted_too() {
        let mut address = "https://shop.example/".to_owned();
        address.push_str(&"-".repeat(URL_BYTES_MAX - address.len() - 15));
        address.push('/');
        let kept = address.clone();
        address.push_str(&"0".repeat(40));
        scrub(&mut address);
        assert_eq!(address, kept + "redacted");
    }
}
