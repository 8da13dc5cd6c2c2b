//! The join: two carts in, one cart out that has seen the dots of both.
//!
//! A causal join of delta-state CRDTs (Almeida, Shoker, Baquero, arXiv 1410.2803 and 1603.01529): commutative, associative
//! and idempotent, so deltas may be lost, repeated, reordered and joined in groups. Checks no permissions.

use super::state::{Cart, place_of};

/// Joins both carts. Of two epochs the later counts whole.
pub fn join(a: &Cart, b: &Cart) -> Cart {
    let mut joined = a.clone();
    joined.absorb(b);
    joined
}

impl Cart {
    /// Takes in the dots, the context and the looks of `other`.
    ///
    /// A dot that is live in one cart, and seen but not live in another, was dropped there and stays dropped.
    ///
    /// Of two epochs the later counts whole: lines, context and display fields. The earlier counts for nothing, since an epoch
    /// ends only when its cart is empty, and the next epoch uses the same dots anew. A replica restates the operations of the
    /// earlier epoch that it had not sent. A delta of the later epoch replaces as much as a whole cart does, so a replica enters
    /// an epoch by the hub's full view only. Only `merge` combines carts of different epochs.
    pub fn absorb(&mut self, other: &Cart) {
        if self.epoch != other.epoch {
            if self.epoch < other.epoch {
                self.clone_from(other);
            }
            return;
        }
        for mine in &mut self.known_lines {
            let theirs = other.line(&mine.key);
            mine.dots.retain(|dot| {
                !other.ctx.contains(dot) || theirs.is_some_and(|line| line.dots.contains(dot))
            });
        }
        for theirs in &other.known_lines {
            let Some(mine) = place_of(&mut self.known_lines, &theirs.key) else { continue };
            for row in theirs.dots.rows() {
                // Seen and not live: dropped here.
                if mine.dots.contains(row.dot) || !self.ctx.contains(row.dot) {
                    mine.dots.put(*row);
                }
            }
            // The later revision wins. Of two looks with one revision the content decides: the order of arrival must not.
            if mine.look < theirs.look {
                mine.look.clone_from(&theirs.look);
            }
        }
        self.ctx.absorb(&other.ctx);
        self.tidy();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cart::LineInfo;
    use crate::cart::flat::Cells;
    use crate::cart::tests::{A, B, add, line, on};

    #[test]
    fn a_dropped_dot_stays_dropped_when_its_add_is_repeated() {
        let mut cart = Cart::default();
        let added = add(&mut cart, A, 3);
        let removed = cart.remove(B, &line()).unwrap();
        cart.absorb(&removed);
        cart.absorb(&added);
        assert_eq!(cart.qty(&line()), 0);
        assert!(cart.lines().next().is_none());
        assert!(cart.ctx.spans().iter().all(|span| span.from == 1));
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
        old.show(&line(), (7, LineInfo::default()));
        let fresh = Cart::of(1);
        assert_eq!(join(&old, &fresh), fresh);
        assert_eq!(join(&fresh, &old), fresh);
        // In the later epoch the same dots are other operations.
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
            let info = LineInfo::read(&mut Cells::new(&["n", name].concat())).unwrap();
            cart.show(&line(), (revision, info));
            cart
        };
        let (old, new) = (named(1, "Tasse"), named(2, "Mug"));
        assert_eq!(join(&old, &new).look(&line()), new.look(&line()));
        assert_eq!(join(&new, &old).look(&line()), new.look(&line()));
    }
}
