//! Traits: what identify events tell about a person, each with the event that brought it. The ids that other services gave to the
//! person's browsers are kept in the same way.
//!
//! `(traits, &Gist) → traits`. The trait of the latest event counts, in whatever order the events arrive. Bounded in number
//! and in bytes. Does not decide who may see a trait: the profile's object asks the recorded consent for that.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::consent::Purpose;
use crate::event::{Gist, purposes_of_service_id};

/// Traits of one person: more than any destination takes of one (GA4 takes 25 user properties).
pub const TRAITS_MAX: usize = 64;
/// Bytes that the names and values of all traits may have together, so that a person fits into a queue message.
pub const TRAITS_BYTES_MAX: usize = 8 * 1024;

/// A person's traits by name.
pub type Traits = BTreeMap<String, Trait>;

/// One trait, and the event that brought it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trait {
    /// The value as sent; `null` where the sender took the trait back.
    pub value: Value,
    /// When the event happened.
    pub at: Timestamp,
    /// The source that sent the event. Unknown for events that were stored before sources were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Whether the event named a user, which only a server or a verified token can do.
    #[serde(rename = "vouched", default)]
    pub is_vouched: bool,
    /// The purposes that the event needed. Those of an id of another service are added.
    #[serde(default)]
    pub purposes: Vec<Purpose>,
    /// The purposes that the event's own consent granted.
    #[serde(default)]
    pub granted: Vec<Purpose>,
    /// The revision of that consent.
    #[serde(default)]
    pub revision: u32,
}

/// Takes the traits of one event in. A late event does not overwrite what a newer one told.
pub(super) fn fold(traits: &mut Traits, gist: &Gist, source: Option<&str>) {
    for (name, value) in &gist.traits {
        put(traits, name, brought(value.clone(), gist, source));
    }
}

/// Takes the ids in that one event has of other services. Of two devices that became one person, the newer id counts.
pub(super) fn fold_ids(ids: &mut Traits, gist: &Gist, source: Option<&str>) {
    for (name, id) in &gist.ids {
        let Some(purposes) = purposes_of_service_id(name) else { continue };
        let mut brought = brought(Value::from(id.as_str()), gist, source);
        for purpose in purposes {
            if !brought.purposes.contains(purpose) {
                brought.purposes.push(*purpose);
            }
        }
        put(ids, name, brought);
    }
}

fn brought(value: Value, gist: &Gist, source: Option<&str>) -> Trait {
    Trait {
        value,
        at: gist.occurred_at,
        source: source.map(str::to_owned),
        is_vouched: gist.user_id.is_some(),
        purposes: gist.purposes.clone(),
        granted: gist.granted.clone(),
        revision: gist.revision,
    }
}

/// Takes the traits of another profile in.
pub(super) fn join(traits: &mut Traits, others: Traits) {
    for (name, brought) in others {
        put(traits, &name, brought);
    }
}

fn put(traits: &mut Traits, name: &str, brought: Trait) {
    if traits.get(name).is_some_and(|known| known.at > brought.at) {
        return;
    }
    // A newer value that does not fit takes the older one away with it: no value is better than a wrong one.
    traits.remove(name);
    let others: usize = traits.iter().map(|(name, one)| bytes(name, &one.value)).sum();
    if traits.len() < TRAITS_MAX && others + bytes(name, &brought.value) <= TRAITS_BYTES_MAX {
        traits.insert(name.to_owned(), brought);
    }
}

fn bytes(name: &str, value: &Value) -> usize {
    name.len() + value.to_string().len()
}
