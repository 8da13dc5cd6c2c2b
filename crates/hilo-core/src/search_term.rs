//! What a visitor looked for on a site → what may leave the page of it.
//!
//! People type and paste more into a search than they mean to tell: addresses, numbers of cards and accounts, tokens.

use crate::redact;
use crate::text::{percent_decode, shortened};

/// Bytes of a term. People type less; what is longer was pasted.
const TERM_BYTES_MAX: usize = 100;
/// Bytes without a blank between them: longer ones are secrets, not words.
const WORD_BYTES_MAX: usize = 40;
/// Digits of a telephone number with its area code. Numbers of articles are often shorter.
const PHONE_DIGITS_MIN: usize = 9;
/// Digits of the shortest number of an account (IBAN: country, check digits, account).
const IBAN_DIGITS_MIN: usize = 12;
/// The text in the place of a term that is not told.
const REDACTED: &str = "[redacted]";

/// The term, cut to its first bytes; a fixed text for what may be personal.
///
/// ```
/// assert_eq!(hilo_core::search_term::told("blue mug"), "blue mug");
/// assert_eq!(hilo_core::search_term::told("600 123 456"), "[redacted]");
/// ```
pub fn told(term: &str) -> &str {
    if is_personal(term) { REDACTED } else { shortened(term, TERM_BYTES_MAX) }
}

/// Whether a term looks like an e-mail address, a card, a token, a telephone number or the number of an account.
fn is_personal(term: &str) -> bool {
    let (mut digits, mut letters, mut others, mut word) = (0, 0, 0, 0);
    for byte in term.bytes() {
        word += 1;
        match byte {
            b'0'..=b'9' => digits += 1,
            b'a'..=b'z' | b'A'..=b'Z' => letters += 1,
            b' ' => word = 0,
            b'(' | b')' | b'+' | b'-' | b'.' | b'/' => {}
            _ => others += 1,
        }
        if word > WORD_BYTES_MAX {
            return true;
        }
    }
    // An account's number begins with its country.
    let is_country = term.bytes().take(2).all(|byte| byte.is_ascii_alphabetic());
    let is_number =
        digits >= PHONE_DIGITS_MIN && letters == 0 || digits >= IBAN_DIGITS_MIN && is_country;
    is_number && others == 0 || redact::is_revealing(&percent_decode(term))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_personal_is_not_told() {
        for term in [
            "ana@shop.example",
            "mail to ana@shop.example",
            "4111 1111 1111 1111",
            "600 123 456",
            "+34 (600) 123-456",
            "de89 3704 0044 0532 0130 00",
            "DE89 3704 0044 0532 0130 00",
            "es9121000418450200051332",
            "eyJhbGciOiJIUzI1NiJ9eyJzdWIiOiIxIn0c2lnbmF0dXJl",
        ] {
            assert_eq!(told(term), REDACTED, "{term}");
        }
        for term in
            ["mug", "blue mug 0.3 l", "LG55 oled TV 2026", "ab-12345678", "12345678", "tazón"]
        {
            assert_eq!(told(term), term);
        }
    }

    #[test]
    fn a_long_term_is_cut() {
        let long = "blue mug ".repeat(20);
        assert_eq!(told(&long), &long[..TERM_BYTES_MAX]);
    }
}
