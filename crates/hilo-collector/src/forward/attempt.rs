//! One attempt: a batch through all steps of its destination, to one result per event.
//!
//! Maps, sends and classifies, bisects a batch that one event poisons, goes on to the next step with the events that got there,
//! and keeps the order where the destination wants it. Keeps nothing: the outbox does.

use std::cell::RefCell;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use jiff::Timestamp;

use super::batch::Outbound;
use super::destination::{
    Acceptance, Batch, BatchEvent, MappedRequest, Mapping, MissingSecret, Reception, STEPS_MAX,
    Secrets,
};
use super::destinations::target;
use super::plan::Loaded;
use super::retry::{Next, next};
use crate::calls::{Delivery, DeliveryResult};
use crate::platform::{Failure, Outgoing, Response};

/// How often a batch may be cut in two to find the events that poison it. Four poisonous events among 75 need 28 cuts.
const BISECTIONS_MAX: usize = 32;

/// What an attempt needs of the world.
pub(super) struct Outside<'o, S> {
    /// Sends a request.
    pub(super) send: S,
    /// Looks up secrets.
    pub(super) secrets: Secrets<'o>,
    /// The clock.
    pub(super) now: &'o dyn Fn() -> Timestamp,
    /// Whether plain http to this machine is allowed.
    pub(super) is_dev: bool,
}

/// Persons whose later events are held back, each with the result of the event that they wait for.
pub(super) type HeldBack = Vec<(String, DeliveryResult)>;

fn find<'h>(held_back: &'h HeldBack, profile: &str) -> Option<&'h DeliveryResult> {
    held_back.iter().find(|(held, _)| held == profile).map(|(_, result)| result)
}

/// Brings a batch to its destination. One result per delivery comes back, in order.
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
    // A stack whose top comes first: the parts that a part leads to come before what follows it.
    let mut parts = vec![Part { places: (0..batch.len()).collect(), step }];
    while let Some(part) = parts.pop() {
        parts.extend(run.send_part(part).await.into_iter().rev());
    }
    let results = std::mem::take(&mut run.results);
    batch.into_iter().zip(results).map(|(one, result)| (one.delivery, ended(result))).collect()
}

/// Every part gives each of its events a result or hands it to a further part, so none is missing.
fn ended(result: Option<DeliveryResult>) -> DeliveryResult {
    let reason = || "the attempt ended without a result".to_owned();
    result.unwrap_or_else(|| DeliveryResult::Dead { reason: reason(), steps: 0 })
}

/// Events of the batch that take the same step together.
struct Part {
    places: Vec<usize>,
    step: u32,
}

impl Part {
    /// The place in the batch of the event at a place of this part.
    fn at(&self, at: usize) -> Option<usize> {
        self.places.get(at).copied()
    }

    /// The events of a request.
    fn of(&self, request: &MappedRequest) -> impl Iterator<Item = usize> {
        request.events.iter().filter_map(|at| self.at(*at))
    }
}

struct Run<'r, 'o, S> {
    batch: &'r [Outbound],
    loaded: &'r Loaded,
    outside: &'r Outside<'o, S>,
    held_back: &'r RefCell<HeldBack>,
    /// One per event of the batch, as soon as it is known.
    results: Vec<Option<DeliveryResult>>,
    bisections: usize,
}

impl<S> Run<'_, '_, S>
where
    S: AsyncFn(&Outgoing) -> Result<Response, Failure>,
{
    /// Sends the requests of one step. Returns the parts that are left to do, in order.
    async fn send_part(&mut self, mut part: Part) -> Vec<Part> {
        part.places.retain(|place| !self.is_held_back(*place, part.step));
        if part.places.is_empty() {
            return Vec::new();
        }
        let Mapping { requests, left_out } = match self.map(&part) {
            Ok(mapping) => mapping,
            Err(MissingSecret(name)) => {
                let reason =
                    format!("the secret {name} is not set or is none: wrangler secret put {name}");
                part.places.iter().for_each(|place| self.retry(*place, part.step, None, &reason));
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
            let reception = self.send(request).await;
            let places: Vec<usize> = part.of(request).collect();
            // Where order matters, this is the only request: the events of the others, and those that follow them, are mapped
            // anew once it is known which ones are held back.
            let first = match self.loaded.kind.limits.is_ordered {
                true => of_step.by_ref().flat_map(|request| &request.events).min(),
                false => None,
            };
            let rest = part.places.iter().skip(first.copied().unwrap_or(part.places.len()));
            let is_open = |place: &&usize| {
                !places.contains(place) && self.results.get(**place).is_some_and(Option::is_none)
            };
            let rest = rest.filter(is_open).copied().collect();
            apart.extend(self.receive(places, part.step, reception));
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

    async fn send(&self, request: &MappedRequest) -> Reception {
        if let Err(why) = target::check(&request.outgoing.url, self.outside.is_dev) {
            let reason = format!("the URL may not be called: {why}");
            return Reception::All(Acceptance::Rejected { reason });
        }
        match (self.outside.send)(&request.outgoing).await {
            Ok(response) => self.loaded.destination.classify(request, &response),
            Err(failure) => {
                let reason = failure.message().to_owned();
                Reception::All(Acceptance::Retry { after: None, reason })
            }
        }
    }

    /// Gives the events of a request their results. Events that were delivered get none yet: they may have further steps.
    /// Returns the two halves of a request that has to be bisected.
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
                // The next attempt goes on without the events that were told apart.
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

    /// The part of the next step: events that got through this one and have a request of a later one. The others have ended,
    /// except those that stand in a part of this step.
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

    /// Gives an event the result that holds its person's events back, if there is one. The shared result keeps them together,
    /// so that the next attempt sends them in order.
    fn is_held_back(&mut self, place: usize, step: u32) -> bool {
        let profile = self.batch.get(place).map(|one| &one.delivery.profile);
        let held_back = self.held_back.borrow();
        let held = profile.and_then(|profile| find(&held_back, profile)).map(|held| match held {
            DeliveryResult::Retry { after_s, reason, .. } => {
                DeliveryResult::Retry { after_s: *after_s, reason: reason.clone(), steps: step }
            }
            DeliveryResult::Delivered | DeliveryResult::Dead { .. } => held.clone(),
        });
        drop(held_back);
        let is_held_back = held.is_some();
        held.into_iter().for_each(|held| self.end(place, held));
        is_held_back
    }

    /// An attempt of an event failed in this step.
    fn retry(&mut self, place: usize, steps: u32, retry_after: Option<&str>, reason: &str) {
        let Some(one) = self.batch.get(place) else { return };
        let result = again(&one.delivery, steps, retry_after, reason.to_owned());
        if self.loaded.kind.limits.is_ordered && matches!(result, DeliveryResult::Retry { .. }) {
            let mut held_back = self.held_back.borrow_mut();
            if find(&held_back, &one.delivery.profile).is_none() {
                held_back.push((one.delivery.profile.clone(), result.clone()));
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

/// What follows an attempt that failed with so many steps done.
pub(super) fn again(
    delivery: &Delivery,
    steps: u32,
    retry_after: Option<&str>,
    reason: String,
) -> DeliveryResult {
    // The same jitter for all events of an outbox row: together they cost their profile one row, apart one row each.
    let mut hasher = DefaultHasher::new();
    (&delivery.profile, delivery.row, delivery.attempt).hash(&mut hasher);
    let [chance, ..] = hasher.finish().to_le_bytes();
    match next(delivery.attempt, retry_after, chance) {
        Next::Retry(after_s) => DeliveryResult::Retry { after_s, reason, steps },
        Next::GiveUp => DeliveryResult::Dead { reason, steps },
    }
}
