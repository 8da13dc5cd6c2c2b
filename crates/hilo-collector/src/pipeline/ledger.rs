//! A choice about a channel that another system reports → the ledger of its person.
//!
//! An opt-out needs no proof: it is recorded for everybody who has the address. A subscription counts from a trusted source, with the text
//! that the person saw, and lifts no later opt-out.

use hilo_core::consent::{OptInChannel, OptInState};
use hilo_core::identity::ProfileKey;
use hilo_core::inbound::{Report, Told};
use hilo_core::outcome::{Code, Outcome, Rejection};

use super::desk::Desk;
use super::entry::erased;
use super::meeting;
use super::optin::listeners;
use crate::address::Keys;
use crate::calls::index::{Found, IndexAsk, ask_index};
use crate::calls::optin::{Confirmed, ConfirmedBy, Listeners, OptIn, OptInCall};
use crate::calls::{ProfileCall, ask_profile};
use crate::optin_link::address_hash;
use crate::platform::{Failure, Platform};
use crate::signature::object_name;

/// The part of a report's context that tells when the person confirmed a subscription.
pub(super) const CONFIRMED_AT: &str = "double_opt_in_at";

/// Records the choice of a report about `who`.
///
/// # Errors
/// A failure if it is not known to be durable. The report may be sent again.
pub(super) async fn choose<P: Platform>(
    report: &Report,
    who: &ProfileKey,
    desk: &Desk<'_, P>,
) -> Result<Outcome, Failure> {
    let said = match said(report, desk) {
        Ok(said) => said,
        Err(why) => return Ok(Outcome::Rejected(why)),
    };
    let mut objects = vec![object_name(desk.secret.naming(), who)];
    if said.is_opt_out() {
        objects.extend(owners(report, desk).await?);
    }
    let (mut outcome, mut has_taken) = (Outcome::Rejected(erased()), false);
    for object in objects {
        // A report tells when the person chose: what they chose since stays in force.
        let listeners = Listeners {
            is_server: desk.source.is_trusted,
            is_late: true,
            ..listeners(said.channel, desk.loaded)
        };
        let call = OptInCall { said: said.clone(), request: None, listeners };
        let call = ProfileCall::OptIn(Box::new(call));
        let stands: Option<OptIn> = ask_profile(desk.platform, object, &call).await?;
        let Some(stands) = stands.filter(|_| !has_taken) else { continue };
        has_taken = stands.state == said.state;
        outcome = if has_taken { Outcome::Accepted } else { Outcome::Dropped(outdated()) };
    }
    Ok(outcome)
}

/// Everybody who has the address of an opt-out, whoever else has it too.
async fn owners<P: Platform>(report: &Report, desk: &Desk<'_, P>) -> Result<Vec<String>, Failure> {
    let keys = Keys::of(desk.secret, &desk.loaded.config.normalize);
    let mut found: Vec<Found> = Vec::new();
    for key in meeting::addresses(&report.who, None, desk.source, &keys) {
        found.push(ask_index(desk.platform, &key, IndexAsk::Find).await?);
    }
    Ok(meeting::persons(&found).into_iter().map(|owner| owner.object).collect())
}

fn said<P: Platform>(report: &Report, desk: &Desk<'_, P>) -> Result<OptIn, Rejection> {
    let Told::OptIn { channel, is_subscribed, text } = &report.told else {
        return Err(Rejection::new(Code::MalformedEvent, "this report tells no choice"));
    };
    let channel = OptInChannel::from_name(channel).ok_or_else(|| {
        Rejection::at(Code::WrongType, "channel", "email, sms, push, phone or post")
    })?;
    let source = desk.source;
    let text = text.clone().filter(|text| !text.trim().is_empty());
    if *is_subscribed && !source.is_trusted {
        let message = "only a trusted source tells that somebody has subscribed: write identity = \"trusted\" if it proves that";
        return Err(Rejection::new(Code::IdentityClaimed, message));
    }
    if *is_subscribed && text.is_none() {
        let message = "a subscription needs the text that the person saw, or its id";
        return Err(Rejection::at(Code::MissingField, "text", message));
    }
    let at = report.occurred_at.unwrap_or_else(|| desk.platform.now()).to_string();
    let detail = |name: &str| report.context.get(name)?.as_str().map(str::to_owned);
    let confirmed = is_subscribed.then(|| Confirmed {
        at: detail(CONFIRMED_AT).unwrap_or_else(|| at.clone()),
        by: ConfirmedBy::Server,
        requested_at: None,
    });
    let address = match channel {
        OptInChannel::Email => report.who.email.clone(),
        OptInChannel::Sms | OptInChannel::Phone => report.who.phone.clone(),
        OptInChannel::Push | OptInChannel::Post => None,
    };
    let address_hash = address.as_ref().map(|one| address_hash(channel, one, desk.secret));
    let state = if *is_subscribed { OptInState::Subscribed } else { OptInState::Unsubscribed };
    Ok(OptIn {
        channel,
        state,
        at,
        text,
        version: detail("text_id"),
        address,
        address_hash,
        url: None,
        source: source.name.clone(),
        is_verified: source.is_trusted,
        nonce: None,
        confirmed,
        by_link: false,
    })
}

fn outdated() -> Rejection {
    let message = "the person has opted out since, and what is older does not lift that";
    Rejection::new(Code::ConsentOutdated, message)
}
