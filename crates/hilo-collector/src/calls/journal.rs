//! What the journal can be asked: the reject log, delivery counters, dead letters. `store/journal.rs` answers.

use serde::{Deserialize, Serialize};

use super::{decode, encode};
use crate::platform::{Failure, Object, Platform};

/// A question to the journal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JournalCall {
    /// What became of an envelope. Answers `()`.
    Judged(JudgedCall),
    /// What became of deliveries. Answers `()`.
    Attempted {
        /// One per attempt.
        attempts: Vec<Attempt>,
    },
    /// The reject log, newest first. Answers [`Rejects`].
    Rejects {
        /// Only what came at or after this moment, milliseconds since the epoch.
        since_ms: i64,
        /// At most this many.
        limit: u32,
    },
    /// The health of every destination. Answers `Vec<Health>`.
    Deliveries,
    /// What was given up, newest first. Answers `Vec<DeadLetter>`.
    DeadLetters {
        /// Only this destination's.
        destination: Option<String>,
        /// Only what died at or after this moment.
        since_ms: i64,
        /// Only these events; empty means all.
        message_ids: Vec<String>,
        /// At most this many.
        limit: u32,
    },
    /// These are pending again. Answers `()`.
    Replayed {
        /// Which.
        letters: Vec<DeadLetter>,
    },
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
    /// Whose event it is.
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

/// What became of an envelope, or of a call that was refused as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgedCall {
    /// For watchers of the live stream; empty where nobody watches.
    pub live: Vec<LiveEvent>,
    /// For the reject log.
    pub rejects: Vec<Reject>,
    /// Days a reject is kept.
    pub rejects_days: u32,
}

/// One attempt to deliver, as the journal counts it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// Where to.
    pub destination: String,
    /// The profile object that keeps the row.
    pub profile: String,
    /// Which event.
    pub message_id: String,
    /// `delivered`, `retry` or `dead`.
    pub result: String,
    /// Why not delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The reject log and its counts by code.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Rejects {
    /// How often, by code, over the whole time asked for.
    pub counts: std::collections::BTreeMap<String, u32>,
    /// The newest.
    pub rejects: Vec<Reject>,
}

/// How a destination is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// Its name.
    pub destination: String,
    /// Events it has.
    pub delivered: u32,
    /// Attempts that will be made again.
    pub retried: u32,
    /// Events given up.
    pub dead: u32,
    /// When it last took something, RFC 3339.
    pub last_delivered_at: Option<String>,
    /// Why it last did not.
    pub last_error: Option<String>,
    /// When that was.
    pub last_error_at: Option<String>,
}

/// An event given up for one destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// The profile object that keeps the event.
    pub profile: String,
    /// Which event.
    pub message_id: String,
    /// Where it could not go.
    pub destination: String,
    /// Why.
    pub reason: String,
    /// When, RFC 3339.
    pub at: String,
}

/// Asks the journal.
///
/// # Errors
/// The object's own failure, or that it could not be reached.
pub async fn ask_journal<P: Platform, A: serde::de::DeserializeOwned>(
    platform: &P,
    call: &JournalCall,
) -> Result<A, Failure> {
    decode(&platform.ask(&Object::Journal, encode(call)?).await?)
}
