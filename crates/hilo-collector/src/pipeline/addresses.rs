//! Whose an address is, by proof: what a trusted server names together, a link that a person opened, a report of a trusted source.
//!
//! A person and keys → the profile notes them, then the index has them, then the contacts who waited move to the person. Each step may be
//! repeated. Whoever merely claims an address proves nothing. As a link, a proof is made in the mode `enforce` only.

use std::collections::{BTreeMap, BTreeSet};

use hilo_core::config::{IdentityMode, Source};
use hilo_core::event::{Event, EventKind, Facts, Properties, Trust};
use hilo_core::identity::ProfileKey;
use hilo_core::outcome::Outcome;
use serde_json::Value;

use super::at_once;
use super::entry::{Entry, profile_key};
use super::link;
use super::progress::Mark;
use crate::address::Keys;
use crate::call::secret;
use crate::calls::index::{IndexAsk, Knows, Owner, Proved, ask_index};
use crate::calls::{ProfileCall, ask_profile};
use crate::keyring::Keyring;
use crate::loaded::Loaded;
use crate::platform::{Failure, Platform, log_line};
use crate::signature::object_name;

/// The name under which an order proves its number.
pub(super) const ORDER_COMPLETED: &str = "Order Completed";
/// The traits with the number of a loyalty card.
const LOYALTY_TRAITS: [&str; 3] = ["loyalty_id", "loyaltyId", "loyalty_number"];

/// Proves the addresses that a trusted server names beside a person in stored events.
///
/// # Errors
/// A failure if a proof is not known to be durable. The same envelope may be sent again.
pub(super) async fn named<P: Platform>(
    entries: &[Entry],
    source: &Source,
    facts: &Facts,
    loaded: &Loaded,
    platform: &P,
) -> Result<(), Failure> {
    if facts.trust != Trust::Server || !source.is_trusted {
        return Ok(());
    }
    let secret = &secret(platform)?;
    let keys = Keys::of(secret, &loaded.config.normalize);
    let mut persons: BTreeMap<ProfileKey, BTreeSet<String>> = BTreeMap::new();
    for entry in entries {
        let is_stored = matches!(entry.outcome, Outcome::Accepted | Outcome::Duplicate);
        let Some(event) = entry.event.as_deref().filter(|_| is_stored) else { continue };
        let told = told(event, source, &keys);
        if !told.is_empty() {
            persons.entry(profile_key(event, facts.trust)).or_default().extend(told);
        }
    }
    let calls = persons.into_iter().map(|(person, keys)| async move {
        let proof = (keys.into_iter().collect(), source.name.as_str());
        prove(&person, proof, secret, loaded, platform).await
    });
    at_once::all(calls, facts.received_at, platform).await.map(drop)
}

/// The keys of the addresses that an event tells of its person.
fn told(event: &Event, source: &Source, keys: &Keys<'_>) -> Vec<String> {
    let found = match &event.kind {
        EventKind::Identify { traits } => {
            let loyalty = LOYALTY_TRAITS.iter().find_map(|name| text(traits, name));
            [
                text(traits, "email").and_then(|text| keys.email(&text)),
                text(traits, "phone").and_then(|text| keys.phone(&text)),
                loyalty.and_then(|text| keys.loyalty(&text)),
            ]
        }
        EventKind::Track { event, properties } if event == ORDER_COMPLETED => {
            let order = text(properties, "order_id");
            [order.and_then(|text| keys.order(&source.name, &text)), None, None]
        }
        EventKind::Track { .. }
        | EventKind::Page { .. }
        | EventKind::Screen { .. }
        | EventKind::Group { .. }
        | EventKind::Alias { .. } => [None, None, None],
    };
    found.into_iter().flatten().collect()
}

/// Reads text, or a whole number as its digits.
pub(super) fn text(properties: &Properties, name: &str) -> Option<String> {
    match properties.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if !number.is_f64() => Some(number.to_string()),
        Value::Number(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    }
}

/// Proves that the addresses with these keys are this person's, by the word of a source or by a link. Contacts who waited under them move into the person's profile.
///
/// # Errors
/// A failure if a step is not known to be durable. The call may be repeated.
pub(super) async fn prove<P: Platform>(
    person: &ProfileKey,
    (keys, by): (Vec<String>, &str),
    secret: &Keyring,
    loaded: &Loaded,
    platform: &P,
) -> Result<(), Failure> {
    let is_person = !matches!(person, ProfileKey::Contact(_));
    if keys.is_empty() || !is_person || loaded.config.identity.mode != IdentityMode::Enforce {
        return Ok(());
    }
    let name = object_name(secret.naming(), person);
    let named = keys.iter().map(String::as_str).chain([by]);
    let mark = Mark::of("addresses", &name, named);
    if mark.is_stored(platform.now()) {
        return Ok(());
    }
    // The profile notes the keys first: what the index has of a person must not outlive an erasure.
    let question = ProfileCall::Know { keys: keys.clone(), by: Some(by.to_owned()) };
    let knows: Option<Knows> = ask_profile(platform, name.clone(), &question).await?;
    let Some(knows) = knows else { return Ok(()) };
    if knows.is_full {
        platform.log(&log_line("warn", "a profile has too many addresses", &[]));
        return Ok(());
    }
    let label = match knows.user {
        Some(user) if knows.object != name => ProfileKey::User(user),
        Some(_) | None => person.clone(),
    };
    let owner = Owner { object: knows.object, label: label.to_string() };
    for key in &keys {
        let ask = IndexAsk::Prove(owner.clone());
        let proved: Proved = ask_index(platform, key, ask).await?;
        for contact in proved.waiting {
            let Some(to) = link::of_contact(&label, &owner, secret, loaded) else { continue };
            let _: bool = ask_profile(platform, contact.object, &ProfileCall::Link(to)).await?;
        }
    }
    mark.note(platform.now());
    Ok(())
}
