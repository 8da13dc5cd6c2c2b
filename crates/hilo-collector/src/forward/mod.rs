//! Forward: plans the destinations of an event, and delivers the event.
//!
//! `plan` decides before anything is stored. `deliver` is the consumer of the queue: it groups deliveries into batches,
//! lets the destination map them, sends the requests, and reports the results to profile and journal. Both check
//! consent. This folder stores nothing: the outbox does.

mod attempt;
mod batch;
pub mod destination;
pub mod destinations;
mod plan;
mod retry;
#[cfg(test)]
mod tests;

pub use plan::{Configured, Loaded, plan};

use std::cell::RefCell;
use std::collections::BTreeMap;

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt as _};
use hilo_core::outcome::Code;

use crate::calls::journal::lines::Attempt;
use crate::calls::journal::{note_attempts, send_counted};
use crate::calls::{Confirmation, Delivery, DeliveryResult, ProfileCall, ask_profile};
use crate::platform::{Failure, Outgoing, Platform, Response, log_line};
use attempt::{HeldBack, Outside, again, attempt};
use batch::{Outbound, batches};

/// The most requests to one destination at a time. Workers allow six connections in all, and a destination that hangs
/// must leave some.
const AT_ONCE: usize = 3;
/// The most profiles that get their confirmations at the same time.
const CONFIRMED_AT_ONCE: usize = 16;

/// Brings every delivery to its destination and reports the results.
pub async fn deliver<P: Platform>(deliveries: Vec<Delivery>, platform: &P) {
    let config = platform.config().await;
    let mut groups: BTreeMap<String, Vec<Delivery>> = BTreeMap::new();
    for delivery in deliveries {
        groups.entry(delivery.destination.clone()).or_default().push(delivery);
    }
    let outside = Outside {
        send: async |request: &Outgoing| platform.send(request).await,
        secrets: &|name| platform.secret(name),
        now: &|| platform.now(),
        is_dev: platform.is_dev(),
    };
    // The groups run side by side: a destination that hangs delays only its own deliveries.
    let groups = groups.into_iter().map(|(name, group)| {
        let configured = config.config.destination(&name).map(Configured::of);
        let outside = &outside;
        async move {
            let results = match configured {
                Some(configured) => deliver_group(group, &configured, outside).await,
                None => {
                    let dead = |delivery: Delivery| {
                        let steps = delivery.steps;
                        let reason = "hilo.toml has no such destination any more".to_owned();
                        (delivery, DeliveryResult::Dead { reason, steps })
                    };
                    group.into_iter().map(dead).collect()
                }
            };
            confirm(results, platform).await;
        }
    });
    join_all(groups).await;
    send_counted(platform).await;
}

/// Attempts the deliveries for one destination, and returns their results.
async fn deliver_group<S>(
    group: Vec<Delivery>,
    configured: &Configured<'_>,
    outside: &Outside<'_, S>,
) -> Vec<(Delivery, DeliveryResult)>
where
    S: AsyncFn(&Outgoing) -> Result<Response, Failure>,
{
    let loaded = match &configured.loaded {
        Ok(loaded) => loaded,
        Err(problem) => {
            let retry = |delivery: Delivery| {
                let result = again(&delivery, delivery.steps, None, problem.to_string());
                (delivery, result)
            };
            return group.into_iter().map(retry).collect();
        }
    };
    let limits = &loaded.kind.limits;
    let (mut results, mut outbound) = (Vec::new(), Vec::new());
    for delivery in group {
        match open(delivery, configured, loaded, outside) {
            Ok(one) => outbound.push(one),
            Err(dead) => results.push(*dead),
        }
    }
    // If order matters, the batches are sent one after another.
    let at_once = if limits.is_ordered { 1 } else { AT_ONCE };
    let held_back = RefCell::new(HeldBack::new());
    let attempts = batches(outbound, limits).into_iter();
    let attempts = attempts.map(|batch| attempt(batch, loaded, outside, &held_back));
    let sent: Vec<_> = stream::iter(attempts).buffer_unordered(at_once).collect().await;
    results.extend(sent.into_iter().flatten());
    results
}

/// Parses the event of a delivery. Gives up the delivery if the event's consent forbids it or the event is too old.
fn open<S>(
    delivery: Delivery,
    configured: &Configured<'_>,
    loaded: &Loaded,
    outside: &Outside<'_, S>,
) -> Result<Outbound, Box<(Delivery, DeliveryResult)>> {
    let dead = |delivery: Delivery, reason: String| {
        let steps = delivery.steps;
        Err(Box::new((delivery, DeliveryResult::Dead { reason, steps })))
    };
    let mut event = match delivery.read_event() {
        Ok(event) => event,
        Err(failure) => return dead(delivery, failure.message().to_owned()),
    };
    // The profile's recorded consent was checked when the outbox sent the delivery. Here the event's own consent is
    // checked.
    if !configured.is_allowed(&event) {
        return dead(delivery, Code::ConsentDenied.name().to_owned());
    }
    let age_s = (outside.now)().duration_since(event.occurred_at).as_secs();
    if let Some(age_s_max) = loaded.kind.limits.age_s_max.filter(|max| age_s > i64::from(*max)) {
        let kind = loaded.kind.name;
        let reason = format!("too_old: {kind} takes no event older than {age_s_max} s");
        return dead(delivery, reason);
    }
    configured.narrow(&mut event);
    Ok(Outbound { delivery, event })
}

/// Sends each profile its confirmations, and the journal all of them. A lost confirmation leads to one more attempt, and
/// the receiver detects the repeat by its id.
async fn confirm<P: Platform>(results: Vec<(Delivery, DeliveryResult)>, platform: &P) {
    let mut profiles: BTreeMap<String, Vec<Confirmation>> = BTreeMap::new();
    let mut attempts = Vec::new();
    for (delivery, result) in results {
        attempts.push(note(&delivery, &result));
        let Delivery { profile, row, message_id, .. } = delivery;
        profiles.entry(profile).or_default().push(Confirmation { row, message_id, result });
    }
    let send = |(profile, confirmations)| async move {
        let call = ProfileCall::Confirm { confirmations };
        let sent: Result<(), _> = ask_profile(platform, profile, &call).await;
        if let Err(failure) = sent {
            platform.log(&log_line("warn", "confirm", &[("why", failure.message())]));
        }
    };
    stream::iter(profiles).for_each_concurrent(CONFIRMED_AT_ONCE, send).await;
    note_attempts(platform, &attempts).await;
}

fn note(delivery: &Delivery, result: &DeliveryResult) -> Attempt {
    let (result, reason) = match result {
        DeliveryResult::Delivered => ("delivered", None),
        DeliveryResult::Retry { reason, .. } => ("retry", Some(reason.clone())),
        DeliveryResult::Dead { reason, .. } => ("dead", Some(reason.clone())),
    };
    Attempt {
        destination: delivery.destination.clone(),
        profile: delivery.profile.clone(),
        message_id: delivery.message_id.clone(),
        result: result.to_owned(),
        reason,
    }
}
