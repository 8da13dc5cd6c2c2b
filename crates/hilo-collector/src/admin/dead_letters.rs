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
    message_ids: Vec<String>,
}

/// Lists dead letters, newest first.
pub(super) async fn list<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let destination = call.incoming.query_value("destination");
    let (since_ms, limit) = (since(call.incoming)?, limit(call.incoming)?);
    let letters = find(destination, since_ms, Vec::new(), limit, call.platform).await?;
    Ok(ok(&json!({ "deadLetters": letters })))
}

async fn find<P: Platform>(
    destination: Option<String>,
    since_ms: i64,
    messages: Vec<String>,
    limit: u32,
    platform: &P,
) -> Result<Vec<DeadLetter>, Failure> {
    ask_journal(platform, &JournalCall::DeadLetters { destination, since_ms, messages, limit })
        .await
}

/// Makes dead letters pending again: by destination, time or ids.
pub(super) async fn replay<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let ReplayBody { destination, since, message_ids } = body(call.incoming)?;
    let since_ms = time_ms(since.as_deref())?;
    // A dead letter of an earlier version has the id itself.
    let hashes: Vec<_> = message_ids.iter().map(|id| message_hash(id)).collect();
    let messages = [message_ids, hashes].concat();
    let letters = find(destination, since_ms, messages, REPLAY_MAX, call.platform).await?;
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
