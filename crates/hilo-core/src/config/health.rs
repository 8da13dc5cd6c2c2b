//! `[health]`: where the scheduled check posts when the health of the deployment changes.
//!
//! Reads and checks the table. The collector judges the URL by the rules of all outbound requests.

use serde::Serialize;

use super::reader::{Reader, Section};
use super::{Problem, ProblemCode};

/// The rules for the scheduled check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HealthRules {
    /// The receiver of alerts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<Alert>,
}

/// The receiver of alerts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alert {
    /// The URL. Chat tools put a secret into theirs, so nobody is shown it.
    #[serde(skip)]
    pub url: String,
    /// The name of the secret that signs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The place of the URL: line and column.
    #[serde(skip)]
    place: (usize, usize),
}

impl HealthRules {
    /// Whether nothing is configured.
    pub const fn is_empty(&self) -> bool {
        self.alert.is_none()
    }
}

impl Alert {
    /// A problem with the URL.
    pub fn problem(&self, message: &str) -> Problem {
        let (line, column) = self.place;
        let (field, code) = ("health.alert.url".to_owned(), ProblemCode::BadValue);
        Problem { line, column, field, code, message: message.to_owned() }
    }
}

/// Reads `[health]`.
pub(super) fn read(reader: &Reader<'_>, root: &Section<'_>) -> HealthRules {
    let Some(section) = reader.section(root, "health") else { return HealthRules::default() };
    reader.only(&section, &["alert"]);
    let Some(alert) = reader.section(&section, "alert") else { return HealthRules::default() };
    reader.only(&alert, &["url", "secret"]);
    if !alert.has("url") {
        reader.report_missing(
            &alert,
            "url",
            "say where alerts go, such as \"https://hooks.shop.example/alerts\"",
        );
    }
    let secret = reader.secret_name(&alert, "secret");
    let found = reader.text_at(&alert, "url").map(|(url, span)| Alert {
        url,
        secret,
        place: reader.position(span.start),
    });
    HealthRules { alert: found }
}
