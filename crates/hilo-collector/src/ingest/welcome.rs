//! What an answer tells a page about its id: the id, its proof, what is recorded for it, and the settings of every page.
//!
//! Shapes only. The answers to a hello, to an envelope with a hello and to a consent change have them.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::calls::ConsentStanding;
use crate::loaded::Loaded;

/// The page's id, the proof that its page keeps, and what is recorded for it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Own<'a> {
    /// The id.
    anonymous_id: Option<&'a str>,
    /// The proof where no cookie works.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    /// The page's own proof, where it has to go on with that.
    #[serde(skip_serializing_if = "Option::is_none")]
    spare_proof: Option<&'a str>,
    revision: u32,
    state: &'a BTreeMap<String, String>,
    denied: Vec<&'a str>,
}

impl<'a> Own<'a> {
    /// The answer to a page that has an id, where it may have one, and of which `consent` is recorded.
    pub fn of(anonymous_id: Option<&'a str>, consent: &'a ConsentStanding) -> Own<'a> {
        let (revision, denied, state) = (consent.revision, consent.denied(), &consent.state);
        Own { anonymous_id, token: None, spare_proof: None, revision, state, denied }
    }

    /// The same answer with a token, or with the page's own proof where it has to go on with that.
    pub fn with(self, token: Option<&'a str>, spare_proof: Option<&'a str>) -> Own<'a> {
        Own { token, spare_proof, ..self }
    }
}

/// The answer to a hello that rode on an envelope.
#[derive(Debug, Serialize)]
pub struct Ridden<'a> {
    /// The page's id, where the request has a right to it.
    #[serde(flatten)]
    pub own: Option<Own<'a>>,
    /// What every page gets.
    pub settings: Settings<'a>,
}

/// The settings that the tracker needs from the configuration.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings<'a> {
    purposes: Vec<&'static str>,
    notice_version: &'a str,
    ask_again_months: u32,
}

/// The settings that the tracker needs.
pub fn settings(loaded: &Loaded) -> Settings<'_> {
    let rules = &loaded.config.consent;
    Settings {
        purposes: rules.purposes.iter().map(|p| p.name()).collect(),
        notice_version: &rules.notice_version,
        ask_again_months: rules.ask_again_months,
    }
}
