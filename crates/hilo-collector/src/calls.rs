//! What a profile's object can be asked, and what goes between profile, queue and consumer.
//!
//! The vocabulary that `pipeline`, `forward` and `admin` share with `store`, so that none of them imports another. Shapes, and
//! the one function that asks. `store/profile` answers.

pub mod cart;
mod delivery;
pub mod journal;
mod json;
pub mod optin;
mod record;
mod record_call;
pub mod refused;

use hilo_core::consent::{ChoiceChange, Notice, Receipt};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

use crate::platform::{Failure, Object, Platform};
use optin::OptIn;

pub use delivery::{
    Confirmation, Delivery, DeliveryResult, MESSAGE_DELIVERIES_MAX, messages, read_message,
};
pub use json::{decode, encode, map_of};
pub use record::{Planned, Record, Recorded, body};
pub use record_call::RecordCall;

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
    pub changes: Vec<ChoiceChange>,
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
    // The object answers 204 where nothing differs from the plan, because reading a body costs the Worker a promise.
    decode(if answer.is_empty() { "null" } else { &answer })
}
