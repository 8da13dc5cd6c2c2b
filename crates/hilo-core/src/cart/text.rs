//! The small things of the wire: numbers as text, dots as `[r,n]`, lines as `[variant, options, currency]`.
//! In and out: serde. Writes digits by hand, so that the page's module carries no number formatting.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::context::{Dot, ReplicaId};
use super::state::{Kind, LineKey};
use crate::money::Currency;

/// Room for the digits of any `u64` and a sign.
const DIGITS_MAX: usize = 21;

/// Calls `with` with the number's decimal digits.
fn digits<T>(negative: bool, mut number: u64, with: impl FnOnce(&str) -> T) -> T {
    let mut buffer = [b'0'; DIGITS_MAX];
    let mut start = DIGITS_MAX;
    for (at, place) in buffer.iter_mut().enumerate().rev() {
        if number == 0 && start < DIGITS_MAX {
            if negative {
                *place = b'-';
                start = at;
            }
            break;
        }
        *place = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        start = at;
    }
    let text = buffer.get(start..).and_then(|bytes| std::str::from_utf8(bytes).ok());
    with(text.unwrap_or("0"))
}

/// Reads digits and nothing else: no plus, no space, no leading zero, so that a number has one spelling.
fn read(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let spelled = text == "0" || !text.starts_with('0');
    if plain && spelled { text.parse().ok() } else { None }
}

/// A visitor for text that `read` understands.
struct Text<T> {
    what: &'static str,
    read: fn(&str) -> Option<T>,
}

impl<T> de::Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.read)(text).ok_or_else(|| E::custom(self.what))
    }
}

/// `u64` as text, for `#[serde(with)]`.
pub(super) mod number {
    use super::{Deserializer, Serializer, Text};

    pub(in super::super) fn serialize<S: Serializer>(
        number: &u64,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        super::digits(false, *number, |text| to.serialize_str(text))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<u64, D::Error> {
        from.deserialize_str(Text { what: "a number as text", read: super::read })
    }
}

/// An optional `i64` as text, for `#[serde(with)]`.
pub(super) mod price {
    use super::{Deserialize, Deserializer, Serialize, Serializer, Text, de};

    struct Minor(i64);

    impl Serialize for Minor {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            super::digits(self.0 < 0, self.0.unsigned_abs(), |text| to.serialize_str(text))
        }
    }

    impl<'de> Deserialize<'de> for Minor {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Minor, D::Error> {
            from.deserialize_str(Text { what: "an amount in minor units as text", read }).map(Minor)
        }
    }

    fn read(text: &str) -> Option<i64> {
        match text.strip_prefix('-') {
            Some(rest) => 0_i64.checked_sub_unsigned(super::read(rest)?),
            None => i64::try_from(super::read(text)?).ok(),
        }
    }

    #[expect(clippy::ref_option, reason = "the shape serde asks for")]
    pub(in super::super) fn serialize<S: Serializer>(
        minor: &Option<i64>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        minor.map(Minor).serialize(to)
    }

    pub(in super::super) fn deserialize<'de, D: de::Deserializer<'de>>(
        from: D,
    ) -> Result<Option<i64>, D::Error> {
        Ok(Option::<Minor>::deserialize(from)?.map(|minor| minor.0))
    }
}

impl Serialize for ReplicaId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        number::serialize(&self.0, to)
    }
}

impl<'de> Deserialize<'de> for ReplicaId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<ReplicaId, D::Error> {
        number::deserialize(from).map(ReplicaId)
    }
}

impl Serialize for Dot {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (self.r, self.n).serialize(to)
    }
}

impl<'de> Deserialize<'de> for Dot {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Dot, D::Error> {
        let (r, n) = Deserialize::deserialize(from)?;
        Ok(Dot { r, n })
    }
}

impl Kind {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Add => "add",
            Kind::Set => "set",
        }
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Kind, D::Error> {
        let read = |text: &str| [Kind::Add, Kind::Set].into_iter().find(|kind| kind.name() == text);
        from.deserialize_str(Text { what: "add or set", read })
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Currency, D::Error> {
        from.deserialize_str(Text { what: "an ISO 4217 code", read: Currency::parse })
    }
}

impl Serialize for LineKey {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (&self.variant, ReplicaId(self.options_hash), self.currency).serialize(to)
    }
}

impl<'de> Deserialize<'de> for LineKey {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<LineKey, D::Error> {
        // A replica id reads like any other u64.
        let (variant, ReplicaId(options_hash), currency) = Deserialize::deserialize(from)?;
        Ok(LineKey { variant, options_hash, currency })
    }
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
        for text in ["", "+1", "-1", "01", " 1", "1.0", "1e3", "18446744073709551616"] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }
}
