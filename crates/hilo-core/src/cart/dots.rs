//! The live dots of one line: rows in order, each dot's own and behind it those of who took units back from it.
//!
//! One flat list of plain rows instead of maps within maps: it is copied, searched and joined by one small function each. In:
//! rows. Out: entries, which are what a dot says. Knows neither lines nor what was seen.

use alloc::vec::Vec;

use super::context::{Dot, ReplicaId, place};
use super::kind::Kind;

/// What one replica says of a dot. `kind` and `n` of a dot's own row never change once another replica may have seen it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The dot.
    pub dot: Dot,
    /// Who took back units, a counter that only grows; `None` in the dot's own row.
    pub by: Option<ReplicaId>,
    /// More, or in all; of units taken back always the former.
    pub kind: Kind,
    /// Units.
    pub n: u32,
}

impl Row {
    /// What the dot itself says.
    pub fn own(dot: Dot, kind: Kind, n: u32) -> Row {
        Row { dot, by: None, kind, n }
    }

    /// Units of the dot that the replica took back.
    pub fn used(dot: Dot, replica: ReplicaId, n: u32) -> Row {
        Row { dot, by: Some(replica), kind: Kind::Add, n }
    }
}

/// A live dot's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The dot.
    pub dot: Dot,
    /// More, or in all.
    pub kind: Kind,
    /// Units.
    pub n: u32,
    /// Units taken back from this very dot, by who took them.
    pub used: &'a [Row],
}

impl Entry<'_> {
    /// The units that are left. Concurrent decrements may have taken back more than there was: then none.
    pub fn left(&self) -> u32 {
        self.used.iter().fold(self.n, |left, used| left.saturating_sub(used.n))
    }

    /// The units that the replica took back.
    pub fn used_by(&self, replica: ReplicaId) -> u32 {
        self.used.iter().find(|row| row.by == Some(replica)).map_or(0, |row| row.n)
    }
}

/// The dots of one line, or some of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dots(Vec<Row>);

impl Dots {
    /// Learns the row: pointwise the larger counts. Whether nothing was known of it.
    ///
    /// Kind and units of a dot differ only when a writer breaks the rules; even then all replicas agree.
    #[inline(never)]
    pub fn put(&mut self, row: Row) -> bool {
        let is_before = |known: &Row| (known.dot, known.by) < (row.dot, row.by);
        let at = self.0.iter().position(|known| !is_before(known)).unwrap_or(self.0.len());
        match self.0.get_mut(at) {
            Some(known) if known.dot == row.dot && known.by == row.by => {
                known.kind = known.kind.max(row.kind);
                known.n = known.n.max(row.n);
                false
            }
            _ => {
                place(&mut self.0, at, row);
                true
            }
        }
    }

    /// Whether the dot is live.
    pub fn contains(&self, dot: Dot) -> bool {
        self.0.iter().any(|row| row.dot == dot)
    }

    /// Keeps the dots that `wanted` says yes to.
    pub fn retain(&mut self, mut wanted: impl FnMut(Dot) -> bool) {
        self.0.retain(|row| wanted(row.dot));
    }

    /// All rows, in order.
    pub fn rows(&self) -> &[Row] {
        &self.0
    }

    /// What each dot says, in order.
    pub fn entries(&self) -> Entries<'_> {
        Entries(&self.0)
    }

    /// What the dot says, if it is live.
    pub fn get(&self, dot: Dot) -> Option<Entry<'_>> {
        self.entries().find(|entry| entry.dot == dot)
    }

    /// Whether no dot is live.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What each dot says, in order.
#[derive(Clone, Debug, Default)]
pub struct Entries<'a>(&'a [Row]);

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    #[inline(never)]
    fn next(&mut self) -> Option<Entry<'a>> {
        let (own, rest) = self.0.split_first()?;
        let end = rest.iter().position(|row| row.by.is_none()).unwrap_or(rest.len());
        let (used, rest) = rest.split_at_checked(end)?;
        self.0 = rest;
        Some(Entry { dot: own.dot, kind: own.kind, n: own.n, used })
    }
}
