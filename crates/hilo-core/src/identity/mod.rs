//! Identities: keys of profiles, reserved ids, and the user tokens that vouch for a person.
//! In: ids as text. Out: a `ProfileKey`. Has no randomness: random bytes arrive as arguments.

use alloc::borrow::ToOwned;
use alloc::string::String;

#[cfg(feature = "edge")]
pub mod public_key;
#[cfg(feature = "edge")]
pub mod rules;
#[cfg(feature = "edge")]
pub mod token;

use core::fmt;

/// Ids that broken integrations send for every visitor. An event with such an id would merge strangers.
/// The list follows the incident reports of analytics vendors (identity.md; PostHog's documented list).
const RESERVED: [&str; 25] = [
    "null",
    "undefined",
    "none",
    "nil",
    "nan",
    "infinity",
    "true",
    "false",
    "-1",
    "guest",
    "anonymous",
    "unknown",
    "na",
    "n/a",
    "(not set)",
    "not_authenticated",
    "distinct_id",
    "distinctid",
    "user_id",
    "userid",
    "anonymous_id",
    "anonymousid",
    "id",
    "email",
    "[object object]",
];

/// The marks of a template that was not rendered: `{{user_id}}`, `${userId}`, `<%= id %>`, `{% id %}`, `*|ID|*`.
const TEMPLATE_MARKS: [(&[u8], &[u8]); 5] =
    [(b"{{", b"}}"), (b"${", b"}"), (b"<%", b"%>"), (b"{%", b"%}"), (b"*|", b"|*")];

/// Bytes of an id.
pub const ID_BYTES_MAX: usize = 128;

/// Whether `id` is reserved because it names no particular person or device. Case, quotes and blanks around it do not count.
pub fn is_reserved(id: &str) -> bool {
    let id = bare(id);
    let lowest = id.bytes().all(|byte| matches!(byte, b'0' | b'-' | b'.'));
    let highest = id.len() == 36 && id.bytes().all(|byte| matches!(byte, b'f' | b'F' | b'-'));
    // No id, nothing but zeros (the nil UUID, which stands for everybody who opted out), the max UUID (RFC 9562, 5.9 and 5.10).
    lowest
        || highest
        || is_template(id)
        || RESERVED.iter().any(|word| id.eq_ignore_ascii_case(word))
}

/// Whether `list` holds `id`, as [`is_reserved`] compares.
pub fn is_listed<T: AsRef<str>>(list: &[T], id: &str) -> bool {
    let id = bare(id);
    list.iter().any(|listed| bare(listed.as_ref()).eq_ignore_ascii_case(id))
}

fn bare(id: &str) -> &str {
    id.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`'))
}

fn is_template(id: &str) -> bool {
    let id = id.as_bytes();
    let place = |mark: &[u8], from: usize| {
        let rest = id.get(from..).unwrap_or_default();
        rest.windows(mark.len()).position(|window| window == mark)
    };
    let is_between_percents = id.len() > 2 && id.first() == Some(&b'%') && id.last() == Some(&b'%');
    is_between_percents
        || TEMPLATE_MARKS.iter().any(|(open, close)| {
            place(open, 0).is_some_and(|at| place(close, at + open.len()).is_some())
        })
}

/// The key of a profile: a device's or a verified person's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProfileKey {
    /// A device by its random id.
    Anonymous(String),
    /// A person by an id for which the shop's backend vouched.
    User(String),
}

impl ProfileKey {
    /// Reads `a:<anonymousId>` or `u:<userId>`; `None` for anything else.
    pub fn parse(text: &str) -> Option<ProfileKey> {
        match text.split_once(':') {
            Some(("a", id)) if !is_reserved(id) => Some(ProfileKey::Anonymous(id.to_owned())),
            Some(("u", id)) if !is_reserved(id) => Some(ProfileKey::User(id.to_owned())),
            _ => None,
        }
    }
}

impl fmt::Display for ProfileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProfileKey::Anonymous(id) => write!(f, "a:{id}"),
            ProfileKey::User(id) => write!(f, "u:{id}"),
        }
    }
}

/// A random id in UUID v4 form (RFC 9562, section 5.4) from 16 random bytes.
pub fn uuid_v4(random: [u8; 16]) -> String {
    uuid(0x40, random)
}

/// An id in UUID v7 form (RFC 9562, section 5.7): the time in milliseconds since 1970, then random bits.
///
/// Ids of one time stand together in an index. So ten stored events write one page of the index and not ten.
pub fn uuid_v7(at_ms: i64, mut random: [u8; 16]) -> String {
    let [_, _, time @ ..] = at_ms.to_be_bytes();
    for (byte, of_time) in random.iter_mut().zip(time) {
        *byte = of_time;
    }
    uuid(0x70, random)
}

fn uuid(version: u8, mut bytes: [u8; 16]) -> String {
    bytes[6] = (bytes[6] & 0x0f) | version;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const HEX: &str = "0123456789abcdef";
    let mut text = String::with_capacity(36);
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for nibble in [byte >> 4, byte & 0x0f] {
            let at = usize::from(nibble);
            text.push_str(HEX.get(at..=at).unwrap_or_default());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_name_nobody_are_reserved() {
        for id in [
            "",
            "null",
            "Undefined",
            " guest ",
            "[object Object]",
            "\"null\"",
            "' None '",
            "NaN",
            "-1",
            "0",
            "0.0",
            "00000000-0000-0000-0000-000000000000",
            "FFFFFFFF-ffff-ffff-ffff-ffffffffffff",
            "TRUE",
            "n/a",
            "not_authenticated",
            "{{user_id}}",
            "user-{{ id }}",
            "${userId}",
            "<%= id %>",
            "%USER_ID%",
            "*|EMAIL|*",
        ] {
            assert!(is_reserved(id), "{id:?}");
        }
        for id in ["42", "-17", "u-28", "nada", "Nathan", "ffff", "{5f0c}", "100%", "a}}b{{", "f-1"]
        {
            assert!(!is_reserved(id), "{id:?}");
        }
    }

    #[test]
    fn a_list_of_ids_is_compared_without_case_quotes_and_blanks() {
        let list = ["demo-user"];
        assert!(is_listed(&list, "Demo-User") && is_listed(&list, " \"demo-user\" "));
        assert!(!is_listed(&list, "demo-user-2") && !is_listed::<&str>(&[], ""));
    }

    #[test]
    fn a_profile_key_reads_back() {
        let key = ProfileKey::parse("a:5f0").unwrap();
        assert_eq!(key.to_string(), "a:5f0");
        assert_eq!(ProfileKey::parse("x:1"), None);
        assert_eq!(ProfileKey::parse("u:null"), None);
    }

    #[test]
    fn ids_have_the_version_and_variant_of_their_form() {
        assert_eq!(uuid_v4([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        // RFC 9562, appendix A.6.
        assert_eq!(uuid_v7(0x017f_22e2_79b0, [0xff; 16]), "017f22e2-79b0-7fff-bfff-ffffffffffff");
    }
}
