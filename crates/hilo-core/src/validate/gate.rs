//! The consent gate of the collector: may an event with this consent claim come in?
//!
//! `consent::decide` decides, as in the tracker. This file adds the edge's own rules: silence is refused, a server source may
//! declare a basis, `Sec-GPC: 1` denies. The profile object checks the consent that it has recorded.

use serde_json::{Map, Value};

use super::categories::{UnknownCategories, object_at};
use super::notes::Notes;
use crate::config::{Basis, Source};
use crate::consent::{Decision, Purpose, decide};
use crate::event::{CONSENT_UPDATED, ConsentClaim, Event, Facts};
use crate::outcome::{Code, Outcome, Rejection};
use crate::strict::key_shape;

/// The field that a refusal blames.
const FIELD: &str = "context.consent.categoryPreferences";

/// Adds the basis that `hilo.toml` declares for a server source, for every purpose about which the message says nothing.
///
/// A denial under a name that nobody mapped may be a denial of any purpose, so the basis is silent then. A report of a changed
/// consent is what the person chose, and no basis speaks for a person.
///
/// Returns the basis if a purpose rests on it.
pub(super) fn apply_basis(
    message: &mut Map<String, Value>,
    source: &Source,
    unknown: &UnknownCategories,
) -> Option<Basis> {
    let declared = source.consent_basis.as_ref().filter(|_| source.is_server())?;
    let is_change = message.get("event").is_some_and(|event| event == CONSENT_UPDATED);
    if is_change || unknown.has_denial {
        return None;
    }
    let consent = object_at(message, "context").and_then(|context| object_at(context, "consent"));
    let said = consent.and_then(|consent| object_at(consent, "categoryPreferences"))?;
    let mut basis = None;
    for purpose in &declared.purposes {
        let granted = said.entry(purpose.name()).or_insert(Value::Null);
        if granted.is_null() {
            *granted = Value::Bool(true);
            basis = Some(declared.basis);
        }
    }
    basis
}

fn preferences(message: &Map<String, Value>) -> Option<&Value> {
    message
        .get("context")?
        .get("consent")?
        .get("categoryPreferences")
        .filter(|value| !value.is_null())
}

/// Whether the reject log may keep the message's shape: only where its consent would have let the event in.
pub(super) fn may_be_logged(message: &Map<String, Value>) -> bool {
    let Some(Value::Object(said)) = preferences(message) else { return false };
    let category_preferences =
        said.iter().filter_map(|(name, value)| Some((name.clone(), value.as_bool()?))).collect();
    let claim = ConsentClaim { category_preferences, ..ConsentClaim::default() };
    decide(&claim.state(), &[Purpose::Analytics]) == Decision::Pass
}

/// Lets an event in if all its purposes are granted.
pub(super) fn pass(
    event: &mut Event,
    facts: &Facts,
    unknown: &UnknownCategories,
    notes: &mut Notes,
) -> Result<(), Outcome> {
    let (required, is_change) = (event.purposes(), event.kind.is_consent_change());
    let Some(said) = event.context.consent.as_mut().filter(|said| said.is_said()) else {
        return Err(Outcome::Rejected(unmapped(unknown).unwrap_or_else(|| {
            Rejection::at(
                Code::NoConsent,
                FIELD,
                "say what the visitor allowed, such as {\"analytics\": true}: silence is not consent",
            )
        })));
    };
    let denied = "the visitor has not allowed what this event is for: send it only after they did";
    let denied = || Outcome::Dropped(Rejection::at(Code::ConsentDenied, FIELD, denied));
    match decide(&said.state(), required) {
        Decision::Pass => {}
        Decision::Drop => return Err(denied()),
        // Nobody denied it. The visitor may have allowed it under a name that nobody mapped.
        Decision::Hold => return Err(unmapped(unknown).map_or_else(denied, Outcome::Rejected)),
    }
    for name in &unknown.names {
        let path = format!("{FIELD}.{}", key_shape(name));
        notes.remark(Code::UnknownCategory, &path, "not mapped in hilo.toml; it was left out");
    }
    if facts.gpc && !is_change {
        deny_by_gpc(said);
    }
    Ok(())
}

/// The refusal of an event whose consent stands only under names that nobody mapped.
fn unmapped(unknown: &UnknownCategories) -> Option<Rejection> {
    let first = key_shape(unknown.names.first()?);
    let names = unknown.names.iter().map(|name| format!("`{}`", key_shape(name)));
    let names: Vec<_> = names.collect();
    let noun = if names.len() == 1 { "category" } else { "categories" };
    let message = format!(
        "hilo.toml does not map the consent {noun} {}: say under [consent.categories] what is allowed there, such as \"{first}\" = \"analytics\"",
        names.join(", ")
    );
    Some(Rejection::at(Code::UnknownCategory, format!("{FIELD}.{first}"), message))
}

/// `Sec-GPC: 1` denies its purposes. The event carries the denial on, so that the gates before the destinations read it. What
/// the sender claims to be granted is kept aside: the profile lifts the denial where it has recorded such a choice.
fn deny_by_gpc(said: &mut ConsentClaim) {
    for purpose in Purpose::GPC_DENIES {
        let claimed = said.category_preferences.insert(purpose.name().to_owned(), false);
        if claimed == Some(true) {
            said.against_gpc.push(purpose);
        }
    }
}
