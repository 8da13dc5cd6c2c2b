//! Takes secrets and personal data out of addresses: the same rule in the page and at the edge.
//!
//! In: any text that is meant as a URL, absolute, relative or broken. Out: the same URL with `redacted` in place of secrets
//! and personal data. Idempotent. Reads query, fragment, path segments and credentials; judges keys by name and values by
//! shape. Has no dictionary of names, so a person's name in a path stays.

use alloc::string::String;
use alloc::vec::Vec;

use crate::text::{cut, parts, percent_decode, put};

/// The text in place of a secret or personal value.
const REDACTED: &str = "redacted";

/// Query keys with secret or personal values. A key is compared by its letters and digits alone, in lower case. `hilo` is that of an id
/// that a page hands over to a page of another origin.
const SENSITIVE: &str = "\
    accesstoken address apikey apitoken auth authorization birthday birthdate bsn card \
    cardnumber clientsecret code creditcard cvc cvv dni dob email emailaddress firstname \
    fname fullname hilo iban idtoken jwt lastname lname mail mobile msisdn nif otp passwd \
    password phone phonenumber pin pwd refreshtoken secret sessionid signature ssn surname \
    tel telephone token";

/// Digits of payment cards (ISO/IEC 7812: 13 to 19 are in use).
const CARD_DIGITS: core::ops::RangeInclusive<usize> = 13..=19;

/// What WooCommerce's keys of orders begin with.
const ORDER_KEY: &[u8] = b"wc_order_";

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
        put(&mut out, "?");
        each(query, b'&', &mut out);
    }
    if let Some(fragment) = fragment {
        put(&mut out, "#");
        // Single-page apps and OAuth keep parameters in the fragment, after a path of their own.
        let (path, inner) = cut(fragment, b'?');
        let is_query = inner.is_none() && cut(path, b'=').1.is_some();
        each(path, if is_query { b'&' } else { b'/' }, &mut out);
        if let Some(inner) = inner {
            put(&mut out, "?");
            each(inner, b'&', &mut out);
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
        return each(rest, b'/', out);
    }
    let (mut host, path) = cut(rest, b'/');
    while let (_, Some(behind)) = cut(host, b'@') {
        host = behind;
    }
    out.push_str(host);
    if let Some(path) = path {
        put(out, "/");
        each(path, b'/', out);
    }
}

/// Path segments, which `/` parts, or parameters, which `&` parts.
#[inline(never)]
fn each(text: &str, mark: u8, out: &mut String) {
    let mut is_first = true;
    for part in parts(text, mark) {
        if !is_first {
            put(out, if mark == b'/' { "/" } else { "&" });
        }
        is_first = false;
        let (key, value) = if mark == b'/' { (part, None) } else { cut(part, b'=') };
        let decoded_key = percent_decode(key);
        put(out, if is_revealing(&decoded_key) { REDACTED } else { key });
        if let Some(value) = value {
            put(out, "=");
            let decoded = percent_decode(value);
            let is_hidden = !value.is_empty()
                && (is_listed(&decoded_key) || is_revealing(&decoded) || has_secret(&decoded));
            put(out, if is_hidden { REDACTED } else { value });
        }
    }
}

/// Whether a decoded value is itself an address with a secret or personal parameter: `next=%2Freset%3Ftoken%3Dabc`.
fn has_secret(value: &[u8]) -> bool {
    let is_mark = |byte: &u8| matches!(byte, b'?' | b'#' | b'&');
    let (mut is_key, mut from) = (false, 0);
    for (at, byte) in value.iter().enumerate() {
        if is_mark(byte) {
            (is_key, from) = (true, at + 1);
        } else if *byte == b'=' && is_key {
            is_key = false;
            let has_value = value.get(at + 1).is_some_and(|next| !is_mark(next));
            if has_value && is_listed(value.get(from..at).unwrap_or_default()) {
                return true;
            }
        }
    }
    false
}

/// Whether a decoded key is in the list of keys with secret or personal values. Click ids and `utm_` keys are not in the list.
fn is_listed(key: &[u8]) -> bool {
    let mut plain = Vec::new();
    for byte in key {
        if *byte == b'[' {
            // Of `user[email]` only `email` counts.
            plain.clear();
        } else if byte.is_ascii_alphanumeric() {
            plain.push(byte.to_ascii_lowercase());
        }
    }
    parts(SENSITIVE, b' ').any(|known| known.as_bytes() == plain)
}

/// Whether a decoded value has the shape of an e-mail address, a token or a card number, or is WooCommerce's key to an order, which
/// opens the order's page. One pass looks for the first three:
///
/// - A letter, digit or one of `._+-`, then `@`, then a host with a dot. Bytes beyond ASCII are letters.
/// - Three dotted parts, of which the first begins with the base64 of `{"` (RFC 7519).
/// - The digits of a card, with blanks and hyphens, and the right check digit (ISO/IEC 7812-1, annex B). Times in milliseconds have
///   13 digits too, but nine in ten fail the check digit.
pub fn is_revealing(value: &[u8]) -> bool {
    let (mut is_before, mut host, mut dot) = (false, None, 0);
    let mut dots = 0;
    // The sums with the last digit as it is and doubled: a further digit turns one into the other.
    let (mut is_card, mut count, mut sum, mut turned) = (true, 0, 0, 0);
    for byte in value {
        let byte = *byte;
        let is_letter = !byte.is_ascii() || byte.is_ascii_alphanumeric();
        if byte == b'@' {
            (host, dot) = (is_before.then_some(0), 0);
        } else if let Some(length) = host {
            host = (is_letter || matches!(byte, b'-' | b'.')).then_some(length + 1);
            if byte == b'.' && dot == 0 {
                // A host does not begin with a dot.
                (host, dot) = ((length > 0).then_some(length + 1), length);
            }
            if dot > 0 && host.is_some_and(|length| length > dot + 2) {
                return true;
            }
        }
        is_before = is_letter || matches!(byte, b'.' | b'_' | b'+' | b'-');
        dots += u32::from(byte == b'.');
        if byte.is_ascii_digit() {
            let digit = u32::from(byte - b'0');
            let doubled = digit * 2 % 10 + digit / 5;
            (sum, turned) = (turned + digit, sum + doubled);
            count += 1;
        } else if !matches!(byte, b' ' | b'-') {
            is_card = false;
        }
    }
    let is_jwt = value.starts_with(b"eyJ") && value.len() > 30 && dots == 2;
    is_jwt
        || value.starts_with(ORDER_KEY)
        || (is_card && CARD_DIGITS.contains(&count) && sum % 10 == 0)
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
    fn the_key_that_opens_an_order_of_woocommerce_is_redacted() {
        check("/order-received/7/?key=wc_order_aB3", "/order-received/7/?key=redacted");
        check("/?key=wool", "/?key=wool");
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
        check("https://a.example/#hilo=AaB-_9", "https://a.example/#hilo=redacted");
        check("/?next=%2F%23hilo%3DAaB&hilo_debug=1", "/?next=redacted&hilo_debug=1");
    }

    #[test]
    fn broken_addresses_stay_unchanged() {
        for text in ["", "?", "#", "%", "%%4", "a=b", "http://", "//", "?=&&="] {
            check(text, text);
        }
    }
}
