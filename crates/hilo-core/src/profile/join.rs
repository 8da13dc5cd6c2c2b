//! Joins two profiles of one person, whose events are not there any more.
//!
//! `(Profile, Profile) → Profile`: what [`super::fold`] would have made of the events of both, as far as the two profiles tell.

use super::{IDS_MAX, Profile, Touched, traits};

/// Joins `theirs` into `mine`. `mine` comes first where the order of the events counts.
#[must_use]
pub fn join(mut mine: Profile, theirs: Profile) -> Profile {
    if theirs.last_seen >= mine.last_seen {
        mine.locale = theirs.locale.or(mine.locale);
    } else {
        mine.locale = mine.locale.or(theirs.locale);
    }
    mine.first_seen = mine.first_seen.into_iter().chain(theirs.first_seen).min();
    mine.last_seen = mine.last_seen.into_iter().chain(theirs.last_seen).max();
    let touches = |mine: Option<Touched>, theirs: Option<Touched>| mine.into_iter().chain(theirs);
    mine.first_touch = touches(mine.first_touch, theirs.first_touch).min_by_key(|one| one.at);
    mine.last_touch = touches(mine.last_touch, theirs.last_touch).max_by_key(|one| one.at);
    for (kind, count) in theirs.events {
        *mine.events.entry(kind).or_default() += count;
    }
    remember_all(&mut mine.anonymous_ids, theirs.anonymous_ids);
    remember_all(&mut mine.claimed_ids, theirs.claimed_ids);
    mine.user_id = mine.user_id.or(theirs.user_id);
    traits::join(&mut mine.traits, theirs.traits);
    traits::join(&mut mine.ids, theirs.ids);
    mine
}

fn remember_all(ids: &mut Vec<String>, others: Vec<String>) {
    for id in others {
        if ids.len() < IDS_MAX && !ids.contains(&id) {
            ids.push(id);
        }
    }
}
