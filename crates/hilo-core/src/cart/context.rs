//! Dots and contexts: every operation has a dot, and a context is the set of dots that a replica has seen.
//! In: dots and contexts. Out: membership and union. Knows nothing of lines or quantities.

use alloc::string::String;
use alloc::vec::Vec;

use crate::digits::{push, push_hex};

/// The random id of a replica, which writes operations. Every page load mints one, and the hub one per cart and epoch.
///
/// An id is never used again: two replicas under one id would give different operations the same dot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReplicaId(pub u64);

/// The name of one operation: the `n`-th of replica `r`, counted from 1. Every operation has a dot, `remove` too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dot {
    /// The replica that acted.
    pub r: ReplicaId,
    /// The operation's number, from 1.
    pub n: u32,
}

impl Dot {
    /// The message id of the operation's touchpoint, the same in page and hub.
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
    /// The replica that acted.
    pub r: ReplicaId,
    /// The first operation.
    pub from: u32,
    /// The last operation.
    pub to: u32,
}

/// A set of dots as spans: the gapless prefix of each replica, and spans beyond a gap.
///
/// Spans are sorted, and spans that touch become one span, so equal sets are equal values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ctx(Vec<Span>);

impl Ctx {
    /// The last number of the replica's gapless prefix; 0 for an unknown replica.
    pub fn prefix(&self, replica: ReplicaId) -> u32 {
        self.0.iter().find(|span| span.r == replica && span.from == 1).map_or(0, |span| span.to)
    }

    /// Whether the operation was seen. Its dot may be live or gone.
    pub fn contains(&self, Dot { r, n }: Dot) -> bool {
        self.0.iter().any(|span| span.r == r && span.from <= n && n <= span.to)
    }

    /// Adds the operation.
    pub fn insert(&mut self, Dot { r, n }: Dot) {
        self.add(Span { r, from: n, to: n });
    }

    /// Adds the operations of the span. No operation has the number 0.
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

    /// Adds every dot of `other`.
    pub fn absorb(&mut self, other: &Ctx) {
        other.0.iter().for_each(|span| self.add(*span));
    }

    /// The dot of the next operation of `replica`; `None` after 2³² − 1 of them.
    pub fn next(&self, replica: ReplicaId) -> Option<Dot> {
        let last = self.0.iter().rfind(|span| span.r == replica).map_or(0, |span| span.to);
        last.checked_add(1).map(|n| Dot { r: replica, n })
    }

    /// Whether the context holds no dot.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of dots.
    pub fn len(&self) -> usize {
        self.0.iter().map(|span| (span.to - span.from) as usize + 1).sum()
    }

    /// The spans, in order.
    pub fn spans(&self) -> &[Span] {
        &self.0
    }

    /// Every dot, in order.
    pub fn dots(&self) -> impl Iterator<Item = Dot> {
        self.0.iter().flat_map(|span| span.dots())
    }

    /// The last number of each replica's gapless prefix.
    pub fn vv(&self) -> impl Iterator<Item = (ReplicaId, u32)> {
        self.0.iter().filter(|span| span.from == 1).map(|span| (span.r, span.to))
    }

    /// The dots beyond a gap. Empty when the replica has missed nothing.
    pub fn cloud(&self) -> impl Iterator<Item = Dot> {
        self.0.iter().filter(|span| span.from > 1).flat_map(|span| span.dots())
    }

    /// Keeps the dots of the replicas for which `wanted` is true.
    pub fn retain(&mut self, wanted: impl Fn(ReplicaId) -> bool) {
        self.0.retain(|span| wanted(span.r));
    }
}

impl Span {
    /// The span's dots, in order.
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

/// All operations of each replica up to a number.
impl FromIterator<(ReplicaId, u32)> for Ctx {
    fn from_iter<I: IntoIterator<Item = (ReplicaId, u32)>>(prefixes: I) -> Ctx {
        let mut ctx = Ctx::default();
        prefixes.into_iter().for_each(|(r, to)| ctx.add(Span { r, from: 1, to }));
        ctx
    }
}

/// Inserts `one` at the index `at`. `Vec::insert` can panic, and its panic would bring the formatting of numbers into the page.
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
