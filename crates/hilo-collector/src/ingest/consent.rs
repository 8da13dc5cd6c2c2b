//! `POST /v1/consent` records a change and answers its receipt; `GET /v1/consent` answers the person's copy. An event of
//! Segment's clients may report a change as well.
//!
//! These calls are essential: they work whatever the visitor's consent is. The profile object keeps the chain of
//! receipts. The pipeline finds out whose record it is.

use std::collections::BTreeMap;

use hilo_core::config::IdentityRules;
use hilo_core::consent::{Choice, ChoiceChange, ConsentState, Method, Notice, Purpose, Receipt};
use hilo_core::event::{Event, Facts, Trust};
use hilo_core::identity::ProfileKey;
use hilo_core::outcome::{Code, Rejection};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::spare::Spare;
use super::welcome::Own;
use super::{hello, reply, signals};
use crate::call::Call;
use crate::calls::{ConsentChange, ConsentCopy, ConsentRecorded, ConsentReport};
use crate::keyring::Keyring;
use crate::loaded::Loaded;
use crate::platform::{Platform, Reply};
use crate::signature;

/// The most bytes of a notice's fields.
const NOTICE_BYTES_MAX: usize = 2_048;
/// The length of the pseudonym in receipts, in hex digits.
const SUBJECT_CHARS: usize = 32;

/// The body of a change.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Body {
    /// The page's id.
    #[serde(default)]
    pub anonymous_id: Option<String>,
    /// The page's id, where no answer has come yet that it is its own, with the page's proof.
    #[serde(default)]
    spare_id: Option<String>,
    #[serde(default)]
    spare_proof: Option<String>,
    /// Whether the page keeps an id after this change. Its own record decides that, and it has purposes that were granted for
    /// another id of the device.
    #[serde(default)]
    pub keeps_id: Option<bool>,
    #[serde(default)]
    sent_at: Option<String>,
    consent: Changes,
    #[serde(default, deserialize_with = "signals::fitting")]
    signals: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Changes {
    /// The recorded revision that the page knew when the visitor chose.
    #[serde(default)]
    base: u32,
    changes: Vec<ChoiceChange>,
    /// Whether the page found the choice in a consent tool, and has not seen the visitor make it.
    #[serde(default)]
    is_found: bool,
    #[serde(default)]
    notice: Notice,
}

impl Body {
    /// Whether the change grants a purpose that allows an id.
    pub fn allows_id(&self) -> bool {
        let mut state = ConsentState::default();
        for one in self.consent.changes.iter().filter(|one| one.state == "granted") {
            if let Some(purpose) = Purpose::from_name(&one.purpose) {
                state.set(purpose, Choice::Granted);
            }
        }
        state.allows_id()
    }

    /// The id that the page has just made.
    pub fn spare(&self) -> Option<Spare> {
        hello::spare(self.spare_id.as_ref(), self.spare_proof.as_ref())
    }

    /// Whether any purpose changes to `state`.
    pub fn says(&self, state: &str) -> bool {
        self.consent.changes.iter().any(|one| one.state == state)
    }

    /// Whether the change denies `purpose`.
    pub fn denies(&self, purpose: Purpose) -> bool {
        let changes = &self.consent.changes;
        changes.iter().any(|one| one.state == "denied" && one.purpose == purpose.name())
    }

    /// When the visitor chose, corrected for the page's clock.
    fn chosen_at(&self, now: Timestamp) -> Timestamp {
        let read = |text: &str| text.parse::<Timestamp>().ok();
        let chosen = self.consent.changes.iter().filter_map(|one| read(&one.at)).max();
        let chosen = chosen.unwrap_or(now);
        let sent = self.sent_at.as_deref().and_then(read);
        let corrected = sent.and_then(|sent| now.checked_sub(sent.duration_since(chosen)).ok());
        corrected.unwrap_or(chosen).min(now)
    }

    /// The change for the record of `key`. A page knows the revisions of its device only.
    pub fn change<P: Platform>(
        &self,
        key: &ProfileKey,
        secret: &Keyring,
        call: &Call<'_, P>,
    ) -> ConsentChange {
        let Call { incoming, loaded, platform } = *call;
        let mut signals = self.signals.clone();
        if incoming.headers.get("sec-gpc") == Some("1") {
            signals.entry("gpc".to_owned()).or_insert_with(|| "1".to_owned());
        }
        let mut notice = self.consent.notice.clone();
        // A page that names no version showed the text of the configuration in force.
        notice.version.get_or_insert_with(|| loaded.config.consent.notice_version.clone());
        ConsentChange {
            subject: subject(secret, key),
            controller: loaded.config.controller.clone(),
            base: if matches!(key, ProfileKey::Anonymous(_)) { self.consent.base } else { 0 },
            chosen_at: self.chosen_at(platform.now()),
            is_found: self.consent.is_found,
            changes: self.consent.changes.clone(),
            notice,
            signals,
            random: platform.random16(),
            report: None,
        }
    }
}

/// The pseudonym of a person in receipts.
pub fn subject(secret: &Keyring, key: &ProfileKey) -> String {
    let subject = signature::sign(secret.naming().as_bytes(), format!("subject:{key}").as_bytes());
    signature::hex(&subject).chars().take(SUBJECT_CHARS).collect()
}

/// Reads the change from an event that reports a changed consent; `None` if it names no purpose that people are asked about.
pub fn reported<P: Platform>(
    event: &Event,
    key: &ProfileKey,
    facts: &Facts,
    secret: &Keyring,
    loaded: &Loaded,
    platform: &P,
) -> Option<ConsentChange> {
    let claim = event.context.consent.as_ref()?;
    let said = claim.state();
    let change = |purpose: Purpose| {
        let state = match said.choice(purpose) {
            Choice::Granted => "granted",
            Choice::Denied => "denied",
            Choice::Unset => return None,
        };
        Some(ChoiceChange {
            purpose: purpose.name().to_owned(),
            state: state.to_owned(),
            at: event.original_at.unwrap_or(event.occurred_at).to_string(),
            method: Method::Import,
        })
    };
    let changes: Vec<_> = Purpose::ASKED.into_iter().filter_map(change).collect();
    let Facts { gpc, trust, .. } = *facts;
    let signals = gpc.then(|| ("gpc".to_owned(), "1".to_owned()));
    (!changes.is_empty()).then(|| ConsentChange {
        subject: subject(secret, key),
        controller: loaded.config.controller.clone(),
        base: 0,
        chosen_at: event.occurred_at,
        is_found: false,
        changes,
        notice: Notice::default(),
        signals: signals.into_iter().collect(),
        random: platform.random16(),
        report: Some(ConsentReport {
            message_id: event.message_id.clone(),
            is_vouched: trust == Trust::Server,
        }),
    })
}

/// Checks a change.
///
/// # Errors
/// A rejection for an unknown purpose or state, an invalid time, or a value over its bound.
pub fn check(body: &Body, identity: &IdentityRules) -> Result<(), Rejection> {
    let wrong = |field: &str, message: &str| Err(Rejection::at(Code::WrongType, field, message));
    if let Some(id) = &body.anonymous_id {
        hello::check_id(id, identity)?;
    }
    hello::check_spare(body.spare_id.as_ref(), body.spare_proof.as_ref(), identity)?;
    let changes = &body.consent.changes;
    if changes.is_empty() || changes.len() > Purpose::ALL.len() {
        return wrong("consent.changes", "one to six changes, one for each purpose");
    }
    for change in changes {
        if Purpose::from_name(&change.purpose).is_none_or(|p| p == Purpose::Essential) {
            return wrong("consent.changes.purpose", "no purpose that a person is asked about");
        }
        if change.state != "granted" && change.state != "denied" {
            return wrong("consent.changes.state", "`granted` or `denied`");
        }
        if change.at.parse::<Timestamp>().is_err() {
            return wrong("consent.changes.at", "a time as RFC 3339 writes it");
        }
    }
    let Notice { version, hash, lang, url } = &body.consent.notice;
    if [version, hash, lang, url].into_iter().flatten().any(|text| text.len() > NOTICE_BYTES_MAX) {
        return wrong("consent.notice", "at most 2,048 bytes a field");
    }
    Ok(())
}

/// The refusal of grants that are older than a recorded denial.
pub fn outdated(recorded: &ConsentRecorded) -> Option<Rejection> {
    let message = "the person has denied this purpose since the revision that the page knew: show the recorded state, and ask again";
    let at = |_| Rejection::at(Code::ConsentOutdated, "consent.base", message);
    recorded.outdated.first().map(at)
}

/// Whether the page may keep the proof of its id after `body` was recorded.
///
/// The page says so. A page that says nothing, and one whose grant is older than a recorded denial, keeps what the record allows.
pub fn keeps_id(body: &Body, recorded: &ConsentRecorded) -> bool {
    match body.keeps_id {
        Some(keeps_id) if !keeps_id || recorded.outdated.is_empty() => keeps_id,
        // A page that denies and has no id may keep none, whatever it granted before its storage was wiped.
        _ => {
            let has_id = body.anonymous_id.is_some() || body.spare_id.is_some();
            recorded.consent.allows_id() && (has_id || body.allows_id())
        }
    }
}

/// Answers a change with its receipt and the record, and with the id that it was recorded for. `refusal` is the reason if not
/// all of the change counts.
pub fn reply(recorded: &ConsentRecorded, refusal: Option<&Rejection>, own: Own<'_>) -> Reply {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer<'a> {
        #[serde(flatten)]
        refusal: Option<&'a Rejection>,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'a Rejection>,
        receipt: Option<&'a Receipt>,
        #[serde(flatten)]
        own: Own<'a>,
    }
    let receipt = recorded.receipt.as_ref();
    let answer = Answer { refusal, error: refusal, receipt, own };
    reply::json(refusal.map_or(200, |why| why.code.status()), &answer)
}

/// Answers the person's copy.
pub fn copy(copy: &ConsentCopy) -> Reply {
    reply::json(200, copy)
}
