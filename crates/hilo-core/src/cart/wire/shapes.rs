//! The small shapes of the wire: dots as `[r,n]`, lines as `[variant, options, currency]`, words as text.
//! In and out: serde. `text` writes the numbers.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::text::{Text, number};
use crate::cart::context::{Dot, ReplicaId};
use crate::cart::kind::Kind;
use crate::cart::line::LineKey;
use crate::money::Currency;

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
        // The hash is text on the wire, as a replica id is.
        let (variant, ReplicaId(options_hash), currency) = Deserialize::deserialize(from)?;
        Ok(LineKey { variant, options_hash, currency })
    }
}
