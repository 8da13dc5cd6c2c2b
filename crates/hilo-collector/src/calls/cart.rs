//! What a cart's object can be asked, and what goes between carts, sockets and the pipeline.
//!
//! The vocabulary that `pipeline`, `ingest` and `admin` share with `store/cart`, which answers. Shapes, and the one function
//! that asks. Refusals are in `refused.rs`.

use std::collections::BTreeMap;

use hilo_core::cart::wire::{Ops, Revision};
use hilo_core::cart::{LineInfo, LineKey, ReplicaId};
use hilo_core::consent::Purpose;
use hilo_core::event::ConsentClaim;
use hilo_core::money::Currency;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::refused::{CartRefusal, RefusedCode};
use super::{decode, encode};
use crate::platform::{Failure, Object, Platform};

/// Whose cart it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// A guest: its capability is the proof.
    #[default]
    Guest,
    /// A person, by the id that a verified token or a server vouched for.
    Customer(String),
}

/// How long a cart is kept, from `[cart]` of `hilo.toml` for its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Seconds without an edit after which the cart counts as abandoned.
    pub abandoned_s: u32,
    /// Days that the cart is kept after its last edit.
    pub keep_days: u32,
}

/// The sender of a call or frame, as the collector has verified it. A ticket carries the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Speaker {
    /// Whose cart it is.
    pub owner: Owner,
    /// The source's name in `hilo.toml`.
    pub source: String,
    /// Whether the source is a server. A server reports its edits to no profile, so the hub does.
    pub is_server: bool,
    /// How long the cart is kept.
    pub terms: Terms,
}

/// The device that a cart's touchpoints are about, as the page sent it under analytics consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// The device's random id.
    pub anonymous_id: String,
    /// What the visitor had allowed.
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
    /// What is asked.
    pub ask: CartAsk,
}

/// What a cart object can be asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CartAsk {
    /// What changed since. Answers [`CartAnswer`] with a view.
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
    /// The hub acts itself, once per id. Answers [`CartAnswer`] with a view.
    Commands(Vec<Command>),
    /// For people. Answers [`CartSummary`].
    Summary,
    /// A guest's cart begins to move into this customer's. Answers [`Leave`].
    Leave(CustomerCart),
    /// A customer's cart takes a guest's in. Answers `()`.
    Join(Box<Leaving>),
    /// The guest's cart has arrived there. Answers `()`.
    Left {
        /// Which merge.
        merge_id: String,
    },
}

/// What the reader of a view has already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    /// The epoch the reader has.
    pub epoch: u32,
    /// The hub's revision the reader has.
    pub rev: Revision,
    /// The reader's replica, if the view shall show how much of it is applied.
    pub replica: Option<ReplicaId>,
    /// Whether the view has lines and totals in plain words as well.
    pub with_lines: bool,
}

/// So many units of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Units {
    /// The line.
    pub line: LineKey,
    /// How many.
    pub quantity: u32,
}

/// An order that was placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The shop's id of it: what makes it happen once.
    pub order_id: String,
    /// The checkout it came from.
    #[serde(default)]
    pub checkout_id: Option<String>,
    /// What was bought; absent means the checkout's lines.
    #[serde(default)]
    pub lines: Option<Vec<Units>>,
    /// What was paid in all, in minor units, if the sender has it.
    #[serde(default)]
    pub total: Option<(i64, Currency)>,
    /// Whether its lines have the ids of a shop system. A shop system has variants and no options.
    #[serde(default)]
    pub is_foreign: bool,
}

/// What a backend that keeps no replica wants done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// What makes it happen once.
    pub id: String,
    /// What to do.
    pub op: CommandOp,
    /// To which line; all but `clear` need one.
    #[serde(default)]
    pub line: Option<LineKey>,
    /// How many units; absent means 1 for `add` and `dec`.
    #[serde(default)]
    pub quantity: Option<u32>,
    /// What the line looks like.
    #[serde(default)]
    pub info: Option<LineInfo>,
}

/// What a command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandOp {
    /// So many units more.
    Add,
    /// So many units in all.
    Set,
    /// So many units fewer.
    Dec,
    /// The line away.
    Remove,
    /// All lines away.
    Clear,
}

/// What a cart's object answers to a call of the wire.
#[derive(Debug, Serialize, Deserialize)]
pub struct CartAnswer {
    /// One JSON object of the wire. The pipeline adds to it where the call is done.
    pub body: Box<RawValue>,
    /// Why the call is refused; absent where it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<RefusedCode>,
    /// The label of the cart that a refused one has moved into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub into: Option<String>,
    /// Whether the same order was known already. Always written, so that the answer of an object of the version before, whose
    /// refusals are elsewhere, cannot be read.
    pub is_repeat: bool,
}

impl CartAnswer {
    /// The answer to a call that is done.
    ///
    /// # Errors
    /// `Fatal`: a shape that is no JSON is a bug.
    pub fn done(body: &impl Serialize, is_repeat: bool) -> Result<CartAnswer, Failure> {
        Ok(CartAnswer { body: raw(encode(body)?)?, refused: None, into: None, is_repeat })
    }

    /// The answer to a call that is refused.
    ///
    /// # Errors
    /// `Fatal`: a shape that is no JSON is a bug.
    pub fn refused(why: CartRefusal) -> Result<CartAnswer, Failure> {
        let body = raw(why.to_body()?)?;
        Ok(CartAnswer { body, refused: Some(why.code), into: why.into, is_repeat: false })
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.refused.map_or(200, RefusedCode::status)
    }
}

/// JSON that is handed on as it is.
///
/// # Errors
/// `Fatal` for text that is no JSON.
pub fn raw(text: String) -> Result<Box<RawValue>, Failure> {
    RawValue::from_string(text).map_err(|error| Failure::Fatal(error.to_string()))
}

/// The part of a [`CartSummary`] that an order needs.
#[derive(Debug, Deserialize)]
pub struct CartKnown {
    /// Whether anything is kept.
    pub known: bool,
    /// Whose.
    pub owner: Owner,
}

/// A cart as people look at it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartSummary {
    /// Its label.
    pub cart: String,
    /// Whether anything is kept.
    pub known: bool,
    /// Whose.
    pub owner: Owner,
    /// `open`, `merging` or `merged`.
    pub standing: String,
    /// The hub's revision.
    pub rev: String,
    /// Which life of the cart.
    pub epoch: u32,
    /// What is in it.
    pub lines: Vec<ShownLine>,
    /// What that costs, in minor units per currency.
    pub totals: BTreeMap<String, String>,
    /// The checkout that is open.
    pub checkout: Option<String>,
    /// The replicas that have edited it.
    pub replicas: Vec<ShownReplica>,
    /// When it was last edited, milliseconds since the epoch.
    pub edited_ms: i64,
}

/// A line in plain words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownLine {
    /// The line.
    pub line: LineKey,
    /// Its units.
    pub quantity: u32,
    /// What it looks like.
    #[serde(flatten)]
    pub info: LineInfo,
}

/// A replica as people look at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownReplica {
    /// Its id.
    pub replica: ReplicaId,
    /// Its last operation that is applied.
    pub acked: u32,
    /// When its last operation came, milliseconds since the epoch.
    pub seen_ms: i64,
}

/// The customer's cart that a guest's moves into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerCart {
    /// Its label.
    pub cart: String,
    /// The customer, as the sender of the merge's calls.
    pub speaker: Speaker,
    /// The policy's name in `hilo.toml`.
    pub policy: String,
}

/// What a guest's cart answers when it shall move.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leave {
    /// There is nothing to move.
    Nothing,
    /// Take this to the customer's cart, then ask [`CartAsk::Left`].
    Leaving(Box<Leaving>),
    /// It has moved already.
    Left,
}

/// A guest's cart on its way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Leaving {
    /// What makes it happen once.
    pub merge_id: String,
    /// Where to.
    pub to: CustomerCart,
    /// Everything that moves. Only `store/cart` reads it.
    pub cargo: Box<RawValue>,
}

/// A touchpoint of the hub on its way to a profile.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Touchpoint {
    /// Its place in the cart's outbox.
    pub seq: i64,
    /// The source in whose name it is judged.
    pub source: String,
    /// The event in the Segment spec's words.
    pub event: Box<RawValue>,
}

/// Asks the cart object with this label.
///
/// # Errors
/// The object's own failure, or that it could not be reached.
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
