//! One article of a push: its fields under the names that shops give them.
//!
//! In: an item as GA4, Universal Analytics, or a plugin has it. Out: an article with exact money, and a note for each value that
//! was corrected or left out. An article without a price, or without a currency, is an article.

use alloc::string::String;
use alloc::vec::Vec;

use super::notes::Notes;
use crate::cart::limits::{NAME_BYTES_MAX, QUANTITY_MAX};
use crate::digits;
use crate::money::{Amount, Currency};
use crate::plain::Plain;
use crate::price::{Price, Unclear};
use crate::printed;
use crate::text::{concat, cut, shortened};

pub(super) const IDS: [&str; 6] =
    ["item_id", "id", "sku", "product_id", "productId", "item_group_id"];
pub(super) const NAMES: [&str; 3] = ["item_name", "name", "title"];
/// What a promotion is known by.
const PROMOTIONS: [&str; 2] = ["promotion_id", "promotion_name"];
const VARIANTS: [&str; 2] = ["item_variant", "variant"];
/// Items of a list; the page copies at most so many.
const ITEMS_MAX: usize = 200;
/// Lists within lists.
const DEPTH_MAX: u8 = 3;

/// Which line of the cart an article belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The shop's id of the article, or its name where the shop gives no id.
    pub product_id: String,
    /// The hash of the chosen variant; 0 for none.
    pub options_hash: u64,
    /// The currency; `None` where nothing tells it.
    pub currency: Option<Currency>,
}

/// An article as a push has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Article {
    /// Its line.
    pub key: Key,
    /// Its name; empty for none.
    pub name: String,
    /// The price of one unit.
    pub price: Option<Amount>,
    /// How many; `None` where the push has no number.
    pub quantity: Option<u32>,
}

/// The items of a list, of an object in place of a list, or of a list in a list. An item that is no object is `None`.
pub(super) fn items(value: &Plain) -> Vec<Option<&Plain>> {
    let mut found = Vec::new();
    collect(value, DEPTH_MAX, &mut found);
    found
}

fn collect<'p>(value: &'p Plain, depth: u8, found: &mut Vec<Option<&'p Plain>>) {
    if found.len() > ITEMS_MAX {
        return;
    }
    match value {
        Plain::Map(_)
            if value.first(&IDS).or(value.first(&NAMES)).or(value.first(&PROMOTIONS)).is_some() =>
        {
            found.push(Some(value))
        }
        // PHP writes an array with a gap as an object with numbers for names.
        Plain::Map(fields) if depth > 0 && !fields.is_empty() => {
            fields.iter().for_each(|(_, value)| collect(value, depth - 1, found));
        }
        Plain::List(values) if depth > 0 => {
            values.iter().for_each(|value| collect(value, depth - 1, found))
        }
        Plain::Map(_)
        | Plain::List(_)
        | Plain::Null
        | Plain::Flag(_)
        | Plain::Number(_)
        | Plain::Text(_) => found.push(None),
    }
}

/// Reads one item. `around` is the currency that holds where the item has none.
pub(super) fn read(
    item: &Plain,
    around: Option<Currency>,
    notes: &mut Notes<'_>,
) -> Option<Article> {
    let product_id = item.first(&IDS).or_else(|| item.first(&NAMES))?;
    let own = item.value(&["currency"]).and_then(currency);
    let mut key = Key { product_id: product_id.into(), options_hash: 0, currency: own.or(around) };
    if let Some(variant) = item.first(&VARIANTS) {
        key.options_hash = hash(&concat(&["variant=", variant]));
    }
    Some(Article {
        price: price(item, &key, notes),
        quantity: quantity(item, product_id, notes),
        name: shortened(item.first(&NAMES).unwrap_or_default(), NAME_BYTES_MAX).into(),
        key,
    })
}

/// Reads a currency's code, in small letters too. `XXX` is ISO 4217's code for no currency.
pub(super) fn currency(value: &Plain) -> Option<Currency> {
    let code = match value.text()?.to_ascii_uppercase().as_str() {
        "RMB" => return Currency::parse("CNY"),
        "€" => return Currency::parse("EUR"),
        "XXX" => return None,
        code => String::from(code),
    };
    Currency::parse(&code)
}

fn price(item: &Plain, key: &Key, notes: &mut Notes<'_>) -> Option<Amount> {
    let given = item.value(&["price"])?;
    let what = concat(&["article ", &key.product_id, ": the price"]);
    let Some(currency) = key.currency else {
        notes.say(&[&what, " ", given.text()?, " has no currency, so it is unknown"]);
        return None;
    };
    let amount = amount(given, currency, &what, notes)?;
    if amount.minor < 0 {
        notes.say(&[&what, " ", given.text()?, " is negative, so it is unknown"]);
        return None;
    }
    Some(amount)
}

/// Reads an amount as shops push it. `what` it is, is told where it was corrected or is no amount.
pub(super) fn amount(
    given: &Plain,
    currency: Currency,
    what: &str,
    notes: &mut Notes<'_>,
) -> Option<Amount> {
    let text = given.text()?;
    let read = match given {
        Plain::Number(_) => Price::of_number(text, currency),
        Plain::Null | Plain::Flag(_) | Plain::Text(_) | Plain::List(_) | Plain::Map(_) => {
            printed::read(text, currency)
        }
    };
    let (amount, remark) = match read {
        Ok(Price { amount, is_rounded: false }) => return Some(amount),
        Ok(Price { amount, .. }) => (Some(amount), " was rounded to the decimals of its currency"),
        Err(Unclear::TwoReadings) => (None, " has two readings, so it is unknown; push a number"),
        Err(Unclear::NoAmount) => (None, " is no amount, so it is unknown; push a number"),
    };
    notes.say(&[what, " ", text, remark]);
    amount
}

/// Whole units. A unit that was begun counts, as in an order: 1.5 kg are 2 of them. `None` where the push has no quantity: a
/// removal then takes the whole line. A quantity that is no number is one unit: the push is about one at least.
fn quantity(item: &Plain, product_id: &str, notes: &mut Notes<'_>) -> Option<u32> {
    let text = item.value(&["quantity", "qty"])?.text().unwrap_or("…");
    let (whole, rest) = match cut(text, b',') {
        (_, None) => cut(text, b'.'),
        parts => parts,
    };
    let number = digits::append(0, whole).filter(|_| !whole.is_empty());
    // Decimals beyond the sixth are the noise of a calculation.
    let is_whole = rest.is_none_or(|rest| rest.bytes().take(6).all(|digit| digit == b'0'));
    let begun = number.map(|whole| whole.saturating_add(u64::from(!is_whole)));
    match begun.and_then(|units| u32::try_from(units).ok()) {
        Some(units) if units > QUANTITY_MAX => {
            notes.about(
                product_id,
                &["the quantity ", text, " is more than a line may have and was cut"],
            );
            Some(QUANTITY_MAX)
        }
        Some(units) if is_whole => Some(units),
        Some(units) => {
            notes.about(product_id, &["the quantity ", text, " was raised to whole units"]);
            Some(units)
        }
        None if text.starts_with('-') => {
            notes.about(product_id, &["the quantity ", text, " is negative and changes nothing"]);
            Some(0)
        }
        None => {
            notes.about(product_id, &["the quantity ", text, " is no number and counts as 1"]);
            Some(1)
        }
    }
}

/// FNV-1a, 64 bits, as `js/sdk/src/cart/line.ts` hashes options: lines with equal options must share a line.
pub(super) fn hash(pairs: &str) -> u64 {
    pairs.bytes().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_has_the_hash_that_the_page_gives_to_options() {
        // `hash({ variant: "Blue" })` of `js/sdk/src/cart/line.ts`.
        assert_eq!(hash("variant=Blue"), 17_210_314_133_569_157_617);
    }
}
