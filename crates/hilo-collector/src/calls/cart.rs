//! The calls of a cart's object, and the shapes that pass between carts, sockets and the pipeline.
//!
//! `pipeline`, `ingest` and `admin` share these shapes with `store/cart`, which answers. This file has the shapes and
//! one function that sends a call. `refused.rs` has the refusals.

use std::collections::BTreeMap;

use hilo_core::cart::wire::{Ops, Revision};
use hilo_core::cart::{LineInfo, LineKey, Quantity, ReplicaId};
use hilo_core::consent::Purpose;
use hilo_core::event::ConsentClaim;
use hilo_core::money::Currency;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::erasure::CartToErase;
use super::refused::{CartRefusal, RefusedCode};
use super::{decode, encode, raw};
use crate::platform::{Failure, Object, Platform};

/// The owner of a cart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// A guest, who proves ownership with the capability.
    #[default]
    Guest,
    /// A person. A verified token or a server vouched for the id.
    Customer(String),
}

/// How long a cart is kept. The values are those of `[cart]` in `hilo.toml` for the cart's owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Seconds without an edit after which the cart counts as abandoned.
    pub abandoned_s: u32,
    /// Days that the cart is kept after its last edit.
    pub keep_days: u32,
}

/// The sender of a call or frame, as the collector has verified it. A ticket contains the same fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Speaker {
    /// The owner of the cart.
    pub owner: Owner,
    /// The source's name in `hilo.toml`.
    pub source: String,
    /// Whether the source is a server. A server does not report its edits to a profile, so the hub reports them.
    pub is_server: bool,
    /// How long the cart is kept.
    pub terms: Terms,
}

impl Speaker {
    /// hilo itself, for a call that reads neither owner nor terms.
    pub const fn hilo() -> Speaker {
        let terms = Terms { abandoned_s: 0, keep_days: 0 };
        Speaker { owner: Owner::Guest, source: String::new(), is_server: true, terms }
    }
}

/// The right to use a cart's socket, as its ticket gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    /// The sender of the socket's frames.
    pub speaker: Speaker,
    /// The login that the right comes from: a logout closes its sockets. Empty for a guest.
    pub login: String,
    /// The time at which the token or capability behind the right is over, seconds since the epoch.
    pub ends_s: i64,
}

/// The device that a cart's touchpoints are about. The page sends it under analytics consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// The device's random id.
    pub anonymous_id: String,
    /// The visitor's consent when the page sent the device.
    pub consent: ConsentClaim,
}

impl Person {
    /// Whether a touchpoint may be about this person.
    pub fn is_consenting(&self) -> bool {
        self.consent.state().is_granted(Purpose::Analytics)
    }
}

/// A call of a cart's object.
#[derive(Debug, Serialize, Deserialize)]
pub struct CartCall {
    /// The sender.
    pub speaker: Speaker,
    /// What the sender wants.
    pub ask: CartAsk,
}

/// The calls of a cart object.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CartAsk {
    /// Reads the changes since a revision. Answers [`CartAnswer`] with a view.
    View(Since),
    /// Apply these operations. Answers [`CartAnswer`] with a view.
    Ops {
        /// The delta.
        ops: Box<Ops>,
        /// The person that touchpoints are about from now on.
        person: Option<Person>,
    },
    /// A checkout begins. Answers [`CartAnswer`] with its lines.
    Checkout {
        /// The person that the checkout is about.
        person: Option<Person>,
    },
    /// An order was placed. Answers [`CartAnswer`] with a view.
    Ordered(Order),
    /// Let the hub apply these commands itself, each id once. Answers [`CartAnswer`] with a view.
    Commands(Vec<Command>),
    /// The customer has logged out: close the sockets of this login. Answers `()`.
    Logout {
        /// The login.
        login: String,
    },
    /// Reads the cart for an admin call. Answers [`CartSummary`].
    Summary,
    /// The person withdrew the consent that touchpoints need. Drops the touchpoints about the person's device that were not sent.
    /// Answers `()`.
    Withdraw {
        /// The device; `None` for every device of the cart.
        device: Option<String>,
    },
    /// The person had everything erased: deletes the cart if the claim holds, and closes its sockets. Answers `CartErased`.
    Erase(CartToErase),
    /// A guest's cart begins to move into this customer's. Answers [`Leave`].
    Leave(CustomerCart),
    /// A customer's cart takes a guest's in. Answers `()`.
    Join(Box<Leaving>),
    /// The guest's cart has arrived in the customer's cart. Answers `()`.
    Left {
        /// The id of the merge.
        merge_id: String,
    },
}

/// The state that the reader of a view has already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    /// The reader's epoch.
    pub epoch: u32,
    /// The hub's revision at the reader.
    pub rev: Revision,
    /// The reader's replica, if the view shall contain the replica's last applied operation.
    pub replica: Option<ReplicaId>,
    /// Whether the view also contains lines and totals as plain JSON.
    pub with_lines: bool,
}

/// A bought quantity of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoughtLine {
    /// The line.
    pub line: LineKey,
    /// The exact quantity: an article may be sold by weight or length.
    pub quantity: Quantity,
}

/// An order that was placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The shop's id of the order. An order with the same id counts once.
    pub order_id: String,
    /// The id of the checkout that the order came from.
    #[serde(default)]
    pub checkout_id: Option<String>,
    /// The bought lines; absent means the checkout's lines.
    #[serde(default)]
    pub lines: Option<Vec<BoughtLine>>,
    /// The paid total in minor units, if the sender has it.
    #[serde(default)]
    pub total: Option<(i64, Currency)>,
    /// Whether the money is still to come.
    #[serde(default)]
    pub is_unpaid: bool,
    /// Whether the lines have the ids of a shop system. A shop system has variants and no options.
    #[serde(default)]
    pub is_foreign: bool,
    /// The person that the order is about, if a page sent it.
    #[serde(default)]
    pub person: Option<Person>,
}

impl Order {
    /// The exact bought quantity of each line; `None` if the order names no lines.
    pub fn exactly(&self) -> Option<BTreeMap<&LineKey, Quantity>> {
        let mut exactly = BTreeMap::new();
        for BoughtLine { line, quantity } in self.lines.as_ref()? {
            let sum = exactly.entry(line).or_insert(Quantity::whole(0));
            *sum = sum.plus(*quantity);
        }
        Some(exactly)
    }
}

/// A command of a backend that keeps no replica.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The command's id. A command with the same id is applied once.
    pub id: String,
    /// The operation.
    pub op: CommandOp,
    /// The line to change; all operations but `clear` need one.
    #[serde(default)]
    pub line: Option<LineKey>,
    /// The quantity, whose begun units count; absent means 1 for `add` and `dec`.
    #[serde(default)]
    pub quantity: Option<Quantity>,
    /// The line's display fields.
    #[serde(default)]
    pub info: Option<LineInfo>,
}

/// The operation of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandOp {
    /// Adds this number of units.
    Add,
    /// Sets the line to this number of units.
    Set,
    /// Takes away this number of units.
    Dec,
    /// Removes the line.
    Remove,
    /// Removes all lines.
    Clear,
}

/// The answer of a cart's object to a call of the wire.
#[derive(Debug, Serialize, Deserialize)]
pub struct CartAnswer {
    /// One JSON object of the wire. The pipeline adds fields to it if the call succeeded.
    pub body: Box<RawValue>,
    /// The reason why the call is refused; absent if it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<RefusedCode>,
    /// The label of the cart that a merged cart has moved into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub into: Option<String>,
    /// Whether the hub has applied this order already. Always written: an answer of an older object, which has its refusal in
    /// another field, then cannot be read, and the call is repeated.
    pub is_repeat: bool,
}

impl CartAnswer {
    /// The answer to a call that succeeded.
    ///
    /// # Errors
    /// `Fatal` if `body` cannot be written as JSON, which is a bug.
    pub fn done(body: &impl Serialize, is_repeat: bool) -> Result<CartAnswer, Failure> {
        Ok(CartAnswer { body: raw(encode(body)?)?, refused: None, into: None, is_repeat })
    }

    /// The answer to a call that is refused.
    ///
    /// # Errors
    /// `Fatal` if the refusal cannot be written as JSON, which is a bug.
    pub fn refused(why: CartRefusal) -> Result<CartAnswer, Failure> {
        let body = raw(why.to_body()?)?;
        Ok(CartAnswer { body, refused: Some(why.code), into: why.into, is_repeat: false })
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.refused.map_or(200, RefusedCode::status)
    }
}

/// A cart, for the admin calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartSummary {
    /// The cart's label.
    pub cart: String,
    /// Whether the object stores a cart.
    pub known: bool,
    /// The owner of the cart.
    pub owner: Owner,
    /// `open`, `merging` or `merged`.
    pub standing: String,
    /// The hub's revision.
    pub rev: String,
    /// The cart's epoch.
    pub epoch: u32,
    /// The lines of the cart.
    pub lines: Vec<ShownLine>,
    /// The sum of all lines, in minor units per currency.
    pub totals: BTreeMap<String, String>,
    /// The id of the open checkout.
    pub checkout: Option<String>,
    /// The replicas that have edited the cart.
    pub replicas: Vec<ShownReplica>,
    /// The time of the last edit, milliseconds since the epoch.
    pub edited_ms: i64,
}

/// A line as plain JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownLine {
    /// The line.
    pub line: LineKey,
    /// The number of units.
    pub quantity: u32,
    /// The line's display fields.
    #[serde(flatten)]
    pub info: LineInfo,
}

/// A replica, for the admin calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownReplica {
    /// The replica's id.
    pub replica: ReplicaId,
    /// The number of the replica's last applied operation.
    pub acked: u32,
    /// The time of the replica's last operation, milliseconds since the epoch.
    pub seen_ms: i64,
}

/// The customer's cart that a guest's cart moves into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerCart {
    /// The cart's label.
    pub cart: String,
    /// The customer, as the sender of the merge's calls.
    pub speaker: Speaker,
    /// The policy's name in `hilo.toml`.
    pub policy: String,
}

/// The answer of a guest's cart that shall move.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leave {
    /// The guest's cart is empty, so nothing moves.
    Nothing,
    /// Send this to the customer's cart, then call [`CartAsk::Left`].
    Leaving(Box<Leaving>),
    /// The guest's cart has moved already.
    Left,
}

/// The contents of a guest's cart while it moves.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Leaving {
    /// The id of the merge. The customer's cart joins a merge with the same id once.
    pub merge_id: String,
    /// The customer's cart.
    pub to: CustomerCart,
    /// When the merge began, milliseconds since the epoch: an erasure of the customer's cart ends what began before.
    #[serde(default)]
    pub begun_ms: i64,
    /// The moved operations and display fields. Only `store/cart` reads them.
    pub cargo: Box<RawValue>,
}

/// A touchpoint that the hub sends to a profile.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Touchpoint {
    /// The touchpoint's sequence number in the cart's outbox.
    pub seq: i64,
    /// The name of the source whose settings the touchpoint is judged by.
    pub source: String,
    /// The event in the shape of the Segment spec.
    pub event: Box<RawValue>,
    /// What was left out of its products, so that it fits into an event.
    pub cut: Option<String>,
}

/// Sends a call to the cart object with this label.
///
/// # Errors
/// The object's own failure, or a failure to reach the object.
pub async fn ask_cart<P: Platform, A: serde::de::DeserializeOwned>(
    platform: &P,
    label: &str,
    call: &CartCall,
) -> Result<A, Failure> {
    let answer = platform.ask(&Object::Cart(label.to_owned()), encode(call)?).await?;
    decode(&answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_of_the_version_before_is_not_read_as_a_call_that_is_done() {
        let before = r#"{"status":410,"body":{"error":{"code":"cart_merged","into":"label"}}}"#;
        assert!(decode::<CartAnswer>(before).is_err());
        let now = encode(&CartAnswer::refused(RefusedCode::CartMerged.into()).unwrap()).unwrap();
        assert_eq!(decode::<CartAnswer>(&now).unwrap().status(), 410);
    }
}
