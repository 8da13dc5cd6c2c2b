//! A quantity as backends and shop systems write it: a whole number, or a measure such as 1.5 kg.
//!
//! JSON → exact millionths → the whole units of a cart. No quantity passes through floating point.

use alloc::format;
use alloc::string::{String, ToString};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Number, Value};

/// Decimals of a quantity. Shops that sell by weight or length use two or three. A difference below the sixth decimal is the
/// noise of a calculation: JSON has 0.1 + 0.2 as 0.30000000000000004.
const DECIMALS: usize = 6;
/// Millionths of one unit.
const UNIT: u64 = 1_000_000;

/// A quantity in millionths of a unit, not below 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantity(u64);

impl Quantity {
    /// So many whole units.
    pub const fn whole(units: u32) -> Quantity {
        Quantity(units as u64 * UNIT)
    }

    /// Reads a number or its text, rounded to [`DECIMALS`]; `None` for anything else, and for a number below 0.
    ///
    /// ```
    /// use hilo_core::cart::Quantity;
    /// let weight = Quantity::parse(&serde_json::json!("1.50")).unwrap();
    /// assert_eq!((weight.units(), weight.as_whole()), (2, None));
    /// ```
    pub fn parse(written: &Value) -> Option<Quantity> {
        let number = written.as_number().map(Number::to_string);
        let text = number.or_else(|| written.as_str().map(|text| String::from(text.trim())))?;
        let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !is_plain(whole) || !is_plain(decimals) {
            return None;
        }
        let kept = decimals.get(..DECIMALS).unwrap_or(decimals);
        // A number that does not fit is far beyond what a cart holds.
        let millionths: u64 = format!("{whole}{kept:0<DECIMALS$}").parse().unwrap_or(u64::MAX);
        let is_more = decimals.as_bytes().get(DECIMALS).is_some_and(|digit| *digit >= b'5');
        Some(Quantity(millionths.saturating_add(u64::from(is_more))))
    }

    /// Whether it is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// This quantity and `more` of the same article.
    pub const fn plus(self, more: Quantity) -> Quantity {
        Quantity(self.0.saturating_add(more.0))
    }

    /// This quantity without `less`; nothing where `less` is more.
    pub const fn minus(self, less: Quantity) -> Quantity {
        Quantity(self.0.saturating_sub(less.0))
    }

    /// The units of a cart that this quantity begins. A cart counts whole units: 1.5 kg are 2 of them when the shop puts them into
    /// the cart and when an order takes them out, so that nobody is reminded of what was bought.
    pub fn units(self) -> u32 {
        u32::try_from(self.0.div_ceil(UNIT)).unwrap_or(u32::MAX)
    }

    /// The units, if it is a whole number of them.
    pub fn as_whole(self) -> Option<u32> {
        self.0.is_multiple_of(UNIT).then(|| self.units())
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let (whole, rest) = (self.0 / UNIT, self.0 % UNIT);
        let text = format!("{whole}.{rest:0>DECIMALS$}");
        let measure = (rest > 0).then(|| serde_json::from_str::<Number>(&text).ok()).flatten();
        measure.map_or(Value::from(whole), Value::Number).serialize(to)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Quantity, D::Error> {
        let written = Value::deserialize(from)?;
        Quantity::parse(&written).ok_or_else(|| de::Error::custom("a quantity is a number"))
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
        assert_eq!(serde_json::from_str::<Quantity>(&text).unwrap(), quantity);
    }

    #[test]
    fn a_quantity_is_exact_and_begins_whole_units() {
        check(json!(2), 2, "2");
        check(json!(2.0), 2, "2");
        check(json!("3"), 3, "3");
        check(json!(1.5), 2, "1.5");
        check(json!("0.250"), 1, "0.25");
        check(json!(0.1), 1, "0.1");
        check(json!(0), 0, "0");
        check(json!(100_000), 100_000, "100000");
        check(json!(4_294_967_295_u64), u32::MAX, "4294967295");
    }

    #[test]
    fn the_noise_of_a_calculation_begins_no_unit() {
        check(json!(0.1 + 0.2), 1, "0.3");
        check(json!(3.000_000_000_000_000_4), 3, "3");
        check(json!(2.999_999_999_999_999_6), 3, "3");
        check(json!("0.3333333333"), 1, "0.333333");
    }

    #[test]
    fn a_sum_of_measures_is_exact() {
        let tenth = Quantity::parse(&json!(0.1)).unwrap();
        let sum = (0..29).fold(tenth, |sum, _| sum.plus(tenth));
        assert_eq!((sum.units(), sum.as_whole()), (3, Some(3)));
    }

    #[test]
    fn a_value_that_is_no_quantity_reads_as_none() {
        for written in [
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
