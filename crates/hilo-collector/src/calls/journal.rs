//! The journal: reject log, live stream, delivery counters and dead letters. Its calls, and what an isolate sends.
//!
//! Nobody waits for the journal: isolates gather (`gathered.rs`, `live.rs`) and send from time to time (`sending.rs`).
//! `store/journal` answers. One object, the head, has counters, dead letters and the index of the objects that keep
//! refusals: a few for each hour. One more object has the watchers of the live stream.
//!
//! Many people share these objects, and SQLite keeps the bytes of rows that were deleted. So that nothing of a person has to be
//! erased here, the journal stores no id of an event, only its hash.

pub mod gathered;
pub mod held;
pub mod lines;
pub mod live;
mod sending;
pub mod watch;

use serde::{Deserialize, Serialize};

use super::{decode, encode};
use crate::platform::{Failure, Object, Platform};
use gathered::Shard;
use held::{HeldEvent, HeldWanted};
use lines::{DeadLetter, Health, Reject, RejectCount};
use live::{LiveAnswer, LiveCall};
use watch::{Change, Watched};

pub use sending::{
    Rejects, Wanted, forget_profile, list_dead, note_attempts, note_endings, note_rejects,
    read_rejects, send_counted, send_gathered, show_before_watching, show_events,
};

/// A call of the journal's head.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JournalCall {
    /// Add what an isolate has counted. Answers `()`.
    Counted {
        /// A shard that is about to get its first refusals of this isolate.
        shard: Option<Shard>,
        /// Attempts to deliver, one entry per destination.
        attempts: Vec<Health>,
    },
    /// List these deliveries as dead letters. Answers `()`.
    Dead {
        /// The dead letters.
        letters: Vec<DeadLetter>,
    },
    /// Reads which shards keep refusals, newest first. Answers [`RejectIndex`].
    RejectIndex {
        /// Only shards and refusals from this time on, milliseconds since the epoch.
        since_ms: i64,
        /// The most refusals to answer.
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
        /// Only dead letters that were given up before this time.
        #[serde(default)]
        until_ms: Option<i64>,
        /// Only dead letters whose reason has this code.
        #[serde(default)]
        code: Option<String>,
        /// Only these events, by the hashes of their ids; empty means all.
        messages: Vec<String>,
        /// The most dead letters to answer.
        limit: u32,
    },
    /// Forget the dead letters and held events of a profile's object, because its person was erased. Answers `()`.
    Forget {
        /// The object's name.
        profile: String,
    },
    /// Hold events that the tracking plan refused. Answers `()`.
    Hold {
        /// The events.
        events: Vec<HeldEvent>,
    },
    /// Reads held events, oldest first. Answers `Vec<HeldEvent>`.
    Held(HeldWanted),
    /// Remove held events, because they were taken up. Answers `()`.
    Released {
        /// The names of their profiles' objects, and the hashes of their ids.
        events: Vec<(String, String)>,
    },
    /// Remove these dead letters, because their deliveries are pending again. Answers `()`.
    Replayed {
        /// The dead letters.
        letters: Vec<DeadLetter>,
    },
    /// Remember the faults of a scheduled check. Answers [`Change`]: what is news.
    Watch {
        /// The faults.
        faults: Vec<Watched>,
        /// The time at which a probe of the queue was sent, milliseconds since the epoch.
        probed_ms: i64,
    },
    /// A probe of the queue has arrived. Answers `()`.
    Probed {
        /// The time at which it was sent.
        sent_ms: i64,
    },
    /// An alert of this change has arrived. Answers `()`.
    Told {
        /// The change.
        change: Change,
    },
    /// Reads what is remembered of the last check. Answers [`watch::Remembered`].
    Faults,
}

/// A call of a shard.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectsCall {
    /// Keep refusals. Answers `()`.
    Keep(KeptRejects),
    /// Reads the newest refusals, and the counts of all. Answers [`KeptRejects`].
    Read {
        /// Only refusals from this time on, milliseconds since the epoch.
        since_ms: i64,
        /// The most refusals to answer.
        limit: u32,
        /// Only refusals whose code begins so.
        #[serde(default)]
        code: Option<String>,
    },
}

/// Refusals with their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptRejects {
    /// The numbers by kind.
    pub counts: Vec<RejectCount>,
    /// The refusals that have a line; oldest first in a call, newest first in an answer.
    pub rejects: Vec<Reject>,
}

/// The shards of a time range.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct RejectIndex {
    /// The shards, newest hour first.
    pub shards: Vec<Shard>,
    /// The refusals that the head itself keeps: hilo wrote them there before there were shards.
    pub own: KeptRejects,
}

/// Sends a call to the journal's head.
///
/// # Errors
/// The object's own failure, or a failure to reach the object.
pub async fn ask_journal<P: Platform, A: serde::de::DeserializeOwned>(
    platform: &P,
    call: &JournalCall,
) -> Result<A, Failure> {
    decode(&platform.ask(&Object::Journal, encode(call)?).await?)
}

/// Sends a call to a shard.
async fn ask_shard<P: Platform, A: serde::de::DeserializeOwned>(
    platform: &P,
    shard: Shard,
    call: &RejectsCall,
) -> Result<A, Failure> {
    decode(&platform.ask(&Object::Rejects(shard.name()), encode(call)?).await?)
}

/// Sends a call to the live object.
async fn ask_live<P: Platform>(platform: &P, call: &LiveCall) -> Result<LiveAnswer, Failure> {
    decode(&platform.ask(&Object::Live, encode(call)?).await?)
}
