//! What other systems report → events of the persons that they mean, through the stages. One outcome for each report, in order.
//!
//! A report carries no consent: its source's legal basis counts. A report of an opt-in goes to the person's ledger.

use hilo_core::config::Source;
use hilo_core::consent::{OptInChannel, OptInState};
use hilo_core::event::{Facts, Trust};
use hilo_core::identity::ProfileKey;
use hilo_core::inbound::{Report, Told, Who};
use hilo_core::outcome::{Code, Outcome, Rejection};
use hilo_core::validate::Envelope;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::entry::erased;
use super::optin::listeners;
use crate::call::secret;
use crate::calls::optin::{Confirmed, ConfirmedBy, Listeners, OptIn, OptInCall};
use crate::calls::{ProfileCall, ask_profile};
use crate::keyring::Keyring;
use crate::loaded::Loaded;
use crate::optin_link::address_hash;
use crate::platform::{Failure, Platform};
use crate::signature::{hex, object_name, sign};

/// The length of a contact's label in hex digits: 128 bits.
const LABEL_CHARS: usize = 32;

/// Takes reports of `source`. One outcome for each, in order.
///
/// # Errors
/// A failure if any part is not known to be durable: the same reports may be sent again.
pub(crate) async fn take<P: Platform>(
    reports: Vec<Report>,
    source: &Source,
    loaded: &Loaded,
    platform: &P,
) -> Result<Vec<Outcome>, Failure> {
    let secret = secret(platform)?;
    let mut outcomes = vec![Outcome::Duplicate; reports.len()];
    let (mut envelope, mut places) = (Envelope::default(), Vec::new());
    for (place, report) in reports.into_iter().enumerate() {
        let Some(person) = person(&report.who, source, &secret) else {
            set(&mut outcomes, place, Outcome::Rejected(nobody()));
            continue;
        };
        if let Told::OptIn { .. } = report.told {
            let outcome = opt_in(&report, &person, source, &secret, loaded, platform).await?;
            set(&mut outcomes, place, outcome);
        } else {
            envelope.items.push(item(report, &person, source)?);
            places.push(place);
        }
    }
    if places.is_empty() {
        return Ok(outcomes);
    }
    let received_at = platform.now();
    let random = platform.random16();
    let facts = Facts { received_at, random, trust: Trust::Server, ..Facts::default() };
    let (entries, _) = super::run(&envelope, None, source, &facts, loaded, platform).await?;
    for (place, entry) in places.into_iter().zip(entries) {
        set(&mut outcomes, place, entry.outcome);
    }
    Ok(outcomes)
}

fn set(outcomes: &mut [Outcome], place: usize, outcome: Outcome) {
    if let Some(slot) = outcomes.get_mut(place) {
        *slot = outcome;
    }
}

fn nobody() -> Rejection {
    Rejection::new(Code::MissingId, "the report names nobody: no id, no address, no number")
}

/// The person of a report: by the company's own id, or else a contact by a keyed hash of the address.
fn person(who: &Who, source: &Source, secret: &Keyring) -> Option<ProfileKey> {
    if let Some(id) = &who.user_id {
        return Some(ProfileKey::User(id.clone()));
    }
    if let Some(id) = &who.anonymous_id {
        return Some(ProfileKey::Anonymous(id.clone()));
    }
    let within = |name: &str, id: &String| format!("{name}:{}:{id}", source.name);
    let email = who.email.as_ref().map(|email| format!("email:{}", email.trim().to_lowercase()));
    let text = email
        .or_else(|| who.phone.as_ref().map(|phone| format!("phone:{}", phone.trim())))
        .or_else(|| who.loyalty_id.as_ref().map(|id| within("loyalty", id)))
        .or_else(|| who.order_id.as_ref().map(|id| within("order", id)))?;
    let hash = hex(&sign(secret.naming().as_bytes(), format!("contact:{text}").as_bytes()));
    let hash: String = hash.chars().take(LABEL_CHARS).collect();
    Some(ProfileKey::Anonymous(format!("c:{hash}")))
}

/// The event of a report, as a server would send it.
fn item(report: Report, person: &ProfileKey, source: &Source) -> Result<Box<RawValue>, Failure> {
    let mut context = report.context;
    context.insert("consent".to_owned(), json!({ "categoryPreferences": {} }));
    let mut item = match report.told {
        Told::Act { event, properties } => {
            json!({ "type": "track", "event": event, "properties": properties })
        }
        Told::Traits(traits) => json!({ "type": "identify", "traits": traits }),
        Told::OptIn { .. } => json!({}),
    };
    let (name, id) = match person {
        ProfileKey::User(id) => ("userId", id),
        ProfileKey::Anonymous(id) => ("anonymousId", id),
    };
    let message_id = report.id.map(|id| format!("{}:{id}", source.name));
    let at = report.occurred_at.map(|at| at.to_string());
    if let Value::Object(item) = &mut item {
        item.insert(name.to_owned(), id.as_str().into());
        item.insert("context".to_owned(), Value::Object(context));
        item.extend(message_id.map(|id| ("messageId".to_owned(), id.into())));
        item.extend(at.map(|at| ("timestamp".to_owned(), at.into())));
    }
    to_raw_value(&item).map_err(|why| Failure::Fatal(why.to_string()))
}

/// Writes a reported choice into the person's ledger. A newer choice stays in force.
async fn opt_in<P: Platform>(
    report: &Report,
    person: &ProfileKey,
    source: &Source,
    secret: &Keyring,
    loaded: &Loaded,
    platform: &P,
) -> Result<Outcome, Failure> {
    let said = match ledger_entry(report, source, secret, loaded, platform) {
        Ok(said) => said,
        Err(why) => return Ok(Outcome::Rejected(why)),
    };
    let listeners = Listeners { is_server: true, is_late: true, ..listeners(said.channel, loaded) };
    let question = ProfileCall::OptIn(Box::new(OptInCall { said, request: None, listeners }));
    let name = object_name(secret.naming(), person);
    let stands: Option<OptIn> = ask_profile(platform, name, &question).await?;
    Ok(stands.map_or_else(|| Outcome::Rejected(erased()), |_| Outcome::Accepted))
}

fn ledger_entry<P: Platform>(
    report: &Report,
    source: &Source,
    secret: &Keyring,
    loaded: &Loaded,
    platform: &P,
) -> Result<OptIn, Rejection> {
    let Report { told: Told::OptIn { channel, is_subscribed, text }, who, context, .. } = report
    else {
        return Err(nobody());
    };
    let channel = OptInChannel::from_name(channel).ok_or_else(|| {
        Rejection::at(Code::WrongType, "channel", "email, sms, push, phone or post")
    })?;
    let state = match is_subscribed {
        true => OptInState::Subscribed,
        false => OptInState::Unsubscribed,
    };
    let at = report.occurred_at.unwrap_or_else(|| platform.now()).to_string();
    let detail = |name: &str| context.get(name).and_then(Value::as_str).map(str::to_owned);
    let requested_at = Some(at.clone());
    let confirmed = detail("double_opt_in_at").filter(|_| *is_subscribed);
    let confirmed = confirmed.map(|at| Confirmed { at, by: ConfirmedBy::Server, requested_at });
    if *is_subscribed && confirmed.is_none() && loaded.config.consent.optin.is_double(channel) {
        let message = "hilo.toml wants this channel's subscriptions confirmed: say when the person confirmed it (double_opt_in_at)";
        return Err(Rejection::at(Code::OptInUnconfirmable, "double_opt_in_at", message));
    }
    let address = if channel == OptInChannel::Email { &who.email } else { &who.phone };
    let address = address.clone();
    let address_hash = address.as_ref().map(|address| address_hash(channel, address, secret));
    Ok(OptIn {
        channel,
        state,
        at,
        text: text.clone(),
        version: detail("text_id"),
        address,
        address_hash,
        url: None,
        source: source.name.clone(),
        is_verified: who.user_id.is_some(),
        nonce: None,
        confirmed,
        by_link: false,
    })
}
