//! Money as whole minor units of an ISO 4217 currency.
//!
//! In: decimal text as shops write it. Out: amounts, and sums per currency. Has no floats, no rounding and no conversion: text
//! that does not fit is refused.

use alloc::collections::BTreeMap;
use alloc::string::String;

use crate::digits;
use crate::text::cut;

/// A currency by its ISO 4217 letters, such as `EUR`.
///
/// Any three capital letters pass: shops keep prices in withdrawn currencies, and new currencies come every year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

/// Currencies whose minor unit is not a hundredth, with their number of decimals (ISO 4217 list one, "CcyMnrUnts").
const EXPONENTS: [(&[u8; 3], u8); 26] = [
    (b"BHD", 3),
    (b"BIF", 0),
    (b"CLF", 4),
    (b"CLP", 0),
    (b"DJF", 0),
    (b"GNF", 0),
    (b"IQD", 3),
    (b"ISK", 0),
    (b"JOD", 3),
    (b"JPY", 0),
    (b"KMF", 0),
    (b"KRW", 0),
    (b"KWD", 3),
    (b"LYD", 3),
    (b"OMR", 3),
    (b"PYG", 0),
    (b"RWF", 0),
    (b"TND", 3),
    (b"UGX", 0),
    (b"UYI", 0),
    (b"UYW", 4),
    (b"VND", 0),
    (b"VUV", 0),
    (b"XAF", 0),
    (b"XOF", 0),
    (b"XPF", 0),
];

impl Currency {
    /// Reads three capital letters; `None` for anything else.
    pub fn parse(code: &str) -> Option<Currency> {
        let letters: [u8; 3] = code.as_bytes().try_into().ok()?;
        letters.iter().all(u8::is_ascii_uppercase).then_some(Currency(letters))
    }

    /// The three letters.
    pub fn code(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Whether the code says that no currency is known (ISO 4217 has `XXX` for that). A line in it has no price.
    pub fn is_none(&self) -> bool {
        self.0 == *b"XXX"
    }

    /// Decimals of the currency: 2 for the euro, 0 for the yen, 3 for the Kuwaiti dinar.
    pub fn exponent(&self) -> u8 {
        EXPONENTS.iter().find(|(code, _)| **code == self.0).map_or(2, |(_, exponent)| *exponent)
    }
}

/// An amount: whole minor units of one currency. Refunds are negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount {
    /// Cents, yen, fils …
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

impl Amount {
    /// Reads plain decimal text, `19.99` or `-5`, with a point.
    ///
    /// Decimals beyond those of the currency must be zeros: an amount is never rounded. Signs other than one minus, group
    /// separators and exponents are not read. `None` also for an amount beyond the range.
    ///
    /// ```
    /// use hilo_core::money::{Amount, Currency};
    /// let euro = Currency::parse("EUR").unwrap();
    /// assert_eq!(Amount::parse("19.9", euro).unwrap().minor, 1_990);
    /// assert_eq!(Amount::parse("19.995", euro), None);
    /// ```
    pub fn parse(text: &str, currency: Currency) -> Option<Amount> {
        let (is_negative, amount) = digits::sign(text);
        let (whole, decimals) = cut(amount, b'.');
        let decimals = decimals.unwrap_or("0");
        if whole.is_empty() || decimals.is_empty() {
            return None;
        }
        let exponent = usize::from(currency.exponent());
        if decimals.bytes().skip(exponent).any(|digit| digit != b'0') {
            return None;
        }
        let kept = decimals.get(..exponent.min(decimals.len()))?;
        let mut units = digits::append(digits::append(0, whole)?, kept)?;
        for _ in kept.len()..exponent {
            units = digits::append(units, "0")?;
        }
        let minor = digits::signed(is_negative, units)?;
        Some(Amount { minor, currency })
    }

    /// The amount as plain decimal text, as [`Amount::parse`] reads it.
    pub fn text(self) -> String {
        let exponent = usize::from(self.currency.exponent());
        let mut digits = String::new();
        digits::push(&mut digits, false, self.minor.unsigned_abs());
        while digits.len() <= exponent {
            digits.insert(0, '0');
        }
        if exponent > 0 {
            digits.insert(digits.len() - exponent, '.');
        }
        if self.minor < 0 {
            digits.insert(0, '-');
        }
        digits
    }

    /// The sum; `None` across currencies or beyond the range.
    pub fn plus(self, other: Amount) -> Option<Amount> {
        let minor = self.minor.checked_add(other.minor)?;
        (self.currency == other.currency).then_some(Amount { minor, ..self })
    }

    /// The amount times `quantity`; `None` beyond the range.
    pub fn times(self, quantity: u32) -> Option<Amount> {
        let minor = self.minor.checked_mul(i64::from(quantity))?;
        Some(Amount { minor, ..self })
    }
}

/// Sums, one per currency: amounts of different currencies are never added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals(BTreeMap<Currency, i64>);

impl Totals {
    /// Adds to the sum of its currency; `None`, and unchanged, if that leaves the range.
    pub fn add(&mut self, amount: Amount) -> Option<()> {
        let sum = self.0.get(&amount.currency).copied().unwrap_or(0).checked_add(amount.minor)?;
        self.0.insert(amount.currency, sum);
        Some(())
    }

    /// The sums, by currency.
    pub fn iter(&self) -> impl Iterator<Item = Amount> {
        self.0.iter().map(|(&currency, &minor)| Amount { minor, currency })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, code: &str, expected: Option<i64>) {
        let parsed = Amount::parse(text, Currency::parse(code).unwrap());
        assert_eq!(parsed.map(|amount| amount.minor), expected, "{text} {code}");
    }

    #[test]
    fn an_amount_has_the_decimals_of_its_currency() {
        check("19.99", "EUR", Some(1_999));
        check("19.9", "EUR", Some(1_990));
        check("19", "EUR", Some(1_900));
        check("1500", "JPY", Some(1_500));
        check("1500.00", "JPY", Some(1_500));
        check("1.234", "KWD", Some(1_234));
        check("1.5", "CLF", Some(15_000));
        check("-0.01", "USD", Some(-1));
    }

    #[test]
    fn an_amount_is_written_as_it_is_read() {
        for (text, code) in
            [("19.99", "EUR"), ("-0.01", "USD"), ("0.00", "EUR"), ("1500", "JPY"), ("1.234", "KWD")]
        {
            let amount = Amount::parse(text, Currency::parse(code).unwrap()).unwrap();
            assert_eq!(amount.text(), text);
        }
    }

    #[test]
    fn text_that_is_no_exact_amount_is_refused() {
        for text in
            ["", ".", "1.", ".5", "1,5", "1 000", "+1", "--1", "1e3", "1.2.3", "1.999", "0x1", "١"]
        {
            check(text, "EUR", None);
        }
        check("1.5", "JPY", None);
        check("1.00é", "JPY", None);
    }

    #[test]
    fn amounts_end_at_the_range_of_i64() {
        check("92233720368547758.07", "EUR", Some(i64::MAX));
        check("92233720368547758.08", "EUR", None);
        check("-92233720368547758.08", "EUR", Some(i64::MIN));
        check("999999999999999999999999", "EUR", None);
    }

    #[test]
    fn a_currency_code_has_three_capital_letters() {
        assert_eq!(Currency::parse("EUR").unwrap().code(), "EUR");
        for code in ["eur", "EU", "EURO", "E R", "ÉU"] {
            assert_eq!(Currency::parse(code), None, "{code}");
        }
    }

    #[test]
    fn amounts_of_different_currencies_are_never_added() {
        let euro = Amount { minor: 100, currency: Currency::parse("EUR").unwrap() };
        let yen = Amount { minor: 100, currency: Currency::parse("JPY").unwrap() };
        assert_eq!(euro.plus(yen), None);
        assert_eq!(euro.plus(euro).unwrap().minor, 200);
        assert_eq!(euro.times(3).unwrap().minor, 300);
        assert_eq!(Amount { minor: i64::MAX, ..euro }.times(2), None);
        let mut totals = Totals::default();
        for amount in [euro, yen, euro] {
            totals.add(amount).unwrap();
        }
        let sums = [Amount { minor: 200, ..euro }, yen];
        assert_eq!(totals.iter().collect::<Vec<_>>(), sums);
        assert_eq!(totals.add(Amount { minor: i64::MAX, ..euro }), None);
        assert_eq!(totals.iter().collect::<Vec<_>>(), sums);
    }
}
