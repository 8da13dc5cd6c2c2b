//! `GET /admin/v1/inbox` shows what webhooks brought and nobody understood yet; `POST …/replay` works on it again.

use hilo_core::config::Source;
use hilo_core::outcome::{Code, Rejection};
use serde_json::{Value, json};

use super::http::{body, limit, ok, time_ms};
use crate::call::{Call, Trouble};
use crate::calls::inbox::{InboxCall, InboxStanding, SHARDS, Wanted, ask_inbox, object};
use crate::platform::{Platform, Reply};

/// The most calls of one replay and object. A second replay works on more.
const REPLAY_MAX: u32 = 200;

/// The body of a replay: it selects kept calls.
#[derive(Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct ReplayBody {
    source: Option<String>,
    since: Option<String>,
    until: Option<String>,
    code: Option<String>,
}

/// Shows each webhook source: what waits for its work, since when, and the newest of what is kept.
pub(super) async fn list<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let (wanted, limit) = (call.incoming.query_value("source"), limit(call.incoming)?);
    let mut shown: Vec<Value> = Vec::new();
    for source in sources(wanted.as_deref(), call)? {
        let mut whole = InboxStanding::default();
        for shard in 0..SHARDS {
            let question = InboxCall::Standing { limit };
            let part: InboxStanding =
                ask_inbox(call.platform, object(&source.name, shard), &question).await?;
            whole.waiting += part.waiting;
            whole.kept += part.kept;
            whole.oldest_ms = whole.oldest_ms.into_iter().chain(part.oldest_ms).min();
            whole.newest.extend(part.newest);
        }
        whole.newest.sort_by_key(|kept| std::cmp::Reverse(kept.at));
        whole.newest.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        shown.push(json!({
            "source": source.name,
            "waiting": whole.waiting,
            "oldestMs": whole.oldest_ms,
            "kept": whole.kept,
            "newest": whole.newest,
        }));
    }
    Ok(ok(&json!({ "sources": shown })))
}

/// Works on kept calls again: after a change of the rules, or once what failed is mended.
pub(super) async fn replay<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let ReplayBody { source, since, until, code } = body(call.incoming)?;
    let wanted = Wanted {
        since_ms: time_ms("since", since.as_deref())?.unwrap_or(0),
        until_ms: time_ms("until", until.as_deref())?,
        code,
        limit: REPLAY_MAX,
    };
    let mut replayed = 0;
    for source in sources(source.as_deref(), call)? {
        for shard in 0..SHARDS {
            let question = InboxCall::Replay(wanted.clone());
            let count: u32 =
                ask_inbox(call.platform, object(&source.name, shard), &question).await?;
            replayed += count;
        }
    }
    Ok(ok(&json!({ "replayed": replayed })))
}

/// The webhook sources of `hilo.toml`, or the one with this name.
fn sources<'c, P: Platform>(
    name: Option<&str>,
    call: &Call<'c, P>,
) -> Result<Vec<&'c Source>, Rejection> {
    let all = call.loaded.config.sources.iter().filter(|source| source.webhook.is_some());
    let found: Vec<&Source> =
        all.filter(|source| name.is_none_or(|name| source.name == name)).collect();
    if let (Some(_), []) = (name, found.as_slice()) {
        return Err(Rejection::new(Code::NotFound, "no webhook source has this name"));
    }
    Ok(found)
}
