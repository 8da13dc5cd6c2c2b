//! The live dots of one line. Each dot has a row of its own, and behind it a row per replica that took units back.
//!
//! Rows are one sorted list and not maps within maps, because one small function each copies, searches and joins a list. In:
//! rows. Out: entries, which are a dot with its units. Knows neither lines nor contexts.

use alloc::vec::Vec;

use super::context::{Dot, ReplicaId, place};
use super::kind::Kind;

/// One replica's part of a dot. `kind` and `n` of a dot's own row never change once another replica may have seen the dot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The dot.
    pub dot: Dot,
    /// The replica that took units back; `None` in the dot's own row.
    pub by: Option<ReplicaId>,
    /// The dot's kind; always [`Kind::Add`] in a row of units taken back.
    pub kind: Kind,
    /// Units. A count of units taken back only grows.
    pub n: u32,
}

impl Row {
    /// The dot's own row.
    pub fn own(dot: Dot, kind: Kind, n: u32) -> Row {
        Row { dot, by: None, kind, n }
    }

    /// The row of the units that `replica` took back from the dot.
    pub fn used(dot: Dot, replica: ReplicaId, n: u32) -> Row {
        Row { dot, by: Some(replica), kind: Kind::Add, n }
    }
}

/// A live dot with its units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The dot.
    pub dot: Dot,
    /// The dot's kind.
    pub kind: Kind,
    /// Units.
    pub n: u32,
    /// Units taken back from this dot, a row per replica.
    pub used: &'a [Row],
}

impl Entry<'_> {
    /// The units that are left: none where concurrent decrements took back more than there were.
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
    /// Takes the row in and returns whether the row is new. Of two counts the larger stays.
    ///
    /// Kind and units of one dot differ only where a replica breaks the rules. Even then all replicas end alike.
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

    /// Keeps the dots for which `wanted` is true.
    pub fn retain(&mut self, mut wanted: impl FnMut(Dot) -> bool) {
        self.0.retain(|row| wanted(row.dot));
    }

    /// All rows, in order.
    pub fn rows(&self) -> &[Row] {
        &self.0
    }

    /// The entry of each dot, in order.
    pub fn entries(&self) -> Entries<'_> {
        Entries(&self.0)
    }

    /// The entry of the dot, if the dot is live.
    pub fn get(&self, dot: Dot) -> Option<Entry<'_>> {
        self.entries().find(|entry| entry.dot == dot)
    }

    /// Whether no dot is live.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The entry of each dot, in order.
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
