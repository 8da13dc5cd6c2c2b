//! `GET /admin/v1/feeds`: the services that hilo reads, and how each stands. `GET …/:name/events`: touchpoints of posts and channels.
//! `POST …/:name/read`: a person wants one to be read now.
//!
//! The object of each feed answers. The pipeline reads what was made due, behind the answer.

use hilo_core::config::Source;
use hilo_core::outcome::{Code, Rejection};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::http::{limit, ok};
use crate::call::{Call, Trouble};
use crate::calls::Page;
use crate::calls::feed::{FeedCall, FeedStanding, ask_feed};
use crate::platform::http::percent_decode;
use crate::platform::{Platform, Reply};

/// Lists the feeds.
pub(super) async fn list<P: Platform>(call: &Call<'_, P>) -> Reply {
    let mut feeds = Vec::new();
    let sources = call.loaded.config.sources.iter();
    for (source, feed) in sources.filter_map(|source| Some((source, source.feed.as_ref()?))) {
        // An object that fails hides no other feed.
        let standing: Result<FeedStanding, _> =
            ask_feed(call.platform, &source.name, &FeedCall::Standing).await;
        let mut shown = match standing {
            Ok(standing) => show(&standing),
            Err(failure) => {
                json!({ "lastError": format!("the feed's object failed: {}", failure.message()) })
            }
        };
        if let Some(shown) = shown.as_object_mut() {
            shown.insert("name".to_owned(), source.name.as_str().into());
            shown.insert("vendor".to_owned(), feed.vendor.as_str().into());
        }
        feeds.push(shown);
    }
    ok(&json!({ "feeds": feeds }))
}

fn show(standing: &FeedStanding) -> Value {
    let time = |ms: Option<i64>| ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
    json!({
        "since": time(standing.first_ms),
        "readAt": time(standing.done_ms),
        "nextAt": time(standing.next_ms),
        "failingSince": time(standing.failing_ms),
        "lastError": standing.reason,
        "mustMend": standing.must_mend,
        "callsInADay": standing.calls,
        "toRead": standing.told,
        "reports": standing.reports,
        "unused": standing.odd,
        "touchpoints": standing.touches,
        "pending": standing.pending,
        "dead": standing.dead,
    })
}

/// Lists one page of the touchpoints of posts and channels, newest first.
pub(super) async fn events<P: Platform>(name: &str, call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let source = find(name, call)?;
    let (cursor, limit) = (call.incoming.query_value("cursor"), limit(call.incoming)?);
    let question = FeedCall::Events { cursor, limit };
    let page: Page = ask_feed(call.platform, &source.name, &question).await?;
    Ok(ok(&json!({ "events": page.rows, "next": page.next })))
}

/// Makes a feed due now.
pub(super) async fn read<P: Platform>(name: &str, call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let source = find(name, call)?;
    ask_feed::<_, ()>(call.platform, &source.name, &FeedCall::Hurry).await?;
    Ok(Reply { status: 202, ..ok(&json!({ "reading": source.name })) })
}

fn find<'c, P>(name: &str, call: &Call<'c, P>) -> Result<&'c Source, Rejection> {
    let name = percent_decode(name);
    let sources = call.loaded.config.sources.iter();
    let mut feeds = sources.filter(|source| source.feed.is_some());
    feeds
        .find(|source| source.name == name)
        .ok_or_else(|| Rejection::new(Code::NotFound, "hilo.toml has no feed of this name"))
}
