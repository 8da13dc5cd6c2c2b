//! `GET /admin/v1/live`: the live stream, as server-sent events. A watcher gets the last events from before the connection first.

use crate::call::{Call, Trouble};
use crate::calls::journal::show_before_watching;
use crate::platform::{Body, Headers, Platform, Reply};

/// Streams server-sent events. `?after=` continues after the last event that the watcher has.
pub(super) async fn stream<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let after = call.incoming.query_value("after").and_then(|after| after.parse().ok());
    show_before_watching(call.platform).await?;
    let mut headers = Headers::default();
    headers.push("content-type", "text/event-stream; charset=utf-8");
    headers.push("cache-control", "no-store");
    headers.push("x-content-type-options", "nosniff");
    Ok(Reply { status: 200, headers, body: Body::Live { after: after.unwrap_or(0) } })
}
