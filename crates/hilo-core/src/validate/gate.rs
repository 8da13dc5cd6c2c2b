//! The consent gate of the collector: may an event with this consent claim come in?
//!
//! `consent::decide` decides, as in the tracker. This file adds the edge's own rules: silence is refused, a server source may
//! declare a basis, `Sec-GPC: 1` denies. The profile object checks the consent that it has recorded.

use serde_json::{Map, Value, json};

use crate::config::Source;
use crate::consent::{Decision, Purpose, decide};
use crate::event::{ConsentClaim, Event, Facts};
use crate::outcome::{Code, Outcome, Rejection};

/// Adds the basis that `hilo.toml` declares for a server source, where the message carries no consent.
pub(super) fn apply_basis(message: &mut Map<String, Value>, source: &Source) {
    let Some(basis) = source.consent_basis.as_ref().filter(|_| source.is_server()) else { return };
    if says_something(message) {
        return;
    }
    let granted: Map<_, _> = basis
        .purposes
        .iter()
        .map(|purpose| (purpose.name().to_owned(), Value::Bool(true)))
        .collect();
    let context = message.entry("context").or_insert(Value::Null);
    if context.is_null() {
        *context = Value::Object(Map::new());
    }
    if let Value::Object(context) = context {
        context.insert("consent".to_owned(), json!({ "categoryPreferences": granted }));
    }
}

fn preferences(message: &Map<String, Value>) -> Option<&Value> {
    message
        .get("context")?
        .get("consent")?
        .get("categoryPreferences")
        .filter(|value| !value.is_null())
}

/// Whether the message carries a consent claim, right or wrong.
fn says_something(message: &Map<String, Value>) -> bool {
    preferences(message).is_some()
}

/// Whether the reject log may keep the message's shape: only where its consent would have let the event in.
pub(super) fn may_be_logged(message: &Map<String, Value>, facts: &Facts) -> bool {
    let Some(Value::Object(said)) = preferences(message) else { return false };
    let category_preferences =
        said.iter().filter_map(|(name, value)| Some((name.clone(), value.as_bool()?))).collect();
    let claim = ConsentClaim { category_preferences, revision: 0 };
    judge(&claim, &[Purpose::Analytics], facts).is_ok()
}

/// Lets an event in if all its purposes are granted.
pub(super) fn pass(event: &mut Event, facts: &Facts) -> Result<(), Outcome> {
    let required = event.purposes();
    let said = event.context.consent.as_mut().filter(|said| said.is_said());
    let Some(said) = said else {
        return Err(Outcome::Rejected(Rejection::at(
            Code::NoConsent,
            "context.consent.categoryPreferences",
            "say what the visitor allowed, such as {\"analytics\": true}: silence is not consent",
        )));
    };
    judge(said, required, facts).map_err(Outcome::Dropped)?;
    if facts.gpc {
        // The event carries the denial on, so that the gates before the destinations read it.
        for purpose in Purpose::GPC_DENIES {
            said.category_preferences.insert(purpose.name().to_owned(), false);
        }
    }
    Ok(())
}

fn judge(said: &ConsentClaim, required: &[Purpose], facts: &Facts) -> Result<(), Rejection> {
    if facts.gpc && required.iter().any(|purpose| Purpose::GPC_DENIES.contains(purpose)) {
        return Err(Rejection::new(
            Code::GpcDenied,
            "the browser sent Sec-GPC: 1, which denies what this event is for",
        ));
    }
    match decide(&said.state(), required) {
        Decision::Pass => Ok(()),
        Decision::Hold | Decision::Drop => Err(Rejection::at(
            Code::ConsentDenied,
            "context.consent.categoryPreferences",
            "the visitor has not allowed what this event is for: send it only after they did",
        )),
    }
}
