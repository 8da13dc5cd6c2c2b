//! The people's wishes, without dots: the least and the most units that a line may have.
//!
//! In: each wish with the operations that its replica had seen. Out: nothing, or the line that broke a bound. The oracle
//! compares dots, so it trusts the units that a fold restates. Here a fold counts as a plain add, so an add that a fold loses
//! is found.

#![expect(
    clippy::indexing_slicing,
    reason = "a history that leaves its own bounds should stop at once"
)]

use std::collections::BTreeMap;

use hilo_core::cart::{Cart, LineKey, ReplicaId};

use crate::oracle::Heard;

/// The wish behind an operation.
pub(crate) enum What {
    /// Units more.
    Add(u32),
    /// Units in all. All seen units go.
    Set(u32),
    /// Fewer units, none, or a purchase.
    Take,
}

/// An operation with its wish.
pub(crate) struct Wish {
    /// The replica.
    pub(crate) by: ReplicaId,
    /// The lines.
    pub(crate) lines: Vec<LineKey>,
    /// The wish.
    pub(crate) what: What,
    /// The operations that it could see: those before it, or before its checkout.
    pub(crate) heard: Heard,
    /// Whether it also restates earlier adds of its replica.
    pub(crate) folds: bool,
}

/// The operations of a history by their number, as the oracle counts them.
#[derive(Default)]
pub(crate) struct Wishes {
    all: Vec<Wish>,
    /// Per line the operations on it.
    on: BTreeMap<LineKey, Heard>,
    /// Per operation the earlier adds whose units its dot carries too.
    carried: Vec<Heard>,
    /// Per operation the operations whose units it could see, directly or through a fold.
    seen: Vec<Heard>,
}

/// The numbers in a set of operations.
fn numbers(mut set: Heard) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let number = set.trailing_zeros();
        set &= set.wrapping_sub(1);
        (number < Heard::BITS).then_some(number as usize)
    })
}

impl Wishes {
    pub(crate) fn push(&mut self, wish: Wish) {
        let this = 1 << self.all.len();
        for line in &wish.lines {
            *self.on.entry(line.clone()).or_insert(0) |= this;
        }
        let mut carried = 0;
        for (number, earlier) in self.all.iter().enumerate() {
            let same = earlier.by == wish.by && earlier.lines == wish.lines;
            if wish.folds && same && matches!(earlier.what, What::Add(_)) {
                carried |= 1 << number;
            }
        }
        self.seen.push(self.with_implied(wish.heard));
        self.carried.push(carried);
        self.all.push(wish);
    }

    /// The seen operations and those that they imply: a fold carries earlier adds, and a decrement names the dots that it took
    /// units from.
    fn with_implied(&self, heard: Heard) -> Heard {
        let takes = |number: &usize| matches!(self.all[*number].what, What::Take);
        let shown = numbers(heard).filter(takes).fold(heard, |shown, by| shown | self.seen[by]);
        numbers(shown).fold(shown, |all, number| all | self.carried[number])
    }

    /// P6 in units, and its converse: units that no operation took after seeing them are there, and no unit is there twice.
    pub(crate) fn check(&self, cart: &Cart, heard: Heard, line: &LineKey) -> Result<(), String> {
        let on = self.on.get(line).copied().unwrap_or(0);
        let wishes =
            |set: Heard| numbers(set & on).map(|number: usize| (number, &self.all[number]));
        // A fold accounts for all operations that its replica had seen.
        let folds = wishes(heard).filter(|(_, wish)| wish.folds);
        let known = folds.fold(heard, |known, (_, fold)| known | fold.heard);
        let takers = wishes(known).filter(|(_, wish)| !matches!(wish.what, What::Add(_)));
        let taken = takers.fold(0, |taken, (number, _)| taken | self.seen[number]);
        let units = |set: Heard| -> u32 {
            wishes(set).map(|(_, wish)| if let What::Add(k) = wish.what { k } else { 0 }).sum()
        };
        let sets = wishes(heard).map(|(_, wish)| if let What::Set(q) = wish.what { q } else { 0 });
        let found = cart.qty(line);
        let least = units(heard & !taken);
        if found < least {
            return Err(format!("P6: {found} units where nobody took away {least}"));
        }
        // A fold's delta may be late while other deltas name its dot. Then the fold stands beside the dots that it is to drop.
        // So the upper bound holds only where no operation is missing: always behind a hub, and at the end.
        let most = units(heard) + sets.max().unwrap_or(0);
        if found > most && self.with_implied(heard) == heard {
            return Err(format!("P7: {found} units where {most} were ever wanted"));
        }
        Ok(())
    }
}
