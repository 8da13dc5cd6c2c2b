//! Numbers of the wire, which are text because JavaScript would round large ones.
//! In and out: serde. The digits are those of `digits`, as in flat text.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::digits::{digits, read, read_signed};

/// A serde visitor for text that `read` accepts.
pub(super) struct Text<T> {
    pub(super) what: &'static str,
    pub(super) read: fn(&str) -> Option<T>,
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
pub(in crate::cart) mod number {
    use super::{Deserializer, Serializer, Text, digits, read};

    pub(in crate::cart) fn serialize<S: Serializer>(
        number: &u64,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        digits(false, *number, |text| to.serialize_str(text))
    }

    pub(in crate::cart) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<u64, D::Error> {
        from.deserialize_str(Text { what: "a number as text", read })
    }
}

/// An optional `i64` as text, for `#[serde(with)]`.
pub(in crate::cart) mod price {
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
    pub(in crate::cart) fn serialize<S: Serializer>(
        minor: &Option<i64>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        minor.map(Minor).serialize(to)
    }

    pub(in crate::cart) fn deserialize<'de, D: de::Deserializer<'de>>(
        from: D,
    ) -> Result<Option<i64>, D::Error> {
        Ok(Option::<Minor>::deserialize(from)?.map(|minor| minor.0))
    }
}
