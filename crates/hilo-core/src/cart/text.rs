//! The small things of the wire: numbers as text, dots as `[r,n]`, lines as `[variant, options, currency]`.
//! In and out: serde. The digits themselves are those of `digits`, as in flat text.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::context::{Dot, ReplicaId};
use super::digits::{digits, read, read_signed};
use super::line::LineKey;
use super::state::Kind;
use crate::money::Currency;

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
    use super::{Deserializer, Serializer, Text, digits, read};

    pub(in super::super) fn serialize<S: Serializer>(
        number: &u64,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        digits(false, *number, |text| to.serialize_str(text))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<u64, D::Error> {
        from.deserialize_str(Text { what: "a number as text", read })
    }
}

/// An optional `i64` as text, for `#[serde(with)]`.
pub(super) mod price {
    use super::{Deserialize, Deserializer, Serialize, Serializer, Text, de, digits, read_signed};

    struct Minor(i64);

    impl Serialize for Minor {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            digits(self.0 < 0, self.0.unsigned_abs(), |text| to.serialize_str(text))
        }
    }

    impl<'de> Deserialize<'de> for Minor {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Minor, D::Error> {
            from.deserialize_str(Text {
                what: "an amount in minor units as text",
                read: read_signed,
            })
            .map(Minor)
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

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Kind, D::Error> {
        from.deserialize_str(Text { what: "add or set", read: Kind::from_name })
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
