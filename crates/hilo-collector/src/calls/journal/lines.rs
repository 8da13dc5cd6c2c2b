//! The lines of the journal: live events, refusals, results of attempts, counters, dead letters.
//!
//! This file has shapes only, so that `platform` may use it.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A judged event as the live stream shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LiveEvent {
    /// The number that orders the events of the stream: a watcher that comes back names the last one that it has.
    pub seq: i64,
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
    /// The name of the profile's object, by which the event is forgotten. No watcher gets it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub profile: String,
    /// The anonymous id of the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anonymous_id: Option<String>,
    /// The id of the user, verified or claimed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
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
    /// The hash of the event's id, if it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_hash: Option<String>,
    /// The item's shape without its values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
}

/// The kind of a refusal: refusals of one kind are counted together.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RejectKind {
    /// The source's name; empty where no source was found.
    pub source: String,
    /// `rejected`, `dropped` or `notice`.
    pub outcome: String,
    /// The stable code.
    pub code: String,
}

/// The number of refusals of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectCount {
    /// What is counted.
    #[serde(flatten)]
    pub kind: RejectKind,
    /// All refusals of this kind, those without a line included.
    pub seen: u32,
    /// The refusals that have a line.
    pub kept: u32,
}

/// How an attempt to deliver ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptEnd {
    /// The destination accepted the event.
    Delivered,
    /// Nobody knows whether the destination got the event, and it counts as sent.
    Assumed,
    /// The event does not go there, and nothing is wrong.
    Skipped,
    /// The attempt failed and is repeated.
    Retried,
    /// The destination did not let us in. The delivery waits, because the deployer can mend that.
    Shut,
    /// The delivery was given up.
    Dead,
}

/// One attempt to deliver, for the journal's counters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The destination's name.
    pub destination: String,
    /// The name of the profile object that keeps the row.
    pub profile: String,
    /// The hash of the event's id.
    pub message_hash: String,
    /// How it ended.
    pub end: AttemptEnd,
    /// The code of the reason.
    pub code: String,
    /// The reason of an attempt that the destination has not accepted. `None` if the destination is not at fault.
    pub reason: Option<String>,
    /// The last request and its answer, of a delivery that was given up for them.
    pub shown: Option<Rc<Shown>>,
}

/// The codes of deliveries that our own rules end: the destination was not asked.
const OUR_CODES: [&str; 4] = ["consent_denied", "not_subscribed", "too_old", "too_large"];

impl Attempt {
    /// Whether the destination failed. A delivery that our own rules end is no failure: consent forbids it, or the event
    /// is too old.
    pub fn is_failure(&self) -> bool {
        let is_ours = OUR_CODES.contains(&self.code.as_str());
        match self.end {
            AttemptEnd::Delivered | AttemptEnd::Skipped => false,
            AttemptEnd::Assumed | AttemptEnd::Retried | AttemptEnd::Shut | AttemptEnd::Dead => {
                self.reason.is_some() && !is_ours
            }
        }
    }
}

/// The health of a destination.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The number of events that count as sent, though no answer came: the destination would count a repeat twice.
    #[serde(default)]
    pub assumed: u32,
    /// The number of events that do not go there though nothing is wrong, by the code of the reason.
    #[serde(default)]
    pub skipped: BTreeMap<String, u32>,
    /// The time of the last accepted event, RFC 3339.
    pub last_delivered_at: Option<String>,
    /// The reason of the last failed attempt.
    pub last_error: Option<String>,
    /// The time of the last failed attempt, RFC 3339.
    pub last_error_at: Option<String>,
    /// The time of the first failed attempt since the last accepted event, RFC 3339.
    #[serde(default)]
    pub failing_since: Option<String>,
}

/// An event that was given up for one destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// The name of the profile object that keeps the event.
    pub profile: String,
    /// The hash of the event's id. A dead letter of an earlier version has the id itself.
    #[serde(alias = "messageId")]
    pub message_hash: String,
    /// The destination's name.
    pub destination: String,
    /// The code of the reason.
    #[serde(default)]
    pub code: String,
    /// The reason.
    pub reason: String,
    /// The time when the delivery was given up, RFC 3339.
    pub at: String,
    /// The last request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<ShownRequest>,
    /// The answer to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<ShownAnswer>,
}

/// A request and its answer as people see them: no secret, nothing personal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The request.
    pub request: ShownRequest,
    /// The answer, if one came.
    pub answer: Option<ShownAnswer>,
}

/// A request as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownRequest {
    /// The method.
    pub method: String,
    /// The URL without the values of its query.
    pub url: String,
    /// The header fields; only harmless ones have their values.
    pub headers: BTreeMap<String, String>,
    /// The body's names and types, and the few values that name no person.
    pub body: Value,
}

/// An answer as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownAnswer {
    /// The status.
    pub status: u16,
    /// The beginning of the body, without personal values.
    pub body: String,
}

impl DeadLetter {
    /// Makes the dead letter of an attempt that was the last one.
    pub fn of(attempt: &Attempt, at: &str) -> DeadLetter {
        DeadLetter {
            profile: attempt.profile.clone(),
            message_hash: attempt.message_hash.clone(),
            destination: attempt.destination.clone(),
            code: attempt.code.clone(),
            reason: attempt.reason.clone().unwrap_or_default(),
            at: at.to_owned(),
            request: attempt.shown.as_ref().map(|shown| shown.request.clone()),
            answer: attempt.shown.as_ref().and_then(|shown| shown.answer.clone()),
        }
    }
}
