//! A bought quantity as shop systems write it: a whole number, or a measure such as 1.5 kg.
//!
//! JSON → exact millionths. No quantity passes through floating point.

use hilo_core::cart::limits::QUANTITY_MAX;
use serde::{Serialize, Serializer};
use serde_json::{Number, Value};

/// Decimals of a quantity. Shops that sell by weight or length use two or three.
const DECIMALS: usize = 6;
/// Millionths of one unit.
const UNIT: u64 = 1_000_000;

/// A quantity above 0, in millionths of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantity(u64);

impl Quantity {
    /// Reads a number or its text; `None` for 0 and for anything else. More decimals than [`DECIMALS`] are rounded up.
    pub(super) fn parse(written: &Value) -> Option<Quantity> {
        let number = written.as_number().map(Number::to_string);
        let text = number.or_else(|| written.as_str().map(|text| text.trim().to_owned()))?;
        let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
        let decimals = decimals.trim_end_matches('0');
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !is_plain(whole) || !is_plain(decimals) {
            return None;
        }
        let kept = decimals.get(..DECIMALS).unwrap_or(decimals);
        // A number that does not fit is far beyond what a cart holds.
        let millionths: u64 = format!("{whole}{kept:0<DECIMALS$}").parse().unwrap_or(u64::MAX);
        // A third of a unit has no end of decimals: what is bought is not less than what is taken out of the cart.
        let millionths = millionths.saturating_add(u64::from(decimals.len() > DECIMALS));
        (millionths > 0).then_some(Quantity(millionths))
    }

    /// This quantity and `more` of the same article.
    pub(super) fn plus(self, more: Quantity) -> Quantity {
        Quantity(self.0.saturating_add(more.0))
    }

    /// The units of a cart that this quantity takes. A cart counts whole units, so a unit that was bought in part is gone:
    /// nobody is to be reminded of what was bought.
    pub fn units(self) -> u32 {
        u32::try_from(self.0.div_ceil(UNIT)).unwrap_or(u32::MAX).min(QUANTITY_MAX)
    }

    /// The exact quantity, if it is no whole number.
    pub fn measured(self) -> Option<Number> {
        let (whole, rest) = (self.0 / UNIT, self.0 % UNIT);
        let text = format!("{whole}.{rest:0>DECIMALS$}");
        (rest > 0).then(|| serde_json::from_str(&text).ok()).flatten()
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.measured() {
            Some(number) => number.serialize(to),
            None => to.serialize_u64(self.0 / UNIT),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(written: Value, units: u32, exact: &str) {
        let quantity = Quantity::parse(&written).unwrap();
        let text = serde_json::to_string(&quantity).unwrap();
        assert_eq!((quantity.units(), text.as_str()), (units, exact), "{written}");
    }

    #[test]
    fn a_quantity_is_exact_and_takes_whole_units() {
        check(json!(2), 2, "2");
        check(json!(2.0), 2, "2");
        check(json!("3"), 3, "3");
        check(json!(1.5), 2, "1.5");
        check(json!("0.250"), 1, "0.25");
        check(json!(0.1), 1, "0.1");
        check(json!(100_000), QUANTITY_MAX, "100000");
    }

    #[test]
    fn a_sum_of_measures_is_exact() {
        let tenth = Quantity::parse(&json!(0.1)).unwrap();
        let sum = (0..29).fold(tenth, |sum, _| sum.plus(tenth));
        assert_eq!((sum.units(), sum.measured()), (3, None));
    }

    #[test]
    fn a_value_that_is_no_quantity_reads_as_none() {
        for written in [
            json!(0),
            json!(0.0),
            json!(-1),
            json!("two"),
            json!(""),
            json!("."),
            json!("1,5"),
            json!(1e-9),
            json!(null),
            json!([2]),
        ] {
            assert_eq!(Quantity::parse(&written), None, "{written}");
        }
    }
}
