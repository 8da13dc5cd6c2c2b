//! `POST /v1/consent` records a change and answers its receipt; `GET /v1/consent` answers the person's copy. An event of
//! Segment's clients may report a change as well.
//!
//! These calls are essential: they work whatever the visitor's consent is. The profile object keeps the chain of
//! receipts.

use std::collections::BTreeMap;

use hilo_core::config::IdentityRules;
use hilo_core::consent::{Choice, ChoiceChange, ConsentState, Method, Notice, Purpose, Receipt};
use hilo_core::event::{Event, Facts, Trust};
use hilo_core::identity::{ProfileKey, uuid_v4};
use hilo_core::outcome::{Code, Rejection};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::cookie::Jar;
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
    #[serde(default)]
    anonymous_id: Option<String>,
    consent: Changes,
    #[serde(default, deserialize_with = "signals::fitting")]
    signals: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct Changes {
    revision: u32,
    changes: Vec<ChoiceChange>,
    #[serde(default)]
    notice: Notice,
}

/// A change that can be recorded, and the key of the profile that records it.
#[derive(Debug)]
pub struct Accepted {
    /// The key of the profile.
    pub key: ProfileKey,
    /// The change.
    pub change: ConsentChange,
    id: Option<String>,
}

/// Judges a change.
///
/// A visitor who denies everything before any id exists gets a record too. The record proves the denial, and nothing can be
/// linked to it.
///
/// # Errors
/// A rejection for an unknown purpose or state, an invalid time, or a value over its bound.
pub fn accept<P: Platform>(
    body: Body,
    secret: &Keyring,
    call: &Call<'_, P>,
) -> Result<Accepted, Rejection> {
    check(&body, &call.loaded.config.identity)?;
    let Call { incoming, platform, .. } = *call;
    let id = body.anonymous_id.or_else(|| hello::kept_id(secret, call));
    let key = ProfileKey::Anonymous(id.clone().unwrap_or_else(|| uuid_v4(platform.random16())));
    let mut signals = body.signals;
    if incoming.headers.get("sec-gpc") == Some("1") {
        signals.entry("gpc".to_owned()).or_insert_with(|| "1".to_owned());
    }
    let mut notice = body.consent.notice;
    // A page that names no version showed the text of the configuration in force.
    notice.version.get_or_insert_with(|| call.loaded.config.consent.notice_version.clone());
    let change = ConsentChange {
        subject: subject(secret, &key),
        controller: call.loaded.config.controller.clone(),
        revision: body.consent.revision,
        changes: body.consent.changes,
        notice,
        signals,
        random: platform.random16(),
        report: None,
    };
    Ok(Accepted { key, change, id })
}

/// The pseudonym of a person in receipts.
fn subject(secret: &Keyring, key: &ProfileKey) -> String {
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
        revision: claim.revision,
        changes,
        notice: Notice::default(),
        signals: signals.into_iter().collect(),
        random: platform.random16(),
        report: Some(ConsentReport {
            message_id: event.message_id.clone(),
            chosen_at: event.occurred_at,
            is_vouched: trust == Trust::Server,
        }),
    })
}

fn check(body: &Body, identity: &IdentityRules) -> Result<(), Rejection> {
    let wrong = |field: &str, message: &str| Err(Rejection::at(Code::WrongType, field, message));
    if let Some(id) = &body.anonymous_id {
        hello::check_id(id, identity)?;
    }
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

/// Answers a recorded change, and sets or removes the cookie as the new consent demands.
pub fn receipt<P: Platform>(
    accepted: &Accepted,
    recorded: &ConsentRecorded,
    secret: &Keyring,
    call: &Call<'_, P>,
) -> Reply {
    #[derive(Serialize)]
    struct Answer<'a> {
        receipt: &'a Receipt,
    }
    let mut reply = reply::json(200, &Answer { receipt: &recorded.receipt });
    let jar = Jar::of(call.incoming, call.platform.is_dev());
    let state = state(&recorded.state);
    let id = accepted.id.as_deref();
    if let Some(cookie) = jar.follow(call.incoming, &state, id, secret, call.platform.now()) {
        reply.headers.push("set-cookie", cookie);
    }
    reply
}

fn state(words: &BTreeMap<String, String>) -> ConsentState {
    let mut state = ConsentState::default();
    for (purpose, word) in words {
        if let Some(purpose) = Purpose::from_name(purpose) {
            let choice = if word == "granted" { Choice::Granted } else { Choice::Denied };
            state.set(purpose, choice);
        }
    }
    state
}

/// Finds the profile whose copy the request asks for. Only the signed cookie proves ownership.
///
/// # Errors
/// `unauthorized` without a cookie that the collector signed.
pub fn whose<P: Platform>(secret: &Keyring, call: &Call<'_, P>) -> Result<ProfileKey, Rejection> {
    hello::kept_id(secret, call)
        .map(ProfileKey::Anonymous)
        .ok_or_else(|| Rejection::new(Code::Unauthorized, "the id cookie is missing or not ours"))
}

/// Answers the person's copy.
pub fn copy(copy: &ConsentCopy) -> Reply {
    reply::json(200, copy)
}
