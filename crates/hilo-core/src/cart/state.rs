//! The state of a cart: live dots per line, what was seen, and what lines look like.
//! In: nothing but its own fields. Out: quantities. Changing it is `op`'s work, combining it `join`'s.

use super::map::BTreeMap;

#[cfg(feature = "edge")]
use serde::{Deserialize, Serialize};

use super::context::{Ctx, Dot, ReplicaId};
use super::limits::QUANTITY_MAX;
#[cfg(feature = "edge")]
use super::text::price;
use crate::money::{Amount, Currency, Totals};

/// What a dot says about its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// So many units more.
    Add,
    /// So many units in all, instead of what was seen.
    Set,
}

impl Kind {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Add => "add",
            Kind::Set => "set",
        }
    }

    /// Reads the name; `None` for anything else.
    pub fn from_name(name: &str) -> Option<Kind> {
        [Kind::Add, Kind::Set].into_iter().find(|kind| kind.name() == name)
    }
}

/// A live dot's content. `kind` and `n` never change once another replica may have seen the dot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// More, or in all.
    pub kind: Kind,
    /// Units.
    pub n: u32,
    /// Units taken back from this very dot, by who took them: each a counter that only grows.
    pub used: BTreeMap<ReplicaId, u32>,
}

impl Entry {
    /// An entry of which nothing was taken back yet.
    pub fn new(kind: Kind, n: u32) -> Entry {
        Entry { kind, n, used: BTreeMap::new() }
    }

    /// The units that are left. Concurrent decrements may have taken back more than there was: then none.
    pub fn left(&self) -> u32 {
        self.used.values().fold(self.n, |left, used| left.saturating_sub(*used))
    }
}

/// What makes two articles the same line: variant, options (engraving, gift wrap …) and currency.
///
/// The currency belongs to it so that no sum ever crosses currencies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineKey {
    /// The shop's id of the variant.
    pub variant: String,
    /// A hash of the chosen options; 0 for none.
    pub options_hash: u64,
    /// The currency its price was shown in.
    pub currency: Currency,
}

/// What a line looks like: as the page last showed it, never an authority for payment.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "edge", derive(Serialize, Deserialize))]
pub struct LineInfo {
    /// The article's name.
    #[cfg_attr(feature = "edge", serde(default, skip_serializing_if = "Option::is_none"))]
    pub name: Option<String>,
    /// Its page.
    #[cfg_attr(feature = "edge", serde(default, skip_serializing_if = "Option::is_none"))]
    pub url: Option<String>,
    /// Its picture.
    #[cfg_attr(feature = "edge", serde(default, skip_serializing_if = "Option::is_none"))]
    pub image: Option<String>,
    /// Its unit price in minor units of the line's currency.
    #[cfg_attr(
        feature = "edge",
        serde(default, skip_serializing_if = "Option::is_none", with = "price")
    )]
    pub unit_price: Option<i64>,
}

/// A cart, a replica of it, or a delta: all three are this type, and `join` combines any two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cart {
    /// Which life of the cart. A later epoch replaces an earlier one whole.
    pub epoch: u32,
    /// Live dots only; a line without one is absent.
    pub lines: BTreeMap<LineKey, BTreeMap<Dot, Entry>>,
    /// Every dot seen: those live and those gone. This is what keeps the gone ones gone.
    pub ctx: Ctx,
    /// Display fields, by the hub revision that brought them.
    pub info: BTreeMap<LineKey, (u64, LineInfo)>,
}

impl Cart {
    /// The units of a line, at most [`QUANTITY_MAX`]; 0 when it is not there.
    pub fn qty(&self, line: &LineKey) -> u32 {
        self.lines.get(line).map_or(0, |dots| units(dots.values()).min(QUANTITY_MAX))
    }

    /// The lines a person sees, with their units. A line whose units were all taken back concurrently is not among them.
    pub fn shown(&self) -> impl Iterator<Item = (&LineKey, u32)> {
        let quantity = |dots: &BTreeMap<Dot, Entry>| units(dots.values()).min(QUANTITY_MAX);
        self.lines.iter().map(move |(line, dots)| (line, quantity(dots))).filter(|(_, q)| *q > 0)
    }

    /// Whether a person sees nothing in it.
    pub fn is_empty(&self) -> bool {
        self.shown().next().is_none()
    }

    /// What the lines with a known price cost, per currency; `None` when a sum leaves the range of amounts.
    pub fn totals(&self) -> Option<Totals> {
        let mut totals = Totals::default();
        for (line, quantity) in self.shown() {
            let price = self.info.get(line).and_then(|(_, info)| info.unit_price);
            if let Some(minor) = price {
                totals.add(Amount { minor, currency: line.currency }.times(quantity)?)?;
            }
        }
        Some(totals)
    }
}

/// Units of a group of dots: the largest `Set` plus every `Add`. Concurrent `Set`s are one wish, never two.
pub(super) fn units<'a>(entries: impl Iterator<Item = &'a Entry>) -> u32 {
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

    fn line() -> LineKey {
        LineKey {
            variant: "mug".into(),
            options_hash: 0,
            currency: Currency::parse("EUR").unwrap(),
        }
    }

    fn cart(entries: &[(Kind, u32, u32)]) -> Cart {
        let mut cart = Cart::default();
        for (number, &(kind, n, used)) in (1..).zip(entries) {
            let entry = Entry { kind, n, used: BTreeMap::from([(ReplicaId(9), used)]) };
            let dot = Dot { r: ReplicaId(1), n: number };
            cart.ctx.insert(dot);
            cart.lines.entry(line()).or_default().insert(dot, entry);
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
    fn totals_know_only_prices_that_were_shown() {
        let mut cart = cart(&[(Kind::Add, 3, 0)]);
        assert_eq!(cart.totals().unwrap().get(line().currency), None);
        let info = LineInfo { unit_price: Some(1_999), ..LineInfo::default() };
        cart.info.insert(line(), (1, info));
        assert_eq!(cart.totals().unwrap().get(line().currency), Some(5_997));
    }
}
