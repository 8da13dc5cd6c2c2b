//! Prices as shops print them, such as `1.299,00 €` → exact amounts.
//!
//! A text that has two readings has no amount: nothing is guessed from the size of a number or from a language.

use alloc::string::String;

use crate::money::Currency;
use crate::price::{Price, Unclear, rounded};

/// Letters that the name of a currency may have beside the number, such as `CHF` or `Kč`.
const LETTERS_MAX: usize = 3;
/// Digits of a group of thousands.
const GROUP: usize = 3;

/// Reads a text as shops print it: with marks of any country, blanks, and the currency's name at either end.
///
/// # Errors
/// [`Unclear::TwoReadings`] where one mark stands before exactly three digits and both readings are possible;
/// [`Unclear::NoAmount`] for anything that is no number.
pub fn read(text: &str, currency: Currency) -> Result<Price, Unclear> {
    read_with(text, currency, None)
}

/// The same for a text of which the decimal mark is known: `.` or `,`.
///
/// # Errors
/// Those of [`read`]; no text has two readings then.
pub fn read_with(text: &str, currency: Currency, mark: Option<char>) -> Result<Price, Unclear> {
    let Parts { is_negative, whole, decimals } = Parts::of(text, currency.exponent(), mark)?;
    rounded(is_negative, &whole, decimals, currency)
}

/// Reads a number that is no money, such as `1,5` for kilograms. Returns plain decimal text with a point.
///
/// # Errors
/// Those of [`read_with`].
#[cfg(any(feature = "edge", test))]
pub fn number(text: &str, mark: Option<char>) -> Result<String, Unclear> {
    /// As for most currencies: one mark before three digits has two readings.
    const LIKE_MOST: u8 = 2;
    let Parts { is_negative, whole, decimals } = Parts::of(text, LIKE_MOST, mark)?;
    let (sign, point) =
        (if is_negative { "-" } else { "" }, if decimals.is_empty() { "" } else { "." });
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    Ok([sign, whole, point, decimals].concat())
}

/// What a text shows of its writer's decimal mark.
#[cfg(any(feature = "edge", test))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Nothing: a whole number without marks, or no number.
    Nothing,
    /// The decimal mark is this one.
    Mark(char),
    /// The text has two readings.
    Two,
}

/// Finds what a text shows of its writer's decimal mark. `exponent` is that of its currency.
#[cfg(any(feature = "edge", test))]
pub fn shown(text: &str, exponent: u8) -> Shown {
    let Some((number, marks)) =
        core_of(text).and_then(|(_, number)| Some((number, Marks::of(number)?)))
    else {
        return Shown::Nothing;
    };
    let other = |mark: char| if mark == '.' { ',' } else { '.' };
    let at = |place: usize| number.get(place..).and_then(|rest| rest.chars().next());
    let Some(last) = at(marks.last) else { return Shown::Nothing };
    match (marks.points, marks.commas) {
        (1, 0) | (0, 1) => match marks.single(number, exponent, None) {
            Ok(place) if place == marks.last => Shown::Mark(last),
            // Marks of a currency without decimals part thousands.
            Ok(_) => Shown::Mark(other(last)),
            Err(_) => Shown::Two,
        },
        (0, _) | (_, 0) => Shown::Mark(other(last)),
        (_, _) => Shown::Mark(last),
    }
}

/// A number in its parts.
struct Parts<'t> {
    is_negative: bool,
    whole: String,
    decimals: &'t str,
}

impl Parts<'_> {
    fn of(text: &str, exponent: u8, mark: Option<char>) -> Result<Parts<'_>, Unclear> {
        let (is_negative, number) = core_of(text).ok_or(Unclear::NoAmount)?;
        let marks = Marks::of(number).ok_or(Unclear::NoAmount)?;
        let at = marks.decimal(number, exponent, mark)?;
        let whole = number.get(..at).ok_or(Unclear::NoAmount)?;
        let decimals = number.get(at + 1..).unwrap_or_default();
        if !is_grouped(whole) || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Unclear::NoAmount);
        }
        let whole = whole.chars().filter(char::is_ascii_digit).collect();
        Ok(Parts { is_negative, whole, decimals })
    }
}

/// The number between its first and its last digit, and whether it is negative. What stands beside it may only be the name of
/// a currency.
fn core_of(text: &str) -> Option<(bool, &str)> {
    let first = text.find(|c: char| c.is_ascii_digit())?;
    let last = text.rfind(|c: char| c.is_ascii_digit())?;
    let mut from = first;
    let before = text.get(..first)?;
    // `.50` begins with its mark; the point of `Rs.50` belongs to the name.
    if before.ends_with(['.', ',']) {
        let mark = first - 1;
        if !text.get(..mark)?.chars().next_back().is_some_and(char::is_alphabetic) {
            from = mark;
        }
    }
    let (before, behind) = (text.get(..from)?, text.get(last + 1..)?);
    let is_negative = before.contains(['-', '\u{2212}']);
    (is_name(before) && is_name(behind)).then_some((is_negative, text.get(from..=last)?))
}

fn is_name(text: &str) -> bool {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let is_known = |c: char| !c.is_ascii() || c.is_ascii_alphabetic() || " $.,-'".contains(c);
    letters <= LETTERS_MAX && text.chars().all(is_known)
}

/// Marks of thousands that are never decimal marks: blanks and apostrophes.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\'' | '\u{2019}' | '\u{2bc}')
}

/// The marks of a number: how many points, commas, and blanks, and where the last point or comma is.
struct Marks {
    points: usize,
    commas: usize,
    blanks: usize,
    last: usize,
}

impl Marks {
    fn of(number: &str) -> Option<Marks> {
        let mut marks = Marks { points: 0, commas: 0, blanks: 0, last: number.len() };
        for (at, c) in number.char_indices() {
            match c {
                '.' => marks.points += 1,
                ',' => marks.commas += 1,
                c if is_blank(c) => marks.blanks += 1,
                c if c.is_ascii_digit() => {}
                _ => return None,
            }
            if matches!(c, '.' | ',') {
                marks.last = at;
            }
        }
        Some(marks)
    }

    /// Where the decimal mark is; the number's end for a whole number.
    fn decimal(&self, number: &str, exponent: u8, mark: Option<char>) -> Result<usize, Unclear> {
        let end = number.len();
        match (self.points, self.commas) {
            (0, 0) => Ok(end),
            (1, 0) | (0, 1) => self.single(number, exponent, mark),
            // One kind more than once: thousands.
            (0, _) | (_, 0) => Ok(end),
            // Both kinds: the last one is the decimal mark, so it stands once.
            (points, commas) => {
                let is_point = number.get(self.last..).is_some_and(|rest| rest.starts_with('.'));
                let times = if is_point { points } else { commas };
                if times == 1 { Ok(self.last) } else { Err(Unclear::NoAmount) }
            }
        }
    }

    fn single(&self, number: &str, exponent: u8, mark: Option<char>) -> Result<usize, Unclear> {
        let (end, whole) = (number.len(), self.last);
        if end - whole - 1 != GROUP || self.blanks > 0 || exponent == 3 {
            return Ok(whole);
        }
        // No group of thousands has a zero or nothing before it, or four digits.
        if whole > GROUP || number.starts_with(['0', '.', ',']) {
            return Ok(whole);
        }
        if exponent == 0 {
            return Ok(end);
        }
        let mark = mark.ok_or(Unclear::TwoReadings)?;
        Ok(if number.get(whole..).is_some_and(|rest| rest.starts_with(mark)) { whole } else { end })
    }
}

/// Whether marks part the digits as they part thousands, or lakhs: the last group has three digits.
fn is_grouped(whole: &str) -> bool {
    let mut groups = whole.rsplit(|c: char| !c.is_ascii_digit());
    let Some(last) = groups.next() else { return false };
    let mut rest = groups.peekable();
    if rest.peek().is_none() {
        return true;
    }
    let mut is_first_short = true;
    while let Some(group) = rest.next() {
        let least = if rest.peek().is_none() { 1 } else { 2 };
        is_first_short &= (least..=GROUP).contains(&group.len());
    }
    last.len() == GROUP && is_first_short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn euro() -> Currency {
        Currency::parse("EUR").unwrap()
    }

    #[test]
    fn what_stands_beside_a_price_is_only_the_name_of_a_currency() {
        for text in ["10 %", "2 for 5 €", "from about 12,50", "5€/10€", "12:50", "1;2"] {
            assert_eq!(read(text, euro()), Err(Unclear::NoAmount), "{text}");
        }
        for (text, minor) in [
            ("Rs.500", 50_000),
            ("kr. 12,50", 1_250),
            ("−€ 5", -500),
            ("199,-", 19_900),
            (".5", 50),
        ] {
            assert_eq!(read(text, euro()).map(|price| price.amount.minor), Ok(minor), "{text}");
        }
    }

    #[test]
    fn marks_that_part_no_thousands_are_no_thousands() {
        for text in ["12.3456.000,00", "1 29", "12,34,5", "1.299,00.5", "1,2,3"] {
            assert_eq!(read(text, euro()), Err(Unclear::NoAmount), "{text}");
        }
        let lakh = read("₹1,23,456.00", Currency::parse("INR").unwrap());
        assert_eq!(lakh.map(|price| price.amount.minor), Ok(12_345_600));
    }

    #[test]
    fn a_text_shows_its_writers_decimal_mark_or_has_two_readings() {
        for (text, exponent, expected) in [
            ("44", 2, Shown::Nothing),
            ("free", 2, Shown::Nothing),
            ("44,90", 2, Shown::Mark(',')),
            ("1.299,00 €", 2, Shown::Mark(',')),
            ("1,299.00", 2, Shown::Mark('.')),
            ("1.299.000", 2, Shown::Mark(',')),
            ("0.125", 2, Shown::Mark('.')),
            ("1.234", 2, Shown::Two),
            ("1.234", 3, Shown::Mark('.')),
            ("1.234", 0, Shown::Mark(',')),
        ] {
            assert_eq!(shown(text, exponent), expected, "{text} {exponent}");
        }
    }

    #[test]
    fn a_known_mark_leaves_one_reading() {
        let yen = Currency::parse("JPY").unwrap();
        for (text, mark, currency, minor) in [
            ("1.234", ',', euro(), 123_400),
            ("1.234", '.', euro(), 123),
            ("1,234", '.', euro(), 123_400),
            ("1.234", '.', yen, 1_234),
        ] {
            let found = read_with(text, currency, Some(mark)).map(|price| price.amount.minor);
            assert_eq!(found, Ok(minor), "{text} {mark}");
        }
        assert_eq!(number("1,5", None).as_deref(), Ok("1.5"));
        assert_eq!(number("1.234", Some(',')).as_deref(), Ok("1234"));
        assert_eq!(number("007", None).as_deref(), Ok("7"));
        assert_eq!(number("1.234", None), Err(Unclear::TwoReadings));
    }

    #[test]
    fn an_amount_out_of_range_is_no_amount() {
        assert_eq!(read("99999999999999999999", euro()), Err(Unclear::NoAmount));
    }
}
