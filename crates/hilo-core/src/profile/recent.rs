//! A bounded list of what happened lately, by id, with sums of what had to leave it.
//!
//! In: entries in any order, in parts. Out: one entry for each id, the latest ones, whatever the order was. Only an entry that has left
//! the list and is told of again counts twice.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a [`Recent`] lists.
pub trait Listed {
    /// The most entries of a list.
    const MAX: usize;
    /// The sums of the entries that have left.
    type Sums: Default + PartialEq;

    /// The latest time that it tells of.
    fn last_at(&self) -> Timestamp;
    /// Adds what another entry with the same id tells. The order must not matter.
    fn join(&mut self, other: Self);
    /// Adds the entry to the sums.
    fn leave(self, sums: &mut Self::Sums);
    /// Adds other sums.
    fn add(sums: &mut Self::Sums, others: Self::Sums);
}

/// The latest entries by id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(
    serialize = "E: Serialize, E::Sums: Serialize",
    deserialize = "E: Deserialize<'de>, E::Sums: Deserialize<'de>"
))]
pub struct Recent<E: Listed> {
    /// The entries.
    #[serde(default = "BTreeMap::new", skip_serializing_if = "BTreeMap::is_empty")]
    listed: BTreeMap<String, E>,
    /// What has left.
    #[serde(default, skip_serializing_if = "is_default")]
    older: E::Sums,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl<E: Listed> Default for Recent<E> {
    fn default() -> Recent<E> {
        Recent { listed: BTreeMap::new(), older: E::Sums::default() }
    }
}

impl<E: Listed> Recent<E> {
    /// Adds what is told of an id.
    pub(super) fn put(&mut self, id: &str, entry: E) {
        match self.listed.get_mut(id) {
            Some(known) => known.join(entry),
            None => {
                self.listed.insert(id.to_owned(), entry);
                self.shorten();
            }
        }
    }

    /// Adds another list.
    pub(super) fn join(&mut self, other: Recent<E>) {
        for (id, entry) in other.listed {
            self.put(&id, entry);
        }
        E::add(&mut self.older, other.older);
    }

    /// Adds something without an id.
    pub(super) fn count(&mut self, entry: E) {
        entry.leave(&mut self.older);
    }

    /// The entry with this id.
    pub fn get(&self, id: &str) -> Option<&E> {
        self.listed.get(id)
    }

    /// The entries with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &E)> {
        self.listed.iter().map(|(id, entry)| (id.as_str(), entry))
    }

    /// The sums of what has left.
    pub const fn older(&self) -> &E::Sums {
        &self.older
    }

    /// Whether it was never told of anything.
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty() && is_default(&self.older)
    }

    fn shorten(&mut self) {
        while self.listed.len() > E::MAX {
            let oldest = self.listed.iter().min_by_key(|(id, entry)| (entry.last_at(), *id));
            let Some(id) = oldest.map(|(id, _)| id.clone()) else { break };
            if let Some(entry) = self.listed.remove(&id) {
                entry.leave(&mut self.older);
            }
        }
    }
}

/// The earlier of two times, where one is known.
pub(super) fn earlier(mine: Option<Timestamp>, theirs: Option<Timestamp>) -> Option<Timestamp> {
    mine.into_iter().chain(theirs).min()
}

/// The later of two times, where one is known.
pub(super) fn later(mine: Option<Timestamp>, theirs: Option<Timestamp>) -> Option<Timestamp> {
    mine.into_iter().chain(theirs).max()
}
