//! The record of a consent change and the receipt a person can keep.
//!
//! Shapes only, after the record/receipt split of ISO/IEC TS 27560. The hash that chains receipts is made where
//! SHA-256 is at hand (the collector); [`Receipt::chain_text`] says over which bytes.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// How the visitor's choice reached us.
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
    /// A form the person filled in.
    Form,
    /// Taken over from another system.
    Import,
}

/// One purpose that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChoiceChange {
    /// A purpose's wire name.
    pub purpose: String,
    /// `granted` or `denied`.
    pub state: String,
    /// When the visitor decided, RFC 3339, page clock.
    pub at: String,
    /// How the choice reached us.
    pub method: Method,
}

/// The notice the visitor saw.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The site's own version of the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Hash of the text, so that the version cannot be changed afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// Language of the text, BCP 47.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
    /// Where the text stands.
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
    /// Pseudonym of the person.
    pub subject: String,
    /// Who is responsible: the deployer's name from `hilo.toml`.
    pub controller: String,
    /// The revision these changes made.
    pub revision: u32,
    /// What changed.
    pub changes: Vec<ChoiceChange>,
    /// The notice shown.
    pub notice: Notice,
    /// Raw signals as received, by name (`tcf`, `gpp`, `gpc`).
    pub signals: BTreeMap<String, String>,
    /// Hash of the receipt before this one; empty for the first.
    pub prev_hash: String,
    /// SHA-256 of [`Receipt::chain_text`], lower-case hex.
    pub hash: String,
}

#[cfg(feature = "edge")]
impl Receipt {
    /// The bytes a receipt's hash covers: the receipt as JSON with an empty `hash`.
    pub fn chain_text(&self) -> String {
        let mut bare = self.clone();
        bare.hash = String::new();
        serde_json::to_string(&bare).unwrap_or_default()
    }
}
