//! The deletion of a person at a destination: who has such a call, and one attempt at it.
//!
//! A [`Parting`] → what became of it. The person's own object repeats what failed, for as long as a delivery is repeated. The brake
//! before a destination counts here too.

use std::cell::RefCell;

use hilo_core::config::Config;
use hilo_core::delivery::{Next, after_failure, after_wait, chance, retry_after_s};
use hilo_core::profile::Person;

use super::destination::{Acceptance, Access, MappedRequest, MissingSecret, Reception};
use super::destinations::target;
use super::door;
use super::gate::{Gate, Held, SHUT_S};
use super::plan::{Configured, Loaded};
use super::reason;
use super::shown::Veil;
use crate::calls::erasure::{Ended, Parting};
use crate::platform::{Outgoing, Platform, log_line};

/// The names of the destinations that can delete a person.
pub fn deleting(config: &Config) -> Vec<String> {
    names(config, true)
}

/// The names of the destinations that cannot delete a person: somebody has to ask their services by hand.
pub fn keeping(config: &Config) -> Vec<String> {
    names(config, false)
}

fn names(config: &Config, is_deleting: bool) -> Vec<String> {
    let can_delete = |one: &Configured<'_>| {
        let of_nobody = |loaded: &Loaded| {
            let access = Access { secrets: &|_| None, token: None };
            loaded.destination.deletion(&Person::default(), &access).is_some()
        };
        one.loaded.as_ref().is_ok_and(of_nobody)
    };
    let configured = Configured::all(&config.destinations);
    let named = configured.iter().filter(|one| can_delete(one) == is_deleting);
    named.map(|one| one.entry.name.clone()).collect()
}

/// Makes one attempt to let a destination delete a person.
pub async fn part<P: Platform>(parting: &Parting, platform: &P) -> Ended {
    let name = parting.destination.as_str();
    let loaded = platform.config().await;
    let configured = loaded.as_ref().ok().and_then(|loaded| loaded.config.destination(name));
    let configured = configured.map(Configured::of);
    let Some(Configured { loaded: Ok(loaded), .. }) = configured else {
        return waits(parting, 0, "hilo.toml has no such destination", platform);
    };
    let needs_token = loaded.destination.oauth().is_some();
    let mut stale = None;
    // A refused token is renewed once.
    for may_renew in [needs_token, false] {
        let token = match needs_token {
            true => door::token(name, stale.take(), platform).await.map(Some),
            false => Ok(None),
        };
        let token = match token {
            Ok(token) => token,
            Err(Held { after_s, reason, .. }) => return waits(parting, after_s, &reason, platform),
        };
        let looked_up = RefCell::new(Vec::new());
        looked_up.borrow_mut().extend(token.iter().map(|token| token.access.clone()));
        let secrets = |name: &str| {
            let secret = platform.secret(name);
            looked_up.borrow_mut().extend(secret.clone());
            secret
        };
        let access = Access { secrets: &secrets, token: token.as_ref() };
        let outgoing = match loaded.destination.deletion(&parting.person, &access) {
            None => return Ended::Done,
            Some(Err(MissingSecret(secret))) => {
                let why = format!("the secret {secret} is not set: wrangler secret put {secret}");
                return waits(parting, 0, &why, platform);
            }
            Some(Ok(outgoing)) => outgoing,
        };
        let mut veil = Veil::of(&outgoing, &looked_up.borrow());
        veil.hide_person(Some(&parting.person));
        match ask(parting, &loaded, (outgoing, &veil, may_renew), platform).await {
            Asked::Ended(ended) => return ended,
            Asked::Stale => stale = token,
        }
    }
    waits(parting, 0, "the service refuses every token", platform)
}

/// What became of one request.
enum Asked {
    Ended(Ended),
    /// The service refused the token, and another one may be tried.
    Stale,
}

async fn ask<P: Platform>(
    parting: &Parting,
    loaded: &Loaded,
    (outgoing, veil, may_renew): (Outgoing, &Veil, bool),
    platform: &P,
) -> Asked {
    let (destination, pace) = (&*loaded.destination, loaded.kind.limits.pace);
    if let Err(why) = target::check(&outgoing.url, platform.is_dev()) {
        return Asked::Ended(refused(parting, why, platform));
    }
    let began = platform.now();
    let gate = Gate::new(&parting.destination, platform.brakes(), began);
    if let Err(Held { after_s, reason, .. }) = gate.permit(pace, began) {
        return Asked::Ended(waits(parting, after_s, &reason, platform));
    }
    let request = MappedRequest { outgoing, events: vec![0], step: 0 };
    let reception = match platform.send(&request.outgoing).await {
        Ok(response) => destination.classify(&request, &response),
        Err(failure) => {
            Reception::All(Acceptance::Retry { after: None, reason: failure.message().to_owned() })
        }
    };
    // Log and brake are no places for the person who has just asked to be forgotten.
    let reception = veil.scrub_reasons(reception);
    gate.note(&reception, began, platform.now());
    let acceptance = match reception {
        Reception::All(acceptance) => Some(acceptance),
        Reception::Each(acceptances) => acceptances.into_iter().next(),
        Reception::Poison { reason } => Some(Acceptance::Rejected { reason }),
    };
    Asked::Ended(match acceptance {
        Some(Acceptance::Delivered) => Ended::Done,
        Some(Acceptance::Rejected { reason }) => refused(parting, &reason, platform),
        Some(Acceptance::Unauthorized { .. }) if may_renew => return Asked::Stale,
        Some(Acceptance::Unauthorized { reason }) => {
            let reason = reason::unauthorized(&reason);
            gate.shut(&reason, platform.now());
            waits(parting, SHUT_S, &reason, platform)
        }
        Some(Acceptance::Retry { after, reason }) => {
            let pending_s = pending_s(parting, platform);
            let asked_s = after.and_then(|text| retry_after_s(&text, platform.now()));
            match after_failure(parting.attempt, pending_s, asked_s, chance_of(parting)) {
                Next::After(after_s) => Ended::Later { after_s },
                Next::GiveUp => refused(parting, &reason, platform),
            }
        }
        Some(Acceptance::Again) | None => waits(parting, 0, "the answer says nothing", platform),
    })
}

fn waits<P: Platform>(parting: &Parting, at_least_s: u32, why: &str, platform: &P) -> Ended {
    match after_wait(pending_s(parting, platform), at_least_s, chance_of(parting)) {
        Next::After(after_s) => Ended::Later { after_s },
        Next::GiveUp => refused(parting, why, platform),
    }
}

fn refused<P: Platform>(parting: &Parting, why: &str, platform: &P) -> Ended {
    let details = [("destination", parting.destination.as_str()), ("why", why)];
    platform.log(&log_line("error", "erasure refused", &details));
    Ended::Refused
}

fn pending_s<P: Platform>(parting: &Parting, platform: &P) -> u32 {
    let pending_ms = platform.now().as_millisecond() - parting.since_ms;
    u32::try_from(pending_ms / 1_000).unwrap_or(0)
}

fn chance_of(parting: &Parting) -> u8 {
    chance((&parting.destination, parting.since_ms, parting.attempt))
}
