//! A person, folded from events: when they came first and last, by which touch, how often, as whom.
//! `(Profile, &Gist) → Profile`. Decides nothing and forgets nothing on its own; bounded where a sender could grow it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::Gist;
use crate::journey::{Channel, Touch};

/// Ids that one device may claim before the rest is ignored.
const CLAIMED_MAX: usize = 16;

/// A touch and its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touched {
    /// When.
    pub at: Timestamp,
    /// By what.
    #[serde(flatten)]
    pub touch: Touch,
}

/// What is known about somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Profile {
    /// The earliest event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_seen: Option<Timestamp>,
    /// The latest event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
    /// What brought them first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_touch: Option<Touched>,
    /// What brought them last, coming by themselves not counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_touch: Option<Touched>,
    /// Events by their type.
    pub events: BTreeMap<String, u64>,
    /// Who pages claimed they are. Claims only: nothing is linked by them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub claimed_ids: Vec<String>,
    /// The language of the latest event that told one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
}

/// Takes one event into the profile. The order of events does not matter for first and last.
#[must_use]
pub fn fold(mut profile: Profile, event: &Gist) -> Profile {
    let at = event.occurred_at;
    *profile.events.entry(event.kind.clone()).or_default() += 1;
    if profile.last_seen.is_none_or(|last| at >= last)
        && let Some(locale) = &event.locale
    {
        profile.locale = Some(locale.clone());
    }
    profile.first_seen = Some(profile.first_seen.map_or(at, |first| first.min(at)));
    profile.last_seen = Some(profile.last_seen.map_or(at, |last| last.max(at)));
    if let Some(touch) = &event.touch {
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
    if let Some(claimed) = &event.claimed_id
        && !profile.claimed_ids.contains(claimed)
        && profile.claimed_ids.len() < CLAIMED_MAX
    {
        profile.claimed_ids.push(claimed.clone());
    }
    profile
}
