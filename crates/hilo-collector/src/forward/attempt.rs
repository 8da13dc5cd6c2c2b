//! One attempt: a batch goes through all steps of its destination, and each event gets one result.
//!
//! An attempt maps the batch, sends the requests and classifies the answers. It bisects a batch that one event poisons.
//! It continues with the next step for the events that finished this one, and keeps the order of events if the
//! destination needs it. This file stores nothing: the outbox does.

use std::cell::RefCell;

use jiff::Timestamp;

use super::batch::Outbound;
use super::destination::{
    Acceptance, Batch, BatchEvent, MappedRequest, Mapping, MissingSecret, Reception, STEPS_MAX,
    Secrets,
};
use super::destinations::target;
use super::ending::{failed, waits, waits_its_turn};
use super::gate::{Gate, Held};
use super::plan::Loaded;
use crate::calls::{Delivery, DeliveryResult};
use crate::keyring::Keyring;
use crate::platform::{Failure, Outgoing, Response};

/// How often a batch may be cut in two to find the events that poison it. To find four such events among 75 takes 28
/// cuts.
const BISECTIONS_MAX: usize = 32;

/// The services that an attempt needs.
pub(super) struct Outside<'o, S> {
    /// Sends a request.
    pub(super) send: S,
    /// Looks up secrets.
    pub(super) secrets: Secrets<'o>,
    /// Returns the time.
    pub(super) now: &'o dyn Fn() -> Timestamp,
    /// Whether plain http to this machine is allowed.
    pub(super) is_dev: bool,
    /// Signs the links of opt-ins; `None` where a secret of the collector is missing.
    pub(super) keyring: Option<Keyring>,
    /// Decides when a request may start.
    pub(super) gate: Gate,
}

/// Persons whose later events are held back, each with the result of the event that holds them back.
pub(super) type HeldBack = Vec<(String, DeliveryResult)>;

fn find<'h>(held_back: &'h HeldBack, profile: &str) -> Option<&'h DeliveryResult> {
    held_back.iter().find(|(held, _)| held == profile).map(|(_, result)| result)
}

/// Brings a batch to its destination. Returns one result per delivery, in order.
pub(super) async fn attempt<S>(
    batch: Vec<Outbound>,
    loaded: &Loaded,
    outside: &Outside<'_, S>,
    held_back: &RefCell<HeldBack>,
) -> Vec<(Delivery, DeliveryResult)>
where
    S: AsyncFn(&Outgoing) -> Result<Response, Failure>,
{
    let step = batch.first().map_or(0, |one| one.delivery.steps);
    let results = vec![None; batch.len()];
    let mut run = Run { batch: &batch, loaded, outside, held_back, results, bisections: 0 };
    // A stack whose top comes first: the parts that follow from a part come before the parts behind it.
    let mut parts = vec![Part { places: (0..batch.len()).collect(), step }];
    while let Some(part) = parts.pop() {
        parts.extend(run.send_part(part).await.into_iter().rev());
    }
    let results = std::mem::take(&mut run.results);
    batch.into_iter().zip(results).map(|(one, result)| (one.delivery, ended(result))).collect()
}

/// Every part gives each of its events a result or passes it to a further part, so no event is without a result.
fn ended(result: Option<DeliveryResult>) -> DeliveryResult {
    let reason = || "the attempt ended without a result".to_owned();
    result.unwrap_or_else(|| DeliveryResult::Dead { reason: reason(), steps: 0 })
}

/// Events of the batch that take the same step in one attempt.
struct Part {
    places: Vec<usize>,
    step: u32,
}

impl Part {
    /// Returns the index in the batch of the event at index `at` of this part.
    fn at(&self, at: usize) -> Option<usize> {
        self.places.get(at).copied()
    }

    /// Returns the indexes of a request's events in the batch.
    fn of(&self, request: &MappedRequest) -> impl Iterator<Item = usize> {
        request.events.iter().filter_map(|at| self.at(*at))
    }
}

struct Run<'r, 'o, S> {
    batch: &'r [Outbound],
    loaded: &'r Loaded,
    outside: &'r Outside<'o, S>,
    held_back: &'r RefCell<HeldBack>,
    /// One result per event of the batch, as soon as it is known.
    results: Vec<Option<DeliveryResult>>,
    bisections: usize,
}

impl<S> Run<'_, '_, S>
where
    S: AsyncFn(&Outgoing) -> Result<Response, Failure>,
{
    /// Sends the requests of one step. Returns the remaining parts, in order.
    async fn send_part(&mut self, mut part: Part) -> Vec<Part> {
        part.places.retain(|place| !self.is_held_back(*place, part.step));
        if part.places.is_empty() {
            return Vec::new();
        }
        let Mapping { requests, left_out } = match self.map(&part) {
            Ok(mapping) => mapping,
            Err(MissingSecret(name)) => {
                let reason = format!(
                    "the secret {name} is not set or is none: cargo xtask wrangler secret put {name}"
                );
                let held = Held { after_s: 0, reason, is_its_turn: false };
                part.places.iter().for_each(|place| self.wait(*place, part.step, &held));
                return Vec::new();
            }
        };
        for (place, reason) in left_out.iter().filter_map(|(at, why)| Some((part.at(*at)?, why))) {
            self.die(place, part.step, reason);
        }
        let mut apart = Vec::new();
        let is_due = |request: &&MappedRequest| {
            request.step == part.step && part.of(request).next().is_some()
        };
        let mut of_step = requests.iter().filter(is_due);
        while let Some(request) = of_step.next() {
            let sent = self.send(request).await;
            let places: Vec<usize> = part.of(request).collect();
            // If order matters, this round sends only this request. The events of the other requests, and all later
            // events, are mapped again when the attempt has found out which events are held back.
            let first = match self.loaded.kind.limits.is_ordered {
                true => of_step.by_ref().flat_map(|request| &request.events).min(),
                false => None,
            };
            let rest = part.places.iter().skip(first.copied().unwrap_or(part.places.len()));
            let is_open = |place: &&usize| {
                !places.contains(place) && self.results.get(**place).is_some_and(Option::is_none)
            };
            let rest = rest.filter(is_open).copied().collect();
            match sent {
                Ok(reception) => apart.extend(self.receive(places, part.step, reception)),
                Err(held) => places.iter().for_each(|at| self.wait(*at, part.step, &held)),
            }
            apart.push(Part { places: rest, step: part.step });
        }
        let is_apart = |place: &usize| apart.iter().any(|part: &Part| part.places.contains(place));
        let mut left = vec![self.go_on(&part, &requests, is_apart)];
        left.append(&mut apart);
        left.retain(|part| !part.places.is_empty());
        left
    }

    fn map(&self, part: &Part) -> Result<Mapping, MissingSecret> {
        let outbound = part.places.iter().filter_map(|place| self.batch.get(*place));
        let events = outbound
            .map(|one| BatchEvent { event: &one.event, person: one.delivery.person.as_deref() });
        self.loaded.destination.requests(&Batch {
            events: events.collect(),
            secrets: self.outside.secrets,
            now: (self.outside.now)(),
        })
    }

    /// Sends a request, if the gate lets it start.
    async fn send(&self, request: &MappedRequest) -> Result<Reception, Held> {
        if let Err(why) = target::check(&request.outgoing.url, self.outside.is_dev) {
            let reason = format!("the URL may not be called: {why}");
            return Ok(Reception::All(Acceptance::Rejected { reason }));
        }
        let Outside { send, now, gate, .. } = self.outside;
        let began = now();
        gate.permit(began)?;
        let reception = match send(&request.outgoing).await {
            Ok(response) => self.loaded.destination.classify(request, &response),
            Err(failure) => {
                let reason = failure.message().to_owned();
                Reception::All(Acceptance::Retry { after: None, reason })
            }
        };
        gate.note(&reception, began, now());
        Ok(reception)
    }

    /// Gives the events of a request their results. Delivered events get no result yet, because they may have further
    /// steps. Returns the two halves of a request that has to be bisected.
    fn receive(&mut self, places: Vec<usize>, step: u32, reception: Reception) -> Vec<Part> {
        match reception {
            Reception::All(acceptance) => {
                places.iter().for_each(|place| self.accept(*place, step, &acceptance));
            }
            Reception::Each(acceptances) => {
                let missing = Acceptance::Retry {
                    after: None,
                    reason: "the answer says nothing about this event".to_owned(),
                };
                let acceptances = acceptances.iter().chain(std::iter::repeat(&missing));
                places.iter().zip(acceptances).for_each(|(at, one)| self.accept(*at, step, one));
            }
            Reception::Poison { reason } if places.len() > 1 => {
                if self.bisections < BISECTIONS_MAX {
                    self.bisections += 1;
                    let (first, second) = places.split_at(places.len() / 2);
                    let half = |places: &[usize]| Part { places: places.to_vec(), step };
                    return vec![half(first), half(second)];
                }
                // The next attempt continues without the events that were separated.
                places.iter().for_each(|place| self.retry(*place, step, None, &reason));
            }
            Reception::Poison { reason } => {
                places.iter().for_each(|place| self.die(*place, step, &reason));
            }
        }
        Vec::new()
    }

    fn accept(&mut self, place: usize, step: u32, acceptance: &Acceptance) {
        match acceptance {
            Acceptance::Delivered => {}
            Acceptance::Retry { after, reason } => {
                self.retry(place, step, after.as_deref(), reason);
            }
            Acceptance::Rejected { reason } => self.die(place, step, reason),
        }
    }

    /// Makes the part of the next step: the events that finished this step and have a request of a later one. The other
    /// events have ended, except those in another part of this step.
    fn go_on(
        &mut self,
        part: &Part,
        requests: &[MappedRequest],
        is_apart: impl Fn(&usize) -> bool,
    ) -> Part {
        let mut next = Part { places: Vec::new(), step: part.step + 1 };
        for (at, &place) in part.places.iter().enumerate() {
            if self.results.get(place).is_none_or(Option::is_some) || is_apart(&place) {
                continue;
            }
            let steps = requests.iter().filter(|request| request.events.contains(&at));
            match steps.map(|request| request.step).max() {
                None => self.die(place, part.step, "the destination made no request of this event"),
                Some(last) if last <= part.step => self.end(place, DeliveryResult::Delivered),
                Some(last) if last >= STEPS_MAX => {
                    self.die(place, part.step, "the destination wants more steps than there are");
                }
                Some(_) => next.places.push(place),
            }
        }
        next
    }

    /// Gives an event the result that holds its person's events back, if there is one. The events share this result, so
    /// that the next attempt sends them together and in order.
    fn is_held_back(&mut self, place: usize, step: u32) -> bool {
        let profile = self.batch.get(place).map(|one| &one.delivery.profile);
        let held_back = self.held_back.borrow();
        let held = profile.and_then(|profile| find(&held_back, profile)).map(|held| match held {
            DeliveryResult::Retry { after_s, reason, .. } => {
                DeliveryResult::Retry { after_s: *after_s, reason: reason.clone(), steps: step }
            }
            DeliveryResult::Wait { after_s, reason, .. } => {
                DeliveryResult::Wait { after_s: *after_s, reason: reason.clone(), steps: step }
            }
            DeliveryResult::Delivered | DeliveryResult::Dead { .. } => held.clone(),
        });
        drop(held_back);
        let is_held_back = held.is_some();
        held.into_iter().for_each(|held| self.end(place, held));
        is_held_back
    }

    /// Notes that an event's attempt failed in this step.
    fn retry(&mut self, place: usize, steps: u32, retry_after: Option<&str>, reason: &str) {
        let Some(one) = self.batch.get(place) else { return };
        let result = failed(&one.delivery, steps, retry_after, reason, (self.outside.now)());
        self.hold_back(place, result);
    }

    /// Notes that an event was not attempted in this step.
    fn wait(&mut self, place: usize, steps: u32, held: &Held) {
        let Some(one) = self.batch.get(place) else { return };
        let Held { after_s, reason, is_its_turn } = held;
        let wait = if *is_its_turn { waits_its_turn } else { waits };
        let result = wait(&one.delivery, steps, *after_s, reason, (self.outside.now)());
        self.hold_back(place, result);
    }

    /// Ends an event's attempt. If order matters and the event is due again, its person's later events are held back.
    fn hold_back(&mut self, place: usize, result: DeliveryResult) {
        let profile = self.batch.get(place).map(|one| one.delivery.profile.clone());
        let is_due_again =
            matches!(result, DeliveryResult::Retry { .. } | DeliveryResult::Wait { .. });
        if let Some(profile) =
            profile.filter(|_| self.loaded.kind.limits.is_ordered && is_due_again)
        {
            let mut held_back = self.held_back.borrow_mut();
            if find(&held_back, &profile).is_none() {
                held_back.push((profile, result.clone()));
            }
        }
        self.end(place, result);
    }

    fn die(&mut self, place: usize, steps: u32, reason: &str) {
        self.end(place, DeliveryResult::Dead { reason: reason.to_owned(), steps });
    }

    fn end(&mut self, place: usize, result: DeliveryResult) {
        if let Some(ended) = self.results.get_mut(place) {
            *ended = Some(result);
        }
    }
}
