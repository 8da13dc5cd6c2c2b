//! Takes secrets and personal data out of every address an event carries, and keeps addresses inside their limit.
//! The page has done the same; this is for pages of others, for servers, and for a tracker that is out of date.

use serde_json::Value;

use crate::event::fields::URL_BYTES_MAX;
use crate::event::{Event, Facts};
use crate::redact;
use crate::text::shortened;

/// Properties that hold an address (Segment's page call and product objects).
const PROPERTIES: [&str; 5] = ["url", "path", "search", "referrer", "image_url"];

/// A round makes the text safe, a second one sees that; more are for what a cut brought to light.
const ROUNDS_MAX: usize = 4;

/// Scrubs.
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

/// Until nothing changes: digits that were cut in the middle may look like a card's number.
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
    fn what_a_cut_leaves_is_scrubbed_as_well() {
        let mut address = "https://shop.example/".to_owned();
        address.push_str(&"-".repeat(URL_BYTES_MAX - address.len() - 15));
        address.push('/');
        let kept = address.clone();
        address.push_str(&"0".repeat(40));
        scrub(&mut address);
        assert_eq!(address, kept + "redacted");
    }
}
