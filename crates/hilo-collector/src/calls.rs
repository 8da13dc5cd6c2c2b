//! What a profile object can be asked, and what travels between profile, queue and consumer.
//!
//! The vocabulary that `pipeline`, `forward` and `admin` share with `store`, so that none of them imports another.
//! Shapes and the one function that asks. `store/profile` answers.

pub mod cart;
mod delivery;
pub mod journal;
pub mod optin;
mod record;

use hilo_core::consent::{Change, Notice, Receipt};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

use crate::platform::{Failure, Object, Platform};
use optin::OptIn;

pub use delivery::{
    Confirmation, Delivery, DeliveryResult, MESSAGE_DELIVERIES_MAX, messages, read_message,
};
pub use record::{Planned, Record, RecordCall, Recorded, body};

/// A question to a profile object: `{"record": {…}}`. A tag inside would make serde keep a copy of every event until it
/// has seen the tag.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProfileCall {
    /// Keep the events that follow the call, see [`RecordCall`]. Answers nothing if each was stored and goes where it was planned
    /// to, otherwise `Vec<Recorded>`, one per record and in order.
    Record {
        /// The source that sent the events.
        source: String,
        /// Where events go; a record names them by their place here.
        plans: Vec<Planned>,
        /// The events, all of one profile.
        records: Vec<Record>,
    },
    /// Record a consent change. Answers [`ConsentRecorded`].
    Consent(ConsentChange),
    /// Answers [`ConsentCopy`].
    ConsentCopy,
    /// Record what was said about a channel. Answers the [`OptIn`] that stands.
    OptIn(OptIn),
    /// What became of deliveries. Answers `()`.
    Confirm {
        /// One per delivery that was attempted.
        confirmations: Vec<Confirmation>,
    },
    /// The folded profile. Answers [`Summary`].
    Summary,
    /// The timeline, newest first. Answers [`Page`] of events.
    Events {
        /// Where the page before ended.
        cursor: Option<String>,
        /// At most this many, and at most [`PAGE_ROWS_MAX`].
        limit: u32,
    },
    /// The receipts, newest first. Answers [`Page`] of receipts.
    Receipts {
        /// Where the page before ended.
        cursor: Option<String>,
        /// At most this many.
        limit: u32,
    },
    /// The ledger of opt-ins, newest first. Answers [`Page`] of [`OptIn`].
    OptIns {
        /// Where the page before ended.
        cursor: Option<String>,
        /// At most this many.
        limit: u32,
    },
    /// Deliveries, newest first. Answers [`Page`] of [`DeliveryState`].
    Deliveries {
        /// Where the page before ended.
        cursor: Option<String>,
        /// At most this many.
        limit: u32,
    },
    /// Makes dead deliveries pending again. Answers how many.
    Replay {
        /// Only this destination's.
        destination: Option<String>,
        /// Only this event's.
        message_id: Option<String>,
    },
}

/// Rows of one page.
pub const PAGE_ROWS_MAX: u32 = 200;

/// A consent change as it reached the collector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentChange {
    /// Pseudonym of the person.
    pub subject: String,
    /// The deployer.
    pub controller: String,
    /// The revision these changes make.
    pub revision: u32,
    /// What changed.
    pub changes: Vec<Change>,
    /// The notice shown.
    pub notice: Notice,
    /// Raw signals by name.
    pub signals: BTreeMap<String, String>,
    /// Fresh random bytes for the receipt's id.
    pub random: [u8; 16],
}

/// What recording a change led to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentRecorded {
    /// The link this change added to the chain.
    pub receipt: Receipt,
    /// Purpose → `granted` or `denied`, as it stands now.
    pub state: BTreeMap<String, String>,
}

/// The person's copy of what was recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentCopy {
    /// Purpose → `granted` or `denied`, as it stands.
    pub state: BTreeMap<String, String>,
    /// The highest revision recorded.
    pub revision: u32,
    /// The whole chain, oldest first.
    pub receipts: Vec<Receipt>,
}

/// A profile as people look at it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Summary {
    /// Whether anything was ever recorded.
    pub known: bool,
    /// The folded profile; null where there is none.
    pub profile: Box<RawValue>,
    /// Events kept.
    pub events: u32,
    /// What stands recorded.
    pub consent: BTreeMap<String, String>,
    /// Channel → `subscribed` or `unsubscribed`, as it stands.
    pub optins: BTreeMap<String, String>,
}

/// One page of rows, each as stored.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Page {
    /// The rows.
    pub rows: Vec<Box<RawValue>>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

/// How far the delivery of one event to one destination is, as people look at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryState {
    /// Which event.
    pub message_id: String,
    /// Where to.
    pub destination: String,
    /// `pending`, `delivered` or `dead`.
    pub state: String,
    /// Attempts that failed.
    pub attempts: u32,
    /// When the next attempt is due, milliseconds since the epoch.
    pub next_ms: i64,
    /// Why the last attempt failed.
    pub reason: Option<String>,
    /// When the state changed last.
    pub updated_ms: i64,
}

/// Asks the profile object with this name.
///
/// # Errors
/// The object's own failure, or that it could not be reached.
pub async fn ask_profile<P: Platform, A: serde::de::DeserializeOwned>(
    platform: &P,
    name: String,
    call: &ProfileCall,
) -> Result<A, Failure> {
    ask(platform, name, encode(call)?).await
}

async fn ask<P: Platform, A: serde::de::DeserializeOwned>(
    platform: &P,
    name: String,
    call: String,
) -> Result<A, Failure> {
    let answer = platform.ask(&Object::Profile(name), call).await?;
    // An object that has nothing to say says nothing: a body costs its reader a promise.
    decode(if answer.is_empty() { "null" } else { &answer })
}

/// A judged event as the live stream shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LiveEvent {
    /// When it was judged, RFC 3339, edge clock.
    pub at: String,
    /// The source's name.
    pub source: String,
    /// Its id, if it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The wire's `type`; absent for an item that was refused before it could be read.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The act's or page's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anonymous_id: Option<String>,
    /// `accepted`, `duplicate`, `rejected` or `dropped`.
    pub outcome: String,
    /// Why, if it was not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The session's channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<hilo_core::journey::Channel>,
    /// The session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Where it is sent on.
    pub destinations: Vec<String>,
    /// The page's address, redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
}

/// A refusal or remark for the reject log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reject {
    /// When, RFC 3339, edge clock.
    pub at: String,
    /// The source's name; empty where no source was found.
    pub source: String,
    /// `rejected`, `dropped`, or `notice` for an event that was kept.
    pub outcome: String,
    /// The stable code.
    pub code: String,
    /// The field to blame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// For people.
    pub message: String,
    /// Its place in the envelope; absent for an envelope that was refused as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
    /// Its id, if it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The item's shape without its values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
}

/// What the pipeline tells the journal. `store/journal.rs` reads it as one of its calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgedCall {
    /// For whoever watches; empty when nobody does.
    pub live: Vec<LiveEvent>,
    /// For the reject log.
    pub rejects: Vec<Reject>,
    /// Days a reject is kept.
    pub rejects_days: u32,
}

/// Writes JSON for an object.
///
/// # Errors
/// `Fatal`: a shape that is no JSON is a bug.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::Fatal(error.to_string()))
}

/// Reads JSON from an object.
///
/// # Errors
/// `Fatal`: both sides are this crate.
pub fn decode<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| Failure::Fatal(error.to_string()))
}
