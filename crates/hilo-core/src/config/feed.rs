//! The feed of a source with `kind = "feed"`: another company's system that hilo reads at times, or that calls.
//!
//! Reads the fields that all services share. The rest stays a table, which the collector's code for that service types.

use serde::Serialize;

use super::reader::{Reader, Section};
use super::settings::Settings;

/// The fields of such a source that are no settings.
const COMMON: [&str; 7] =
    ["name", "kind", "vendor", "consent_basis", "identity", "every_minutes", "daily_calls"];
/// Minutes of a day: whoever reads less often misses what services keep for days only.
const EVERY_MINUTES_MAX: u32 = 1_440;
/// Calls of a day. No service allows more.
const DAILY_CALLS_MAX: u32 = 1_000_000;

/// A service that hilo reads.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Feed {
    /// The service, such as `hubspot`.
    pub vendor: String,
    /// The minutes between two readings; the service's usual ones if the file does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_minutes: Option<u32>,
    /// The most calls in 24 hours; the service's usual ones if the file does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daily_calls: Option<u32>,
    /// The service's own settings.
    pub settings: Settings,
}

/// Reads the fields of a feed.
pub(super) fn read(reader: &Reader<'_>, section: &Section<'_>) -> Feed {
    let vendor = reader.text(section, "vendor").unwrap_or_default();
    if !section.has("vendor") {
        let message = "say which service it is, such as vendor = \"hubspot\"";
        reader.report_missing(section, "vendor", message);
    }
    if !section.has("consent_basis") {
        let message = "say what the reports rest on, such as consent_basis = { basis = \"consent\", purposes = [\"analytics\"] }: without it nothing is kept";
        reader.report_missing(section, "consent_basis", message);
    }
    Feed {
        every_minutes: reader.number(section, "every_minutes", 1..=EVERY_MINUTES_MAX),
        daily_calls: reader.number(section, "daily_calls", 1..=DAILY_CALLS_MAX),
        settings: Settings::of(reader, section, "source", &vendor, &COMMON),
        vendor,
    }
}
