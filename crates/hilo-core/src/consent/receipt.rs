//! The record of a consent change and the receipt a person can keep.
//!
//! Shapes only, after the record/receipt split of ISO/IEC TS 27560. The collector hashes [`Receipt::chain_text`], and each
//! receipt holds the hash of the receipt before it.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// How a visitor's choice reached the collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// `hilo.consent.grant` / `deny`, usually behind the site's own banner.
    Api,
    /// IAB Transparency and Consent Framework.
    Tcf,
    /// IAB Global Privacy Platform.
    Gpp,
    /// Global Privacy Control.
    Gpc,
    /// Google Consent Mode.
    ConsentMode,
    /// A consent tool's own interface. The receipt's signals name the tool and the categories that it grants.
    Tool,
    /// A form that the person filled in.
    Form,
    /// Taken over from another system.
    Import,
}

/// A visitor's new choice about one purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChoiceChange {
    /// A purpose's wire name.
    pub purpose: String,
    /// `granted` or `denied`.
    pub state: String,
    /// When the visitor decided, RFC 3339, page clock.
    pub at: String,
    /// How the choice reached the collector.
    pub method: Method,
}

/// The notice that the visitor saw.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The site's own version of the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Hash of the text, so that the text of a version cannot change afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// Language of the text, BCP 47.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
    /// Address of the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// One link in a person's chain of consent receipts. Append-only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Unique within the profile.
    pub id: String,
    /// When the collector recorded it, RFC 3339, edge clock.
    pub at: String,
    /// The person's pseudonym.
    pub subject: String,
    /// The company responsible for the data, by its name in `hilo.toml`.
    pub controller: String,
    /// The revision after these changes.
    pub revision: u32,
    /// The new choices.
    pub changes: Vec<ChoiceChange>,
    /// The notice shown.
    pub notice: Notice,
    /// Raw signals as received, by name (`tcf`, `gpp`, `gpc`, a tool's own name).
    pub signals: BTreeMap<String, String>,
    /// Hash of the receipt before this one; empty for the first.
    pub prev_hash: String,
    /// SHA-256 of [`Receipt::chain_text`], lower-case hex.
    pub hash: String,
}

#[cfg(feature = "edge")]
impl Receipt {
    /// The text that a receipt's hash covers: the receipt as JSON with an empty `hash`.
    pub fn chain_text(&self) -> String {
        let mut bare = self.clone();
        bare.hash = String::new();
        serde_json::to_string(&bare).unwrap_or_default()
    }
}

#[cfg(all(test, feature = "edge"))]
mod tests {
    use super::*;

    #[test]
    fn a_change_keeps_the_method_that_the_page_names() {
        for (name, method) in [
            ("api", Method::Api),
            ("tcf", Method::Tcf),
            ("gpp", Method::Gpp),
            ("consent_mode", Method::ConsentMode),
            ("tool", Method::Tool),
        ] {
            let text = alloc::format!(
                r#"{{"purpose":"analytics","state":"granted","at":"2026-11-18T11:06:40Z","method":"{name}"}}"#
            );
            let change: ChoiceChange = serde_json::from_str(&text).unwrap();
            assert_eq!(change.method, method);
            assert_eq!(serde_json::to_string(&change).unwrap(), text);
        }
    }
}
