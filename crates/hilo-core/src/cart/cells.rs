//! A line's key and look as cells of flat text: the page's form. The edge's form is `line.rs`.
//!
//! JavaScript writes the cells and reads them, so the module checks them once and keeps them with their escapes. The order of
//! keys is the page's own and may differ from the edge's; a join has the same result in any order.

use alloc::string::String;

use super::flat::escape::text_bytes;
use super::flat::record::{Cells, Writer};
use super::limits::{NAME_BYTES_MAX, URL_BYTES_MAX, VARIANT_BYTES_MAX};
use crate::digits;
use crate::money::{Amount, Currency};
use crate::price;
use crate::text::{cut, parts};

/// Letters of a currency's code.
const CODE_BYTES: usize = 3;

/// The key of a line: the cells `variant options currency`. Articles with equal keys share a line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineKey(String);

/// A line's look: the cells `nNAME uURL mIMAGE pPRICE` with a tab before each. An unknown field has no cell.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineInfo(String);

impl LineKey {
    /// Whether a cart may hold a line with this key.
    pub fn fits(&self) -> bool {
        let length = text_bytes(cut(&self.0, b'\t').0);
        length.is_some_and(|length| length > 0 && length <= VARIANT_BYTES_MAX)
    }

    /// Bytes of the key as text.
    pub fn weight(&self) -> usize {
        self.0.len()
    }

    /// Decimals of the line's currency.
    pub fn decimals(&self) -> u8 {
        self.currency().map_or(0, |currency| currency.exponent())
    }

    fn currency(&self) -> Option<Currency> {
        Currency::parse(self.0.get(self.0.len().checked_sub(CODE_BYTES)?..)?)
    }

    /// Reads the next cells: `variant options currency`.
    pub fn read(cells: &mut Cells<'_>) -> Option<LineKey> {
        let rest = cells.rest?;
        let (variant, options) = (cells.next()?, cells.next()?);
        text_bytes(variant)?;
        digits::read(options)?;
        Currency::parse(cells.next()?)?;
        let length = variant.len() + options.len() + "\t\t".len() + CODE_BYTES;
        Some(LineKey(rest.get(..length)?.into()))
    }

    pub(super) fn write(&self, to: &mut Writer) {
        to.text(&self.0);
    }
}

impl LineInfo {
    /// Whether a cart may hold this look.
    pub fn fits(&self) -> bool {
        parts(&self.0, b'\t').skip(1).all(|cell| judge(cell).is_some_and(|(_, fits)| fits))
    }

    /// Bytes of the look as text.
    pub fn weight(&self) -> usize {
        self.0.len()
    }

    /// This look, with the fields of `known` where this look has none.
    pub fn over(&self, known: &LineInfo) -> LineInfo {
        let mut all = String::new();
        for letter in [b'n', b'u', b'm', b'p'] {
            if let Some(cell) = self.cell(letter).or_else(|| known.cell(letter)) {
                all.push('\t');
                all.push_str(cell);
            }
        }
        LineInfo(all)
    }

    /// This look with the price that a site gave ([`price::given`]), where there is one.
    pub fn priced(&self, line: &LineKey, price: &str) -> LineInfo {
        let amount = line.currency().and_then(|currency| price::given(price, currency));
        let mut cells = String::from(self.0.as_str());
        if let Some(Amount { minor, .. }) = amount {
            cells.push_str("\tp");
            digits::push(&mut cells, minor < 0, minor.unsigned_abs());
        }
        LineInfo(cells)
    }

    fn cell(&self, letter: u8) -> Option<&str> {
        parts(&self.0, b'\t').find(|cell| cell.as_bytes().first() == Some(&letter))
    }

    /// Reads the rest of a record: `[nNAME] [uURL] [mIMAGE] [pPRICE]`, each cell at most once and in this order.
    pub fn read(cells: &mut Cells<'_>) -> Option<LineInfo> {
        let mut text = String::new();
        let mut last = 0;
        while let Some(cell) = cells.next() {
            let (rank, _) = judge(cell)?;
            if rank <= last {
                return None;
            }
            last = rank;
            text.push('\t');
            text.push_str(cell);
        }
        Some(LineInfo(text))
    }

    pub(super) fn write(&self, to: &mut Writer) {
        to.0.push_str(&self.0);
    }
}

/// The rank of a look's cell, and whether the cell is within its limit; `None` for any other text.
fn judge(cell: &str) -> Option<(u8, bool)> {
    let text = cell.get(1..)?;
    Some(match cell.as_bytes().first()? {
        b'n' => (1, text_bytes(text)? <= NAME_BYTES_MAX),
        b'u' => (2, text_bytes(text)? <= URL_BYTES_MAX),
        b'm' => (3, text_bytes(text)? <= URL_BYTES_MAX),
        b'p' => (4, digits::read_signed(text)? >= 0),
        _ => return None,
    })
}
