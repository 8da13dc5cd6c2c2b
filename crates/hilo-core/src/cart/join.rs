//! The join: two carts in, the cart that knows what both know out.
//!
//! A causal join of delta-state CRDTs (Almeida, Shoker, Baquero, arXiv 1410.2803 and 1603.01529): commutative, associative
//! and idempotent, so deltas may be lost, repeated, reordered and joined in groups. Decides nothing about who may do what.

use super::context::{Ctx, Dot};
use super::map::BTreeMap;
use super::state::{Cart, Entry};

/// What both know; of two epochs the later one, whole.
pub fn join(a: &Cart, b: &Cart) -> Cart {
    let mut joined = a.clone();
    joined.absorb(b);
    joined
}

impl Cart {
    /// Learns everything `other` knows.
    ///
    /// A dot that one has live and the other has seen but not live was dropped there, and stays dropped.
    ///
    /// Of two epochs the later one counts, whole: lines, context and display fields. Nothing of the earlier is looked at,
    /// since an epoch ends only when nothing is left in it, and the next gives its dots out anew. What a replica had not
    /// sent of the earlier one must be carried over before, by [`super::epoch::remint`]; and since a delta of the later one
    /// replaces as much as a whole cart does, a replica enters an epoch by the hub's full view only. `merge` is the one
    /// place where carts of different epochs are combined.
    pub fn absorb(&mut self, other: &Cart) {
        if self.epoch != other.epoch {
            if self.epoch < other.epoch {
                self.clone_from(other);
            }
            return;
        }
        let empty = BTreeMap::new();
        self.lines.retain(|line, mine| {
            let theirs = other.lines.get(line).unwrap_or(&empty);
            mine.retain(|dot, _| theirs.contains_key(dot) || !other.ctx.contains(*dot));
            !mine.is_empty() || !theirs.is_empty()
        });
        for (line, theirs) in &other.lines {
            let mine = self.lines.entry(line.clone()).or_default();
            absorb_dots(mine, theirs, &self.ctx);
            if mine.is_empty() {
                self.lines.remove(line);
            }
        }
        self.ctx.absorb(&other.ctx);
        for (line, info) in &other.info {
            // By revision, and by content where two say the same revision: the order of arrival must not matter.
            match self.info.get_mut(line) {
                Some(mine) if *mine >= *info => {}
                Some(mine) => mine.clone_from(info),
                None => {
                    self.info.insert(line.clone(), info.clone());
                }
            }
        }
    }
}

fn absorb_dots(mine: &mut BTreeMap<Dot, Entry>, theirs: &BTreeMap<Dot, Entry>, seen: &Ctx) {
    for (dot, entry) in theirs {
        match mine.get_mut(dot) {
            Some(mine) => absorb_entry(mine, entry),
            None if seen.contains(*dot) => {} // dropped here
            None => {
                mine.insert(*dot, entry.clone());
            }
        }
    }
}

/// Pointwise the larger. Kind and units differ only when a writer breaks the rules; even then all replicas agree.
fn absorb_entry(mine: &mut Entry, theirs: &Entry) {
    mine.kind = mine.kind.max(theirs.kind);
    mine.n = mine.n.max(theirs.n);
    for (replica, used) in &theirs.used {
        let known = mine.used.entry(*replica).or_insert(0);
        *known = (*known).max(*used);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cart::tests::{A, B, add, line, on};

    #[test]
    fn a_dropped_dot_stays_dropped_whoever_repeats_it() {
        let mut cart = Cart::default();
        let added = add(&mut cart, A, 3);
        let removed = cart.remove(B, &line()).unwrap();
        cart.absorb(&removed);
        cart.absorb(&added);
        assert_eq!(cart.qty(&line()), 0);
        assert!(cart.lines.is_empty());
        assert!(cart.ctx.cloud.is_empty());
    }

    #[test]
    fn a_remove_that_overtakes_its_add_still_removes_it() {
        let mut cart = Cart::default();
        let added = add(&mut cart, A, 3);
        let removed = cart.remove(B, &line()).unwrap();
        let mut late = Cart::default();
        late.absorb(&removed);
        late.absorb(&added);
        assert_eq!(late, join(&cart, &removed));
    }

    #[test]
    fn a_later_epoch_replaces_an_earlier_one() {
        let mut old = on(3);
        old.info.insert(line(), (7, crate::cart::LineInfo::default()));
        let fresh = Cart { epoch: 1, ..Cart::default() };
        assert_eq!(join(&old, &fresh), fresh);
        assert_eq!(join(&fresh, &old), fresh);
        // The same dots mean other operations there.
        let reused = Cart { epoch: 1, ..on(5) };
        assert_eq!(join(&old, &reused), reused);
        assert_eq!(join(&reused, &old), reused);
        let delta = reused.remove(B, &line()).unwrap();
        assert_eq!(join(&old, &delta), delta, "a delta replaces as a whole cart does");
    }

    #[test]
    fn display_fields_follow_the_revision_of_the_hub() {
        let named = |revision, name: &str| {
            let mut cart = on(3);
            let info = crate::cart::LineInfo { name: Some(name.into()), ..Default::default() };
            cart.info.insert(line(), (revision, info));
            cart
        };
        let (old, new) = (named(1, "Tasse"), named(2, "Mug"));
        assert_eq!(join(&old, &new).info, new.info);
        assert_eq!(join(&new, &old).info, new.info);
    }
}
