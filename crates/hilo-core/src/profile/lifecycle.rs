//! The state of a person at a moment: new, known, fresh, customer or loyal.
//!
//! `(profile, moment, session of the moment, rules) → state`. Only what happened before the moment counts, so an event that comes late
//! gets the state that it would have had, as far as the profile lists what decides.

use jiff::{SignedDuration, Timestamp};

use super::{Order, Profile};
use crate::journey::{State, StateRules};

/// The days in which a person's counted orders make them loyal.
const LOYAL_DAYS: i64 = 365;
/// The longest time that a delivery under way keeps somebody fresh: the report of its end may be lost.
const DELIVERY_DAYS_MAX: i64 = 90;

/// Finds the state of the person before `at`. `session` is the visit of the moment: the visit itself is nothing earlier.
#[must_use]
pub fn state(profile: &Profile, at: Timestamp, session: Option<&str>, rules: &StateRules) -> State {
    let counted = || profile.orders.iter().map(|(_, order)| order).filter(|one| one.counts(at));
    let older = profile.orders.older();
    let has_ordered = counted().next().is_some() || older.first.is_some_and(|first| first < at);
    if !has_ordered {
        let met_before = profile.met.is_some_and(|met| met < at);
        let mut visits = profile.visits.iter();
        let has_come = visits.any(|one| one.at < at && Some(one.id.as_str()) != session);
        return if met_before || has_come { State::Known } else { State::New };
    }
    let since = after(at, -LOYAL_DAYS);
    let orders = counted().filter(|one| one.placed.is_some_and(|placed| placed > since)).count();
    let is_loyal = u32::try_from(orders).is_ok_and(|orders| orders >= rules.loyal_orders);
    if is_loyal || profile.belongs.is_some_and(|belongs| belongs < at) {
        return State::Loyal;
    }
    let days = i64::from(rules.post_days);
    let is_fresh = counted().any(|order| is_fresh(order, at, days))
        || older.last.is_some_and(|last| last < at && after(last, days) >= at);
    if is_fresh { State::Fresh } else { State::Customer }
}

fn is_fresh(order: &Order, at: Timestamp, days: i64) -> bool {
    let before = |when: Option<Timestamp>| when.filter(|when| *when < at);
    let since = before(order.delivered).or(order.placed);
    let is_new = since.is_some_and(|since| after(since, days) >= at);
    let is_under_way = before(order.shipped).is_some_and(|sent| {
        before(order.delivered).is_none() && after(sent, DELIVERY_DAYS_MAX) >= at
    });
    is_new || is_under_way
}

fn after(at: Timestamp, days: i64) -> Timestamp {
    let end = if days < 0 { Timestamp::MIN } else { Timestamp::MAX };
    at.checked_add(SignedDuration::from_hours(24 * days)).unwrap_or(end)
}
