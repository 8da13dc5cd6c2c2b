//! A line's key and look as structs with fields: the edge's form. The page's form is `cells.rs`.
//! In and out: cells of flat text. Decides whether key and look fit the limits, and nothing else.

use serde::{Deserialize, Serialize};

use super::flat::escape::{read_text, write_text};
use super::flat::record::{Cells, Writer};
use super::limits::{NAME_BYTES_MAX, URL_BYTES_MAX, VARIANT_BYTES_MAX};
use super::wire::text;
use crate::digits;
use crate::money::Currency;
use crate::price;

/// The key of a line: variant, options (engraving, gift wrap …) and currency. Articles with equal keys share a line.
///
/// The currency is a part of the key, so that no sum ever crosses currencies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineKey {
    /// The shop's id of the variant.
    pub variant: String,
    /// A hash of the chosen options; 0 for none.
    pub options_hash: u64,
    /// The currency in which the price was shown.
    pub currency: Currency,
}

/// A line's look: the display fields as the page last showed them. No payment may rely on them.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LineInfo {
    /// The article's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The address of the article's page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The address of the article's picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The price of one unit, in minor units of the line's currency.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "text::price")]
    pub unit_price: Option<i64>,
}

impl LineKey {
    /// Whether a cart may hold a line with this key.
    pub fn fits(&self) -> bool {
        !self.variant.is_empty() && self.variant.len() <= VARIANT_BYTES_MAX
    }

    /// Bytes of the key as text, roughly.
    pub fn weight(&self) -> usize {
        self.variant.len()
    }

    /// Decimals of the line's currency.
    pub fn decimals(&self) -> u8 {
        self.currency.exponent()
    }

    /// Reads the next cells: `variant options currency`.
    pub fn read(cells: &mut Cells<'_>) -> Option<LineKey> {
        let (variant, options_hash) = (cells.text()?, cells.number()?);
        let currency = Currency::parse(cells.next()?)?;
        Some(LineKey { variant, options_hash, currency })
    }

    pub(super) fn write(&self, to: &mut Writer) {
        to.text(&self.variant).number(self.options_hash).text(self.currency.code());
    }
}

impl LineInfo {
    /// Whether a cart may hold this look.
    pub fn fits(&self) -> bool {
        let fits = |text: &Option<String>, max| text.as_ref().is_none_or(|text| text.len() <= max);
        fits(&self.name, NAME_BYTES_MAX)
            && fits(&self.url, URL_BYTES_MAX)
            && fits(&self.image, URL_BYTES_MAX)
            && self.unit_price.is_none_or(|price| price >= 0)
    }

    /// Bytes of the look as text, roughly.
    pub fn weight(&self) -> usize {
        [&self.name, &self.url, &self.image].into_iter().flatten().map(String::len).sum()
    }

    /// This look, with the fields of `known` where this look has none.
    pub fn over(&self, known: &LineInfo) -> LineInfo {
        let or = |said: &Option<String>, known: &Option<String>| {
            said.as_ref().or(known.as_ref()).cloned()
        };
        LineInfo {
            name: or(&self.name, &known.name),
            url: or(&self.url, &known.url),
            image: or(&self.image, &known.image),
            unit_price: self.unit_price.or(known.unit_price),
        }
    }

    /// This look with the price that a site gave ([`price::given`]), where there is one.
    pub fn priced(&self, line: &LineKey, price: &str) -> LineInfo {
        let unit_price = price::given(price, line.currency).map(|amount| amount.minor);
        LineInfo { unit_price, ..self.clone() }
    }

    /// Reads the rest of a record: `[nNAME] [uURL] [mIMAGE] [pPRICE]`, display fields by their letters.
    pub fn read(cells: &mut Cells<'_>) -> Option<LineInfo> {
        let mut info = LineInfo::default();
        while let Some(cell) = cells.next() {
            let (letter, rest) = cell.split_at_checked(1)?;
            let known = match letter {
                "n" => info.name.replace(read_text(rest)?).is_some(),
                "u" => info.url.replace(read_text(rest)?).is_some(),
                "m" => info.image.replace(read_text(rest)?).is_some(),
                "p" => info.unit_price.replace(digits::read_signed(rest)?).is_some(),
                _ => return None,
            };
            if known {
                return None;
            }
        }
        Some(info)
    }

    pub(super) fn write(&self, to: &mut Writer) {
        for (letter, text) in [("\tn", &self.name), ("\tu", &self.url), ("\tm", &self.image)] {
            if let Some(text) = text {
                to.0.push_str(letter);
                write_text(text, &mut to.0);
            }
        }
        if let Some(minor) = self.unit_price {
            to.0.push_str("\tp");
            digits::push(&mut to.0, minor < 0, minor.unsigned_abs());
        }
    }
}
