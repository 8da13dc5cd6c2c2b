//! The campaign that brought the visit: UTM parameters of the landing's address.
//! In: the landing. Out: `context.campaign`. Fields that the sender filled stay.

use super::scrub;
use crate::event::fields::NAME_BYTES_MAX;
use crate::event::{Campaign, Event, Facts};
use crate::journey::landing::{landing_query, parameter};
use crate::text::shortened;

/// Fills `context.campaign`.
pub fn apply(event: &mut Event, _facts: &Facts) {
    let Some(query) = landing_query(event) else { return };
    let mut campaign = event.context.campaign.take().unwrap_or_default();
    let Campaign { id, name, source, medium, term, content } = &mut campaign;
    for (slot, key) in [
        (id, "utm_id"),
        (name, "utm_campaign"),
        (source, "utm_source"),
        (medium, "utm_medium"),
        (term, "utm_term"),
        (content, "utm_content"),
    ] {
        if slot.is_none() {
            *slot =
                parameter(&query, key).map(|value| shortened(&value, NAME_BYTES_MAX).to_owned());
        }
    }
    campaign.texts_mut().into_iter().flatten().for_each(scrub::text); // a parameter may hold an address
    event.context.campaign = (!campaign.is_empty()).then_some(campaign);
}
