//! The state of a cart: live dots per line, what was seen, and what lines look like.
//! In: nothing but its own fields. Out: quantities. Changing it is `op`'s work, combining it `join`'s.

use alloc::vec::Vec;

use super::context::{Ctx, Dot, place};
use super::dots::{Dots, Entries, Row};
use super::kind::Kind;
use super::limits::QUANTITY_MAX;
use super::line::{LineInfo, LineKey};
#[cfg(feature = "edge")]
use crate::money::{Amount, Totals};

/// A line: what it is, what it holds, what it looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it is.
    pub key: LineKey,
    /// Its live dots. Without any the line is not in the cart, and only its look is remembered.
    pub dots: Dots,
    /// Display fields, by the hub revision that brought them.
    pub look: Option<Look>,
}

/// Display fields, and the hub revision that brought them.
pub type Look = (u64, LineInfo);

/// A cart, a replica of it, or a delta: all three are this type, and `join` combines any two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cart {
    /// Which life of the cart. A later epoch replaces an earlier one whole.
    pub epoch: u32,
    /// In the order of their keys. None without dots and look.
    pub known_lines: Vec<Line>,
    /// Every dot seen: those live and those gone. This is what keeps the gone ones gone.
    pub ctx: Ctx,
}

impl Cart {
    /// A cart of the epoch that knows nothing, to be filled as a delta.
    pub fn of(epoch: u32) -> Cart {
        Cart { epoch, ..Cart::default() }
    }

    /// The lines with live dots, in the order of their keys.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.known_lines.iter().filter(|line| !line.dots.is_empty())
    }

    /// Whether the line has a live dot.
    pub fn has(&self, line: &LineKey) -> bool {
        self.line(line).is_some_and(|line| !line.dots.is_empty())
    }

    /// What is known of the line, its dots or its look.
    #[inline(never)]
    pub(super) fn line(&self, key: &LineKey) -> Option<&Line> {
        self.known_lines.iter().find(|line| line.key == *key)
    }

    /// What each live dot of the line says.
    pub fn entries(&self, line: &LineKey) -> Entries<'_> {
        self.line(line).map_or_else(Entries::default, |line| line.dots.entries())
    }

    /// How the line looks, and since when.
    pub fn look(&self, line: &LineKey) -> Option<&Look> {
        self.line(line)?.look.as_ref()
    }

    /// Every look that is known, also of lines that are gone.
    pub fn looks(&self) -> impl Iterator<Item = (&LineKey, &Look)> {
        self.known_lines.iter().filter_map(|line| Some((&line.key, line.look.as_ref()?)))
    }

    /// Says how the line looks, whatever was known.
    pub fn show(&mut self, line: &LineKey, look: Look) {
        if let Some(line) = place_of(&mut self.known_lines, line) {
            line.look = Some(look);
        }
    }

    /// Learns a row of a dot: it is seen, and live in the line. Whether nothing was known of it.
    pub fn put(&mut self, line: &LineKey, row: Row) -> bool {
        self.ctx.insert(row.dot);
        place_of(&mut self.known_lines, line).is_some_and(|line| line.dots.put(row))
    }

    /// Keeps the dots that `wanted` says yes to; the others stay seen.
    pub fn retain(&mut self, mut wanted: impl FnMut(Dot) -> bool) {
        self.known_lines.iter_mut().for_each(|line| line.dots.retain(&mut wanted));
        self.tidy();
    }

    /// Keeps the looks that `wanted` says yes to.
    pub fn retain_looks(&mut self, wanted: impl Fn(&Line) -> bool) {
        for line in &mut self.known_lines {
            if !wanted(line) {
                line.look = None;
            }
        }
        self.tidy();
    }

    /// Makes every look older than all that the hub told: revisions of two hubs are not comparable.
    pub fn age_looks(&mut self) {
        for (revision, _) in self.known_lines.iter_mut().filter_map(|line| line.look.as_mut()) {
            *revision = 0;
        }
    }

    /// Forgets lines of which nothing is known any more.
    pub(super) fn tidy(&mut self) {
        self.known_lines.retain(|line| !line.dots.is_empty() || line.look.is_some());
    }

    /// The units of a line, at most [`QUANTITY_MAX`]; 0 when it is not there.
    pub fn qty(&self, line: &LineKey) -> u32 {
        units(self.entries(line)).min(QUANTITY_MAX)
    }

    /// The lines a person sees, with their units. A line whose units were all taken back concurrently is not among them.
    pub fn shown(&self) -> impl Iterator<Item = (&LineKey, u32)> {
        let quantity = |line: &Line| units(line.dots.entries()).min(QUANTITY_MAX);
        self.known_lines.iter().map(move |line| (&line.key, quantity(line))).filter(|(_, q)| *q > 0)
    }

    /// Whether a person sees nothing in it.
    pub fn is_empty(&self) -> bool {
        self.shown().next().is_none()
    }

    /// What the lines with a known price cost, per currency; `None` when a sum leaves the range of amounts.
    #[cfg(feature = "edge")]
    pub fn totals(&self) -> Option<Totals> {
        let mut totals = Totals::default();
        for (line, quantity) in self.shown() {
            let price = self.look(line).and_then(|(_, info)| info.unit_price);
            if let Some(minor) = price {
                totals.add(Amount { minor, currency: line.currency }.times(quantity)?)?;
            }
        }
        Some(totals)
    }
}

/// The line's place, a new one where nothing was known of it: always there, but proving it would cost the page more.
#[inline(never)]
pub(super) fn place_of<'a>(lines: &'a mut Vec<Line>, key: &LineKey) -> Option<&'a mut Line> {
    let at = lines.iter().position(|line| line.key >= *key).unwrap_or(lines.len());
    if lines.get(at).is_none_or(|line| line.key != *key) {
        place(lines, at, Line { key: key.clone(), dots: Dots::default(), look: None });
    }
    lines.get_mut(at)
}

/// Units of a group of dots: the largest `Set` plus every `Add`. Concurrent `Set`s are one wish, never two.
pub(super) fn units(entries: Entries<'_>) -> u32 {
    let mut set = 0;
    let mut added: u32 = 0;
    for entry in entries {
        match entry.kind {
            Kind::Set => set = entry.left().max(set),
            Kind::Add => added = added.saturating_add(entry.left()),
        }
    }
    added.saturating_add(set)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cart::ReplicaId;
    use crate::cart::tests::line;

    fn cart(entries: &[(Kind, u32, u32)]) -> Cart {
        let mut cart = Cart::default();
        for (number, &(kind, n, used)) in (1..).zip(entries) {
            let dot = Dot { r: ReplicaId(1), n: number };
            cart.put(&line(), Row::own(dot, kind, n));
            cart.put(&line(), Row::used(dot, ReplicaId(9), used));
        }
        cart
    }

    #[test]
    fn sets_count_once_and_adds_count_each() {
        let cart =
            cart(&[(Kind::Set, 5, 0), (Kind::Set, 4, 0), (Kind::Add, 2, 1), (Kind::Add, 1, 0)]);
        assert_eq!(cart.qty(&line()), 7);
    }

    #[test]
    fn nothing_gets_below_none_or_beyond_the_most() {
        assert_eq!(cart(&[(Kind::Add, 1, 7)]).qty(&line()), 0);
        assert!(cart(&[(Kind::Add, 1, 7)]).is_empty());
        let many = cart(&[(Kind::Add, u32::MAX, 0), (Kind::Set, u32::MAX, 0)]);
        assert_eq!(many.qty(&line()), QUANTITY_MAX);
    }

    #[test]
    #[cfg(feature = "edge")]
    fn totals_know_only_prices_that_were_shown() {
        let mut cart = cart(&[(Kind::Add, 3, 0)]);
        assert_eq!(cart.totals().unwrap().iter().next(), None);
        let info = LineInfo { unit_price: Some(1_999), ..LineInfo::default() };
        cart.show(&line(), (1, info));
        let sum = Amount { minor: 5_997, currency: line().currency };
        assert_eq!(cart.totals().unwrap().iter().collect::<Vec<_>>(), [sum]);
    }
}
