//! A person as a destination gets it: ids, traits, ids of other services, opt-ins and first touch, as far as consent allows.
//!
//! `(&Profile, opt-ins, which traits are allowed) → Person`. Shapes only: consent is asked by the caller.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Profile, Touched, Trait, Traits};
use crate::consent::{OptInChannel, OptInState, Purpose};
use crate::event::purposes_of_service_id;

/// What a destination may know about the person of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Person {
    /// The devices of this person.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub anonymous_ids: Vec<String>,
    /// The id that a server or a verified token named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Ids that pages merely claimed. Nothing is linked by them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub claimed_ids: Vec<String>,
    /// Traits by name, each with the event that brought it.
    #[serde(skip_serializing_if = "Traits::is_empty")]
    pub traits: Traits,
    /// The newest id of each service that gave one to a browser of this person, by the names of [`crate::event::SERVICE_IDS`].
    #[serde(skip_serializing_if = "Traits::is_empty")]
    pub ids: Traits,
    /// The opt-in that stands for each channel. A channel that is missing was never subscribed to.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub optins: BTreeMap<OptInChannel, OptInState>,
    /// What brought this person first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_touch: Option<Touched>,
    /// What seals the person's lines in an archive, for a destination that asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archive_key: Option<ArchiveKey>,
}

/// The key of a person's lines in an archive. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveKey {
    /// The name of the object that has the key, which is no name of the person.
    pub subject: String,
    /// 32 bytes in base64.
    pub key: String,
}

impl std::fmt::Debug for ArchiveKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("ArchiveKey").field("subject", &self.subject).finish_non_exhaustive()
    }
}

impl Person {
    /// The person of `profile`, with the traits and the ids of other services that `allows` lets through.
    pub fn of(
        profile: &Profile,
        optins: BTreeMap<OptInChannel, OptInState>,
        allows: impl Fn(&Trait) -> bool,
    ) -> Person {
        // Not collected: a map that is built from an iterator sorts it first, and each such sort is 6 KB of the script.
        let allowed = |all: &Traits| {
            let mut allowed = Traits::new();
            for (name, one) in all.iter().filter(|(_, one)| allows(one)) {
                allowed.insert(name.clone(), one.clone());
            }
            allowed
        };
        Person {
            anonymous_ids: profile.anonymous_ids.clone(),
            user_id: profile.user_id.clone(),
            claimed_ids: profile.claimed_ids.clone(),
            traits: allowed(&profile.traits),
            ids: allowed(&profile.ids),
            optins,
            first_touch: profile.first_touch.clone(),
            archive_key: None,
        }
    }

    /// Keeps the ids of other services whose purposes are among those of a destination.
    pub fn keep_ids_for(&mut self, own: &[Purpose]) {
        let is_covered = |purposes: &[Purpose]| purposes.iter().all(|one| own.contains(one));
        self.ids.retain(|name, _| purposes_of_service_id(name).is_some_and(is_covered));
    }
}
