//! A shop system's own cart, as the page read it → an act that makes the captured cart the same.
//!
//! In: cells `{isAct, isWhole, currency, decimals, lines: [{id, key, name, price, quantity, currency, decimals}]}`, with prices in
//! minor units. Out: an act. The captured cart outlives the page, so it is what the shop's cart is compared with.

use alloc::vec::Vec;

use super::act::Act;
use super::article::{self, Article, Key, hash};
use crate::cart::limits::{NAME_BYTES_MAX, QUANTITY_MAX};
use crate::digits;
use crate::money::{Amount, Currency};
use crate::plain::Plain;
use crate::text::{concat, shortened};

/// Lines of one cart; the page copies at most so many.
const LINES_MAX: usize = 200;

/// The act that the cart comes to.
pub(super) fn read(cart: &Plain) -> Act {
    let lines = cart.list("lines");
    let articles: Vec<Article> =
        lines.iter().take(LINES_MAX).filter_map(|line| article(line, cart)).collect();
    Act::Is {
        is_whole: cart.flag("isWhole") && articles.len() == lines.len(),
        is_act: cart.flag("isAct"),
        is_shop: true,
        articles,
    }
}

fn article(line: &Plain, cart: &Plain) -> Option<Article> {
    let of = |name: &str| line.value(&[name]).or_else(|| cart.value(&[name]));
    let currency = of("currency").and_then(article::currency);
    let units = digits::read(line.first(&["quantity"])?)?;
    // A line with details of its own, such as an engraving, is another line than the article without them.
    let options_hash = line.first(&["key"]).map_or(0, |key| hash(&concat(&["line=", key])));
    Some(Article {
        key: Key { product_id: line.first(&["id"])?.into(), options_hash, currency },
        name: shortened(line.first(&["name"]).unwrap_or_default(), NAME_BYTES_MAX).into(),
        price: currency.and_then(|currency| {
            amount(line.first(&["price"])?, of("decimals")?.text()?, currency)
        }),
        quantity: Some(u32::try_from(units).unwrap_or(QUANTITY_MAX).min(QUANTITY_MAX)),
    })
}

/// An amount in minor units with so many decimals, in the decimals of its currency. Shopify gives yen with two. `None` where that would
/// cost a part of it.
fn amount(minor: &str, decimals: &str, currency: Currency) -> Option<Amount> {
    let mut units = digits::read(minor)?;
    let (mut given, wanted) = (digits::read(decimals)?, u64::from(currency.exponent()));
    while given > wanted {
        if units % 10 > 0 {
            return None;
        }
        units /= 10;
        given -= 1;
    }
    while given < wanted {
        units = digits::append(units, "0")?;
        given += 1;
    }
    Some(Amount { minor: digits::signed(false, units)?, currency })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_keeps_its_value_in_the_decimals_of_its_currency() {
        for (minor, decimals, currency, expected) in [
            ("1999", "2", "EUR", Some("19.99")),
            ("100000", "2", "JPY", Some("1000")),
            ("100050", "2", "JPY", None),
            ("1999", "2", "KWD", Some("19.990")),
            ("20", "0", "EUR", Some("20.00")),
            ("0", "2", "EUR", Some("0.00")),
            ("19.99", "2", "EUR", None),
            ("18446744073709551615", "0", "EUR", None),
        ] {
            let read = amount(minor, decimals, Currency::parse(currency).unwrap());
            assert_eq!(read.map(Amount::text).as_deref(), expected, "{minor} {currency}");
        }
    }
}
