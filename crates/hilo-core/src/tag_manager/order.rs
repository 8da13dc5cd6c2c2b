//! An order's money: what a push calls its value → total and revenue, or only the total.
//!
//! GA4's reference says that `value` has neither shipping nor tax. Plugins send the total. The articles show which of both it is: a
//! value that fits no reading, or two of them, is the total, and nothing else is told.

use super::article::{self, Article};
use super::named::Details;
use super::notes::Notes;
use super::shape::Told;
use crate::money::{Amount, Currency};
use crate::text::concat;

/// What an order's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Basis {
    /// The goods, without shipping and tax.
    Net,
    /// Everything that was paid. The goods without shipping and tax are so much.
    Gross(i64),
    /// Nobody can tell.
    Ambiguous,
}

/// What the value of an order is, in minor units. `goods` is the sum of its articles. Each of the `lines` may be rounded by one unit.
fn basis(value: i64, goods: i64, discount: i64, tax: i64, shipping: i64, lines: i64) -> Basis {
    let within = |sum: i64| (value - sum).abs() <= lines;
    for goods in [goods, goods - discount] {
        if within(goods) {
            // Free shipping: prices without tax, and prices with it, give the same value and another total.
            return if shipping == 0 && tax != 0 { Basis::Ambiguous } else { Basis::Net };
        }
        let rest = value - tax - shipping;
        if within(goods + shipping) {
            return Basis::Gross(rest); // the prices have the tax in them
        }
        if within(goods + tax + shipping) {
            return Basis::Gross(goods);
        }
        // WooCommerce gives its shipping without tax and its prices with tax.
        if goods + shipping < value && value <= goods + shipping + tax {
            return Basis::Gross(rest);
        }
    }
    Basis::Ambiguous
}

/// An amount that the push gives for the whole event, under the first of these names that has one.
#[inline(never)]
pub(super) fn amount(
    told: &Told<'_>,
    names: &[&str],
    currency: Option<Currency>,
    notes: &mut Notes<'_>,
) -> Option<Amount> {
    let what = concat(&["the ", names.first()?]);
    article::amount(told.value(names)?, currency?, &what, notes)
}

/// Adds what is known of the order's money. What the page's cart would sum up itself is taken back where the push gives no value.
pub(super) fn put_money(
    told: &Told<'_>,
    currency: Option<Currency>,
    articles: &[Article],
    is_whole: bool,
    details: &mut Details,
    notes: &mut Notes<'_>,
) {
    let [tax, shipping, discount] = ["tax", "shipping", "discount"].map(|name| {
        let given = amount(told, &[name], currency, notes);
        details.money(name, given);
        given.map(|given| given.minor)
    });
    let Some(value) = amount(told, &["value", "revenue"], currency, notes) else {
        for name in ["total", "value"] {
            details.json(name, "null");
        }
        return;
    };
    let sum = goods(articles, value.currency).filter(|_| is_whole);
    let lines = articles.len() as i64;
    let known = match (sum, tax, shipping) {
        (Some(sum), Some(tax), Some(shipping)) => {
            basis(value.minor, sum, discount.unwrap_or_default(), tax, shipping, lines)
        }
        _ => Basis::Ambiguous,
    };
    let parts = tax.unwrap_or_default() + shipping.unwrap_or_default();
    let (total, worth, basis) = match known {
        Basis::Net => (value.minor + parts, value.minor, "net"),
        Basis::Gross(revenue) => (value.minor, revenue, "gross"),
        Basis::Ambiguous => (value.minor, value.minor, ""),
    };
    let names = match known {
        Basis::Net => "value revenue subtotal",
        Basis::Gross(_) => "value revenue",
        Basis::Ambiguous => "value",
    };
    details.money("total", Some(Amount { minor: total, ..value }));
    for name in crate::text::parts(names, b' ') {
        details.money(name, Some(Amount { minor: worth, ..value }));
    }
    details.text("money_basis", basis);
    if basis.is_empty() {
        details.json("money_ambiguous", "true");
    }
}

/// The sum of the articles; `None` where a price is unknown.
fn goods(articles: &[Article], currency: Currency) -> Option<i64> {
    let mut sum = Amount { minor: 0, currency };
    for article in articles {
        sum = sum.plus(article.price?.times(article.quantity.unwrap_or(1))?)?;
    }
    Some(sum.minor).filter(|_| !articles.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_orders_value_is_read_by_what_its_articles_come_to() {
        for (name, given, expected) in [
            ("the goods", [4_000, 4_000, 0, 760, 490], Basis::Net),
            ("the goods without the discount", [3_500, 4_000, 500, 760, 490], Basis::Net),
            ("prices with tax, and shipping", [4_490, 4_000, 0, 694, 490], Basis::Gross(3_306)),
            ("all parts", [5_250, 4_000, 0, 760, 490], Basis::Gross(4_000)),
            ("WooCommerce", [4_490, 4_000, 0, 779, 405], Basis::Gross(3_306)),
            (
                "less a discount, with tax and shipping",
                [3_990, 4_000, 500, 600, 490],
                Basis::Gross(2_900),
            ),
            ("a unit of rounding", [4_001, 4_000, 0, 760, 490], Basis::Net),
            ("more than rounding", [3_990, 4_000, 0, 760, 490], Basis::Ambiguous),
            (
                "free shipping of prices with or without tax",
                [4_000, 4_000, 0, 760, 0],
                Basis::Ambiguous,
            ),
            ("no tax and no shipping", [4_000, 4_000, 0, 0, 0], Basis::Net),
        ] {
            let [value, goods, discount, tax, shipping] = given;
            assert_eq!(basis(value, goods, discount, tax, shipping, 1), expected, "{name}");
        }
    }
}
