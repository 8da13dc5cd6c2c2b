//! `GET /admin/v1/rejects` and `GET /admin/v1/deliveries`: what the journal counts.

use serde_json::json;

use super::http::{limit, ok, since};
use crate::call::{Call, Trouble};
use crate::calls::journal::{Health, JournalCall, Rejects, ask_journal};
use crate::platform::{Platform, Reply};

/// The reject log, newest first.
pub(super) async fn rejects<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let (since_ms, limit) = (since(call.incoming)?, limit(call.incoming)?);
    let question = JournalCall::Rejects { since_ms, limit };
    Ok(ok(&ask_journal::<P, Rejects>(call.platform, &question).await?))
}

/// The health of every destination.
pub(super) async fn deliveries<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let health: Vec<Health> = ask_journal(call.platform, &JournalCall::Deliveries).await?;
    Ok(ok(&json!({ "destinations": health })))
}
