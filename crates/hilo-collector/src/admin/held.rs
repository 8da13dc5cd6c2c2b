//! `POST /admin/v1/rejects/replay`: which events that the tracking plan refused are taken up again. The pipeline does it, because it has
//! the stages.

use super::http::{body, time_ms};
use crate::call::{Call, Trouble};
use crate::calls::journal::held::HeldWanted;
use crate::platform::Platform;
use crate::signature::message_hash;

/// The body of a replay: it selects held events.
#[derive(Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct ReplayBody {
    source: Option<String>,
    since: Option<String>,
    until: Option<String>,
    code: Option<String>,
    message_ids: Vec<String>,
}

/// Reads the body.
pub(super) fn wanted<P: Platform>(limit: u32, call: &Call<'_, P>) -> Result<HeldWanted, Trouble> {
    let ReplayBody { source, since, until, code, message_ids } = body(call.incoming)?;
    Ok(HeldWanted {
        since_ms: time_ms("since", since.as_deref())?.unwrap_or(0),
        until_ms: time_ms("until", until.as_deref())?,
        source,
        code,
        messages: message_ids.iter().map(|id| message_hash(id)).collect(),
        limit,
    })
}
