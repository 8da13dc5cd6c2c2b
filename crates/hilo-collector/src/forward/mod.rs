//! Forward: which destinations an event is meant for, and bringing it there.
//!
//! `plan` decides before anything is stored; `deliver` is the queue's consumer: maps by the destination's pure function,
//! sends, and tells profile and journal what became of it. Consent is asked at both. Keeps nothing: the outbox does.

pub mod destinations;
pub mod retry;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt as _};
use hilo_core::config::{DestinationEntry, Problem};
use hilo_core::consent::{Decision, decide};
use hilo_core::event::Event;

use crate::calls::journal::{Attempt, JournalCall, ask_journal};
use crate::calls::{Confirmation, Delivery, DeliveryResult, Planned, ProfileCall, ask_profile};
use crate::platform::{Platform, log_line};
use destinations::{Destination, Unmapped, Verdict, target};
use retry::{Next, next, purposes};

/// Requests to one destination at a time: Workers allow six connections in all, and one that hangs must leave some.
const AT_ONCE: usize = 3;
/// Profiles told at a time what became of their deliveries.
const CONFIRMED_AT_ONCE: usize = 16;

/// A destination as configured, its settings typed: once for a batch, because that costs more than planning an event.
pub struct Configured<'c> {
    entry: &'c DestinationEntry,
    destination: Result<Destination, Problem>,
    /// What is written down about an event that is meant for it, with all purposes that it needs.
    planned: Planned,
}

impl Configured<'_> {
    /// Types the settings of every entry.
    pub fn all(entries: &[DestinationEntry]) -> Vec<Configured<'_>> {
        entries.iter().map(Configured::of).collect()
    }

    fn of(entry: &DestinationEntry) -> Configured<'_> {
        let destination = Destination::load(entry);
        let own = destination.as_ref().map_or(&[][..], Destination::purposes);
        let planned = Planned {
            name: entry.name.clone(),
            purposes: purposes(&entry.purposes, own),
            channel: entry.channel,
        };
        Configured { entry, destination, planned }
    }

    /// A destination that cannot be loaded gets nothing: fail closed.
    fn is_allowed(&self, event: &Event) -> bool {
        let said = event.context.consent.as_ref().map(|claim| claim.state()).unwrap_or_default();
        self.destination.is_ok()
            && !self.planned.purposes.is_empty()
            && decide(&said, &self.planned.purposes) == Decision::Pass
    }
}

/// The destinations `event` is meant for: wanted by their filters, allowed by every purpose they need, and not taken
/// away by the sender's `integrations`.
pub fn plan<'p>(event: &Event, configured: &'p [Configured<'_>]) -> Vec<&'p Planned> {
    let wanted = |one: &&Configured<'_>| {
        one.entry.events.wants(event)
            && is_integrated(event, &one.entry.name)
            && one.is_allowed(event)
    };
    configured.iter().filter(wanted).map(|one| &one.planned).collect()
}

/// Segment's `integrations`: `{"All": false}` takes all away but those named `true` or with options.
fn is_integrated(event: &Event, name: &str) -> bool {
    let is_on = |value: &serde_json::Value| value.as_bool().unwrap_or(!value.is_null());
    let all = event.integrations.get("All").is_none_or(is_on);
    event.integrations.get(name).map_or(all, is_on)
}

/// Brings every delivery to its destination and tells what became of it.
pub async fn deliver<P: Platform>(deliveries: Vec<Delivery>, platform: &P) {
    let config = platform.config().await;
    let mut groups: BTreeMap<String, Vec<Delivery>> = BTreeMap::new();
    for delivery in deliveries {
        groups.entry(delivery.destination.clone()).or_default().push(delivery);
    }
    // Side by side: a destination that hangs holds up nobody but itself.
    let groups = groups.into_iter().map(|(name, group)| {
        let configured = config.config.destination(&name).map(Configured::of);
        async move {
            let attempts =
                group.into_iter().map(|delivery| attempt(delivery, configured.as_ref(), platform));
            let attempts: Vec<_> = stream::iter(attempts).buffer_unordered(AT_ONCE).collect().await;
            confirm(attempts, platform).await;
        }
    });
    join_all(groups).await;
}

/// One delivery to its end.
async fn attempt<P: Platform>(
    delivery: Delivery,
    configured: Option<&Configured<'_>>,
    platform: &P,
) -> (Delivery, DeliveryResult) {
    let result = match configured {
        None => {
            DeliveryResult::Dead { reason: "hilo.toml has no such destination any more".to_owned() }
        }
        Some(configured) => match &configured.destination {
            Err(problem) => again(&delivery, None, problem.to_string()),
            Ok(destination) => send(&delivery, destination, configured, platform).await,
        },
    };
    (delivery, result)
}

async fn send<P: Platform>(
    delivery: &Delivery,
    destination: &Destination,
    configured: &Configured<'_>,
    platform: &P,
) -> DeliveryResult {
    let event = match delivery.read_event() {
        Ok(event) => event,
        Err(failure) => return DeliveryResult::Dead { reason: failure.message().to_owned() },
    };
    // The profile's own record was asked when the delivery was handed out; this asks what the event itself says.
    if !configured.is_allowed(&event) {
        return DeliveryResult::Dead { reason: "consent_denied".to_owned() };
    }
    let secrets = |name: &str| platform.secret(name);
    let now_s = platform.now().as_second();
    let requests = match destination.requests(&event, &secrets, now_s) {
        Ok(requests) => requests,
        Err(Unmapped::NoSecret(name)) => {
            let reason =
                format!("the secret {name} is not set or is none: wrangler secret put {name}");
            return again(delivery, None, reason);
        }
        Err(Unmapped::NotForUs(reason)) => return DeliveryResult::Dead { reason },
    };
    for request in &requests {
        if let Err(why) = target::check(&request.url, platform.is_dev()) {
            return DeliveryResult::Dead { reason: format!("the URL may not be called: {why}") };
        }
        let verdict = match platform.send(request).await {
            Ok(response) => destination.classify(&response),
            Err(failure) => Verdict::Retry { after: None, reason: failure.message().to_owned() },
        };
        match verdict {
            Verdict::Delivered => {}
            Verdict::Retry { after, reason } => {
                return again(delivery, after.as_deref(), reason);
            }
            Verdict::Rejected { reason } => return DeliveryResult::Dead { reason },
        }
    }
    DeliveryResult::Delivered
}

/// What follows a failed attempt.
fn again(delivery: &Delivery, retry_after: Option<&str>, reason: String) -> DeliveryResult {
    // The same for what shares a row of the outbox: together it costs its profile one row, apart one each.
    let mut hasher = DefaultHasher::new();
    (&delivery.profile, delivery.row, delivery.attempt).hash(&mut hasher);
    let [chance, ..] = hasher.finish().to_le_bytes();
    match next(delivery.attempt, retry_after, chance) {
        Next::Retry(after_s) => DeliveryResult::Retry { after_s, reason },
        Next::GiveUp => DeliveryResult::Dead { reason },
    }
}

/// Tells each profile what became of its deliveries, and the journal of all. A confirmation that is lost leads to one
/// more attempt, which the receiver knows by its id.
async fn confirm<P: Platform>(attempts: Vec<(Delivery, DeliveryResult)>, platform: &P) {
    let mut profiles: BTreeMap<String, Vec<Confirmation>> = BTreeMap::new();
    let mut notes = Vec::new();
    for (delivery, result) in attempts {
        notes.push(note(&delivery, &result));
        let Delivery { profile, row, message_id, .. } = delivery;
        profiles.entry(profile).or_default().push(Confirmation { row, message_id, result });
    }
    let tell = |(profile, confirmations)| async move {
        let call = ProfileCall::Confirm { confirmations };
        let told: Result<(), _> = ask_profile(platform, profile, &call).await;
        if let Err(failure) = told {
            platform.log(&log_line("warn", "confirm", &[("why", failure.message())]));
        }
    };
    stream::iter(profiles).for_each_concurrent(CONFIRMED_AT_ONCE, tell).await;
    let told: Result<(), _> =
        ask_journal(platform, &JournalCall::Attempted { attempts: notes }).await;
    if let Err(failure) = told {
        platform.log(&log_line("warn", "journal", &[("why", failure.message())]));
    }
}

fn note(delivery: &Delivery, result: &DeliveryResult) -> Attempt {
    let (result, reason) = match result {
        DeliveryResult::Delivered => ("delivered", None),
        DeliveryResult::Retry { reason, .. } => ("retry", Some(reason.clone())),
        DeliveryResult::Dead { reason } => ("dead", Some(reason.clone())),
    };
    Attempt {
        destination: delivery.destination.clone(),
        profile: delivery.profile.clone(),
        message_id: delivery.message_id.clone(),
        result: result.to_owned(),
        reason,
    }
}
