//! `GET /health` and `GET /version`: whether the collector is alive, its problems, and the version that runs.
//!
//! A degraded collector still answers 200, because it accepts events. A load balancer that took the collector out would
//! lose them.

use serde::Serialize;

use super::{orders, reply, user};
use crate::keyring;
use crate::loaded::Loaded;
use crate::platform::{Platform, Reply};

/// The fewest characters of `HILO_SECRET`: a shorter one could be guessed. HMAC with a hash of 32 bytes needs a key as
/// long (RFC 2104).
const SECRET_CHARS_MIN: usize = 32;

/// Lists the problems of the collector, as stable words.
pub fn degraded<P: Platform>(loaded: &Loaded, platform: &P) -> Vec<&'static str> {
    let secret = platform.secret(keyring::SECRET).unwrap_or_default();
    let mut reasons = Vec::new();
    if !loaded.problems.is_empty() {
        reasons.push("config_invalid");
    }
    if secret.is_empty() {
        reasons.push("secret_missing");
    } else if secret.len() < SECRET_CHARS_MIN && !platform.is_dev() {
        reasons.push("secret_short");
    }
    if !user::are_secrets_set(loaded, platform) {
        reasons.push("token_secret_short");
    }
    if !orders::are_secrets_set(loaded, platform) {
        reasons.push("webhook_secret_short");
    }
    reasons
}

/// Answers `GET /health`.
pub fn health<P: Platform>(loaded: &Loaded, platform: &P) -> Reply {
    #[derive(Serialize)]
    struct Health {
        status: &'static str,
        degraded: Vec<&'static str>,
    }
    let degraded = degraded(loaded, platform);
    let status = if degraded.is_empty() { "ok" } else { "degraded" };
    reply::json(200, &Health { status, degraded })
}

/// Answers `GET /version`.
pub fn version() -> Reply {
    #[derive(Serialize)]
    struct Version {
        name: &'static str,
        version: &'static str,
    }
    reply::json(200, &Version { name: "hilo", version: env!("CARGO_PKG_VERSION") })
}
