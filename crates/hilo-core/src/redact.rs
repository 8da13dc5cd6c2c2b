//! Takes secrets and personal data out of addresses: the same rule in the page and at the edge.
//!
//! In: any text that is meant as a URL, absolute, relative or broken. Out: the same URL with what must not be kept
//! replaced by `redacted`. Idempotent. Looks at query, fragment, path segments and credentials; judges keys by name and
//! values by shape. Knows no dictionary of names: a person's name in a path cannot be recognized.

/// What stands where something was taken out.
const REDACTED: &str = "redacted";

/// Query keys whose values are secrets or personal data, compared in lower case, letters and digits alone.
const SENSITIVE: [&str; 48] = [
    "accesstoken",
    "address",
    "apikey",
    "apitoken",
    "auth",
    "authorization",
    "birthday",
    "birthdate",
    "bsn",
    "card",
    "cardnumber",
    "clientsecret",
    "code",
    "creditcard",
    "cvc",
    "cvv",
    "dni",
    "dob",
    "email",
    "emailaddress",
    "firstname",
    "fname",
    "fullname",
    "iban",
    "idtoken",
    "jwt",
    "lastname",
    "lname",
    "mail",
    "mobile",
    "msisdn",
    "nif",
    "otp",
    "passwd",
    "password",
    "phone",
    "phonenumber",
    "pin",
    "pwd",
    "refreshtoken",
    "secret",
    "sessionid",
    "signature",
    "ssn",
    "surname",
    "tel",
    "telephone",
    "token",
];

/// Digits of payment cards (ISO/IEC 7812: 13 to 19 are in use).
const CARD_DIGITS: std::ops::RangeInclusive<usize> = 13..=19;

/// The URL without credentials, secret or personal parameters, e-mail addresses, tokens and card numbers.
///
/// ```
/// let kept = hilo_core::redact::url("https://shop.example/?utm_source=mail&email=ana%40example.com");
/// assert_eq!(kept, "https://shop.example/?utm_source=mail&email=redacted");
/// ```
pub fn url(text: &str) -> String {
    let (before_fragment, fragment) = split(text, '#');
    let (before_query, query) = split(before_fragment, '?');
    let mut out = String::with_capacity(text.len());
    place(before_query, &mut out);
    if let Some(query) = query {
        out.push('?');
        pairs(query, &mut out);
    }
    if let Some(fragment) = fragment {
        out.push('#');
        // Single-page apps and OAuth keep parameters here, after a path of their own.
        let (path, inner) = split(fragment, '?');
        match inner {
            Some(inner) => {
                segments(path, &mut out);
                out.push('?');
                pairs(inner, &mut out);
            }
            None if path.contains('=') => pairs(path, &mut out),
            None => segments(path, &mut out),
        }
    }
    out
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(head, tail)| (head, Some(tail)))
}

/// Scheme, host and path; credentials before the host are left out.
fn place(text: &str, out: &mut String) {
    // By hand: searching for the text `//` would bring a whole search engine into the page.
    let slashes = text.as_bytes().windows(2).position(|pair| pair == b"//");
    let (scheme, rest) = match slashes {
        Some(at) => (text.get(..at + 2), text.get(at + 2..)),
        None => (None, None),
    };
    let (Some(scheme), Some(rest)) = (scheme, rest) else {
        segments(text, out);
        return;
    };
    out.push_str(scheme);
    let end = rest.find('/').unwrap_or(rest.len());
    let authority = rest.get(..end).unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or(authority);
    out.push_str(host);
    segments(rest.get(end..).unwrap_or_default(), out);
}

fn segments(path: &str, out: &mut String) {
    for (i, segment) in path.split('/').enumerate() {
        if i > 0 {
            out.push('/');
        }
        out.push_str(if is_revealing(segment) { REDACTED } else { segment });
    }
}

fn pairs(query: &str, out: &mut String) {
    for (i, pair) in query.split('&').enumerate() {
        if i > 0 {
            out.push('&');
        }
        match pair.split_once('=') {
            Some((key, value))
                if !value.is_empty() && (is_sensitive(key) || is_revealing(value)) =>
            {
                out.push_str(if is_revealing(key) { REDACTED } else { key });
                out.push('=');
                out.push_str(REDACTED);
            }
            Some((key, value)) if is_revealing(key) => {
                out.push_str(REDACTED);
                out.push('=');
                out.push_str(value);
            }
            None if is_revealing(pair) => out.push_str(REDACTED),
            Some(_) | None => out.push_str(pair),
        }
    }
}

/// Whether a key's name says that its value is nobody's business. Click ids and `utm_` keys are not in the list.
fn is_sensitive(key: &str) -> bool {
    let mut plain = String::with_capacity(key.len());
    let decoded = decode(key);
    // `user[email]` is about the e-mail.
    let name = decoded.rsplit('[').next().unwrap_or_default();
    plain
        .extend(name.chars().filter(|c| c.is_ascii_alphanumeric()).map(|c| c.to_ascii_lowercase()));
    SENSITIVE.contains(&plain.as_str())
}

/// Whether a value is an e-mail address, a token or a card number by its shape.
fn is_revealing(value: &str) -> bool {
    let decoded = decode(value);
    has_email(&decoded) || is_jwt(&decoded) || is_card(&decoded)
}

fn has_email(text: &str) -> bool {
    text.match_indices('@').any(|(at, _)| {
        let before = text.get(..at).and_then(|head| head.chars().next_back());
        let host = text.get(at + 1..).unwrap_or_default();
        let end = host
            .find(|c: char| c.is_ascii() && !(c.is_ascii_alphanumeric() || c == '-' || c == '.'))
            .unwrap_or(host.len());
        let host = host.get(..end).unwrap_or_default();
        let has_dot =
            host.split_once('.').is_some_and(|(name, rest)| !name.is_empty() && rest.len() >= 2);
        before.is_some_and(|c| c.is_ascii_alphanumeric() || !c.is_ascii() || "._+-".contains(c))
            && has_dot
    })
}

/// Three dotted parts, the first being the base64 of `{"` (RFC 7519).
fn is_jwt(text: &str) -> bool {
    text.starts_with("eyJ") && text.len() > 30 && text.matches('.').count() == 2
}

fn is_card(text: &str) -> bool {
    let is_written_so = text.chars().all(|c| c.is_ascii_digit() || c == ' ' || c == '-');
    let digits: [u8; 19] = {
        let mut digits = [0; 19];
        for (slot, digit) in digits.iter_mut().zip(text.bytes().filter(u8::is_ascii_digit)) {
            *slot = digit - b'0';
        }
        digits
    };
    let count = text.bytes().filter(u8::is_ascii_digit).count();
    is_written_so && CARD_DIGITS.contains(&count) && luhn(digits.get(..count).unwrap_or_default())
}

/// The check digit of card numbers (ISO/IEC 7812-1, annex B). Times in milliseconds have 13 digits too; nine in ten fail it.
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, digit)| match u32::from(*digit) * if i % 2 == 1 { 2 } else { 1 } {
            two @ 10.. => two - 9,
            one => one,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Percent-decoded as far as it is text; `+` is a space in queries but part of an address in mail, so it stays.
fn decode(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        let pair =
            (byte == b'%').then(|| Some((hex(ahead.next()?)?, hex(ahead.next()?)?))).flatten();
        match pair {
            Some((high, low)) => {
                bytes.push(high * 16 + low);
                rest = ahead;
            }
            None => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

const fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
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
    fn secret_and_personal_parameters_go() {
        check("/?access_token=abc&q=wool", "/?access_token=redacted&q=wool");
        check("/?user%5Bemail%5D=x", "/?user%5Bemail%5D=redacted");
        check("/?E-Mail=x&First_Name=Ana", "/?E-Mail=redacted&First_Name=redacted");
    }

    #[test]
    fn revealing_values_go_whatever_their_key() {
        check("/?q=ana%40example.com", "/?q=redacted");
        check("/?r=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "/?r=redacted");
        check("/?n=4111-1111-1111-1111", "/?n=redacted");
        check("/?t=1795000000001", "/?t=1795000000001");
    }

    #[test]
    fn credentials_paths_and_fragments_are_looked_at() {
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
    fn broken_addresses_are_left_in_one_piece() {
        for text in ["", "?", "#", "%", "%%4", "a=b", "http://", "//", "?=&&="] {
            check(text, text);
        }
    }
}
