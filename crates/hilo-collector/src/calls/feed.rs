//! The calls of a feed's object, and what passes between it, the runs that read the service, and people.
//!
//! Each source with `kind = "feed"` has one such object. It keeps how far the service was read, and the touchpoints of posts and
//! channels, which are about no person. `store/feed` answers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Confirmation, UnderWay, decode, encode};
use crate::platform::{Failure, Object, Platform};

/// How the name of a feed begins where destinations and feeds are named: in deliveries, and at the objects with tokens.
pub const PREFIX: &str = "source:";

/// How the id of a deleted record begins among the ids of which a service has told.
pub const DELETED: &str = "deleted:";

/// The longest time between two signs of a run. A run that gives none was killed, and another one may begin.
pub const LEASE_MS: i64 = 120_000;

/// What happened to a post or a channel. It is about no person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Touch {
    /// Its id, unique within the feed. A second touchpoint with one id changes nothing.
    pub id: String,
    /// Its name, such as `social_post_published`.
    pub event: String,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// The channel: a profile or a page of a network, by the service's id.
    pub channel: String,
    /// Its details.
    pub properties: Map<String, Value>,
    /// What the service has counted so far, if it counts.
    pub counters: Option<Counters>,
}

/// Totals of a service. The touchpoint gets their differences from the last ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Counters {
    /// What is counted, such as `post:17`.
    pub of: String,
    /// Name → total.
    pub totals: BTreeMap<String, f64>,
}

/// A flag of somebody's record as the object keeps it: hashes that only the collector can make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlagRecord {
    /// The record and its field.
    pub of: String,
    /// The person whom a set flag is about; `None` where the flag is not set.
    pub about: Option<String>,
}

/// A record of somebody, and where it leads: keyed hashes that only the collector can make.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordOf {
    /// The record.
    pub of: String,
    /// The object of the person whom the record names by an id.
    pub object: Option<String>,
    /// The key of the record's address in the index.
    pub key: Option<String>,
    /// The objects of persons whom the record named before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects_before: Vec<String>,
    /// The keys of addresses that the record had before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys_before: Vec<String>,
}

impl RecordOf {
    /// Every object to which the record leads or led by an id.
    pub fn objects(&self) -> impl Iterator<Item = &String> {
        self.object.iter().chain(&self.objects_before)
    }

    /// Every key that the record has or had.
    pub fn keys(&self) -> impl Iterator<Item = &String> {
        self.key.iter().chain(&self.keys_before)
    }
}

/// An id of which a service has told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The id.
    pub id: String,
    /// When the service told it last. A later call has a later time, so whatever was read before does not count as read for it.
    pub at_ms: i64,
    /// Whether the person of a deleted record was erased.
    #[serde(default)]
    pub is_erased: bool,
}

/// A touchpoint as the object keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TouchRecord {
    /// Its id.
    pub id: String,
    /// The event as JSON, without differences.
    pub event: Value,
    /// What the service has counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counters: Option<Counters>,
    /// The destinations that get it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub destinations: Vec<String>,
}

/// A call of the object.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedCall {
    /// Begins a run. Answers [`Begun`].
    Begin {
        /// The run's random id.
        run: String,
        /// The most calls of the service in 24 hours.
        calls_max: u32,
    },
    /// Makes a run due, because a person asks for it. A run that has not ended loses its place. Answers `()`.
    Hurry,
    /// Asks which flags were heard before as they are now. Answers `Vec<bool>`.
    Heard(Vec<FlagRecord>),
    /// Keeps what a page told, whose reports are durable, and counts the next call of the service. Answers [`Taken`].
    Page {
        /// The run's id.
        run: String,
        /// The state behind the page.
        state: Value,
        /// The touchpoints of posts and channels.
        touches: Vec<TouchRecord>,
        /// The flags of people's records, as they are now.
        #[serde(default)]
        flags: Vec<FlagRecord>,
        /// The ids that need not be read again, unless the service has told them again meanwhile.
        read: Vec<Told>,
        /// The number of reports about people.
        reports: u32,
        /// The number of parts that could not be used.
        odd: u32,
        /// Whether the run goes on.
        goes_on: bool,
        /// The most calls of the service in 24 hours.
        calls_max: u32,
    },
    /// Keeps records of people and where they lead, before anything is told about these people. Answers `()`.
    Records(Vec<RecordOf>),
    /// The persons of a record. Answers `Option<RecordOf>`.
    Record {
        /// The hash of the record.
        of: String,
    },
    /// Notes that the person of a deleted record was erased. Answers `()`.
    Erased {
        /// The id that was noted.
        id: String,
    },
    /// Forgets a record that was deleted, and that a call has told so, unless another call has told it meanwhile. Answers `()`.
    Forget {
        /// The id that was noted.
        told: Told,
        /// The hash of the record.
        of: String,
    },
    /// Ends a run. Answers `()`.
    End {
        /// The run's id.
        run: String,
        /// How it ended.
        end: RunEnd,
        /// The seconds between two runs.
        every_s: u32,
    },
    /// Notes ids of which the service has told. Answers `()`.
    Told {
        /// The ids.
        ids: Vec<String>,
    },
    /// Asks how things stand. Answers [`FeedStanding`].
    Standing,
    /// The touchpoints, newest first. Answers [`super::Page`].
    Events {
        /// The `next` of the page before.
        cursor: Option<String>,
        /// The most rows to answer.
        limit: u32,
    },
    /// Takes deliveries that are due. Answers `Vec<DueTouch>`.
    Due {
        /// The most to answer.
        limit: u32,
    },
    /// Record the results of deliveries, as a profile does. Answers `()`.
    Confirm {
        /// One confirmation per delivery that was attempted.
        confirmations: Vec<Confirmation>,
    },
    /// Asks whether deliveries may still be attempted, as a profile is asked. Answers `Vec<bool>`.
    Wanted(Vec<UnderWay>),
    /// Marks deliveries that are about to be sent, as a profile does. Answers `Vec<Option<i64>>`.
    Sending(Vec<UnderWay>),
    /// Makes dead deliveries pending again, as a profile does. Answers their number.
    Replay {
        /// Only deliveries to this destination.
        destination: Option<String>,
        /// Only deliveries of this event, by the hash of its id, or by the id itself.
        message: Option<String>,
    },
}

/// Whether a run may begin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Begun {
    /// It may, and its first call is counted.
    Run {
        /// What the pages before have left.
        state: Value,
        /// Ids of which the service has told, and that are not read yet.
        told: Vec<Told>,
        /// Records that the service has deleted, and that are not forgotten yet.
        #[serde(default)]
        deleted: Vec<Told>,
    },
    /// It is not due.
    Waits {
        /// When it is, milliseconds since the epoch.
        at_ms: i64,
    },
    /// Another run has not ended.
    Runs,
    /// The calls of 24 hours are used up.
    Spent,
}

/// What became of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Taken {
    /// It is kept, and the next call of the service is counted.
    GoOn,
    /// It is kept, and the run ends.
    Stop,
    /// It is kept, and the calls of 24 hours are used up.
    Spent,
    /// It is not kept: another run has begun.
    Lost,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunEnd {
    /// Everything is read.
    Done,
    /// There is more, and the next run goes on.
    More,
    /// The calls of 24 hours are used up.
    Spent,
    /// It failed.
    Failed {
        /// The seconds that the service asks to wait.
        after_s: Option<u32>,
        /// The reason, for people.
        reason: String,
        /// Whether nothing gets better before the deployer acts.
        must_mend: bool,
    },
}

/// How a feed stands, for people and for `/health`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FeedStanding {
    /// When the first run began, milliseconds since the epoch.
    pub first_ms: Option<i64>,
    /// When everything was read last, milliseconds since the epoch.
    pub done_ms: Option<i64>,
    /// When the next run is due, milliseconds since the epoch.
    pub next_ms: Option<i64>,
    /// Since when runs fail, milliseconds since the epoch.
    pub failing_ms: Option<i64>,
    /// The last failure, if no run succeeded since.
    pub reason: Option<String>,
    /// Whether nothing gets better before the deployer acts.
    pub must_mend: bool,
    /// The calls of the service in the last 24 hours.
    pub calls: u32,
    /// The ids that are to be read.
    pub told: u32,
    /// The reports about people so far.
    pub reports: u64,
    /// The parts so far that could not be used.
    pub odd: u64,
    /// The touchpoints of posts and channels that are kept.
    pub touches: u32,
    /// The deliveries of touchpoints that wait.
    pub pending: u32,
    /// The deliveries of touchpoints that were given up.
    pub dead: u32,
}

/// A delivery of a touchpoint that is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueTouch {
    /// The row.
    pub row: i64,
    /// The event's id.
    pub message_id: String,
    /// The destination's name.
    pub destination: String,
    /// The number of attempts before this one.
    pub attempt: u32,
    /// Since when it is pending, milliseconds since the epoch.
    pub since_ms: i64,
    /// The end of its lease, milliseconds since the epoch.
    pub until_ms: i64,
    /// The steps that are done.
    pub steps: u32,
    /// The event.
    pub event: String,
}

/// Sends a call to the object of the feed called `name`.
///
/// # Errors
/// The object's own failure, or a failure to reach the object.
pub async fn ask_feed<P: Platform, A: serde::de::DeserializeOwned>(
    platform: &P,
    name: &str,
    call: &FeedCall,
) -> Result<A, Failure> {
    decode(&platform.ask(&Object::Feed(name.to_owned()), encode(call)?).await?)
}
