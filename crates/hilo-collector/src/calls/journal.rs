//! The calls of the journal: the reject log, delivery counters and dead letters. `store/journal.rs` answers.

use std::cell::RefCell;
use std::collections::VecDeque;

use hilo_core::outcome::Code;
use serde::{Deserialize, Serialize};

use super::{decode, encode};
use crate::platform::{Failure, Object, Platform};

/// The most events that an isolate keeps for the live stream while nobody watches. The journal writes them all, so the number is
/// also the price of a history: a watcher who connects sees what happened before.
pub const UNSEEN_MAX: usize = 20;

thread_local! {
    /// The last events that no call has carried to the journal. One isolate is one thread.
    static UNSEEN: RefCell<VecDeque<LiveEvent>> = const { RefCell::new(VecDeque::new()) };
}

/// Keeps events for the next call of the journal, and forgets the oldest beyond [`UNSEEN_MAX`].
pub fn keep_unseen(events: impl IntoIterator<Item = LiveEvent>) {
    UNSEEN.with_borrow_mut(|unseen| {
        unseen.extend(events);
        unseen.drain(..unseen.len().saturating_sub(UNSEEN_MAX));
    });
}

/// Takes the kept events, oldest first.
pub fn take_unseen() -> Vec<LiveEvent> {
    UNSEEN.with_borrow_mut(|unseen| unseen.drain(..).collect())
}

/// A call of the journal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JournalCall {
    /// Store the outcomes of an envelope. Answers `()`.
    Judged(JudgedCall),
    /// Count attempts to deliver. Answers `()`.
    Attempted {
        /// One per attempt.
        attempts: Vec<Attempt>,
    },
    /// Reads the reject log, newest first. Answers [`Rejects`].
    Rejects {
        /// Only rejects from this time on, milliseconds since the epoch.
        since_ms: i64,
        /// The most rejects to answer.
        limit: u32,
    },
    /// Reads the health of every destination. Answers `Vec<Health>`.
    Deliveries,
    /// Reads the dead letters, newest first. Answers `Vec<DeadLetter>`.
    DeadLetters {
        /// Only dead letters of this destination.
        destination: Option<String>,
        /// Only dead letters that were given up from this time on.
        since_ms: i64,
        /// Only these events; empty means all.
        message_ids: Vec<String>,
        /// The most dead letters to answer.
        limit: u32,
    },
    /// Remove these dead letters, because their deliveries are pending again. Answers `()`.
    Replayed {
        /// The dead letters.
        letters: Vec<DeadLetter>,
    },
}

/// A judged event as the live stream shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LiveEvent {
    /// The time when the event was judged, RFC 3339, edge clock.
    pub at: String,
    /// The source's name.
    pub source: String,
    /// The event's id, if it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The wire's `type`; absent for an item that was refused before it could be read.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The name of the event or page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The anonymous id of the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anonymous_id: Option<String>,
    /// `accepted`, `duplicate`, `rejected` or `dropped`.
    pub outcome: String,
    /// The code of the outcome, if the event was not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The channel of the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<hilo_core::journey::Channel>,
    /// The session's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The destinations that the event is sent to.
    pub destinations: Vec<String>,
    /// The page's address, redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// The names of the properties or traits, with values where a value is plain and types elsewhere.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub properties: hilo_core::event::Properties,
}

/// A refusal or remark for the reject log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reject {
    /// The time of the refusal, RFC 3339, edge clock.
    pub at: String,
    /// The source's name; empty where no source was found.
    pub source: String,
    /// `rejected`, `dropped`, or `notice` for an event that was kept.
    pub outcome: String,
    /// The stable code.
    pub code: String,
    /// The field that caused the refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The explanation, for people.
    pub message: String,
    /// The item's index in the envelope; absent if the envelope was refused as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
    /// The event's id, if it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The item's shape without its values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
}

/// The outcomes of an envelope, or the refusal of a whole call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgedCall {
    /// The events for the live stream. While nobody watches, a call carries the last events of its isolate.
    pub live: Vec<LiveEvent>,
    /// The entries for the reject log.
    pub rejects: Vec<Reject>,
    /// The number of days that a reject is kept.
    pub rejects_days: u32,
}

/// One attempt to deliver, for the journal's counters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// The destination's name.
    pub destination: String,
    /// The name of the profile object that keeps the row.
    pub profile: String,
    /// The event's id.
    pub message_id: String,
    /// `delivered`, `retry` or `dead`.
    pub result: String,
    /// The reason of a failed attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Attempt {
    /// Whether the destination failed. A delivery that our own rules end is no failure: consent forbids it, or the event
    /// is too old.
    pub fn is_failure(&self) -> bool {
        let reason = self.reason.as_deref().unwrap_or_default();
        let is_ours = reason == Code::ConsentDenied.name() || reason.starts_with("too_old");
        self.result != "delivered" && !is_ours
    }
}

/// The reject log and its counts by code.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Rejects {
    /// The number of rejects by code, over the whole time range of the call.
    pub counts: std::collections::BTreeMap<String, u32>,
    /// The newest rejects.
    pub rejects: Vec<Reject>,
}

/// The health of a destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// The destination's name.
    pub destination: String,
    /// The number of events that the destination has accepted.
    pub delivered: u32,
    /// The number of attempts that failed and are repeated.
    pub retried: u32,
    /// The number of events that were given up.
    pub dead: u32,
    /// The time of the last accepted event, RFC 3339.
    pub last_delivered_at: Option<String>,
    /// The reason of the last failed attempt.
    pub last_error: Option<String>,
    /// The time of the last failed attempt, RFC 3339.
    pub last_error_at: Option<String>,
    /// The time of the first failed attempt since the last accepted event, RFC 3339.
    pub failing_since: Option<String>,
}

/// An event that was given up for one destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// The name of the profile object that keeps the event.
    pub profile: String,
    /// The event's id.
    pub message_id: String,
    /// The destination's name.
    pub destination: String,
    /// The reason.
    pub reason: String,
    /// The time when the delivery was given up, RFC 3339.
    pub at: String,
}

/// Sends a call to the journal.
///
/// # Errors
/// The object's own failure, or a failure to reach the object.
pub async fn ask_journal<P: Platform, A: serde::de::DeserializeOwned>(
    platform: &P,
    call: &JournalCall,
) -> Result<A, Failure> {
    decode(&platform.ask(&Object::Journal, encode(call)?).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_isolate_keeps_its_last_events_for_the_next_call() {
        let event = |n: usize| LiveEvent { at: n.to_string(), ..LiveEvent::default() };
        keep_unseen((0..3).map(event));
        keep_unseen((3..UNSEEN_MAX + 2).map(event));
        let kept: Vec<_> = take_unseen().into_iter().map(|event| event.at).collect();
        assert_eq!(kept, (2..UNSEEN_MAX + 2).map(|n| n.to_string()).collect::<Vec<_>>());
        assert_eq!(take_unseen(), []);
    }
}
