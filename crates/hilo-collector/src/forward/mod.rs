//! Forward: plans the destinations of an event, and delivers the event.
//!
//! `plan` decides before anything is stored. `deliver` is the consumer of the queue: it groups deliveries into batches,
//! lets the destination map them, sends the requests, and reports the results to profile and journal as they come. Both
//! check consent. This folder stores nothing: the outbox does.

mod asked;
mod attempt;
mod batch;
pub mod destination;
pub mod destinations;
mod door;
mod ending;
mod gate;
mod links;
mod outside;
mod parting;
mod plan;
mod preview;
pub mod reason;
mod report;
mod results;
mod rules;
mod shown;
#[cfg(test)]
mod tests;
pub mod tokens;
mod words;

pub use door::{NEEDS_NOBODY, described, oauth_of};
pub use parting::{deleting, keeping, part};
pub use plan::{Configured, Loaded, examine, listeners, missing_secrets, plan};
pub use preview::{Preview, preview, refusal};
pub use rules::{Ruled, rule};

use std::cell::RefCell;
use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt as _};
use hilo_core::consent::Purpose;
use hilo_core::event::Event;
use hilo_core::outcome::Code;

use crate::calls::journal::send_counted;
use crate::calls::{Delivery, DeliveryResult, ProfileCall, UnderWay, ask_profile};
use crate::fault::FaultCode;
use crate::keyring::Keyring;
use crate::loaded::Standing;
use crate::platform::{Failure, Outgoing, Platform, Response, log_line};
use crate::signature::hex;
use attempt::attempt;
use batch::{Outbound, batches};
use destination::Token;
use gate::Gate;
use outside::{Ended, Outside};
use report::Report;
use results::HeldBack;

/// The most requests of one invocation at a time (Cloudflare: six connections that wait for an answer).
const CONNECTIONS_MAX: usize = 6;
/// The most requests to one destination at a time. A destination that hangs must leave connections for the others.
const AT_ONCE: usize = 3;

/// Brings every delivery to its destination and reports the results.
pub async fn deliver<P: Platform>(deliveries: Vec<Delivery>, platform: &P) {
    let standing = platform.config().await;
    if let Err(fault) = &standing
        && fault.code == FaultCode::JurisdictionChanged
    {
        // The profiles of these deliveries are elsewhere, and send them again.
        return platform.log(&log_line("error", "deliveries", &[("why", fault.code.name())]));
    }
    let mut groups: BTreeMap<String, Vec<Delivery>> = BTreeMap::new();
    for delivery in asked::still_wanted(deliveries, platform).await {
        groups.entry(delivery.destination.clone()).or_default().push(delivery);
    }
    let at_once = (CONNECTIONS_MAX / groups.len().max(1)).clamp(1, AT_ONCE);
    // The groups run side by side, and the gate of each bounds its time: a destination that hangs delays only its own
    // deliveries.
    let groups = stream::iter(groups).for_each_concurrent(CONNECTIONS_MAX, |(name, group)| {
        deliver_to(name, group, at_once, &standing, platform)
    });
    groups.await;
    send_counted(platform).await;
}

/// Brings deliveries to the destination called `name`.
async fn deliver_to<P: Platform>(
    name: String,
    group: Vec<Delivery>,
    at_once: usize,
    standing: &Standing,
    platform: &P,
) {
    let report = Report::of(&group, platform);
    let loaded = standing.as_ref();
    let configured = loaded.ok().and_then(|loaded| loaded.config.destination(&name));
    let configured = configured.map(Configured::of);
    let problem = match (standing, &configured) {
        (_, Some(Configured { loaded: Ok(_), .. })) => None,
        (_, Some(Configured { loaded: Err(problem), .. })) => Some(problem.to_string()),
        (Ok(_), None) => Some(format!("hilo.toml has no destination called {name:?}")),
        (Err(fault), None) => Some(fault.code.name().to_owned()),
    };
    match (configured, problem) {
        (Some(configured), None) => {
            let outside = Outside {
                send: async |request: &Outgoing| platform.send(request).await,
                secrets: &|name| platform.secret(name),
                now: &|| platform.now(),
                is_dev: platform.is_dev(),
                keyring: Keyring::of(platform).ok(),
                gate: Gate::new(&name, platform.brakes(), platform.now()),
                renew: &|stale: Option<Token>| Box::pin(door::token(&name, stale, platform)),
                mark: &|profile, deliveries| Box::pin(mark(profile, deliveries, platform)),
                mark_id: hex(&platform.random16()),
            };
            let add = async |results| report.add(results).await;
            deliver_group(group, &configured, at_once, &outside, add).await;
        }
        // The deployer can still mend the file, so the deliveries wait. A file that could not be read, or an older one,
        // must not cost events.
        (_, problem) => {
            let reason = format!("waits: {}", problem.unwrap_or_default());
            platform.log(&log_line("warn", "destination", &[("why", &reason)]));
            let now = platform.now();
            let wait = |delivery: Delivery| {
                let result = ending::waits(&delivery, delivery.steps, 0, &reason, now);
                Ended::unsent(delivery, result)
            };
            report.add(group.into_iter().map(wait).collect()).await;
        }
    }
    report.close().await;
}

/// Marks deliveries of a profile before they are sent. Nobody knows whether a profile that does not answer has marked them.
async fn mark<P: Platform>(
    profile: String,
    deliveries: Vec<UnderWay>,
    platform: &P,
) -> Option<Vec<Option<i64>>> {
    let call = ProfileCall::Sending(deliveries);
    let told = |failure: &Failure| {
        platform.log(&log_line("warn", "deliveries", &[("why", failure.message())]));
    };
    ask_profile(platform, profile, &call).await.inspect_err(told).ok()
}

/// Attempts the deliveries for one destination, and reports their results as they come.
async fn deliver_group<S, R>(
    group: Vec<Delivery>,
    configured: &Configured<'_>,
    at_once: usize,
    outside: &Outside<'_, S>,
    report: R,
) where
    S: AsyncFn(&Outgoing) -> Result<Response, Failure>,
    R: AsyncFn(Vec<Ended>),
{
    let Ok(loaded) = &configured.loaded else { return };
    let limits = &loaded.kind.limits;
    let (mut ended, mut outbound) = (Vec::new(), Vec::new());
    for delivery in group {
        match open(delivery, configured, loaded, outside) {
            Ok(one) => outbound.push(one),
            Err(one) => ended.push(*one),
        }
    }
    report(ended).await;
    // If order matters, the batches are sent one after another.
    let at_once = if limits.is_ordered { 1 } else { at_once };
    let held_back = RefCell::new(HeldBack::new());
    let sent =
        stream::iter(batches(outbound, limits)).for_each_concurrent(at_once, |batch| async {
            report(attempt(batch, loaded, outside, &held_back).await).await;
        });
    sent.await;
}

/// Takes back what an event claims to be granted although the profile's record denies it. Kinds read the claim.
fn deny(event: &mut Event, denied: &[Purpose]) {
    for purpose in denied {
        let claim = event.context.consent.get_or_insert_default();
        claim.category_preferences.insert(purpose.name().to_owned(), false);
    }
}

/// Parses the event of a delivery and applies the deployer's rules. Gives up the delivery if the event's consent forbids it or the
/// event is too old. Leaves it untouched if its lease ends too soon.
fn open<S>(
    delivery: Delivery,
    configured: &Configured<'_>,
    loaded: &Loaded,
    outside: &Outside<'_, S>,
) -> Result<Outbound, Box<Ended>> {
    let unsent = |delivery, result| Err(Box::new(Ended::unsent(delivery, result)));
    let dead = |delivery: Delivery, reason: String| {
        let steps = delivery.steps;
        unsent(delivery, DeliveryResult::Dead { reason, steps })
    };
    if let Some(result) = ending::untouched(&delivery, (outside.now)()) {
        return unsent(delivery, result);
    }
    let mut event = match delivery.read_event() {
        Ok(event) => event,
        Err(failure) => return dead(delivery, failure.message().to_owned()),
    };
    deny(&mut event, &delivery.denied);
    // The profile's recorded consent was checked when the outbox sent the delivery. Here the event's own consent is
    // checked. A request to confirm a subscription is what the person has asked for, and some destinations are owed an opt-in.
    if !event.is_optin_request() && !configured.is_allowed(&event) {
        if !configured.is_owed_now(&event) {
            return dead(delivery, Code::ConsentDenied.name().to_owned());
        }
        Configured::reduce(&mut event);
    }
    event.context.hilo.ledger = false;
    let age_s = (outside.now)().duration_since(event.occurred_at).as_secs();
    if let Some(age_s_max) = loaded.kind.limits.age_s_max.filter(|max| age_s > i64::from(*max)) {
        let kind = loaded.kind.name;
        return dead(delivery, reason::too_old(kind, age_s_max));
    }
    if let Err(reason) = links::sign(&mut event, outside.keyring.as_ref()) {
        let result = ending::waits(&delivery, delivery.steps, 0, &reason, (outside.now)());
        return unsent(delivery, result);
    }
    configured.narrow(&mut event);
    match rule(&configured.entry.map, &event, delivery.person.as_deref()) {
        Ruled::Kept { mapped, .. } => Ok(Outbound { delivery, event, mapped }),
        // The deployer wants it so: there is nothing to mend and nothing to replay.
        Ruled::Dropped(reason) => unsent(delivery, DeliveryResult::Skipped { reason }),
    }
}
