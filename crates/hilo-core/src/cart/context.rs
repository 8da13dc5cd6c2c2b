//! What a replica has seen: every operation has a dot, and a context is a set of dots.
//! In: dots and contexts. Out: membership and union. Knows nothing of lines or quantities.

use alloc::string::String;
use alloc::vec::Vec;

use crate::digits::{push, push_hex};

/// One writer of operations. Random, minted anew by every runtime that edits, and by the hub for every cart and epoch.
///
/// Never reused: two writers under one id would give different operations the same dot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReplicaId(pub u64);

/// The name of one operation: the `n`-th of replica `r`, counted from 1. Every operation takes one, `remove` too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dot {
    /// Who did it.
    pub r: ReplicaId,
    /// Which of its operations, from 1.
    pub n: u32,
}

impl Dot {
    /// The message id of what the operation changed, by which page and hub mean the same.
    pub fn id(self) -> String {
        let mut id = String::from("cart-");
        push_hex(&mut id, self.r.0);
        id.push('-');
        push(&mut id, false, u64::from(self.n));
        id
    }
}

/// Operations `from..=to` of one replica, all seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Who did them.
    pub r: ReplicaId,
    /// The first.
    pub from: u32,
    /// The last.
    pub to: u32,
}

/// A set of dots in little space, as spans: the prefix of each replica, and what was seen beyond a gap.
///
/// In order, and what touches is one span: equal sets are equal values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ctx(Vec<Span>);

impl Ctx {
    /// How far the gapless prefix of `replica` reaches; 0 when it was never heard of.
    pub fn prefix(&self, replica: ReplicaId) -> u32 {
        self.0.iter().find(|span| span.r == replica && span.from == 1).map_or(0, |span| span.to)
    }

    /// Whether the operation was seen, be its dot live or gone.
    pub fn contains(&self, Dot { r, n }: Dot) -> bool {
        self.0.iter().any(|span| span.r == r && span.from <= n && n <= span.to)
    }

    /// Notes that the operation was seen.
    pub fn insert(&mut self, Dot { r, n }: Dot) {
        self.add(Span { r, from: n, to: n });
    }

    /// Notes that the operations were seen. There is none with the number 0.
    #[inline(never)]
    pub fn add(&mut self, mut new: Span) {
        if new.from == 0 || new.from > new.to {
            return;
        }
        let mut at = 0;
        self.0.retain(|known| {
            let touches = known.r == new.r
                && known.from <= new.to.saturating_add(1)
                && new.from <= known.to.saturating_add(1);
            if touches {
                new.from = new.from.min(known.from);
                new.to = new.to.max(known.to);
            } else if (known.r, known.from) < (new.r, new.from) {
                at += 1;
            }
            !touches
        });
        place(&mut self.0, at, new);
    }

    /// Everything either has seen.
    pub fn absorb(&mut self, other: &Ctx) {
        other.0.iter().for_each(|span| self.add(*span));
    }

    /// The dot of the next operation of `replica`; `None` after 2³² − 1 of them.
    pub fn next(&self, replica: ReplicaId) -> Option<Dot> {
        let last = self.0.iter().rfind(|span| span.r == replica).map_or(0, |span| span.to);
        last.checked_add(1).map(|n| Dot { r: replica, n })
    }

    /// Whether there is no dot in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many dots are in it.
    pub fn len(&self) -> usize {
        self.0.iter().map(|span| (span.to - span.from) as usize + 1).sum()
    }

    /// Its spans, in order.
    pub fn spans(&self) -> &[Span] {
        &self.0
    }

    /// Every dot, in order.
    pub fn dots(&self) -> impl Iterator<Item = Dot> {
        self.0.iter().flat_map(|span| span.dots())
    }

    /// Per replica the number up to which everything has been seen.
    pub fn vv(&self) -> impl Iterator<Item = (ReplicaId, u32)> {
        self.0.iter().filter(|span| span.from == 1).map(|span| (span.r, span.to))
    }

    /// What was seen beyond a gap. Empty when in sync.
    pub fn cloud(&self) -> impl Iterator<Item = Dot> {
        self.0.iter().filter(|span| span.from > 1).flat_map(|span| span.dots())
    }

    /// Forgets every operation of the replicas that are not `wanted`.
    pub fn retain(&mut self, wanted: impl Fn(ReplicaId) -> bool) {
        self.0.retain(|span| wanted(span.r));
    }
}

impl Span {
    /// Its dots, in order.
    pub fn dots(self) -> impl Iterator<Item = Dot> {
        (self.from..=self.to).map(move |n| Dot { r: self.r, n })
    }
}

impl FromIterator<Dot> for Ctx {
    fn from_iter<I: IntoIterator<Item = Dot>>(dots: I) -> Ctx {
        let mut ctx = Ctx::default();
        dots.into_iter().for_each(|dot| ctx.insert(dot));
        ctx
    }
}

/// Everything of each replica up to a number.
impl FromIterator<(ReplicaId, u32)> for Ctx {
    fn from_iter<I: IntoIterator<Item = (ReplicaId, u32)>>(prefixes: I) -> Ctx {
        let mut ctx = Ctx::default();
        prefixes.into_iter().for_each(|(r, to)| ctx.add(Span { r, from: 1, to }));
        ctx
    }
}

/// Puts `one` at its place: `Vec::insert` can panic, which would bring the formatting of numbers along.
pub(super) fn place<T>(list: &mut Vec<T>, at: usize, one: T) {
    list.push(one);
    let mut end = list.len();
    while end > at.saturating_add(1) {
        if let Some([.., before, last]) = list.get_mut(..end) {
            core::mem::swap(before, last);
        }
        end -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dot(r: u64, n: u32) -> Dot {
        Dot { r: ReplicaId(r), n }
    }

    #[test]
    fn a_gap_stays_in_the_cloud_until_it_closes() {
        let mut ctx: Ctx = [dot(1, 1), dot(1, 3), dot(1, 4)].into_iter().collect();
        assert_eq!(ctx.prefix(ReplicaId(1)), 1);
        assert!(!ctx.contains(dot(1, 2)));
        assert!(ctx.contains(dot(1, 4)));
        ctx.insert(dot(1, 2));
        assert_eq!(ctx.prefix(ReplicaId(1)), 4);
        assert_eq!(ctx.spans().len(), 1);
    }

    #[test]
    fn a_union_closes_gaps_from_both_sides() {
        let mut odd: Ctx = [dot(1, 1), dot(1, 3)].into_iter().collect();
        let even: Ctx = [dot(1, 2), dot(2, 2)].into_iter().collect();
        odd.absorb(&even);
        assert_eq!(odd.prefix(ReplicaId(1)), 3);
        assert_eq!(odd.spans().last(), Some(&Span { r: ReplicaId(2), from: 2, to: 2 }));
    }

    #[test]
    fn the_next_dot_comes_after_everything_seen_of_the_replica() {
        let ctx: Ctx = [dot(1, 1), dot(1, 7), dot(2, 9)].into_iter().collect();
        assert_eq!(ctx.next(ReplicaId(1)), Some(dot(1, 8)));
        assert_eq!(ctx.next(ReplicaId(3)), Some(dot(3, 1)));
        let full: Ctx = [dot(1, u32::MAX)].into_iter().collect();
        assert_eq!(full.next(ReplicaId(1)), None);
    }
}
