//! Makes events of all senders alike: the ordered list of steps, each a file of its own.
//!
//! Event and facts → the same event, and remarks. No step fails: a step leaves what it cannot improve. A second run changes
//! nothing. A new step is a file with `apply`, a line below at its place with the reason, and golden cases.

pub mod campaign;
pub mod channel;
pub mod click_id;
pub mod clock;
pub mod contact;
pub mod currency;
pub mod geo;
pub mod name;
pub mod page;
pub mod scrub;
pub mod user_agent;

use crate::config::NormalizeRules;
use crate::event::{Event, Facts};
use crate::outcome::Rejection;

/// Normalizes an event that validation has passed. Returns remarks for its sender.
pub fn apply(event: &mut Event, facts: &Facts, rules: &NormalizeRules) -> Vec<Rejection> {
    clock::apply(event, facts); // first, so that every later step has the right time
    name::apply(event, facts);
    page::apply(event, facts); // before every step that reads an address
    let mut notices = scrub::apply(event, facts); // before values are read from addresses: an e-mail posing as a click id must go
    notices.extend(campaign::apply(event, facts));
    click_id::apply(event, facts);
    notices.extend(channel::apply(event, rules)); // after campaign and click ids, which decide the channel
    user_agent::apply(event, facts); // removes the raw user agent
    geo::apply(event, facts); // removes the raw IP address
    currency::apply(event, rules);
    notices.extend(contact::apply(event, rules));
    notices
}
