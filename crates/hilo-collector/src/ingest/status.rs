//! The answers of `GET /health`, `/readyz` and `/version`: faults of the deployment as JSON, and the version that runs.
//!
//! Faults → reply. Strangers learn codes, times and remedies. Names of secrets and destinations, and what exactly is
//! wrong, are for operators. This file looks for no fault.

use jiff::Timestamp;
use serde::Serialize;

use super::reply;
use crate::fault::Fault;
use crate::platform::Reply;

#[derive(Serialize)]
struct Health<'a> {
    status: &'static str,
    /// Since when the deployment is not well: the time of its oldest fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    faults: Vec<Shown<'a>>,
}

#[derive(Serialize)]
struct Shown<'a> {
    code: &'static str,
    since: String,
    loses_events: bool,
    remedy: &'static str,
    /// Whether an earlier configuration is in force.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    bridged: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    details: &'a [String],
}

impl<'a> Shown<'a> {
    fn of(fault: &'a Fault, is_operator: bool) -> Shown<'a> {
        Shown {
            code: fault.code.name(),
            since: fault.since.to_string(),
            loses_events: fault.loses_events(),
            remedy: fault.code.remedy(),
            bridged: fault.is_bridged,
            about: fault.about.as_deref().filter(|_| is_operator),
            details: if is_operator { &fault.details } else { &[] },
        }
    }
}

/// The word for the health of a deployment with these faults.
pub fn word(faults: &[Fault]) -> &'static str {
    match (faults.iter().any(Fault::loses_events), faults.is_empty()) {
        (true, _) => "failing",
        (false, false) => "degraded",
        (false, true) => "ok",
    }
}

/// Answers `GET /health`: 503 while events are lost or refused, otherwise 200 with what is degraded.
pub fn health(faults: &[Fault], is_operator: bool) -> Reply {
    let is_failing = faults.iter().any(Fault::loses_events);
    let since = faults.iter().map(|fault| fault.since).min().map(|since| since.to_string());
    let shown = faults.iter().map(|fault| Shown::of(fault, is_operator)).collect();
    let health = Health { status: word(faults), since, faults: shown };
    reply::json(if is_failing { 503 } else { 200 }, &health)
}

/// Answers `GET /readyz` of a collector that can take events.
pub fn ready() -> Reply {
    #[derive(Serialize)]
    struct Ready {
        status: &'static str,
    }
    reply::json(200, &Ready { status: "ready" })
}

/// Answers `GET /version`: what runs, and the time by its clock.
pub fn version(now: Timestamp) -> Reply {
    #[derive(Serialize)]
    struct Version {
        name: &'static str,
        version: &'static str,
        now: Timestamp,
    }
    reply::json(200, &Version { name: "hilo", version: env!("CARGO_PKG_VERSION"), now })
}
