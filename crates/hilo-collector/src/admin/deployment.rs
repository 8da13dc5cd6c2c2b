//! `GET /admin/v1/deployment`: what runs, with which bindings, and whether the queue moves.
//!
//! `cargo xtask doctor` reads it. It shows no secret.

use jiff::Timestamp;
use serde::Serialize;

use super::http::ok;
use crate::call::{Call, Trouble};
use crate::calls::journal::watch::Remembered;
use crate::calls::journal::{JournalCall, ask_journal};
use crate::platform::{Platform, Reply};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Deployment<'a> {
    version: &'static str,
    now: Timestamp,
    environment: &'a str,
    is_dev: bool,
    mount: String,
    jurisdiction: String,
    bindings: Vec<Binding>,
    queue: Queue,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Binding {
    name: &'static str,
    is_bound: bool,
}

/// The probes of the scheduled check. Both are missing before the first check.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Queue {
    /// When the last probe was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    probed_at: Option<Timestamp>,
    /// When the newest probe was sent that has arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    arrived_at: Option<Timestamp>,
}

/// Shows the deployment.
pub(super) async fn show<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let platform = call.platform;
    let Remembered { probed_ms, arrived_ms, .. } =
        ask_journal(platform, &JournalCall::Faults).await?;
    let time = |ms: i64| Timestamp::from_millisecond(ms).ok().filter(|_| ms > 0);
    let bindings = platform.bindings().into_iter();
    Ok(ok(&Deployment {
        version: env!("CARGO_PKG_VERSION"),
        now: platform.now(),
        environment: &call.loaded.config.environment,
        is_dev: platform.is_dev(),
        mount: platform.mount(),
        jurisdiction: platform.jurisdiction(),
        bindings: bindings.map(|(name, is_bound)| Binding { name, is_bound }).collect(),
        queue: Queue { probed_at: time(probed_ms), arrived_at: time(arrived_ms) },
    }))
}
