//! The results of a batch's events, as an attempt finds them out.
//!
//! What an answer means → one result for each event, or parts of the batch that are sent again. Keeps the order of events if the
//! destination needs it. This file sends nothing.

use std::cell::RefCell;
use std::rc::Rc;

use jiff::Timestamp;

use super::batch::Outbound;
use super::destination::{Acceptance, MappedRequest, Reception};
use super::ending::{failed, waits, waits_its_turn};
use super::gate::{Held, SHUT_S};
use super::reason;
use crate::calls::DeliveryResult;
use crate::calls::journal::lines::Shown;

/// How often requests of a batch may be made again without the events that were refused: cut in two to find an event that the answer
/// does not name, or without one that it names. To find four such events among 75 takes 28 cuts.
const PARTED_MAX: usize = 32;
/// The reason of events that the next attempt sends without those that were refused. No attempt of theirs counts: they are not at
/// fault, and each attempt ends one event at least.
const PARTED: &str = "waits: other events of its requests were refused";
/// The reason of an event of which the answer says nothing that could be acted upon.
const UNTOLD: &str = "the answer says nothing about this event";

/// The reason of an event whose profile did not answer when it was to be marked.
const UNMARKED: &str = "waits: its profile did not answer before the request";

/// Persons whose later events are held back, each with the result of the event that holds them back.
pub(super) type HeldBack = Vec<(String, DeliveryResult)>;

fn find<'h>(held_back: &'h HeldBack, profile: &str) -> Option<&'h DeliveryResult> {
    held_back.iter().find(|(held, _)| held == profile).map(|(_, result)| result)
}

/// Events of the batch that take the same step in one attempt.
pub(super) struct Part {
    pub(super) places: Vec<usize>,
    pub(super) step: u32,
}

impl Part {
    /// Returns the index in the batch of the event at index `at` of this part.
    pub(super) fn at(&self, at: usize) -> Option<usize> {
        self.places.get(at).copied()
    }

    /// Returns the indexes of a request's events in the batch.
    pub(super) fn of(&self, request: &MappedRequest) -> impl Iterator<Item = usize> {
        request.events.iter().filter_map(|at| self.at(*at))
    }
}

/// The result of an event, and the request that it was given up for.
pub(super) type OneResult = (Option<DeliveryResult>, Option<Rc<Shown>>);

impl Mark {
    /// The row that has the event, which had this one; `None` if it must not be sent.
    pub(super) const fn row(self, before: i64) -> Option<i64> {
        match self {
            Mark::None | Mark::Unanswered => Some(before),
            Mark::Row(row) => Some(row),
            Mark::Gone => None,
        }
    }

    /// Whether the attempt has asked for it.
    pub(super) const fn is_asked(self) -> bool {
        matches!(self, Mark::Row(_) | Mark::Unanswered)
    }
}

/// Every part gives each of its events a result or passes it to a further part, so no event is without a result.
pub(super) fn ended(result: Option<DeliveryResult>) -> DeliveryResult {
    let reason = || "the attempt ended without a result".to_owned();
    result.unwrap_or_else(|| DeliveryResult::Dead { reason: reason(), steps: 0 })
}

/// The results of a batch.
pub(super) struct Results<'r> {
    pub(super) batch: &'r [Outbound],
    pub(super) held_back: &'r RefCell<HeldBack>,
    pub(super) is_ordered: bool,
    /// Returns the time.
    pub(super) now: &'r dyn Fn() -> Timestamp,
    /// One result per event of the batch, as soon as it is known.
    pub(super) list: Vec<OneResult>,
    /// The first step of each event whose answer told something for later steps. The next attempt begins there.
    pub(super) found_in: Vec<Option<u32>>,
    /// How often requests were made again without events that were refused.
    pub(super) parted: usize,
    /// What became of each event's mark.
    pub(super) marks: Vec<Mark>,
}

/// The mark of an event whose request the destination would count twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// No request of this attempt needed it yet.
    None,
    /// It is marked, and this row has it.
    Row(i64),
    /// It must not be sent any more, and gets no result.
    Gone,
    /// Nobody knows whether it is marked. It is handed back unsent, and that ends the mark.
    Unanswered,
}

impl Results<'_> {
    /// Gives the events at these places their results. Delivered events get none yet, because they may have further steps. Returns the
    /// parts that are sent again: the two halves of a request that has to be bisected, or what is left without the named events.
    pub(super) fn give(
        &mut self,
        places: Vec<usize>,
        step: u32,
        reception: Reception,
    ) -> Vec<Part> {
        match reception {
            Reception::All(acceptance) => {
                places.iter().for_each(|place| self.accept(*place, step, &acceptance));
            }
            Reception::Each(each) => return self.give_each(&places, step, &each),
            Reception::Poison { .. } if places.len() > 1 => {
                let (first, second) = places.split_at(places.len() / 2);
                return self.parted([first, second], step);
            }
            Reception::Poison { reason } => {
                places.iter().for_each(|place| self.die(*place, step, &reason));
            }
        }
        Vec::new()
    }

    /// Gives each event its own result. Returns the part of the events that are sent again without the others.
    fn give_each(&mut self, places: &[usize], step: u32, each: &[Acceptance]) -> Vec<Part> {
        // The same request would get the same answer.
        let names_others = each.iter().take(places.len()).any(|one| *one != Acceptance::Again);
        let mut again = Vec::new();
        for (place, one) in places.iter().zip(each.iter().map(Some).chain(std::iter::repeat(None)))
        {
            match one {
                Some(Acceptance::Again) if names_others => again.push(*place),
                Some(one) => self.accept(*place, step, one),
                None => self.retry(*place, step, None, UNTOLD),
            }
        }
        match again.is_empty() {
            true => Vec::new(),
            false => self.parted([&again], step),
        }
    }

    /// Makes parts of the events at these places. Beyond the bound they are left to the next attempt, which goes on without the events
    /// that have ended.
    fn parted<const N: usize>(&mut self, parts: [&[usize]; N], step: u32) -> Vec<Part> {
        if self.parted < PARTED_MAX {
            self.parted += 1;
            return parts.map(|places| Part { places: places.to_vec(), step }).into();
        }
        let held = Held { after_s: 1, reason: PARTED.to_owned(), is_its_turn: true };
        parts.into_iter().flatten().for_each(|place| self.wait(*place, step, &held));
        Vec::new()
    }

    fn accept(&mut self, place: usize, step: u32, acceptance: &Acceptance) {
        match acceptance {
            Acceptance::Delivered => {}
            Acceptance::Again => self.retry(place, step, None, UNTOLD),
            Acceptance::Retry { after, reason } => {
                self.retry(place, step, after.as_deref(), reason);
            }
            Acceptance::Rejected { reason } => self.die(place, step, reason),
            Acceptance::Unauthorized { reason } => {
                let reason = reason::unauthorized(reason);
                self.wait(place, step, &Held { after_s: SHUT_S, reason, is_its_turn: false });
            }
        }
    }

    /// Gives an event the result that holds its person's events back, if there is one. The events share this result, so
    /// that the next attempt sends them together and in order.
    pub(super) fn is_held_back(&mut self, place: usize, step: u32) -> bool {
        let profile = self.batch.get(place).map(|one| &one.delivery.profile);
        let held_back = self.held_back.borrow();
        let held = profile.and_then(|profile| find(&held_back, profile)).map(|held| match held {
            DeliveryResult::Retry { after_s, reason, .. } => {
                DeliveryResult::Retry { after_s: *after_s, reason: reason.clone(), steps: step }
            }
            DeliveryResult::Wait { after_s, reason, .. } => {
                DeliveryResult::Wait { after_s: *after_s, reason: reason.clone(), steps: step }
            }
            DeliveryResult::Delivered
            | DeliveryResult::Skipped { .. }
            | DeliveryResult::Assumed { .. }
            | DeliveryResult::Dead { .. } => held.clone(),
        });
        drop(held_back);
        let is_held_back = held.is_some();
        held.into_iter().for_each(|held| self.end(place, held));
        is_held_back
    }

    /// Notes that an event's attempt failed in this step.
    pub(super) fn retry(
        &mut self,
        place: usize,
        steps: u32,
        retry_after: Option<&str>,
        reason: &str,
    ) {
        let Some(one) = self.batch.get(place) else { return };
        let result = failed(&one.delivery, steps, retry_after, reason, (self.now)());
        self.hold_back(place, result);
    }

    /// Notes that an event was not attempted in this step.
    pub(super) fn wait(&mut self, place: usize, steps: u32, held: &Held) {
        let Some(one) = self.batch.get(place) else { return };
        let Held { after_s, reason, is_its_turn } = held;
        let wait = if *is_its_turn { waits_its_turn } else { waits };
        let result = wait(&one.delivery, steps, *after_s, reason, (self.now)());
        self.hold_back(place, result);
    }

    /// Ends an event's attempt. If order matters and the event is due again, its person's later events are held back.
    fn hold_back(&mut self, place: usize, result: DeliveryResult) {
        let profile = self.batch.get(place).map(|one| one.delivery.profile.clone());
        let is_due_again =
            matches!(result, DeliveryResult::Retry { .. } | DeliveryResult::Wait { .. });
        if let Some(profile) = profile.filter(|_| self.is_ordered && is_due_again) {
            let mut held_back = self.held_back.borrow_mut();
            if find(&held_back, &profile).is_none() {
                held_back.push((profile, result.clone()));
            }
        }
        self.end(place, result);
    }

    pub(super) fn die(&mut self, place: usize, steps: u32, reason: &str) {
        self.end(place, DeliveryResult::Dead { reason: reason.to_owned(), steps });
    }

    /// Notes that the answer of this step told something of the events.
    pub(super) fn note_found(&mut self, places: &[usize], step: u32) {
        for place in places {
            if let Some(first) = self.found_in.get_mut(*place) {
                *first = first.or(Some(step));
            }
        }
    }

    pub(super) fn end(&mut self, place: usize, mut result: DeliveryResult) {
        let first = self.found_in.get(place).copied().flatten();
        match &mut result {
            DeliveryResult::Delivered
            | DeliveryResult::Assumed { .. }
            | DeliveryResult::Skipped { .. } => {}
            DeliveryResult::Retry { steps, .. }
            | DeliveryResult::Wait { steps, .. }
            | DeliveryResult::Dead { steps, .. } => *steps = first.unwrap_or(*steps).min(*steps),
        }
        if let Some((ended, _)) = self.list.get_mut(place) {
            *ended = Some(result);
        }
    }

    /// Whether an event of the batch has no result yet.
    pub(super) fn is_open(&self, place: usize) -> bool {
        matches!(self.list.get(place), Some((None, _))) && self.mark(place) != Mark::Gone
    }

    /// The mark of an event.
    pub(super) fn mark(&self, place: usize) -> Mark {
        self.marks.get(place).copied().unwrap_or(Mark::Gone)
    }

    /// Notes what became of an event's mark, and hands an event back of whose mark nobody knows.
    pub(super) fn note_mark(&mut self, place: usize, step: u32, mark: Mark) {
        if let Some(known) = self.marks.get_mut(place) {
            *known = mark;
        }
        if mark == Mark::Unanswered {
            let reason = UNMARKED.to_owned();
            self.wait(place, step, &Held { after_s: 1, reason, is_its_turn: true });
        }
    }
}
