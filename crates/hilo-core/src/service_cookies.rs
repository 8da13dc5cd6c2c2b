//! The cookies of other services: which a page may read, and the id in each.
//!
//! The visitor's choices → the cookies that may be read; a cookie's name and value → an id by its name in `event::SERVICE_IDS`. A page
//! reads only cookies that its site names. This file reads none.

use alloc::borrow::ToOwned as _;
use alloc::string::String;

use crate::consent::{ConsentState, Purpose};
use crate::text::percent_decode;

/// The most bytes of a cookie's value. Longer ones belong to nobody in the table.
const VALUE_BYTES_MAX: usize = 512;

/// The most bytes of Marketo's cookie without its encoding.
const MARKETO_BYTES_MAX: usize = 256;

/// The beginnings of the cookies that a page may read beside its events, three characters each: Google's, HubSpot's, Marketo's, Meta's
/// and TikTok's. Events need `analytics`, and each cookie the purposes of its id.
pub fn readable(said: &ConsentState) -> &'static str {
    let begins = if said.is_granted(Purpose::Functional) { 0 } else { 4 };
    let is_for_ads = said.is_granted(Purpose::Advertising);
    // Any choice is a part of one of the two texts.
    let (all, ends) = match said.is_granted(Purpose::Personalization) {
        true => ("hub _ga _mk _fb _tt", if is_for_ads { 19 } else { 11 }),
        false => ("hub _ga _fb _tt", if is_for_ads { 15 } else { 7 }),
    };
    all.get(begins..ends).unwrap_or_default()
}

/// The id in a cookie, with its name in `event::SERVICE_IDS`. `None` for a cookie without a readable id.
pub fn service_id_of(name: &str, value: &str) -> Option<(&'static str, String)> {
    if value.len() > VALUE_BYTES_MAX {
        return None;
    }
    Some(match name {
        "_ga" => ("ga", client_id(value)?),
        "_fbc" if is_of_meta(value) => ("fbc", value.to_owned()),
        "_fbp" if is_of_meta(value) => ("fbp", value.to_owned()),
        "_ttp" if is_of_tiktok(value) => ("ttp", value.to_owned()),
        "hubspotutk" if is_of_hubspot(value) => ("hubspotutk", value.to_owned()),
        "_mkto_trk" => ("mkto_trk", marketo_cookie(value)?),
        _ => ("gaSession", name.strip_prefix("_ga_").and_then(|_| session_id(value))?),
    })
}

/// The client's id in Google's cookie `_ga`, its last two numbers; or the id alone.
pub fn client_id(text: &str) -> Option<String> {
    let mut parts = text.rsplitn(3, '.');
    let (created, random) = (parts.next()?, parts.next()?);
    let is_cookie = match parts.next() {
        None => true,
        Some(rest) => rest.strip_prefix("GA").is_some_and(is_depth),
    };
    let is_id = is_cookie && is_number(created) && is_number(random);
    is_id.then(|| [random, created].join("."))
}

/// What stands between `GA` and the client's id: a version, and a depth such as `1` or `1-2`.
fn is_depth(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_digit() || byte == b'-';
    let (version, depth) = text.split_once('.').unwrap_or_default();
    version.len() == 1 && is_number(version) && !depth.is_empty() && depth.bytes().all(is_part)
}

/// The session's id in Google's cookie `_ga_<stream>` of the forms GS1 and GS2; or the id alone.
pub fn session_id(text: &str) -> Option<String> {
    if let Some(rest) = text.strip_prefix("GS1.") {
        return seconds(rest.split('.').nth(1)?);
    }
    if let Some(rest) = text.strip_prefix("GS2.") {
        let (_, parts) = rest.split_once('.')?;
        return parts.split('$').find_map(|part| seconds(part.strip_prefix('s')?));
    }
    seconds(text)
}

/// A time in whole seconds, as text.
pub fn seconds(text: &str) -> Option<String> {
    let is_time = text.len() <= 12 && is_number(text) && !text.starts_with('0');
    is_time.then(|| text.to_owned())
}

/// Whether a text has the form of Meta's cookies: `fb.<subdomain index>.<milliseconds>.<value>`.
pub fn is_of_meta(text: &str) -> bool {
    let mut parts = text.splitn(4, '.');
    let (Some("fb"), Some(index), Some(time), Some(value)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let is_time = time.len() == 13 && is_number(time);
    is_number(index) && is_time && is_word(value)
}

/// Whether a text has the form of TikTok's cookie: 26 or 27 characters, and perhaps a suffix such as `.tt.1`.
fn is_of_tiktok(text: &str) -> bool {
    (20..=64).contains(&text.len()) && is_word(text)
}

/// Marketo's cookie without its percent encoding, which scripts may add: `id:<Munchkin id>&token:_mch-<domain>-<milliseconds>-<number>`.
pub fn marketo_cookie(text: &str) -> Option<String> {
    let text = String::from_utf8(percent_decode(text)).ok()?;
    let (id, token) = text.strip_prefix("id:")?.split_once("&token:")?;
    let is_of_instance = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_id = id.len() == 11 && id.bytes().all(is_of_instance);
    let is_cookie =
        is_id && token.starts_with("_mch-") && text.len() <= MARKETO_BYTES_MAX && is_word(token);
    is_cookie.then_some(text)
}

/// Whether a text has the form of HubSpot's cookie: 32 hexadecimal digits.
fn is_of_hubspot(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_word(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    !text.is_empty() && text.bytes().all(is_plain)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, value: &str, expected: Option<(&str, &str)>) {
        let found = service_id_of(name, value);
        let found = found.as_ref().map(|(id, value)| (*id, value.as_str()));
        assert_eq!(found, expected, "{name}={value}");
    }

    #[test]
    fn googles_client_is_the_last_two_numbers_of_its_cookie() {
        for value in [
            "GA1.1.1380133182.1764792191",
            "GA1.3.1380133182.1764792191",
            "GA1.1-2.1380133182.1764792191",
            "1380133182.1764792191",
        ] {
            check("_ga", value, Some(("ga", "1380133182.1764792191")));
        }
        for value in ["", "GA1.1", "a.b", "1.2.3", "GA.1.1.2", "GAx.1.1.2", "ana@shop.example", "."]
        {
            check("_ga", value, None);
        }
    }

    #[test]
    fn googles_session_is_read_from_both_forms_whatever_their_order() {
        for (value, session) in [
            ("GS2.1.s1747323152$o28$g0$t1747323152$j60$l0$h69286059", "1747323152"),
            ("GS2.1.o28$g0$s1747323152", "1747323152"),
            ("GS1.1.1690013078.2.1.1690013090.0", "1690013078"),
        ] {
            check("_ga_ABC123", value, Some(("gaSession", session)));
        }
        let long = ["GS2.1.", &"o1$".repeat(200), "s1747323152"].concat();
        for value in ["GA1.1.1.2", "", "GS2.1", "GS2.1.o28", "s1", "0", "-1", &long] {
            check("_ga_ABC123", value, None);
        }
    }

    #[test]
    fn metas_ids_keep_their_case_and_their_appendix() {
        for value in [
            "fb.1.1795513800000.1234567890",
            "fb.2.1795513800000.IwAR2-x_Y",
            "fb.1.1795513800000.12.AQ",
        ] {
            check("_fbp", value, Some(("fbp", value)));
            check("_fbc", value, Some(("fbc", value)));
        }
        for value in [
            "",
            "fb.1.1.x",
            "fb.1.1795513800000.",
            "fb.x.1795513800000.1",
            "fb.1.1795513800000.a b",
        ] {
            check("_fbp", value, None);
        }
    }

    #[test]
    fn a_cookie_without_the_form_of_its_service_is_no_id() {
        check(
            "_ttp",
            "2kXbWnYhJ0pQf8RzLmT1cVd3sA.tt.1",
            Some(("ttp", "2kXbWnYhJ0pQf8RzLmT1cVd3sA.tt.1")),
        );
        check("_ttp", "ana@shop.example-and-more", None);
        let hubspot = "0123456789abcdef0123456789ABCDEF";
        check("hubspotutk", hubspot, Some(("hubspotutk", hubspot)));
        check("hubspotutk", &hubspot.replace('f', "g"), None);
        let marketo = "id:123-ABC-456&token:_mch-shop.example-1764792191000-12345";
        for value in [
            marketo,
            "id%3A123-ABC-456%26token%3A_mch-shop.example-1764792191000-12345",
            "id%3a123-ABC-456%26token%3a_mch%2Dshop.example-1764792191000-12345",
        ] {
            check("_mkto_trk", value, Some(("mkto_trk", marketo)));
        }
        for value in [
            "",
            "id:123-ABC-456",
            "id:123-ABC-456&token:",
            "id:123-ABC-456&token:ana@shop.example",
            "id:123-ABC-456&token:_mch-a%22b",
            "id:123-ABC-456&token:_mch-a&cookie=b",
            "id:123-ABC-4567&token:_mch-a-1-2",
            "id%253A123-ABC-456%2526token%253A_mch-a-1-2",
            "id:123-ABC-456&token:_mch-%ff-1-2",
            &["id:123-ABC-456&token:_mch-", &"a".repeat(240)].concat(),
        ] {
            check("_mkto_trk", value, None);
        }
        check("session", "GS1.1.1690013078.2.1.1690013090.0", None);
    }
}
