//! Why a cart refuses a call: the closed list of codes, each with its HTTP status, and what a refusal carries.
//!
//! A code never changes its meaning, because pages and backends act on it. `store/cart` and the core refuse.

use std::borrow::Cow;
use std::collections::BTreeMap;

use hilo_core::cart::epoch::Applied;
use hilo_core::cart::{Refusal, ReplicaId};
use serde::{Deserialize, Serialize};

use super::encode;
use crate::platform::Failure;

/// Why a call is refused. Stable, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusedCode {
    /// No delta of the wire's shape.
    MalformedDelta,
    /// A version of the wire that the collector does not speak.
    UnknownVersion,
    /// A delta over its bound.
    DeltaTooLarge,
    /// The replica belongs to another token.
    ForeignReplica,
    /// Earlier operations have not arrived.
    Missing,
    /// The cart has begun anew.
    Epoch,
    /// The dot says something else already.
    DotConflict,
    /// Units are taken back in the name of another replica.
    ForeignUse,
    /// A line or its display fields are empty or too long.
    BadLine,
    /// The cart has no room for another line.
    TooManyLines,
    /// A line has no such number of units.
    BadQuantity,
    /// A line has too many concurrent edits.
    TooManyDots,
    /// The cart has too many replicas.
    TooManyReplicas,
    /// The replica has used up its numbers.
    ReplicaExhausted,
    /// The operations are for another cart.
    OtherCart,
    /// The guest's cart is moving into a customer's.
    CartMerging,
    /// The guest's cart has moved into a customer's.
    CartMerged,
    /// A command lacks what it needs.
    BadCommand,
    /// An order lacks what it needs.
    BadOrder,
    /// No cart of the order is known.
    NotFound,
    /// The cart has too many sockets.
    TooManySockets,
}

impl RefusedCode {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            RefusedCode::MalformedDelta => "malformed_delta",
            RefusedCode::UnknownVersion => "unknown_version",
            RefusedCode::DeltaTooLarge => "delta_too_large",
            RefusedCode::ForeignReplica => "foreign_replica",
            RefusedCode::Missing => "missing",
            RefusedCode::Epoch => "epoch",
            RefusedCode::DotConflict => "dot_conflict",
            RefusedCode::ForeignUse => "foreign_use",
            RefusedCode::BadLine => "bad_line",
            RefusedCode::TooManyLines => "too_many_lines",
            RefusedCode::BadQuantity => "bad_quantity",
            RefusedCode::TooManyDots => "too_many_dots",
            RefusedCode::TooManyReplicas => "too_many_replicas",
            RefusedCode::ReplicaExhausted => "replica_exhausted",
            RefusedCode::OtherCart => "other_cart",
            RefusedCode::CartMerging => "cart_merging",
            RefusedCode::CartMerged => "cart_merged",
            RefusedCode::BadCommand => "bad_command",
            RefusedCode::BadOrder => "bad_order",
            RefusedCode::NotFound => "not_found",
            RefusedCode::TooManySockets => "too_many_sockets",
        }
    }

    /// The HTTP status of an answer that is refused for this.
    pub const fn status(self) -> u16 {
        match self {
            RefusedCode::MalformedDelta => 400,
            RefusedCode::ForeignReplica => 403,
            RefusedCode::NotFound => 404,
            RefusedCode::Missing | RefusedCode::Epoch | RefusedCode::OtherCart => 409,
            RefusedCode::CartMerged => 410,
            RefusedCode::DeltaTooLarge => 413,
            RefusedCode::UnknownVersion
            | RefusedCode::DotConflict
            | RefusedCode::ForeignUse
            | RefusedCode::BadLine
            | RefusedCode::TooManyLines
            | RefusedCode::BadQuantity
            | RefusedCode::TooManyDots
            | RefusedCode::TooManyReplicas
            | RefusedCode::ReplicaExhausted
            | RefusedCode::BadCommand
            | RefusedCode::BadOrder => 422,
            RefusedCode::TooManySockets => 429,
            RefusedCode::CartMerging => 503,
        }
    }

    /// Whether the call stays refused. A client mends a conflict by itself, and waits for a cart that moves.
    pub const fn is_for_good(self) -> bool {
        !matches!(self.status(), 409 | 410 | 503)
    }
}

/// A refusal, as the wire writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartRefusal {
    /// Why, for programs.
    pub code: RefusedCode,
    /// Why, for people.
    pub message: Cow<'static, str>,
    /// Whose operations are missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replica: Option<ReplicaId>,
    /// The first of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u32>,
    /// What an ended epoch had applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Applied>,
    /// The label of the cart that this one has moved into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub into: Option<String>,
}

impl CartRefusal {
    /// A refusal that carries nothing but its reason.
    pub const fn new(code: RefusedCode, message: &'static str) -> CartRefusal {
        let message = Cow::Borrowed(message);
        CartRefusal { code, message, replica: None, from: None, previous: None, into: None }
    }

    /// The body of an answer: `{"error":{…}}`.
    ///
    /// # Errors
    /// `Fatal`: a shape that is no JSON is a bug.
    pub fn to_body(&self) -> Result<String, Failure> {
        encode(&BTreeMap::from([("error", self)]))
    }
}

impl From<&Refusal> for CartRefusal {
    fn from(refusal: &Refusal) -> CartRefusal {
        let (code, message) = reason(refusal);
        let base = CartRefusal::new(code, message);
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

/// The core's refusal in the words of the wire.
const fn reason(refusal: &Refusal) -> (RefusedCode, &'static str) {
    match refusal {
        Refusal::Malformed => {
            (RefusedCode::MalformedDelta, "not a delta: see the wire of the cart")
        }
        Refusal::UnknownVersion => {
            (RefusedCode::UnknownVersion, "this version of the wire is not spoken here")
        }
        Refusal::DeltaTooLarge => (RefusedCode::DeltaTooLarge, "send at most 32 KB in one delta"),
        Refusal::ForeignReplica => {
            (RefusedCode::ForeignReplica, "this replica belongs to somebody else: mint another")
        }
        Refusal::Missing { .. } => {
            (RefusedCode::Missing, "something before it has not arrived: send from there on")
        }
        Refusal::Epoch { .. } => {
            (RefusedCode::Epoch, "the cart has begun anew: fetch it, and say anew what is left")
        }
        Refusal::DotConflict(_) => {
            (RefusedCode::DotConflict, "an operation of this name says something else already")
        }
        Refusal::ForeignUse(_) => {
            (RefusedCode::ForeignUse, "units are taken back in the name of another replica")
        }
        Refusal::BadLine => {
            (RefusedCode::BadLine, "a line or its display fields are empty or too long")
        }
        Refusal::TooManyLines => (RefusedCode::TooManyLines, "a cart has at most 200 lines"),
        Refusal::BadQuantity => (RefusedCode::BadQuantity, "a line has 1 to 9,999 units"),
        Refusal::TooManyDots => (
            RefusedCode::TooManyDots,
            "too many concurrent edits of one line: fetch it, and set it",
        ),
        Refusal::TooManyReplicas => {
            (RefusedCode::TooManyReplicas, "too many devices have edited this cart")
        }
        Refusal::ReplicaExhausted => {
            (RefusedCode::ReplicaExhausted, "this replica has used up its numbers: mint another")
        }
    }
}

#[cfg(test)]
mod tests {
    use hilo_core::cart::Dot;

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
            let CartRefusal { code, .. } = CartRefusal::from(&refusal);
            assert_eq!(code.name(), refusal.code());
            assert_eq!(encode(&code).unwrap(), format!("\"{}\"", code.name()));
        }
    }

    #[test]
    fn a_refusal_reads_back_as_it_was_written() {
        for code in [
            RefusedCode::OtherCart,
            RefusedCode::CartMerging,
            RefusedCode::CartMerged,
            RefusedCode::BadCommand,
            RefusedCode::BadOrder,
            RefusedCode::NotFound,
            RefusedCode::TooManySockets,
        ] {
            let into = (code == RefusedCode::CartMerged).then(|| "label".to_owned());
            let refusal = CartRefusal { into, ..CartRefusal::new(code, "why") };
            let text = encode(&refusal).unwrap();
            assert!(
                text.starts_with(&format!("{{\"code\":\"{}\",\"message\":\"why\"", code.name()))
            );
            assert_eq!(super::super::decode::<CartRefusal>(&text).unwrap(), refusal);
        }
    }
}
