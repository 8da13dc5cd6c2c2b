//! Click ids: the keys with which advertisers mark an address, kept for the destinations that need them.
//! In: the address the visit began on. Out: `context.hilo.click_ids`.

use super::{cut, landing_query, parameter};
use crate::event::fields::NAME_BYTES_MAX;
use crate::event::{Event, Facts};

/// A query key, who sets it, and the medium it stands for where no campaign says.
pub const CLICK_IDS: [(&str, &str, &str); 14] = [
    ("gclid", "google", "cpc"),
    ("gbraid", "google", "cpc"),
    ("wbraid", "google", "cpc"),
    ("dclid", "google", "display"),
    ("msclkid", "bing", "cpc"),
    ("yclid", "yandex", "cpc"),
    ("ttclid", "tiktok", "paid-social"),
    ("twclid", "twitter", "paid-social"),
    ("li_fat_id", "linkedin", "paid-social"),
    ("ScCid", "snapchat", "paid-social"),
    ("rdt_cid", "reddit", "paid-social"),
    ("epik", "pinterest", "paid-social"),
    // Facebook marks every outgoing link, paid or not: it says where from, and nothing about money.
    ("fbclid", "facebook", "social"),
    ("igshid", "instagram", "social"),
];

/// Fills `context.hilo.click_ids`.
pub fn apply(event: &mut Event, _facts: &Facts) {
    let Some(query) = landing_query(event) else { return };
    for (key, _, _) in CLICK_IDS {
        if let Some(value) = parameter(&query, key) {
            let value = cut(&value, NAME_BYTES_MAX).to_owned();
            event.context.hilo.click_ids.insert(key.to_owned(), value);
        }
    }
}
