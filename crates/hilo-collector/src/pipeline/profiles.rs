//! The store stage: each profile object gets its events of an envelope in one call, and the pipeline copies its answer
//! into the entries.

use std::collections::BTreeMap;

use hilo_core::config::Source;
use hilo_core::event::{Facts, Trust};
use hilo_core::identity::ProfileKey;
use hilo_core::journey::StateRules;

use super::at_once;
use super::entry::{Entry, profile_key};
use super::progress::Mark;
use crate::call::secret;
use crate::calls::{Planned, RecordCall, Recorded};
use crate::platform::{Failure, Platform};
use crate::signature::object_name;

/// Stores the events of `entries` that are not stored with a hello already. `plans` has the destinations of each entry at the same index.
///
/// # Errors
/// A failure if any event is not known to be durable: the whole envelope may be sent again.
pub(super) async fn store<P: Platform>(
    entries: &mut [Entry],
    plans: &[Vec<&Planned>],
    (source, states): (&Source, StateRules),
    facts: &Facts,
    platform: &P,
) -> Result<(), Failure> {
    let secret = secret(platform)?;
    let mut profiles: BTreeMap<ProfileKey, (Vec<usize>, RecordCall)> = BTreeMap::new();
    for (place, (entry, planned)) in entries.iter_mut().zip(plans).enumerate() {
        let Some(event) = entry.event.as_ref().filter(|_| entry.profile.is_empty()) else {
            continue;
        };
        let new = || {
            let call = RecordCall::of(&source.name, facts.trust == Trust::Public);
            (Vec::new(), call.judging(states))
        };
        let (places, call) = profiles.entry(profile_key(event, facts.trust)).or_insert_with(new);
        entry.destinations = planned.iter().map(|planned| planned.name.clone()).collect();
        call.add(event, planned)?;
        places.push(place);
    }
    let is_large = at_once::is_large(profiles.len(), facts);
    let mut calls = Vec::with_capacity(profiles.len());
    for (key, (places, call)) in profiles {
        let name = object_name(secret.naming(), &key);
        for place in &places {
            entries.get_mut(*place).into_iter().for_each(|entry| entry.profile.clone_from(&name));
        }
        calls.push((name, places, call));
    }
    let calls = calls.into_iter().map(|(name, places, call)| async move {
        let mark = is_large.then(|| Mark::of("events", &name, call.message_ids()));
        if mark.is_some_and(|mark| mark.is_stored(platform.now())) {
            return Ok(places.into_iter().map(|place| (place, Recorded::Duplicate)).collect());
        }
        let recorded = call.ask(platform, name).await?;
        let refuses = |one: &Recorded| matches!(one, Recorded::ConsentDenied | Recorded::Erased);
        let is_refused = recorded.as_ref().is_some_and(|all| all.iter().any(refuses));
        mark.filter(|_| !is_refused).into_iter().for_each(|mark| mark.note(platform.now()));
        let Some(recorded) = recorded else { return Ok(Vec::new()) };
        if recorded.len() != places.len() {
            return Err(Failure::Fatal("a profile did not answer every record".to_owned()));
        }
        Ok(places.into_iter().zip(recorded).collect())
    });
    let recorded: Vec<Vec<_>> = at_once::all(calls, facts.received_at, platform).await?;
    for (place, recorded) in recorded.into_iter().flatten() {
        if let Some(entry) = entries.get_mut(place) {
            entry.correct(recorded);
        }
    }
    Ok(())
}
