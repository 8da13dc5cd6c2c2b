//! The state of a cart: its lines with their live dots and looks, and the dots that were seen.
//! In: dots and looks. Out: quantities. `op` decides which dots an act changes, and `join` combines carts.

use alloc::vec::Vec;

use super::context::{Ctx, Dot, place};
use super::dots::{Dots, Entries, Row};
use super::kind::Kind;
use super::limits::QUANTITY_MAX;
use super::line::{LineInfo, LineKey};
#[cfg(feature = "edge")]
use crate::money::{Amount, Totals};

/// A line: one article in a cart, with its dots and its look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which article.
    pub key: LineKey,
    /// The live dots. A line without dots is not in the cart; only its look is remembered.
    pub dots: Dots,
    /// Display fields, by the hub revision that brought them.
    pub look: Option<Look>,
}

/// Display fields, and the hub revision that brought them.
pub type Look = (u64, LineInfo);

/// A cart, a replica of a cart, or a delta: all three have this type, and `join` combines any two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cart {
    /// Which life of the cart. A later epoch replaces an earlier epoch whole.
    pub epoch: u32,
    /// The lines in the order of their keys. Each has a dot or a look.
    pub known_lines: Vec<Line>,
    /// Every dot that was seen, live or gone. A gone dot stays gone because it is in here.
    pub ctx: Ctx,
}

impl Cart {
    /// An empty cart of the epoch, to be filled as a delta.
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

    /// The line with its dots or look, if either is known.
    #[inline(never)]
    pub(super) fn line(&self, key: &LineKey) -> Option<&Line> {
        self.known_lines.iter().find(|line| line.key == *key)
    }

    /// The entry of each live dot of the line.
    pub fn entries(&self, line: &LineKey) -> Entries<'_> {
        self.line(line).map_or_else(Entries::default, |line| line.dots.entries())
    }

    /// The line's look, and the hub revision that brought it.
    pub fn look(&self, line: &LineKey) -> Option<&Look> {
        self.line(line)?.look.as_ref()
    }

    /// Every look that is known, looks of gone lines included.
    pub fn looks(&self) -> impl Iterator<Item = (&LineKey, &Look)> {
        self.known_lines.iter().filter_map(|line| Some((&line.key, line.look.as_ref()?)))
    }

    /// Sets the line's look, whichever look was known.
    pub fn show(&mut self, line: &LineKey, look: Look) {
        if let Some(line) = place_of(&mut self.known_lines, line) {
            line.look = Some(look);
        }
    }

    /// Takes a dot's row in and returns whether the row is new. The dot is now seen, and live in the line.
    pub fn put(&mut self, line: &LineKey, row: Row) -> bool {
        self.ctx.insert(row.dot);
        place_of(&mut self.known_lines, line).is_some_and(|line| line.dots.put(row))
    }

    /// Keeps the dots live for which `wanted` is true. All other dots stay seen.
    pub fn retain(&mut self, mut wanted: impl FnMut(Dot) -> bool) {
        self.known_lines.iter_mut().for_each(|line| line.dots.retain(&mut wanted));
        self.tidy();
    }

    /// Keeps the looks of the lines for which `wanted` is true.
    pub fn retain_looks(&mut self, wanted: impl Fn(&Line) -> bool) {
        for line in &mut self.known_lines {
            if !wanted(line) {
                line.look = None;
            }
        }
        self.tidy();
    }

    /// Makes every look older than any look of the hub: revisions of two hubs are not comparable.
    pub fn age_looks(&mut self) {
        for (revision, _) in self.known_lines.iter_mut().filter_map(|line| line.look.as_mut()) {
            *revision = 0;
        }
    }

    /// Removes lines that have neither dots nor a look.
    pub(super) fn tidy(&mut self) {
        self.known_lines.retain(|line| !line.dots.is_empty() || line.look.is_some());
    }

    /// The units of a line, at most [`QUANTITY_MAX`]; 0 for a line that is not in the cart.
    pub fn qty(&self, line: &LineKey) -> u32 {
        units(self.entries(line)).min(QUANTITY_MAX)
    }

    /// The lines that a person sees, with their units. A line whose units were all taken back concurrently is left out.
    pub fn shown(&self) -> impl Iterator<Item = (&LineKey, u32)> {
        let quantity = |line: &Line| units(line.dots.entries()).min(QUANTITY_MAX);
        self.known_lines.iter().map(move |line| (&line.key, quantity(line))).filter(|(_, q)| *q > 0)
    }

    /// Whether a person sees an empty cart.
    pub fn is_empty(&self) -> bool {
        self.shown().next().is_none()
    }

    /// The sum of the lines with a known price, per currency; `None` where a sum leaves the range of amounts.
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

/// The line with this key, added where it was missing. The result is always `Some`; a proof would cost the page more bytes.
#[inline(never)]
pub(super) fn place_of<'a>(lines: &'a mut Vec<Line>, key: &LineKey) -> Option<&'a mut Line> {
    let at = lines.iter().position(|line| line.key >= *key).unwrap_or(lines.len());
    if lines.get(at).is_none_or(|line| line.key != *key) {
        place(lines, at, Line { key: key.clone(), dots: Dots::default(), look: None });
    }
    lines.get_mut(at)
}

/// The units of some dots: the largest `Set` plus every `Add`. Concurrent `Set`s count once, because they are one wish.
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
    fn concurrent_sets_count_once_and_adds_count_each() {
        let cart =
            cart(&[(Kind::Set, 5, 0), (Kind::Set, 4, 0), (Kind::Add, 2, 1), (Kind::Add, 1, 0)]);
        assert_eq!(cart.qty(&line()), 7);
    }

    #[test]
    fn a_quantity_is_never_below_zero_or_above_the_limit() {
        assert_eq!(cart(&[(Kind::Add, 1, 7)]).qty(&line()), 0);
        assert!(cart(&[(Kind::Add, 1, 7)]).is_empty());
        let many = cart(&[(Kind::Add, u32::MAX, 0), (Kind::Set, u32::MAX, 0)]);
        assert_eq!(many.qty(&line()), QUANTITY_MAX);
    }

    #[test]
    #[cfg(feature = "edge")]
    fn totals_count_only_lines_with_a_known_price() {
        let mut cart = cart(&[(Kind::Add, 3, 0)]);
        assert_eq!(cart.totals().unwrap().iter().next(), None);
        let info = LineInfo { unit_price: Some(1_999), ..LineInfo::default() };
        cart.show(&line(), (1, info));
        let sum = Amount { minor: 5_997, currency: line().currency };
        assert_eq!(cart.totals().unwrap().iter().collect::<Vec<_>>(), [sum]);
    }
}
