//! The deletion of a person at a destination: who has such a call, and one attempt at it.
//!
//! A [`Parting`] → what became of it. The person's own object repeats what failed, for as long as a delivery is repeated. The brake
//! before a destination counts here too.

use hilo_core::config::Config;
use hilo_core::delivery::{Next, after_failure, after_wait, chance};
use hilo_core::profile::Person;

use super::destination::{Acceptance, Destination, MappedRequest, MissingSecret, Reception};
use super::destinations::target;
use super::gate::{Gate, Held};
use super::plan::Configured;
use crate::calls::erasure::{Ended, Parting};
use crate::platform::{Outgoing, Platform, log_line};

/// The names of the destinations that can delete a person.
pub fn deleting(config: &Config) -> Vec<String> {
    let can_delete = |one: &Configured<'_>| {
        let of_nobody = |loaded: &super::Loaded| {
            loaded.destination.deletion(&Person::default(), &|_| None).is_some()
        };
        one.loaded.as_ref().is_ok_and(of_nobody)
    };
    let configured = Configured::all(&config.destinations);
    let deleting = configured.iter().filter(|one| can_delete(one));
    deleting.map(|one| one.entry.name.clone()).collect()
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
    let secrets = |name: &str| platform.secret(name);
    match loaded.destination.deletion(&parting.person, &secrets) {
        None => Ended::Done,
        Some(Err(MissingSecret(secret))) => {
            let why = format!("the secret {secret} is not set: wrangler secret put {secret}");
            waits(parting, 0, &why, platform)
        }
        Some(Ok(outgoing)) => ask(parting, &*loaded.destination, outgoing, platform).await,
    }
}

async fn ask<P: Platform>(
    parting: &Parting,
    destination: &dyn Destination,
    outgoing: Outgoing,
    platform: &P,
) -> Ended {
    if let Err(why) = target::check(&outgoing.url, platform.is_dev()) {
        return refused(parting, why, platform);
    }
    let began = platform.now();
    let gate = Gate::new(&parting.destination, platform.brakes(), began);
    if let Err(Held { after_s, reason, .. }) = gate.permit(began) {
        return waits(parting, after_s, &reason, platform);
    }
    let request = MappedRequest { outgoing, events: vec![0], step: 0 };
    let reception = match platform.send(&request.outgoing).await {
        Ok(response) => destination.classify(&request, &response),
        Err(failure) => {
            Reception::All(Acceptance::Retry { after: None, reason: failure.message().to_owned() })
        }
    };
    gate.note(&reception, began, platform.now());
    let acceptance = match reception {
        Reception::All(acceptance) => Some(acceptance),
        Reception::Each(acceptances) => acceptances.into_iter().next(),
        Reception::Poison { reason } => Some(Acceptance::Rejected { reason }),
    };
    match acceptance {
        Some(Acceptance::Delivered) => Ended::Done,
        Some(Acceptance::Rejected { reason }) => refused(parting, &reason, platform),
        Some(Acceptance::Retry { after, reason }) => {
            let pending_s = pending_s(parting, platform);
            match after_failure(parting.attempt, pending_s, after.as_deref(), chance_of(parting)) {
                Next::After(after_s) => Ended::Later { after_s },
                Next::GiveUp => refused(parting, &reason, platform),
            }
        }
        None => waits(parting, 0, "the answer says nothing", platform),
    }
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
