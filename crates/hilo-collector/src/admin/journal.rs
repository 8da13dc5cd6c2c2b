//! `GET /admin/v1/rejects` and `GET /admin/v1/deliveries`: the reject log and the delivery counters.

use serde_json::json;
use serde_json::value::RawValue;

use super::http::{limit, ok, since};
use crate::call::{Call, Trouble};
use crate::calls::journal::{JournalCall, ask_journal};
use crate::platform::{Platform, Reply};

/// Lists the reject log, newest first.
pub(super) async fn rejects<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let (since_ms, limit) = (since(call.incoming)?, limit(call.incoming)?);
    let question = JournalCall::Rejects { since_ms, limit };
    Ok(ok(&ask_journal::<P, Box<RawValue>>(call.platform, &question).await?))
}

/// Lists the health of every destination.
pub(super) async fn deliveries<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let health: Box<RawValue> = ask_journal(call.platform, &JournalCall::Deliveries).await?;
    Ok(ok(&json!({ "destinations": health })))
}
