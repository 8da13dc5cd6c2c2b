//! The calls of the inbox's objects, and what passes between them and the pipeline.
//!
//! A webhook's call that was verified waits in an object until its work is done. Each source has [`SHARDS`] objects, and a call's key
//! names its own, so that a repeat meets the first. `store/inbox` answers, and `pipeline/inbound` does the work.

use std::collections::BTreeMap;

use hilo_core::outcome::Code;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{decode, encode};
use crate::platform::{Failure, Object, Platform};
use crate::signature::hex;

/// The objects of a source: calls of one object are worked on one after another.
pub const SHARDS: u8 = 8;

/// A call of a webhook, as it waits.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// The source's name.
    pub source: String,
    /// When it came.
    pub at: Timestamp,
    /// The header fields that its reading needs, by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// The body. Bytes that are not UTF-8 damage only the text that contains them.
    pub body: String,
}

/// `Debug` shows no body.
impl std::fmt::Debug for Arrival {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Arrival")
            .field("source", &self.source)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// A call of an object.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InboxCall {
    /// Keeps a call of a webhook. Answers whether it was there already: `bool`.
    Take {
        /// The hash that tells a repeat.
        key: String,
        /// The call.
        arrival: Box<Arrival>,
    },
    /// Reads how things stand. Answers [`InboxStanding`].
    Standing {
        /// The most kept calls to show.
        limit: u32,
    },
    /// Works on kept calls again. Answers their number.
    Replay(Wanted),
}

/// Kept calls that somebody wants worked on again.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Wanted {
    /// Those that came at this time or later, milliseconds since the epoch.
    pub since_ms: i64,
    /// Those that came before this time.
    pub until_ms: Option<i64>,
    /// Those that are kept for this reason.
    pub code: Option<String>,
    /// The most.
    pub limit: u32,
}

/// How an object's calls stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxStanding {
    /// Those that wait for their work.
    pub waiting: u32,
    /// When the oldest of them came, milliseconds since the epoch.
    pub oldest_ms: Option<i64>,
    /// Those that were not understood or failed, and can be worked on again.
    pub kept: u32,
    /// The newest of these.
    pub newest: Vec<KeptArrival>,
}

/// A kept call, without its body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptArrival {
    /// The hash that tells a repeat.
    pub key: String,
    /// When it came.
    pub at: Timestamp,
    /// Why it is kept.
    pub code: String,
    /// How often it was worked on.
    pub attempts: u32,
}

/// What became of the work on a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Worked {
    /// It is done: nothing of the body stays.
    Done,
    /// It is not understood, or cannot be taken as it is. The body stays for a while.
    Kept(Code),
    /// It may succeed later.
    Again(String),
}

/// Keeps a call in its object. Returns whether it was there already.
///
/// # Errors
/// The object's own failure, or a failure to reach the object. The call may be kept all the same.
pub async fn keep<P: Platform>(
    platform: &P,
    key: [u8; 32],
    arrival: Arrival,
) -> Result<bool, Failure> {
    let shard = key.first().copied().unwrap_or_default() % SHARDS;
    let object = object(&arrival.source, shard);
    let call = InboxCall::Take { key: hex(&key), arrival: Box::new(arrival) };
    ask_inbox(platform, object, &call).await
}

/// The object with this number of a source.
pub fn object(source: &str, shard: u8) -> Object {
    Object::Inbox(format!("{source}.{shard}"))
}

/// Sends a call to an object.
///
/// # Errors
/// The object's own failure, or a failure to reach the object.
pub async fn ask_inbox<P: Platform, A: serde::de::DeserializeOwned>(
    platform: &P,
    object: Object,
    call: &InboxCall,
) -> Result<A, Failure> {
    decode(&platform.ask(&object, encode(call)?).await?)
}
