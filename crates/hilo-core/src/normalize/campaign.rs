//! The campaign that brought the visit: UTM parameters of the landing's address.
//! In: the landing. Out: `context.campaign`, written in one way (`hygiene.rs`), and remarks. Fields that the sender filled stay.

mod hygiene;

use super::scrub;
use crate::event::fields::NAME_BYTES_MAX;
use crate::event::{Campaign, Event, Facts};
use crate::journey::landing::{landing_query, parameter};
use crate::outcome::Rejection;
use crate::text::shortened;

/// Fills `context.campaign`. Returns a remark for each field that was left out.
pub fn apply(event: &mut Event, _facts: &Facts) -> Vec<Rejection> {
    let query = landing_query(event).unwrap_or_default();
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
    let notices = hygiene::clean(&mut campaign);
    campaign.texts_mut().into_iter().flatten().for_each(scrub::text); // a parameter may hold an address
    event.context.campaign = (!campaign.is_empty()).then_some(campaign);
    notices
}
