//! Telephone numbers and e-mail addresses of a file → what hilo compares, or the reason why there is none.

use alloc::string::{String, ToString as _};

use super::fault::FaultCode;
use crate::phone::{Market, e164};

/// The most bytes of an e-mail address (RFC 5321, 4.5.3.1.3).
const EMAIL_BYTES_MAX: usize = 254;

/// Reads a telephone number. An apostrophe before it keeps a spreadsheet from taking it for a number, and is dropped.
///
/// # Errors
/// `phone_mangled` for `3,46E+10`, whose digits are lost; `bad_phone` for anything else that is no number.
pub(super) fn phone(text: &str, market: Option<&Market>) -> Result<String, FaultCode> {
    let text = text.trim().trim_start_matches(['\'', '\u{2019}']);
    if is_scientific(text) {
        return Err(FaultCode::PhoneMangled);
    }
    e164(text, market).ok_or(FaultCode::BadPhone)
}

/// `3,46E+10`, as a spreadsheet shows a long number.
fn is_scientific(text: &str) -> bool {
    let Some((digits, exponent)) = text.split_once(['E', 'e']) else { return false };
    let is_digit = |byte: u8| byte.is_ascii_digit();
    digits.starts_with(|first: char| first.is_ascii_digit())
        && digits.bytes().all(|byte| is_digit(byte) || matches!(byte, b'.' | b','))
        && !exponent.is_empty()
        && exponent.trim_start_matches(['+', '-']).bytes().all(is_digit)
}

/// Reads an e-mail address: one `@`, something before it, and a domain with a point behind it. What a mailbox may be called is its
/// host's business.
///
/// # Errors
/// `bad_email`.
pub(super) fn email(text: &str) -> Result<String, FaultCode> {
    let text = text.trim();
    let fits = text.len() <= EMAIL_BYTES_MAX
        && !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == ',');
    let is_domain = |domain: &str| {
        domain.contains('.')
            && !domain.contains('@')
            && domain.split('.').all(|label| !label.is_empty())
    };
    match text.rsplit_once('@') {
        Some((name, domain))
            if fits && !name.is_empty() && !name.contains('@') && is_domain(domain) =>
        {
            Ok(text.to_string())
        }
        Some(_) | None => Err(FaultCode::BadEmail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_a_spreadsheet_has_rounded_is_refused_and_never_guessed() {
        let spain = Market::of("ES");
        for (text, expected) in [
            ("'600111222", Ok("+34600111222")),
            ("+34 600 11 12 22", Ok("+34600111222")),
            ("3,46E+10", Err(FaultCode::PhoneMangled)),
            ("3.46001E10", Err(FaultCode::PhoneMangled)),
            ("anonymous", Err(FaultCode::BadPhone)),
            ("60011122", Err(FaultCode::BadPhone)),
        ] {
            assert_eq!(phone(text, spain).as_deref().map_err(|code| *code), expected, "{text}");
        }
    }

    #[test]
    fn an_address_has_a_name_and_a_domain() {
        assert_eq!(email(" Ana.B@Shop.example ").as_deref(), Ok("Ana.B@Shop.example"));
        for text in [
            "ana",
            "ana@",
            "@shop.example",
            "ana@shop",
            "a b@shop.example",
            "a@b@c.example",
            "a@b..c",
            "a@b.c,d@e.f",
        ] {
            assert_eq!(email(text), Err(FaultCode::BadEmail), "{text}");
        }
    }
}
