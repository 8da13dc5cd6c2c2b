//! A cart's touchpoints go to their profiles, through the same stages as everybody's events.

use hilo_core::event::{Facts, Trust};
use hilo_core::validate::Envelope;

use crate::calls::cart::Touchpoint;
use crate::platform::{Failure, Platform, log_line};

/// Hands a cart's touchpoints on to their profiles, through the same stages as everybody's events. Answers those that are
/// at their end; the others are to be handed on again.
///
/// # Errors
/// The configuration is missing its secret.
pub async fn hand_on<P: Platform>(
    touchpoints: &[Touchpoint],
    platform: &P,
) -> Result<Vec<i64>, Failure> {
    let loaded = platform.config().await;
    let mut told = Vec::new();
    for group in touchpoints.chunk_by(|a, b| a.source == b.source) {
        let Some(name) = group.first().map(|touchpoint| touchpoint.source.as_str()) else {
            continue;
        };
        let seqs = group.iter().map(|touchpoint| touchpoint.seq);
        let Some(source) = loaded.config.sources.iter().find(|source| source.name == name) else {
            // The source is not in `hilo.toml` any more, so nothing is accepted in its name.
            platform.log(&log_line(
                "warn",
                "touchpoints of a source that is gone",
                &[("source", name)],
            ));
            told.extend(seqs);
            continue;
        };
        let now = platform.now();
        let items = group.iter().map(|touchpoint| touchpoint.event.clone()).collect();
        let envelope = Envelope { sent_at: Some(now), items, ..Envelope::default() };
        // The hub vouches for the person: a verified token or a server has named the person to it.
        let trust = Trust::Server;
        let facts =
            Facts { received_at: now, random: platform.random16(), trust, ..Facts::default() };
        match super::run(&envelope, source, &facts, &loaded, platform).await {
            Ok(_) => told.extend(seqs),
            Err(failure) => {
                platform.log(&log_line("warn", "touchpoints", &[("why", failure.message())]));
                break;
            }
        }
    }
    Ok(told)
}
