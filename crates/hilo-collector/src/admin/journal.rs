//! `GET /admin/v1/rejects` and `GET /admin/v1/deliveries`: the reject log and the delivery counters.

use serde_json::json;
use serde_json::value::RawValue;

use super::http::{limit, ok, since};
use crate::call::{Call, Trouble};
use crate::calls::journal::{JournalCall, Wanted, ask_journal, read_rejects, send_gathered};
use crate::platform::{Platform, Reply};

/// Lists the reject log, newest first.
pub(super) async fn rejects<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let (since_ms, limit) = (since(call.incoming)?, limit(call.incoming)?);
    let rejects_days = call.loaded.config.retention.rejects_days;
    let code = call.incoming.query_value("code");
    let wanted = Wanted { since_ms, limit, code: code.as_deref() };
    Ok(ok(&read_rejects(call.platform, &wanted, rejects_days).await?))
}

/// Lists the health of every destination.
pub(super) async fn deliveries<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    send_gathered(call.platform).await?;
    let health: Box<RawValue> = ask_journal(call.platform, &JournalCall::Deliveries).await?;
    Ok(ok(&json!({ "destinations": health })))
}
