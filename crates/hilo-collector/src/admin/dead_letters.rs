//! `GET /admin/v1/dead-letters` lists deliveries that were given up; `POST …/replay` makes them pending again.

use serde_json::json;

use super::http::{body, limit, ok, since, time_ms};
use crate::call::{Call, Trouble};
use crate::calls::journal::lines::DeadLetter;
use crate::calls::journal::{JournalCall, ask_journal};
use crate::calls::{ProfileCall, ask_profile};
use crate::platform::{Failure, Platform, Reply};
use crate::signature::message_hash;

/// The most dead letters of one replay. A second call replays more.
const REPLAY_MAX: u32 = 500;

/// The body of a replay: it selects dead letters.
#[derive(Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct ReplayBody {
    destination: Option<String>,
    since: Option<String>,
    until: Option<String>,
    code: Option<String>,
    message_ids: Vec<String>,
}

/// The dead letters that a call is about.
struct Wanted {
    destination: Option<String>,
    since_ms: i64,
    until_ms: Option<i64>,
    code: Option<String>,
    messages: Vec<String>,
}

impl Wanted {
    async fn find<P: Platform>(self, limit: u32, platform: &P) -> Result<Vec<DeadLetter>, Failure> {
        let Wanted { destination, since_ms, until_ms, code, messages } = self;
        let question =
            JournalCall::DeadLetters { destination, since_ms, until_ms, code, messages, limit };
        ask_journal(platform, &question).await
    }
}

/// Lists dead letters, newest first.
pub(super) async fn list<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let value = |name: &str| call.incoming.query_value(name);
    let wanted = Wanted {
        destination: value("destination"),
        since_ms: since(call.incoming)?,
        until_ms: time_ms("until", value("until").as_deref())?,
        code: value("code"),
        messages: hashes(value("messageId").into_iter().collect()),
    };
    let letters = wanted.find(limit(call.incoming)?, call.platform).await?;
    Ok(ok(&json!({ "deadLetters": letters })))
}

/// The ids, and their hashes: a dead letter of an earlier version has the id itself.
fn hashes(message_ids: Vec<String>) -> Vec<String> {
    let hashes: Vec<_> = message_ids.iter().map(|id| message_hash(id)).collect();
    [message_ids, hashes].concat()
}

/// Makes dead letters pending again: by destination, time, code or ids.
pub(super) async fn replay<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let ReplayBody { destination, since, until, code, message_ids } = body(call.incoming)?;
    let since_ms = time_ms("since", since.as_deref())?.unwrap_or(0);
    let until_ms = time_ms("until", until.as_deref())?;
    let messages = hashes(message_ids);
    let wanted = Wanted { destination, since_ms, until_ms, code, messages };
    let letters = wanted.find(REPLAY_MAX, call.platform).await?;
    let mut replayed = 0;
    for letter in &letters {
        let question = ProfileCall::Replay {
            destination: Some(letter.destination.clone()),
            message: Some(letter.message_hash.clone()),
        };
        let count: u32 = ask_profile(call.platform, letter.profile.clone(), &question).await?;
        replayed += count;
    }
    let _: () = ask_journal(call.platform, &JournalCall::Replayed { letters }).await?;
    Ok(ok(&json!({ "replayed": replayed })))
}
