//! Prices as a page gives them → exact amounts, or the reason why there is none. The amount of a calculation is rounded to the
//! currency's decimals. `money.rs` reads hilo's own amounts, which are never rounded; `printed.rs` reads what shops print.

use crate::digits;
use crate::money::{Amount, Currency};

/// A difference below the sixth decimal is the noise of a calculation, not a part of the price.
const NOISE_DECIMALS: usize = 6;

/// A price that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// The amount.
    pub amount: Amount,
    /// Whether the shop gave more decimals than the currency has.
    pub is_rounded: bool,
}

/// Why a price has no amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unclear {
    /// `1,234` is a thousand in one country and one in another country.
    TwoReadings,
    /// The text is no number, or the number is out of range.
    NoAmount,
}

impl Price {
    /// Reads a number in the shortest text that JavaScript has for it: its point is the decimal mark.
    ///
    /// # Errors
    /// [`Unclear::NoAmount`] for `NaN`, for exponents, and for numbers out of range.
    pub fn of_number(text: &str, currency: Currency) -> Result<Price, Unclear> {
        let (is_negative, digits) = digits::sign(text);
        let (whole, decimals) = crate::text::cut(digits, b'.');
        if whole.is_empty() {
            return Err(Unclear::NoAmount);
        }
        rounded(is_negative, whole, decimals.unwrap_or_default(), currency)
    }
}

/// The price of a line as a site gave it: plain decimal text, or a number behind `~`, which a calculation may have made and
/// which is rounded. `None` for anything else, and for a negative price: the price is unknown, and the article stays.
pub fn given(price: &str, currency: Currency) -> Option<Amount> {
    let amount = match price.strip_prefix('~') {
        Some(number) => Price::of_number(number, currency).ok()?.amount,
        None => Amount::parse(price, currency)?,
    };
    (amount.minor >= 0).then_some(amount)
}

/// The amount, rounded to the currency's decimals: half a unit away from zero.
pub(crate) fn rounded(
    is_negative: bool,
    whole: &str,
    decimals: &str,
    currency: Currency,
) -> Result<Price, Unclear> {
    let exponent = usize::from(currency.exponent());
    let kept = decimals.get(..exponent.min(decimals.len())).unwrap_or_default();
    let rest = decimals.get(kept.len()..).unwrap_or_default();
    let read = || {
        let mut units = digits::append(digits::append(0, whole)?, kept)?;
        for _ in kept.len()..exponent {
            units = digits::append(units, "0")?;
        }
        let is_up = rest.as_bytes().first().is_some_and(|digit| *digit >= b'5');
        digits::signed(is_negative, units.checked_add(u64::from(is_up))?)
    };
    if !rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Unclear::NoAmount);
    }
    let minor = read().ok_or(Unclear::NoAmount)?;
    let tail =
        rest.get(..rest.len().min(NOISE_DECIMALS.saturating_sub(exponent))).unwrap_or_default();
    let is_full = tail.len() + exponent >= NOISE_DECIMALS;
    let is_noise = tail.bytes().all(|digit| digit == b'0')
        || (is_full && tail.bytes().all(|digit| digit == b'9'));
    Ok(Price { amount: Amount { minor, currency }, is_rounded: !is_noise })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn euro() -> Currency {
        Currency::parse("EUR").unwrap()
    }

    #[test]
    fn a_number_is_never_ambiguous() {
        assert_eq!(Price::of_number("1.234", euro()).map(|price| price.amount.minor), Ok(123));
        for text in ["NaN", "Infinity", "1e21", "1e-7", "", ".5"] {
            assert_eq!(Price::of_number(text, euro()), Err(Unclear::NoAmount), "{text}");
        }
    }
}
