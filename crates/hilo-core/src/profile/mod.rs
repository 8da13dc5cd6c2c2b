//! A profile, folded from events: when a person came first and last, by which touch, how often, under which ids, with which
//! traits, with which ids of other services.
//!
//! `(Profile, &Gist, source) → Profile`. Decides nothing and forgets nothing on its own. Bounded where a sender could grow it.

mod join;
mod person;
mod traits;

pub use join::join;
pub use person::{ArchiveKey, Person};
pub use traits::{TRAITS_BYTES_MAX, TRAITS_MAX, Trait, Traits};

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::Gist;
use crate::journey::{Channel, Touch};

/// The version of [`fold`]: raise it whenever the same events fold into another profile. A stored profile of another version
/// is folded anew from the timeline.
pub const VERSION: u32 = 2;

/// Ids of one sort that a profile keeps. Further ids are ignored.
const IDS_MAX: usize = 16;

/// A touch and its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touched {
    /// When.
    pub at: Timestamp,
    /// By what.
    #[serde(flatten)]
    pub touch: Touch,
}

/// What is known about a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Profile {
    /// The earliest event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_seen: Option<Timestamp>,
    /// The latest event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
    /// What brought the person first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_touch: Option<Touched>,
    /// What brought the person last. Visits without a channel ("Direct") do not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_touch: Option<Touched>,
    /// Events by their type.
    pub events: BTreeMap<String, u64>,
    /// The person's devices.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub anonymous_ids: Vec<String>,
    /// The id that a server or a verified token named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Ids that pages merely claimed. Nothing is linked by them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub claimed_ids: Vec<String>,
    /// What identify events told about the person.
    #[serde(skip_serializing_if = "Traits::is_empty")]
    pub traits: Traits,
    /// The newest id of each service that events brought. They are kept like traits.
    #[serde(skip_serializing_if = "Traits::is_empty")]
    pub ids: Traits,
    /// The language of the latest event that told one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
}

/// Takes one event into the profile. `source` is the name of the source that sent the event, where it is known.
///
/// First and last do not depend on the order of the events.
#[must_use]
pub fn fold(mut profile: Profile, gist: &Gist, source: Option<&str>) -> Profile {
    let at = gist.occurred_at;
    *profile.events.entry(gist.kind.clone()).or_default() += 1;
    if profile.last_seen.is_none_or(|last| at >= last)
        && let Some(locale) = &gist.locale
    {
        profile.locale = Some(locale.clone());
    }
    profile.first_seen = Some(profile.first_seen.map_or(at, |first| first.min(at)));
    profile.last_seen = Some(profile.last_seen.map_or(at, |last| last.max(at)));
    if let Some(touch) = &gist.touch {
        let touched = Touched { at, touch: touch.clone() };
        if profile.first_touch.as_ref().is_none_or(|first| at < first.at) {
            profile.first_touch = Some(touched.clone());
        }
        if touch.channel != Channel::Direct
            && profile.last_touch.as_ref().is_none_or(|last| at >= last.at)
        {
            profile.last_touch = Some(touched);
        }
    }
    remember(&mut profile.anonymous_ids, gist.anonymous_id.as_ref());
    remember(&mut profile.claimed_ids, gist.claimed_id.as_ref());
    if profile.user_id.is_none() {
        profile.user_id.clone_from(&gist.user_id);
    }
    traits::fold(&mut profile.traits, gist, source);
    traits::fold_ids(&mut profile.ids, gist, source);
    profile
}

fn remember(ids: &mut Vec<String>, id: Option<&String>) {
    if let Some(id) = id.filter(|id| !ids.contains(id))
        && ids.len() < IDS_MAX
    {
        ids.push(id.clone());
    }
}

#[cfg(test)]
mod tests;
