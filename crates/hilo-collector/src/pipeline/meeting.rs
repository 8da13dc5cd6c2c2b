//! Whom a report is about: the ids and addresses that it names → a known person, or a contact who waits for one.
//!
//! A user id counts from a trusted source only. Then come the addresses: they lead to a person where exactly one has proved any of them.
//! Nobody is guessed: an address of two people, or of nobody, leads to a contact.

use std::collections::BTreeMap;

use hilo_core::config::{IdentityRules, Source};
use hilo_core::identity::ProfileKey;
use hilo_core::inbound::Who;
use hilo_core::outcome::{Code, Rejection};

use crate::address::Keys;
use crate::calls::index::{Found, IndexAsk, Owner, Waiting, ask_index};
use crate::calls::{ProfileCall, ask_profile};
use crate::keyring::Keyring;
use crate::platform::{Failure, Platform};
use crate::signature::{hex, object_name};

/// The most attempts to let a contact wait, while others prove its addresses.
const ATTEMPTS_MAX: usize = 3;
/// The random bytes of a contact's id. They keep the contact of an erased person apart from the next one.
const RANDOM_BYTES: usize = 4;

/// What a report says about its person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Named {
    /// An id that counts.
    Person(ProfileKey),
    /// The keys of addresses, the strongest first. They are looked up.
    Addresses(Vec<String>),
    /// Nobody.
    Nobody,
}

/// Whom a report is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Met {
    /// A person, or a contact.
    pub(super) who: ProfileKey,
    /// The remark on a contact.
    pub(super) notice: Option<Rejection>,
}

/// Reads whom a report names. `order` is the number of the order that it is about.
pub(super) fn named(
    who: &Who,
    order: Option<&str>,
    source: &Source,
    keys: &Keys<'_>,
    rules: &IdentityRules,
) -> Named {
    let somebody = |id: &Option<String>| {
        let id = id.as_deref().map(str::trim).filter(|id| !id.is_empty());
        id.filter(|id| !rules.is_reserved(id)).map(str::to_owned)
    };
    let (user, device) = (somebody(&who.user_id), somebody(&who.anonymous_id));
    if let Some(user) = user.clone().filter(|_| source.is_trusted) {
        return Named::Person(ProfileKey::User(user));
    }
    if let Some(device) = device {
        return Named::Person(ProfileKey::Anonymous(device));
    }
    let mut found = addresses(who, order, source, keys);
    found.extend(user.and_then(|user| keys.claimed_user(&user)));
    if found.is_empty() { Named::Nobody } else { Named::Addresses(found) }
}

/// The keys of the addresses of a report, the strongest first.
pub(super) fn addresses(
    who: &Who,
    order: Option<&str>,
    source: &Source,
    keys: &Keys<'_>,
) -> Vec<String> {
    let order = who.order_id.as_deref().or(order);
    let found = [
        who.phone.as_deref().and_then(|text| keys.phone(text)),
        who.email.as_deref().and_then(|text| keys.email(text)),
        who.loyalty_id.as_deref().and_then(|text| keys.loyalty(text)),
        order.and_then(|text| keys.order(&source.name, text)),
    ];
    found.into_iter().flatten().collect()
}

/// Finds the person who has proved one of these addresses, or lets a contact wait under all of them.
///
/// # Errors
/// A failure to reach an object. The call may be repeated.
pub(super) async fn meet<P: Platform>(
    keys: &[String],
    secret: &Keyring,
    platform: &P,
) -> Result<Met, Failure> {
    for _ in 0..ATTEMPTS_MAX {
        let mut found = Vec::with_capacity(keys.len());
        for key in keys {
            let one: Found = ask_index(platform, key, IndexAsk::Find).await?;
            found.push(one);
        }
        let owners = persons(&found);
        if let [owner] = owners.as_slice() {
            let who = ProfileKey::parse(&owner.label)
                .ok_or_else(|| Failure::Fatal("the index has an unreadable label".to_owned()))?;
            return Ok(Met { who, notice: None });
        }
        if let Some(contact) = wait(keys, &found, secret, platform).await? {
            let notice = Some(if owners.is_empty() { unknown() } else { ambiguous() });
            return Ok(Met { who: ProfileKey::Contact(contact.id), notice });
        }
    }
    Err(Failure::Retriable("the index of addresses changes too fast".to_owned()))
}

/// The persons of several addresses, each once.
pub(super) fn persons(found: &[Found]) -> Vec<Owner> {
    let mut persons: BTreeMap<&str, &Owner> = BTreeMap::new();
    for owner in found.iter().flat_map(|one| &one.owners) {
        persons.insert(&owner.object, owner);
    }
    persons.into_values().cloned().collect()
}

/// Lets a contact wait under each of the keys; `None` if somebody has proved one of them meanwhile.
async fn wait<P: Platform>(
    keys: &[String],
    found: &[Found],
    secret: &Keyring,
    platform: &P,
) -> Result<Option<Waiting>, Failure> {
    let mut contact = match found.iter().find_map(|one| one.waiting.clone()) {
        Some(contact) => contact,
        None => new_contact(keys, secret, platform),
    };
    let is_new = |(_, found): &(&String, &Found)| found.waiting.is_none();
    let new: Vec<(&String, &Found)> = keys.iter().zip(found).filter(is_new).collect();
    if !new.is_empty() {
        // The contact's profile notes the keys first, so that its end reaches them in the index.
        let own = new.iter().map(|(key, _)| (*key).clone()).collect();
        let know = ProfileCall::Know { keys: own, by: None };
        let _: Option<crate::calls::index::Knows> =
            ask_profile(platform, contact.object.clone(), &know).await?;
    }
    for (place, (key, before)) in new.into_iter().enumerate() {
        let owners = before.owners.len();
        let ask = IndexAsk::Wait { contact: contact.clone(), owners };
        let now: Found = ask_index(platform, key, ask).await?;
        if now.owners.len() != owners {
            return Ok(None);
        }
        match now.waiting {
            // Another report about the same stranger was first.
            Some(other) if place == 0 && other != contact => contact = other,
            Some(_) | None => {}
        }
    }
    Ok(Some(contact))
}

fn new_contact<P: Platform>(keys: &[String], secret: &Keyring, platform: &P) -> Waiting {
    let random: Vec<u8> = platform.random16().into_iter().rev().take(RANDOM_BYTES).collect();
    let hash = keys.first().map(String::as_str).unwrap_or_default();
    let id = format!("{hash}-{}", hex(&random));
    let object = object_name(secret.naming(), &ProfileKey::Contact(id.clone()));
    Waiting { object, id }
}

fn unknown() -> Rejection {
    let message = "nobody is known under this address yet: the event waits, and joins whoever proves the address";
    Rejection::new(Code::ContactUnknown, message)
}

fn ambiguous() -> Rejection {
    let message = "several known people have this address, so the event is joined to none of them";
    Rejection::new(Code::ContactAmbiguous, message)
}
