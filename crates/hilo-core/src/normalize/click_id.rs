//! Click ids: parameters with which advertisers mark an address, kept for destinations that need them.
//! In: the landing's address. Out: `context.hilo.click_ids`.

use crate::event::fields::NAME_BYTES_MAX;
use crate::event::{Event, Facts};
use crate::journey::landing::{landing_query, parameter};
use crate::query_keys::CLICK_IDS;
use crate::text::shortened;

/// Fills `context.hilo.click_ids`.
pub fn apply(event: &mut Event, _facts: &Facts) {
    let Some(query) = landing_query(event) else { return };
    for (key, ..) in CLICK_IDS.iter().copied() {
        // `{gclid}` stands where nobody filled a template in.
        if let Some(value) = parameter(&query, key).filter(|value| !value.contains('{')) {
            let value = shortened(&value, NAME_BYTES_MAX).to_owned();
            event.context.hilo.click_ids.insert(key.to_owned(), value);
        }
    }
}
