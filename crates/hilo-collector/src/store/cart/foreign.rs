//! Orders with the ids of a shop system: finds the cart's lines that they mean.
//!
//! Bought lines → bought lines with the keys of the checkout's or the cart's lines. A shop system has variants and no
//! options, and its ids may differ from those that the page shows. This file removes no units.

use hilo_core::cart::LineKey;
use hilo_core::cart::checkout::Bought;

/// Renames `bought` to the lines of `known`.
///
/// A variant stands for its lines with any options, in the order of the lines. If the order refers to a checkout that
/// has none of the order's articles, the shop system uses other ids: then all lines of the checkout were bought.
pub(super) fn recognized(
    bought: &Bought,
    known: &[(LineKey, u32)],
    is_checkout_named: bool,
) -> Bought {
    let is_known = |line: &LineKey| known.iter().any(|(other, _)| is_alike(line, other));
    if is_checkout_named && !bought.keys().any(is_known) {
        return known.iter().cloned().collect();
    }
    let mut renamed = Bought::new();
    for (line, quantity) in bought {
        let mut left = *quantity;
        for (other, there) in known.iter().filter(|(other, _)| is_alike(line, other)) {
            let units = left.min(*there);
            left -= units;
            if units > 0 {
                renamed.insert(other.clone(), units);
            }
        }
        if left > 0 {
            // The order has more units than the cart. They count as bought, and no line loses them.
            let more = renamed.entry(line.clone()).or_insert(0);
            *more = more.saturating_add(left);
        }
    }
    renamed
}

/// Whether two lines may be the same article of a shop system. An article whose currency the page did not tell is the article in
/// any currency.
pub(super) fn is_alike(line: &LineKey, other: &LineKey) -> bool {
    let is_told = !line.currency.is_none() && !other.currency.is_none();
    let is_same = !is_told || line.currency == other.currency;
    line.variant == other.variant && is_same
}

#[cfg(test)]
mod tests {
    use super::*;
    use hilo_core::money::Currency;

    fn line(variant: &str, options_hash: u64, currency: &str) -> LineKey {
        let currency = Currency::parse(currency).unwrap();
        LineKey { variant: variant.to_owned(), options_hash, currency }
    }

    fn check(bought: &[(LineKey, u32)], known: &[(LineKey, u32)], expected: &[(LineKey, u32)]) {
        let bought = bought.iter().cloned().collect();
        let expected: Bought = expected.iter().cloned().collect();
        assert_eq!(recognized(&bought, known, true), expected);
    }

    #[test]
    fn a_variant_stands_for_its_lines_with_any_options() {
        let (red, blue) = (line("mug", 7, "EUR"), line("mug", 9, "EUR"));
        let known = [(red.clone(), 2), (blue.clone(), 2), (line("cup", 0, "EUR"), 1)];
        check(&[(line("mug", 0, "EUR"), 3)], &known, &[(red.clone(), 2), (blue.clone(), 1)]);
        let all = [(red, 2), (blue, 2), (line("mug", 0, "EUR"), 1)];
        check(&[(line("mug", 0, "EUR"), 5)], &known, &all);
    }

    #[test]
    fn a_line_in_another_currency_is_another_line() {
        let known = [(line("mug", 0, "EUR"), 1), (line("cup", 0, "EUR"), 1)];
        let bought = [(line("mug", 0, "USD"), 1), (line("cup", 0, "EUR"), 1)];
        check(&bought, &known, &bought);
    }

    #[test]
    fn an_unknown_currency_contradicts_no_currency() {
        let known = [(line("mug", 0, "XXX"), 1)];
        check(&[(line("mug", 0, "EUR"), 1)], &known, &known);
        let known = [(line("mug", 0, "EUR"), 1)];
        check(&[(line("mug", 0, "XXX"), 1)], &known, &known);
    }

    #[test]
    fn an_order_with_none_of_its_checkouts_ids_bought_all_lines_of_the_checkout() {
        let known = [(line("MUG-1", 0, "EUR"), 2)];
        check(&[(line("808950810", 0, "EUR"), 2)], &known, &known);
        let bought = Bought::from([(line("808950810", 0, "EUR"), 2)]);
        assert_eq!(recognized(&bought, &known, false), bought);
    }
}
