//! Telephone numbers as people write them → E.164 (ITU-T), or nothing.
//!
//! A table of markets stands in for the metadata of libphonenumber, which would be half of the collector's script. A number counts only
//! if it has one reading: a wrong number is a stranger's. Does not tell whether the number is in use.

use std::ops::RangeInclusive;

/// A country's numbers.
#[derive(Debug, PartialEq, Eq)]
pub struct Market {
    /// ISO 3166-1 alpha-2.
    pub country: &'static str,
    /// The country's code.
    code: &'static str,
    /// What stands before a number inside the country, and never behind the code.
    trunk: &'static str,
    /// The digits of a number without code and trunk prefix.
    digits: RangeInclusive<usize>,
}

const fn market(
    country: &'static str,
    code: &'static str,
    trunk: &'static str,
    least: usize,
    most: usize,
) -> Market {
    Market { country, code, trunk, digits: least..=most }
}

/// The markets, by country (ITU-T E.164 national numbering plans, <https://www.itu.int/oth/T0202.aspx>).
const MARKETS: [Market; 44] = [
    market("AR", "54", "0", 10, 11),
    market("AT", "43", "0", 7, 13),
    market("AU", "61", "0", 9, 9),
    market("BE", "32", "0", 8, 9),
    market("BG", "359", "0", 7, 9),
    market("BR", "55", "0", 10, 11),
    market("CA", "1", "1", 10, 10),
    market("CH", "41", "0", 9, 9),
    market("CL", "56", "", 9, 9),
    market("CO", "57", "", 10, 10),
    market("CY", "357", "", 8, 8),
    market("CZ", "420", "", 9, 9),
    market("DE", "49", "0", 6, 13),
    market("DK", "45", "", 8, 8),
    market("EC", "593", "0", 8, 9),
    market("EE", "372", "", 7, 8),
    market("ES", "34", "", 9, 9),
    market("FI", "358", "0", 6, 12),
    market("FR", "33", "0", 9, 9),
    market("GB", "44", "0", 9, 10),
    market("GR", "30", "", 10, 10),
    market("HR", "385", "0", 8, 9),
    market("HU", "36", "06", 8, 9),
    market("IE", "353", "0", 7, 9),
    market("IS", "354", "", 7, 9),
    market("IT", "39", "", 6, 11),
    market("JP", "81", "0", 9, 10),
    market("LT", "370", "0", 8, 8),
    market("LU", "352", "", 6, 11),
    market("LV", "371", "", 8, 8),
    market("MA", "212", "0", 9, 9),
    market("MT", "356", "", 8, 8),
    market("MX", "52", "", 10, 10),
    market("NL", "31", "0", 9, 9),
    market("NO", "47", "", 8, 8),
    market("NZ", "64", "0", 8, 10),
    market("PE", "51", "0", 8, 9),
    market("PL", "48", "", 9, 9),
    market("PT", "351", "", 9, 9),
    market("RO", "40", "0", 9, 9),
    market("SE", "46", "0", 7, 10),
    market("SI", "386", "0", 8, 8),
    market("SK", "421", "0", 9, 9),
    market("US", "1", "1", 10, 10),
];

/// The digits of an international number: 15 at most (E.164), and none that is in use has fewer than 7.
const DIGITS: RangeInclusive<usize> = 7..=15;

impl Market {
    /// The market of an ISO 3166-1 alpha-2 code in capitals.
    pub fn of(country: &str) -> Option<&'static Market> {
        MARKETS.iter().find(|market| market.country == country)
    }

    /// The countries of the table.
    pub fn countries() -> impl Iterator<Item = &'static str> {
        MARKETS.iter().map(|market| market.country)
    }

    /// Whether `national` may be a number of this market, without code and trunk prefix.
    fn has(&self, national: &str) -> bool {
        let is_trunk_left = self.trunk == "0" && national.starts_with('0');
        self.digits.contains(&national.len()) && !is_trunk_left
    }

    /// Whether all numbers have the same length, so that a prefix shows by the length alone.
    const fn is_fixed(&self) -> bool {
        *self.digits.start() == *self.digits.end()
    }

    /// A number as it is written inside the country.
    fn national<'n>(&self, digits: &'n str) -> Option<&'n str> {
        let behind_trunk = digits.strip_prefix(self.trunk).filter(|_| !self.trunk.is_empty());
        if let Some(number) = behind_trunk.filter(|number| self.has(number)) {
            return Some(number);
        }
        let is_plain = (self.trunk.is_empty() || self.is_fixed()) && self.has(digits);
        if is_plain {
            return Some(digits);
        }
        // The code without its plus. Where numbers have several lengths, it may as well be the beginning of a number.
        digits.strip_prefix(self.code).filter(|number| self.is_fixed() && self.has(number))
    }
}

/// Reads a number: international with `+` or `00`, or national where the market is known. `None` if it has no reading, or several.
///
/// ```
/// use hilo_core::phone::{Market, e164};
/// assert_eq!(e164("600 11 12 22", Market::of("ES")).as_deref(), Some("+34600111222"));
/// assert_eq!(e164("+44 (0)20 7946 0958", None).as_deref(), Some("+442079460958"));
/// assert_eq!(e164("600 11 12 22", None), None);
/// ```
pub fn e164(text: &str, market: Option<&Market>) -> Option<String> {
    let text = text.trim();
    let (is_international, rest) = match text.strip_prefix('+') {
        Some(rest) => (true, rest.replace("(0)", "")),
        None => (false, text.to_owned()),
    };
    let is_mark = |c: char| matches!(c, ' ' | '\u{a0}' | '-' | '\u{2011}' | '.' | '/' | '(' | ')');
    let mut digits = String::new();
    for letter in rest.chars() {
        match letter {
            '0'..='9' => digits.push(letter),
            _ if is_mark(letter) => {}
            _ => return None,
        }
    }
    if is_international {
        return international(&digits);
    }
    // In North America 011 stands for the plus, elsewhere 00.
    let plus = if market.is_some_and(|market| market.code == "1") { "011" } else { "00" };
    match digits.strip_prefix(plus) {
        Some(rest) => international(rest),
        None => {
            let market = market?;
            market.national(&digits).map(|number| format!("+{}{number}", market.code))
        }
    }
}

/// A number with its code. A code that is not in the table is trusted.
fn international(digits: &str) -> Option<String> {
    let is_fit = match MARKETS.iter().find(|market| digits.starts_with(market.code)) {
        Some(market) => digits.strip_prefix(market.code).is_some_and(|number| market.has(number)),
        None => DIGITS.contains(&digits.len()) && !digits.starts_with('0'),
    };
    is_fit.then(|| format!("+{digits}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, country: &str, expected: &str) {
        let found = e164(text, Market::of(country));
        assert_eq!(found.as_deref().unwrap_or("none"), expected, "{text} in {country}");
    }

    #[test]
    fn a_national_number_gets_the_code_of_its_market() {
        check("600 11 12 22", "ES", "+34600111222");
        check("34600111222", "ES", "+34600111222");
        check("01 99 00 00 01", "FR", "+33199000001");
        check("199000001", "FR", "+33199000001");
        check("030 23125-000", "DE", "+493023125000");
        check("020 7946 0958", "GB", "+442079460958");
        check("06 698 12345", "IT", "+390669812345");
        check("(212) 555-0100", "US", "+12125550100");
        check("1 212 555 0100", "US", "+12125550100");
        check("06 1 555 0100", "HU", "+3615550100");
    }

    #[test]
    fn an_international_number_needs_no_market() {
        check("+34 600.111.222", "", "+34600111222");
        check("0034600111222", "DE", "+34600111222");
        check("011 34 600111222", "US", "+34600111222");
        check("+49 (0)30 23125000", "", "+493023125000");
        check("+971 50 123 4567", "", "+971501234567");
    }

    #[test]
    fn a_text_with_no_reading_or_several_is_no_number() {
        for text in ["", "+", "call me", "600111222 ext 5", "600\u{661}11222", "+0034600111222"] {
            check(text, "ES", "none");
        }
        check("60011122", "ES", "none");
        check("+3460011122", "", "none");
        check("+44 020 7946 0958", "", "none");
        check("600111222", "", "none");
        // Without its zero it could as well begin with the code 49.
        check("4915112345678", "DE", "none");
        check(&"9".repeat(16), "", "none");
        check(&format!("+971{}", "9".repeat(13)), "", "none");
    }

    #[test]
    fn no_code_is_the_beginning_of_another() {
        for one in &MARKETS {
            for other in &MARKETS {
                let is_part = one.code != other.code && other.code.starts_with(one.code);
                assert!(!is_part, "{} {}", one.country, other.country);
            }
        }
    }

    /// Measured against libphonenumber's own validity: a wrong number is worse than none.
    #[test]
    fn no_number_is_read_wrong_and_nearly_all_valid_ones_are_read() {
        const SAMPLES: &str = include_str!("../../../tests/lists/phones.txt");
        let (mut valid, mut read, mut wrong, mut taken, mut impossible) = (0, 0, Vec::new(), 0, 0);
        for line in SAMPLES.lines().filter(|line| !line.starts_with('#')) {
            let [country, text, expected] = line.split('|').collect::<Vec<_>>()[..] else {
                panic!("{line}");
            };
            let found = e164(text, Market::of(country));
            if expected == "-" {
                impossible += 1;
                taken += usize::from(found.is_some());
                continue;
            }
            valid += 1;
            match found {
                Some(number) if number == expected => read += 1,
                Some(number) => wrong.push(format!("{line}: {number}")),
                None => {}
            }
        }
        assert_eq!(wrong, Vec::<String>::new());
        assert!(valid > 1_500 && impossible > 900, "{valid} {impossible}");
        assert_eq!(taken, 0, "texts that are no number in any plan");
        // Measured in September 2026: 1,486 of 1,521. What is not read is left as it came.
        assert!(read * 1_000 >= valid * 975, "{read} of {valid}");
    }
}
