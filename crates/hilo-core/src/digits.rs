//! Whole numbers as decimal text, in their one spelling.
//! In and out: digits. The page's modules use these functions, so that they carry neither number formatting nor a parser.

use alloc::string::String;

use crate::text::{put, put_digit};

/// Room for the digits of any `u64`.
const DIGITS_MAX: usize = 20;

/// Writes the number's decimal digits, with a minus before them where the number is negative.
#[inline(never)]
pub fn push(out: &mut String, is_negative: bool, mut number: u64) {
    let mut buffer = [0_u8; DIGITS_MAX];
    let mut count = 1;
    for (at, place) in buffer.iter_mut().enumerate() {
        if number == 0 {
            break;
        }
        *place = (number % 10) as u8;
        number /= 10;
        count = at + 1;
    }
    if is_negative {
        put(out, "-");
    }
    for digit in buffer.iter().take(count).rev() {
        put_digit(out, *digit);
    }
}

/// Writes sixteen hex digits, leading zeros included.
pub fn push_hex(text: &mut String, number: u64) {
    for shift in (0..u64::BITS).step_by(4).rev() {
        put_digit(text, (number >> shift) as u8 & 0xf);
    }
}

/// Calls `with` with the number's decimal digits.
pub fn digits<T>(is_negative: bool, number: u64, with: impl FnOnce(&str) -> T) -> T {
    let mut text = String::new();
    push(&mut text, is_negative, number);
    with(&text)
}

/// Reads digits and nothing else: no plus, no space, no leading zero, so that a number has one spelling.
pub fn read(text: &str) -> Option<u64> {
    let is_spelled = text == "0" || !text.starts_with('0');
    (is_spelled && !text.is_empty()).then(|| append(0, text))?
}

/// Reads a number that may be negative.
pub fn read_signed(text: &str) -> Option<i64> {
    let (is_negative, digits) = sign(text);
    let number = read(digits)?;
    if is_negative && number == 0 { None } else { signed(is_negative, number) }
}

/// The number with further digits behind its own; `None` for anything but digits and beyond the range.
#[inline(never)]
pub fn append(mut number: u64, digits: &str) -> Option<u64> {
    for byte in digits.bytes() {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        // A comparison is smaller in the page than a multiplication that finds out whether it overflows.
        if number > u64::MAX / 10 {
            return None;
        }
        number = (number * 10).checked_add(digit)?;
    }
    Some(number)
}

/// Whether the text begins with a minus, and the text behind it.
pub fn sign(text: &str) -> (bool, &str) {
    text.strip_prefix('-').map_or((false, text), |rest| (true, rest))
}

/// The number with its sign; `None` beyond the range.
pub fn signed(is_negative: bool, number: u64) -> Option<i64> {
    if is_negative { 0_i64.checked_sub_unsigned(number) } else { i64::try_from(number).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_of_the_number() {
        for number in [0, 7, 10, 4_294_967_295, 9_007_199_254_740_993, u64::MAX] {
            digits(false, number, |text| assert_eq!(text, number.to_string()));
        }
        digits(true, i64::MIN.unsigned_abs(), |text| assert_eq!(text, i64::MIN.to_string()));
    }

    #[test]
    fn a_number_has_one_spelling() {
        assert_eq!(read("18446744073709551615"), Some(u64::MAX));
        assert_eq!(read_signed("-9223372036854775808"), Some(i64::MIN));
        for text in ["", "+1", "-1", "01", " 1", "1.0", "1e3", "18446744073709551616"] {
            assert_eq!(read(text), None, "{text:?}");
        }
        for text in ["-", "-0", "--1", "-01", "9223372036854775808"] {
            assert_eq!(read_signed(text), None, "{text:?}");
        }
    }
}
