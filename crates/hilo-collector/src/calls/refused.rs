//! The reasons why a cart refuses a call: the closed list of codes, and the fields of a refusal.
//!
//! A code never changes its meaning, because pages and backends act on it. `store/cart` and the core make the refusals.

use hilo_core::cart::epoch::Applied;
use hilo_core::cart::{Refusal, ReplicaId};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::encode;
use crate::platform::Failure;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $status:literal, $message:literal;)+) => {
        /// The reason why a call is refused. Stable, for programs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum RefusedCode { $($(#[$doc])* $variant),+ }

        impl RefusedCode {
            /// Every code.
            pub const ALL: &'static [RefusedCode] = &[$(RefusedCode::$variant),+];

            /// The stable name.
            pub const fn name(self) -> &'static str {
                match self { $(RefusedCode::$variant => $name),+ }
            }

            /// The HTTP status of an answer with this code.
            pub const fn status(self) -> u16 {
                match self { $(RefusedCode::$variant => $status),+ }
            }

            /// The advice to the sender, for people.
            pub const fn message(self) -> &'static str {
                match self { $(RefusedCode::$variant => $message),+ }
            }
        }
    };
}

codes! {
    /// The body is not a delta of the wire's shape.
    MalformedDelta = "malformed_delta", 400, "not a delta: see the wire of the cart";
    /// The delta has a version that the collector does not support.
    UnknownVersion = "unknown_version", 422, "this version of the wire is not spoken here";
    /// The delta is larger than its bound.
    DeltaTooLarge = "delta_too_large", 413, "send at most 32 KB in one delta";
    /// The replica belongs to another token.
    ForeignReplica = "foreign_replica", 403, "this replica belongs to somebody else: mint another";
    /// Earlier operations of the replica have not arrived.
    Missing = "missing", 409, "something before it has not arrived: send from there on";
    /// The cart has begun a new epoch.
    Epoch = "epoch", 409, "the cart has begun anew: fetch it, and say anew what is left";
    /// The dot already stands for another operation.
    DotConflict = "dot_conflict", 422, "an operation of this name says something else already";
    /// An operation takes back units in the name of another replica.
    ForeignUse = "foreign_use", 422, "units are taken back in the name of another replica";
    /// A line or its display fields are empty or too long.
    BadLine = "bad_line", 422, "a line or its display fields are empty or too long";
    /// The cart has no room for another line.
    TooManyLines = "too_many_lines", 422, "a cart has at most 200 lines";
    /// A line cannot have this number of units.
    BadQuantity = "bad_quantity", 422, "a line has 1 to 9,999 units";
    /// A line has too many concurrent edits.
    TooManyDots = "too_many_dots", 422, "too many concurrent edits of one line: fetch it, and set it";
    /// The cart has too many replicas.
    TooManyReplicas = "too_many_replicas", 422, "too many devices have edited this cart";
    /// The replica has used up its numbers.
    ReplicaExhausted = "replica_exhausted", 422, "this replica has used up its numbers: mint another";
    /// The operations are for another cart.
    OtherCart = "other_cart", 409, "these operations are for another cart: fetch this one first";
    /// The guest's cart is moving into a customer's.
    CartMerging = "cart_merging", 503, "this cart is moving into a customer's: say it again in a second";
    /// The guest's cart has moved into a customer's.
    CartMerged = "cart_merged", 410, "this cart has moved into a customer's: forget it, and fetch the cart anew";
    /// The body is not a list of commands, or a command lacks a required field.
    BadCommand = "bad_command", 422, "1 to 64 commands, each with an id and, but for `clear`, a line";
    /// The order has no id, or it has no lines and no stored checkout has any.
    BadOrder = "bad_order", 422, "an order has an id of at most 128 bytes, and names its lines where no checkout of this cart is known";
    /// No cart of the order is known.
    NotFound = "not_found", 404, "no cart of this order is known";
    /// The cart has too many sockets.
    TooManySockets = "too_many_sockets", 429, "this cart has 64 sockets open";
}

impl RefusedCode {
    /// Whether the call stays refused. A client repairs a conflict by itself, and it repeats the call while a cart
    /// moves.
    pub const fn is_for_good(self) -> bool {
        !matches!(self.status(), 409 | 410 | 503)
    }
}

impl Serialize for RefusedCode {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for RefusedCode {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<RefusedCode, D::Error> {
        let name = String::deserialize(from)?;
        let code = RefusedCode::ALL.iter().find(|code| code.name() == name);
        code.copied().ok_or_else(|| de::Error::custom("an unknown code"))
    }
}

/// A refusal in the shape of the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CartRefusal {
    /// The reason, for programs.
    pub code: RefusedCode,
    /// The reason, for people.
    pub message: &'static str,
    /// The replica whose operations are missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replica: Option<ReplicaId>,
    /// The number of the first missing operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<u32>,
    /// The operations that the ended epoch had applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<Applied>,
    /// The label of the cart that this one has moved into.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub into: Option<String>,
}

impl CartRefusal {
    /// The body of an answer: `{"code":…,"message":…,"error":{…}}`, as every refusal of the collector has it.
    ///
    /// # Errors
    /// `Fatal` if the refusal cannot be written as JSON, which is a bug.
    pub fn to_body(&self) -> Result<String, Failure> {
        #[derive(Serialize)]
        struct Body<'a> {
            code: RefusedCode,
            message: &'a str,
            error: &'a CartRefusal,
        }
        encode(&Body { code: self.code, message: self.message, error: self })
    }
}

impl From<RefusedCode> for CartRefusal {
    /// Makes a refusal that has only a code and a message.
    fn from(code: RefusedCode) -> CartRefusal {
        let message = code.message();
        CartRefusal { code, message, replica: None, from: None, previous: None, into: None }
    }
}

impl From<&Refusal> for CartRefusal {
    fn from(refusal: &Refusal) -> CartRefusal {
        let base = CartRefusal::from(RefusedCode::from(refusal));
        match refusal {
            Refusal::Missing { replica, from } => {
                CartRefusal { replica: Some(*replica), from: Some(*from), ..base }
            }
            Refusal::Epoch { previous } => CartRefusal { previous: previous.clone(), ..base },
            Refusal::Malformed
            | Refusal::UnknownVersion
            | Refusal::DeltaTooLarge
            | Refusal::ForeignReplica
            | Refusal::DotConflict(_)
            | Refusal::ForeignUse(_)
            | Refusal::BadLine
            | Refusal::TooManyLines
            | Refusal::BadQuantity
            | Refusal::TooManyDots
            | Refusal::TooManyReplicas
            | Refusal::ReplicaExhausted => base,
        }
    }
}

impl From<&Refusal> for RefusedCode {
    /// Maps the core's refusal to a code of the wire.
    fn from(refusal: &Refusal) -> RefusedCode {
        match refusal {
            Refusal::Malformed => RefusedCode::MalformedDelta,
            Refusal::UnknownVersion => RefusedCode::UnknownVersion,
            Refusal::DeltaTooLarge => RefusedCode::DeltaTooLarge,
            Refusal::ForeignReplica => RefusedCode::ForeignReplica,
            Refusal::Missing { .. } => RefusedCode::Missing,
            Refusal::Epoch { .. } => RefusedCode::Epoch,
            Refusal::DotConflict(_) => RefusedCode::DotConflict,
            Refusal::ForeignUse(_) => RefusedCode::ForeignUse,
            Refusal::BadLine => RefusedCode::BadLine,
            Refusal::TooManyLines => RefusedCode::TooManyLines,
            Refusal::BadQuantity => RefusedCode::BadQuantity,
            Refusal::TooManyDots => RefusedCode::TooManyDots,
            Refusal::TooManyReplicas => RefusedCode::TooManyReplicas,
            Refusal::ReplicaExhausted => RefusedCode::ReplicaExhausted,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use hilo_core::cart::Dot;
    use hilo_core::outcome::{Code, PAGE_REFUSALS};

    use super::super::decode;
    use super::*;

    #[test]
    fn the_cores_refusals_keep_their_codes_on_the_wire() {
        let dot = Dot { r: ReplicaId(1), n: 1 };
        for refusal in [
            Refusal::Malformed,
            Refusal::UnknownVersion,
            Refusal::DeltaTooLarge,
            Refusal::ForeignReplica,
            Refusal::Missing { replica: ReplicaId(1), from: 1 },
            Refusal::Epoch { previous: None },
            Refusal::DotConflict(dot),
            Refusal::ForeignUse(dot),
            Refusal::BadLine,
            Refusal::TooManyLines,
            Refusal::BadQuantity,
            Refusal::TooManyDots,
            Refusal::TooManyReplicas,
            Refusal::ReplicaExhausted,
        ] {
            assert_eq!(RefusedCode::from(&refusal).name(), refusal.code());
        }
    }

    #[test]
    fn every_code_reads_back_from_its_name() {
        for code in RefusedCode::ALL {
            let text = encode(code).unwrap();
            assert_eq!(text, format!("\"{}\"", code.name()));
            assert_eq!(decode::<RefusedCode>(&text).unwrap(), *code);
        }
        assert!(decode::<RefusedCode>("\"other\"").is_err());
    }

    #[test]
    fn a_refusal_is_written_as_an_error_with_all_its_fields() {
        let into = Some("label".to_owned());
        let refusal = CartRefusal { into, ..CartRefusal::from(RefusedCode::CartMerged) };
        let why = r#""code":"cart_merged","message":"this cart has moved into a customer's: forget it, and fetch the cart anew""#;
        let expected = format!(r#"{{{why},"error":{{{why},"into":"label"}}}}"#);
        assert_eq!(refusal.to_body().unwrap(), expected);
    }

    /// The list `REFUSALS` in `js/sdk/src/cart/hub/call.ts`.
    fn listed() -> BTreeSet<&'static str> {
        let page = include_str!("../../../../js/sdk/src/cart/hub/call.ts");
        let list = page.split_once("const REFUSALS").unwrap().1.split_once(';').unwrap().0;
        let texts = list.split('"').skip(1).step_by(2);
        texts.flat_map(str::split_whitespace).collect()
    }

    #[test]
    fn the_cart_of_a_page_obeys_each_refusal_that_the_collector_has_for_it_and_no_other() {
        let decides = |status: u16| matches!(status, 400 | 401 | 403 | 404 | 409 | 410 | 413 | 422);
        // A cart's delta is no batch, and commands are a server's words.
        let of_requests = PAGE_REFUSALS.split(' ').filter(|name| *name != "too_many_events");
        let of_callers = [Code::Unauthorized.name(), Code::NotFound.name()];
        let of_carts = RefusedCode::ALL
            .iter()
            .filter(|code| decides(code.status()) && **code != RefusedCode::BadCommand);
        let expected: BTreeSet<&str> =
            of_requests.chain(of_callers).chain(of_carts.map(|code| code.name())).collect();
        assert_eq!(listed(), expected);
        let tokens = Code::ALL.iter().filter(|code| code.name().starts_with("token_"));
        assert!(
            tokens.clone().count() > 0
                && tokens.clone().all(|code| [401, 403].contains(&code.status()))
        );
    }
}
