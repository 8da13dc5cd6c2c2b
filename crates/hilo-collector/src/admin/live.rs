//! `GET /admin/v1/live`: the live stream, as server-sent events.

use crate::platform::{Body, Headers, Incoming, Reply};

/// Streams server-sent events. `Last-Event-ID` or `?after=` continues after the last event that the watcher has.
pub(super) fn stream(incoming: &Incoming) -> Reply {
    let after = incoming.query_value("after").and_then(|after| after.parse().ok()).unwrap_or(0);
    let mut headers = Headers::default();
    headers.push("content-type", "text/event-stream; charset=utf-8");
    headers.push("cache-control", "no-store");
    headers.push("x-content-type-options", "nosniff");
    Reply { status: 200, headers, body: Body::Live { after } }
}
