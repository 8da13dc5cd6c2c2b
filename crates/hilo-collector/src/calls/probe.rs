//! The probe of the queue: a message that brings nothing but the time at which it was sent.
//!
//! Time ↔ message. The scheduled check sends one, the consumer notes its arrival in the journal, and `pipeline/health.rs` compares.

use serde::Deserialize;

#[derive(Deserialize)]
struct Probe {
    /// Milliseconds since the epoch.
    probe: i64,
}

/// Makes the message.
pub fn probe(sent_ms: i64) -> String {
    format!("{{\"probe\":{sent_ms}}}")
}

/// Reads the time from a message; `None` where it is no probe but deliveries, which are a list.
pub fn read_probe(message: &str) -> Option<i64> {
    if !message.starts_with('{') {
        return None;
    }
    serde_json::from_str::<Probe>(message).ok().map(|one| one.probe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_is_told_from_deliveries() {
        assert_eq!(read_probe(&probe(1_795_000_000_000)), Some(1_795_000_000_000));
        for other in ["[]\n", "[[{\"profile\":\"p\"},2]]\n{}", "{}", ""] {
            assert_eq!(read_probe(other), None, "{other}");
        }
    }
}
