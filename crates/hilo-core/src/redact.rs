//! Takes secrets and personal data out of addresses: the same rule in the page and at the edge.
//!
//! In: any text that is meant as a URL, absolute, relative or broken. Out: the same URL with `redacted` in place of secrets
//! and personal data. Idempotent. Reads query, fragment, path segments and credentials; judges keys by name and values by
//! shape. Has no dictionary of names, so a person's name in a path stays.

use alloc::string::String;

use crate::text::{cut, lists, parts, percent_decode};

/// The text in place of a secret or personal value.
const REDACTED: &str = "redacted";

/// Query keys with secret or personal values. A key is compared by its letters and digits alone, in lower case.
const SENSITIVE: &str = "\
    accesstoken address apikey apitoken auth authorization birthday birthdate bsn card \
    cardnumber clientsecret code creditcard cvc cvv dni dob email emailaddress firstname \
    fname fullname iban idtoken jwt lastname lname mail mobile msisdn nif otp passwd \
    password phone phonenumber pin pwd refreshtoken secret sessionid signature ssn surname \
    tel telephone token";

/// Digits of payment cards (ISO/IEC 7812: 13 to 19 are in use).
const CARD_DIGITS: core::ops::RangeInclusive<usize> = 13..=19;

/// The URL without credentials, secret or personal parameters, e-mail addresses, tokens and card numbers.
///
/// ```
/// let kept = hilo_core::redact::url("https://shop.example/?utm_source=mail&email=ana%40example.com");
/// assert_eq!(kept, "https://shop.example/?utm_source=mail&email=redacted");
/// ```
pub fn url(text: &str) -> String {
    let (before_fragment, fragment) = cut(text, b'#');
    let (before_query, query) = cut(before_fragment, b'?');
    let mut out = String::with_capacity(text.len());
    place(before_query, &mut out);
    if let Some(query) = query {
        out.push('?');
        pairs(query, &mut out);
    }
    if let Some(fragment) = fragment {
        out.push('#');
        // Single-page apps and OAuth keep parameters in the fragment, after a path of their own.
        let (path, inner) = cut(fragment, b'?');
        match inner {
            Some(inner) => {
                segments(path, &mut out);
                out.push('?');
                pairs(inner, &mut out);
            }
            None if cut(path, b'=').1.is_some() => pairs(path, &mut out),
            None => segments(path, &mut out),
        }
    }
    out
}

/// Scheme, host and path; credentials before the host are left out.
fn place(text: &str, out: &mut String) {
    let slashes = text.as_bytes().windows(2).position(|pair| pair == b"//");
    let after = slashes.map_or(0, |at| at + 2);
    out.push_str(text.get(..after).unwrap_or_default());
    let rest = text.get(after..).unwrap_or_default();
    if slashes.is_none() {
        return segments(rest, out);
    }
    let (mut host, path) = cut(rest, b'/');
    while let (_, Some(behind)) = cut(host, b'@') {
        host = behind;
    }
    out.push_str(host);
    if let Some(path) = path {
        out.push('/');
        segments(path, out);
    }
}

fn segments(path: &str, out: &mut String) {
    for (i, segment) in parts(path, b'/').enumerate() {
        if i > 0 {
            out.push('/');
        }
        out.push_str(if is_revealing(segment) { REDACTED } else { segment });
    }
}

fn pairs(query: &str, out: &mut String) {
    for (i, pair) in parts(query, b'&').enumerate() {
        if i > 0 {
            out.push('&');
        }
        let (key, value) = cut(pair, b'=');
        let is_hidden_key = is_revealing(key);
        let is_hidden = |value: &str| {
            !value.is_empty() && (is_sensitive(key) || is_revealing(value) || has_secret(value))
        };
        out.push_str(if is_hidden_key { REDACTED } else { key });
        if let Some(value) = value {
            out.push('=');
            out.push_str(if is_hidden(value) { REDACTED } else { value });
        }
    }
}

/// Whether a key's values are secret or personal. Click ids and `utm_` keys are not in the list.
fn is_sensitive(key: &str) -> bool {
    is_listed(&percent_decode(key))
}

/// Whether a value is itself an address with a secret or personal parameter: `next=%2Freset%3Ftoken%3Dabc`.
fn has_secret(value: &str) -> bool {
    percent_decode(value).split(|byte| matches!(byte, b'?' | b'#' | b'&')).skip(1).any(|pair| {
        let end = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        pair.len() > end + 1 && is_listed(pair.get(..end).unwrap_or_default())
    })
}

/// Whether a decoded key is in the list.
fn is_listed(key: &[u8]) -> bool {
    let mut plain = String::with_capacity(key.len());
    for byte in key {
        if *byte == b'[' {
            // Of `user[email]` only `email` counts.
            plain.clear();
        } else if byte.is_ascii_alphanumeric() {
            plain.push(char::from(byte.to_ascii_lowercase()));
        }
    }
    lists(SENSITIVE, &plain)
}

/// Whether a value has the shape of an e-mail address, a token or a card number.
fn is_revealing(value: &str) -> bool {
    let decoded = percent_decode(value);
    has_email(&decoded) || is_jwt(&decoded) || is_card(&decoded)
}

/// Whether the text holds a letter, digit or one of `._+-`, then `@`, then a host with a dot. Bytes beyond ASCII are letters.
fn has_email(text: &[u8]) -> bool {
    text.iter().enumerate().filter(|(_, byte)| **byte == b'@').any(|(at, _)| {
        let before = at.checked_sub(1).and_then(|at| text.get(at));
        let host = text.get(at + 1..).unwrap_or_default();
        let end = host.iter().position(|b| {
            b.is_ascii() && !matches!(b, b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'.')
        });
        let host = host.get(..end.unwrap_or(host.len())).unwrap_or_default();
        let dot = host.iter().position(|byte| *byte == b'.');
        before.is_some_and(|b| !b.is_ascii() || b.is_ascii_alphanumeric() || b"._+-".contains(b))
            && dot.is_some_and(|dot| dot > 0 && host.len() > dot + 2)
    })
}

/// Whether the text has three dotted parts, of which the first begins with the base64 of `{"` (RFC 7519).
fn is_jwt(text: &[u8]) -> bool {
    text.starts_with(b"eyJ") && text.len() > 30 && text.iter().filter(|b| **b == b'.').count() == 2
}

/// Whether the text has the digits of a card, with blanks and hyphens, and the right check digit (ISO/IEC 7812-1, annex B).
/// Times in milliseconds have 13 digits too, but nine in ten fail the check digit.
fn is_card(text: &[u8]) -> bool {
    let (mut count, mut sum) = (0, 0);
    for byte in text.iter().rev() {
        match byte {
            b'0'..=b'9' => {
                let digit = u32::from(byte - b'0') << (count % 2);
                sum += if digit > 9 { digit - 9 } else { digit };
                count += 1;
            }
            b' ' | b'-' => {}
            _ => return false,
        }
    }
    CARD_DIGITS.contains(&count) && sum % 10 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(before: &str, after: &str) {
        assert_eq!(url(before), after);
        assert_eq!(url(after), after, "a second time changes nothing");
    }

    #[test]
    fn campaigns_and_click_ids_stay() {
        let kept = "https://a.example/p?utm_source=mail&utm_campaign=x&gclid=Cj0abc&id=42#top";
        check(kept, kept);
    }

    #[test]
    fn secret_and_personal_parameters_are_redacted() {
        check("/?access_token=abc&q=wool", "/?access_token=redacted&q=wool");
        check("/?user%5Bemail%5D=x", "/?user%5Bemail%5D=redacted");
        check("/?E-Mail=x&First_Name=Ana", "/?E-Mail=redacted&First_Name=redacted");
    }

    #[test]
    fn revealing_values_are_redacted_under_any_key() {
        check("/?q=ana%40example.com", "/?q=redacted");
        check("/?r=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "/?r=redacted");
        check("/?n=4111-1111-1111-1111", "/?n=redacted");
        check("/?t=1795000000001", "/?t=1795000000001");
    }

    #[test]
    fn an_address_inside_a_parameter_is_redacted_too() {
        check("/login?next=%2Freset%3Ftoken%3Dabc", "/login?next=redacted");
        check("/login?next=/reset?id=7&email=ana", "/login?next=/reset?id=7&email=redacted");
        check(
            "/login?next=https://a.example/#access_token=abc",
            "/login?next=https://a.example/#access_token=redacted",
        );
        let kept = "/login?next=%2Fcart%3Fsize%3DL%26token%3D";
        check(kept, kept);
    }

    #[test]
    fn credentials_are_removed_and_paths_and_fragments_redacted() {
        check(
            "https://ana:pw@a.example/u/ana@example.com/edit",
            "https://a.example/u/redacted/edit",
        );
        check(
            "https://a.example/#access_token=abc&state=1",
            "https://a.example/#access_token=redacted&state=1",
        );
        check(
            "https://a.example/#/login?password=x",
            "https://a.example/#/login?password=redacted",
        );
    }

    #[test]
    fn broken_addresses_stay_unchanged() {
        for text in ["", "?", "#", "%", "%%4", "a=b", "http://", "//", "?=&&="] {
            check(text, text);
        }
    }
}
