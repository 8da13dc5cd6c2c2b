//! What a replica has seen: every operation has a dot, and a context is a set of dots.
//! In: dots and contexts. Out: membership and union. Knows nothing of lines or quantities.

use super::map::{BTreeMap, BTreeSet};

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

/// A set of dots in little space: a prefix per replica, and the few dots beyond a gap.
///
/// Kept compact: no dot of the cloud is inside or right after its replica's prefix, and no prefix is 0. Equal sets are
/// therefore equal values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ctx {
    /// Per replica the number up to which everything has been seen.
    pub vv: BTreeMap<ReplicaId, u32>,
    /// What was seen beyond a gap. Empty when in sync.
    pub cloud: BTreeSet<Dot>,
}

impl Ctx {
    /// How far the gapless prefix of `replica` reaches; 0 when it was never heard of.
    pub fn prefix(&self, replica: ReplicaId) -> u32 {
        self.vv.get(&replica).copied().unwrap_or(0)
    }

    /// Whether the operation was seen, be its dot live or gone.
    pub fn contains(&self, dot: Dot) -> bool {
        dot.n <= self.prefix(dot.r) || self.cloud.contains(&dot)
    }

    /// Notes that the operation was seen.
    pub fn insert(&mut self, dot: Dot) {
        if !self.contains(dot) {
            self.cloud.insert(dot);
            self.compact();
        }
    }

    /// Everything either has seen.
    pub fn absorb(&mut self, other: &Ctx) {
        for (&replica, &n) in &other.vv {
            if n > self.prefix(replica) {
                self.vv.insert(replica, n);
            }
        }
        self.cloud.extend(&other.cloud);
        self.compact();
    }

    /// The dot of the next operation of `replica`; `None` after 2³² − 1 of them.
    pub fn next(&self, replica: ReplicaId) -> Option<Dot> {
        let beyond = self.cloud.range(Dot { r: replica, n: 0 }..=Dot { r: replica, n: u32::MAX });
        let last = beyond.last().map_or(0, |dot| dot.n).max(self.prefix(replica));
        last.checked_add(1).map(|n| Dot { r: replica, n })
    }

    /// Whether there is no dot in it.
    pub fn is_empty(&self) -> bool {
        self.vv.is_empty() && self.cloud.is_empty()
    }

    /// Moves what closes a gap from the cloud into the prefix. One pass is enough: the cloud is in order.
    fn compact(&mut self) {
        let vv = &mut self.vv;
        self.cloud.retain(|dot| {
            let prefix = vv.get(&dot.r).copied().unwrap_or(0);
            if prefix.checked_add(1) == Some(dot.n) {
                vv.insert(dot.r, dot.n);
            }
            dot.n > prefix.saturating_add(1)
        });
    }
}

impl FromIterator<Dot> for Ctx {
    fn from_iter<I: IntoIterator<Item = Dot>>(dots: I) -> Ctx {
        let mut ctx = Ctx { vv: BTreeMap::new(), cloud: dots.into_iter().collect() };
        ctx.compact();
        ctx
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
        assert!(ctx.cloud.is_empty());
    }

    #[test]
    fn a_union_closes_gaps_from_both_sides() {
        let mut odd: Ctx = [dot(1, 1), dot(1, 3)].into_iter().collect();
        let even: Ctx = [dot(1, 2), dot(2, 2)].into_iter().collect();
        odd.absorb(&even);
        assert_eq!(odd.prefix(ReplicaId(1)), 3);
        assert_eq!(odd.cloud, BTreeSet::from([dot(2, 2)]));
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
