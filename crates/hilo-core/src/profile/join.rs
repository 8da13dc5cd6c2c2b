//! Joins two profiles of one person, whose events are not there any more.
//!
//! `(Profile, Profile) → Profile`: what [`super::fold`] would have made of the events of both, as far as the two profiles tell.

use std::collections::BTreeMap;

use super::recent::earlier;
use super::{IDS_MAX, Profile, Tally, Touched, choose, enrol, fold_locale, traits, visit};

/// Joins `theirs` into `mine`. `mine` comes first where the order of the events counts.
#[must_use]
pub fn join(mut mine: Profile, theirs: Profile) -> Profile {
    fold_locale(&mut mine, theirs.locale.as_ref(), theirs.locale_at);
    mine.first_seen = mine.first_seen.into_iter().chain(theirs.first_seen).min();
    mine.last_seen = mine.last_seen.into_iter().chain(theirs.last_seen).max();
    let touches = |mine: Option<Touched>, theirs: Option<Touched>| mine.into_iter().chain(theirs);
    mine.first_touch = touches(mine.first_touch, theirs.first_touch).min();
    mine.last_touch = touches(mine.last_touch, theirs.last_touch).max();
    for (kind, count) in theirs.events {
        *mine.events.entry(kind).or_default() += count;
    }
    remember_all(&mut mine.anonymous_ids, theirs.anonymous_ids);
    remember_all(&mut mine.claimed_ids, theirs.claimed_ids);
    mine.user_id = mine.user_id.or(theirs.user_id);
    traits::join(&mut mine.traits, theirs.traits);
    traits::join(&mut mine.ids, theirs.ids);
    theirs.visits.into_iter().for_each(|one| visit(&mut mine.visits, one));
    mine.met = earlier(mine.met, theirs.met);
    tally_all(&mut mine.channels, theirs.channels);
    tally_all(&mut mine.contacts, theirs.contacts);
    mine.devices.join(theirs.devices);
    mine.orders.join(theirs.orders);
    mine.messages.join(theirs.messages);
    mine.talks.join(theirs.talks);
    theirs.optins.into_iter().for_each(|(channel, one)| choose(&mut mine.optins, channel, one));
    mine.belongs = earlier(mine.belongs, theirs.belongs);
    enrol(&mut mine.loyalty, theirs.loyalty);
    mine
}

fn tally_all<K: Ord>(tallies: &mut BTreeMap<K, Tally>, others: BTreeMap<K, Tally>) {
    for (key, other) in others {
        tallies.entry(key).and_modify(|known| known.add(other)).or_insert(other);
    }
}

fn remember_all(ids: &mut Vec<String>, others: Vec<String>) {
    for id in others {
        if ids.len() < IDS_MAX && !ids.contains(&id) {
            ids.push(id);
        }
    }
}
