//! Sends a cart's touchpoints to their profiles, through the same stages as all other events.

use hilo_core::event::{Facts, Trust};
use hilo_core::outcome::{Code, Rejection};
use hilo_core::validate::Envelope;

use crate::calls::cart::Touchpoint;
use crate::platform::{Failure, Platform, log_line};

/// Sends a cart's touchpoints to their profiles, through the same stages as all other events. Returns the touchpoints
/// that are finished. The caller must send the others again.
///
/// # Errors
/// A failure if no configuration can be had. Then all touchpoints stay.
pub async fn hand_on<'t, P: Platform>(
    touchpoints: &'t [Touchpoint],
    platform: &P,
) -> Result<Vec<&'t Touchpoint>, Failure> {
    let loaded = platform.config().await?;
    let mut told = Vec::new();
    // A remark on an envelope is about its first event, so a touchpoint with one is an envelope of its own.
    let share =
        |a: &Touchpoint, b: &Touchpoint| a.source == b.source && a.cut.is_none() && b.cut.is_none();
    for group in touchpoints.chunk_by(share) {
        let Some(first) = group.first() else { continue };
        let name = first.source.as_str();
        let Some(source) = loaded.config.sources.iter().find(|source| source.name == name) else {
            // `hilo.toml` has no source of this name any more, so its touchpoints are not accepted.
            platform.log(&log_line(
                "warn",
                "touchpoints of a source that is gone",
                &[("source", name)],
            ));
            told.extend(group);
            continue;
        };
        let now = platform.now();
        let items = group.iter().map(|touchpoint| touchpoint.event.clone()).collect();
        let notices = first.cut.iter().map(|cut| left_out(cut)).collect();
        let envelope = Envelope { sent_at: Some(now), items, notices, ..Envelope::default() };
        // The hub vouches for the person, because it has the person's id from a verified token or a server.
        let trust = Trust::Server;
        let facts =
            Facts { received_at: now, random: platform.random16(), trust, ..Facts::default() };
        match super::run(&envelope, None, source, &facts, &loaded, platform).await {
            Ok(_) => told.extend(group),
            Err(failure) => {
                platform.log(&log_line("warn", "touchpoints", &[("why", failure.message())]));
                break;
            }
        }
    }
    Ok(told)
}

fn left_out(cut: &str) -> Rejection {
    let message = format!("{cut}: left out of some products, because an event has at most 32 KB");
    Rejection::at(Code::Truncated, "properties.products", message)
}
