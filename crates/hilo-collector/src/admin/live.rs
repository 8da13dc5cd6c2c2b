//! `GET /admin/v1/live`: the live stream, as server-sent events. A watcher gets the last events from before the connection first.

use crate::call::{Call, Trouble};
use crate::calls::journal::{JournalCall, JudgedCall, ask_journal, take_unseen};
use crate::platform::{Body, Headers, Platform, Reply};

/// Streams server-sent events. `Last-Event-ID` or `?after=` continues after the last event that the watcher has.
pub(super) async fn stream<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let Call { incoming, loaded, platform } = *call;
    let after = incoming.query_value("after").and_then(|after| after.parse().ok()).unwrap_or(0);
    let live = take_unseen();
    if !live.is_empty() {
        let rejects_days = loaded.config.retention.rejects_days;
        let judged = JudgedCall { live, rejects: Vec::new(), rejects_days };
        ask_journal::<_, ()>(platform, &JournalCall::Judged(judged)).await?;
    }
    let mut headers = Headers::default();
    headers.push("content-type", "text/event-stream; charset=utf-8");
    headers.push("cache-control", "no-store");
    headers.push("x-content-type-options", "nosniff");
    Ok(Reply { status: 200, headers, body: Body::Live { after } })
}
