//! A profile, folded from events: when a person came first and last, by which touch, how often, under which ids, with which
//! traits, with which ids of other services; what they ordered, which messages they got, whether a question of theirs is open.
//!
//! `(Profile, &Gist, source) → Profile`. Decides nothing and forgets nothing on its own. Bounded where a sender could grow it. The
//! order of the events does not matter, except for the order of ids, for traits that were told at one time, and beyond the bounds.

mod clicks;
mod figures;
mod join;
mod lifecycle;
mod messages;
mod orders;
mod person;
mod recent;
mod talks;
mod tally;
mod traits;

pub use clicks::{Click, Clicks};
pub use figures::{Figures, figures};
pub use join::join;
pub use lifecycle::state;
pub use messages::{Message, MessageSums, Messages};
pub use orders::{Order, OrderSums, Orders, Told};
pub use person::{ArchiveKey, Person};
pub use recent::{Listed, Recent};
pub use talks::{Talk, TalkSums, Talks};
pub use tally::Tally;
pub use traits::{TRAITS_BYTES_MAX, TRAITS_MAX, Trait, Traits};

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::consent::{OptInChannel, OptInState};
use crate::event::Gist;
use crate::journey::{Channel, Meaning, Touch};
use recent::earlier;

/// The version of [`fold`]: raise it whenever the same events fold into another profile. A stored profile of another version
/// is folded anew from the timeline.
pub const VERSION: u32 = 4;

/// Ids of one sort that a profile keeps. Further ids are ignored.
const IDS_MAX: usize = 16;
/// The first visits that a profile keeps: the second one tells whether something came before a moment of the first.
const VISITS_MAX: usize = 2;
/// Numbers of the loyalty program that a profile keeps.
const LOYALTY_MAX: usize = 8;

/// A touch and its time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
    /// When that event happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale_at: Option<Timestamp>,
    /// The first visits.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub visits: BTreeSet<Visit>,
    /// The first event that belongs to no visit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub met: Option<Timestamp>,
    /// Arrivals and contacts by channel.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub channels: BTreeMap<Channel, Tally>,
    /// Contacts by their kinds, such as `Call Received`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub contacts: BTreeMap<String, Tally>,
    /// Families of devices, such as `Firefox, Linux, desktop`.
    #[serde(skip_serializing_if = "Recent::is_empty")]
    pub devices: Recent<Tally>,
    /// The orders.
    #[serde(skip_serializing_if = "Recent::is_empty")]
    pub orders: Orders,
    /// The messages that the person got, and the reactions to them.
    #[serde(skip_serializing_if = "Recent::is_empty")]
    pub messages: Messages,
    /// The conversations.
    #[serde(skip_serializing_if = "Recent::is_empty")]
    pub talks: Talks,
    /// The choices about channels that the ledger told in events.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub optins: BTreeMap<OptInChannel, Chosen>,
    /// The first review, recommendation or enrolment in the loyalty program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub belongs: Option<Timestamp>,
    /// The numbers in the loyalty program.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub loyalty: BTreeSet<String>,
}

/// A visit and its first event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Visit {
    /// When.
    pub at: Timestamp,
    /// The session's id.
    pub id: String,
}

/// What a person has chosen about a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// When it was chosen.
    pub at: Timestamp,
    /// The choice.
    pub state: OptInState,
    /// The first subscription.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Timestamp>,
}

/// Takes one event into the profile. `source` is the name of the source that sent the event, where it is known.
#[must_use]
pub fn fold(mut profile: Profile, gist: &Gist, source: Option<&str>) -> Profile {
    let at = gist.occurred_at;
    *profile.events.entry(gist.kind.clone()).or_default() += 1;
    profile.first_seen = Some(profile.first_seen.map_or(at, |first| first.min(at)));
    profile.last_seen = Some(profile.last_seen.map_or(at, |last| last.max(at)));
    fold_locale(&mut profile, gist.locale.as_ref(), Some(at));
    if let Some(touch) = &gist.touch {
        let touched = Touched { at, touch: touch.clone() };
        tally(&mut profile.channels, touch.channel, at);
        if touch.channel != Channel::Direct
            && profile.last_touch.as_ref().is_none_or(|last| touched >= *last)
        {
            profile.last_touch = Some(touched.clone());
        }
        if profile.first_touch.as_ref().is_none_or(|first| touched < *first) {
            profile.first_touch = Some(touched);
        }
    }
    match &gist.session {
        // Mostly the visit is known.
        Some(id) if profile.visits.iter().any(|known| known.id == *id && known.at <= at) => {}
        Some(id) => visit(&mut profile.visits, Visit { at, id: id.clone() }),
        None => profile.met = earlier(profile.met, Some(at)),
    }
    if let Some(device) = &gist.device {
        profile.devices.put(device, Tally::at(at));
    }
    if let Some(channel) = gist.met_by {
        tally(&mut profile.channels, channel, at);
        if let Some(act) = &gist.act {
            tally(&mut profile.contacts, act.clone(), at);
        }
    }
    if let Some(meaning) = &gist.meaning {
        fold_meaning(&mut profile, meaning, at);
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

/// Whether a machine made the click that an event tells, as far as the profile knows.
pub fn is_machine_click(profile: &Profile, gist: &Gist) -> bool {
    let Some(Meaning::Message { id, followed: Some(followed), .. }) = &gist.meaning else {
        return false;
    };
    let click = Click { at: gist.occurred_at, followed: *followed };
    let message = id.as_ref().and_then(|id| profile.messages.get(id));
    message.map_or(followed.by_machine, |message| message.is_by_machine(&click))
}

/// The language of the latest event counts; of two at once the one that sorts last.
fn fold_locale(profile: &mut Profile, locale: Option<&String>, at: Option<Timestamp>) {
    if locale.is_some() && (at, locale) >= (profile.locale_at, profile.locale.as_ref()) {
        profile.locale = locale.cloned();
        profile.locale_at = at;
    }
}

fn tally<K: Ord>(tallies: &mut BTreeMap<K, Tally>, key: K, at: Timestamp) {
    let once = Tally::at(at);
    tallies.entry(key).and_modify(|known| known.add(once)).or_insert(once);
}

/// Keeps the first visits, each with its first event.
fn visit(visits: &mut BTreeSet<Visit>, one: Visit) {
    if let Some(known) = visits.iter().find(|known| known.id == one.id) {
        if known.at <= one.at {
            return;
        }
        visits.retain(|known| known.id != one.id);
    }
    visits.insert(one);
    if visits.len() > VISITS_MAX {
        visits.pop_last();
    }
}

fn fold_meaning(profile: &mut Profile, meaning: &Meaning, at: Timestamp) {
    match meaning {
        Meaning::Order { id, step, total } => {
            profile.orders.put(id, Order::of_step(*step, *total, at));
        }
        Meaning::Refund { order, id, amount } => {
            profile.orders.put(order, Order::of_refund(id.clone(), *amount, at));
        }
        Meaning::Message { id, way, fate, talk, followed } => {
            let message = Message::of(way.clone(), *fate, at, *followed);
            match id {
                Some(id) => profile.messages.put(id, message),
                None => profile.messages.count(message),
            }
            if let Some(talk) = talk {
                profile.talks.put(talk, Talk::of(crate::journey::Turn::Answered, at));
            }
        }
        Meaning::Talk { id, turn } => profile.talks.put(id, Talk::of(*turn, at)),
        Meaning::Belongs => profile.belongs = earlier(profile.belongs, Some(at)),
        Meaning::Loyalty { number } => {
            profile.belongs = earlier(profile.belongs, Some(at));
            enrol(&mut profile.loyalty, number.iter().cloned());
        }
        Meaning::OptIn { channel, state } => {
            let first = Some(at).filter(|_| *state == OptInState::Subscribed);
            choose(&mut profile.optins, *channel, Chosen { at, state: *state, first });
        }
    }
}

fn enrol(numbers: &mut BTreeSet<String>, more: impl IntoIterator<Item = String>) {
    numbers.extend(more);
    while numbers.len() > LOYALTY_MAX {
        numbers.pop_last();
    }
}

/// The latest choice counts. Of two at once the withdrawal does, as in the ledger.
fn choose(optins: &mut BTreeMap<OptInChannel, Chosen>, channel: OptInChannel, one: Chosen) {
    let Some(known) = optins.get_mut(&channel) else {
        optins.insert(channel, one);
        return;
    };
    let first = earlier(known.first, one.first);
    let rank = |one: &Chosen| (one.at, one.state == OptInState::Unsubscribed);
    if rank(&one) > rank(known) {
        *known = one;
    }
    known.first = first;
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
