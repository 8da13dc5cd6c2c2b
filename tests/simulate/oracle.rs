//! The oracle: the right cart for a set of operations, without contexts, compaction or joins.
//!
//! An operation is recorded whole when it happens: its put dots, its units taken back, its dropped dots. A replica's state is
//! right if it equals the oracle's state for the operations that have reached the replica, in any order and number.

use std::collections::{BTreeMap, BTreeSet};

use hilo_core::cart::{Cart, Dot, Kind, LineKey, ReplicaId};

use crate::model::Written;

/// One operation, recorded whole.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// The live dots of the delta: the new dot, or the dots from which units were taken back.
    pub(crate) shows: Vec<Written>,
    /// The units that the replica has taken back from each dot in all.
    pub(crate) used: Vec<(Dot, ReplicaId, u32)>,
    /// The seen dots that were dropped.
    pub(crate) drops: Vec<Dot>,
}

/// The operations of a history; a replica's knowledge is a set of their numbers.
#[derive(Default)]
pub(crate) struct Oracle {
    /// The operations in the order of their acts.
    pub(crate) records: Vec<Record>,
}

/// Numbers of operations, as bits: a history has at most 64.
pub(crate) type Heard = u64;

/// A live dot as it must be.
type Live = BTreeMap<LineKey, BTreeMap<Dot, (Kind, u32, u32)>>;

impl Oracle {
    fn heard(&self, heard: Heard) -> impl Iterator<Item = &Record> {
        let known = move |(at, _): &(usize, &Record)| heard & (1 << at) != 0;
        self.records.iter().enumerate().filter(known).map(|(_, record)| record)
    }

    /// The live dots after these operations, with the units left of each.
    pub(crate) fn live(&self, heard: Heard) -> Live {
        let dropped: BTreeSet<Dot> =
            self.heard(heard).flat_map(|record| &record.drops).copied().collect();
        let mut used: BTreeMap<(Dot, ReplicaId), u32> = BTreeMap::new();
        for (dot, replica, units) in self.heard(heard).flat_map(|record| &record.used) {
            let known = used.entry((*dot, *replica)).or_insert(0);
            *known = (*known).max(*units);
        }
        let mut live = Live::new();
        for (line, dot, kind, n) in self.heard(heard).flat_map(|record| &record.shows) {
            if !dropped.contains(dot) {
                let by_anybody = (*dot, ReplicaId(0))..=(*dot, ReplicaId(u64::MAX));
                let taken: u32 = used.range(by_anybody).map(|(_, units)| units).sum();
                let state = (*kind, *n, n.saturating_sub(taken));
                if let Some(dots) = live.get_mut(line) {
                    dots.insert(*dot, state);
                } else {
                    live.insert(line.clone(), BTreeMap::from([(*dot, state)]));
                }
            }
        }
        live
    }

    /// The live dots of one line.
    pub(crate) fn line(&self, heard: Heard, line: &LineKey) -> BTreeMap<Dot, (Kind, u32, u32)> {
        self.live(heard).remove(line).unwrap_or_default()
    }

    /// Compares a state. Differences are named after P6, P7 and P8.
    pub(crate) fn check(&self, cart: &Cart, heard: Heard) -> Result<(), String> {
        let expected = self.live(heard);
        for (line, dots) in &expected {
            for (dot, right) in dots {
                let found = cart.entries(line).find(|entry| entry.dot == *dot);
                match found.map(|entry| (entry.kind, entry.n, entry.left())) {
                    Some(found) if found == *right => {}
                    Some(found) => {
                        return Err(format!("P6: {dot:?} is {found:?} and should be {right:?}"));
                    }
                    None => return Err(format!("P6: {dot:?} {right:?} is lost")),
                }
            }
            let quantity = quantity(dots);
            if cart.qty(line) != quantity {
                return Err(format!(
                    "P9: {} has {} and not {quantity}",
                    line.variant,
                    cart.qty(line)
                ));
            }
        }
        for line in cart.lines() {
            let known =
                |dot: &Dot| expected.get(&line.key).is_some_and(|dots| dots.contains_key(dot));
            if let Some(dot) = line.dots.entries().map(|entry| entry.dot).find(|dot| !known(dot)) {
                return Err(format!("P7: {dot:?} is live again"));
            }
        }
        Ok(())
    }
}

/// The largest set and all adds.
pub(crate) fn quantity(dots: &BTreeMap<Dot, (Kind, u32, u32)>) -> u32 {
    let left =
        |wanted| dots.values().filter(move |(kind, ..)| *kind == wanted).map(|(.., left)| *left);
    left(Kind::Set).max().unwrap_or(0) + left(Kind::Add).sum::<u32>()
}
