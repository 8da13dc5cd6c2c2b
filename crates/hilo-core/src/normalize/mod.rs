//! Making events alike, whoever sent them: the ordered list of steps, each a file of its own.
//!
//! Event and facts → the same event. No step fails: what it cannot improve it leaves. Applying the list twice changes
//! nothing. To add a step: a file with `apply`, a line below at its place with the reason, golden cases.

pub mod campaign;
pub mod channel;
pub mod click_id;
pub mod clock;
pub mod geo;
mod landing;
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
