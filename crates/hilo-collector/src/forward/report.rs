//! The report of one group of deliveries: each profile gets its results as soon as it has all, the journal gets counts.
//!
//! Results → confirmations. A result that is not confirmed when the isolate ends is repeated, so none waits for long. A
//! confirmation costs a call of the profile's object, so the results of a profile mostly share one.

use std::cell::RefCell;
use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;

use super::outside::Ended;
use super::reason;
use crate::calls::journal::lines::{Attempt, AttemptEnd};
use crate::calls::journal::{list_dead, note_attempts};
use crate::calls::{Confirmation, Delivery, DeliveryResult, ProfileCall, ask_profile};
use crate::platform::{Platform, log_line};
use crate::signature::message_hash;

/// The most profiles that get their confirmations at the same time.
const CONFIRMED_AT_ONCE: usize = 16;
/// How long a result waits for the others of its profile, at the next result of any profile.
const CONFIRM_MS: i64 = 1_000;
/// So many results of whole rows do not wait for more: a crash repeats what is not confirmed. A usual batch is one row, and
/// still needs one confirmation.
const CONFIRMATIONS_MAX: usize = 5;

/// The report of one group.
pub(super) struct Report<'p, P> {
    platform: &'p P,
    profiles: RefCell<BTreeMap<String, Open>>,
    /// The attempts that the journal will count.
    attempts: RefCell<Vec<Attempt>>,
    /// Confirmations that were lost. They are made once more.
    lost: RefCell<Vec<OfProfile>>,
}

/// Confirmations to the profile with this name.
type OfProfile = (String, Vec<Confirmation>);

/// The results of one profile.
#[derive(Default)]
struct Open {
    /// The number of deliveries without a result, by row. A row without any is missing.
    left: BTreeMap<i64, usize>,
    results: Vec<Confirmation>,
    /// The time of the oldest result.
    since: Option<Timestamp>,
}

impl Open {
    fn add(&mut self, result: Confirmation, now: Timestamp) {
        if let Some(left) = self.left.get_mut(&result.row) {
            *left = left.saturating_sub(1);
        }
        self.left.retain(|_, left| *left > 0);
        self.since = self.since.or(Some(now));
        self.results.push(result);
    }

    /// Takes the results that are to be confirmed now. Results of a row that is not whole wait for a while, because a
    /// confirmation of some of its events splits the row.
    fn take_ready(&mut self, now: Timestamp) -> Vec<Confirmation> {
        let is_old = |since: Timestamp| now.as_millisecond() - since.as_millisecond() >= CONFIRM_MS;
        if self.left.is_empty() || self.since.is_some_and(is_old) {
            return self.take_all();
        }
        let is_whole = |one: &Confirmation| !self.left.contains_key(&one.row);
        if self.results.iter().filter(|one| is_whole(one)).count() < CONFIRMATIONS_MAX {
            return Vec::new();
        }
        let (ready, rest) = std::mem::take(&mut self.results).into_iter().partition(is_whole);
        self.results = rest;
        ready
    }

    fn take_all(&mut self) -> Vec<Confirmation> {
        self.since = None;
        std::mem::take(&mut self.results)
    }
}

impl<'p, P: Platform> Report<'p, P> {
    /// Begins the report of these deliveries.
    pub(super) fn of(group: &[Delivery], platform: &'p P) -> Report<'p, P> {
        let mut profiles: BTreeMap<String, Open> = BTreeMap::new();
        for delivery in group {
            let open = profiles.entry(delivery.profile.clone()).or_default();
            *open.left.entry(delivery.row).or_default() += 1;
        }
        let (attempts, lost) = Default::default();
        Report { platform, profiles: RefCell::new(profiles), attempts, lost }
    }

    /// Takes results, and confirms to each profile that has all of its own, or waits for long enough.
    pub(super) async fn add(&self, results: Vec<Ended>) {
        let is_dead = |result: &DeliveryResult| matches!(result, DeliveryResult::Dead { .. });
        let noted = results.iter().filter_map(note);
        let (dead, attempts): (Vec<_>, Vec<_>) =
            noted.partition(|attempt| attempt.end == AttemptEnd::Dead);
        self.attempts.borrow_mut().extend(attempts);
        // A dead letter is listed before anybody can confirm it: people find it only there, and a repeat of the attempt lists it
        // once. A result that is not confirmed is repeated when the lease has ended.
        let listed = list_dead(self.platform, &dead).await;
        if let Err(failure) = &listed {
            self.platform.log(&log_line("warn", "dead letters", &[("why", failure.message())]));
        }
        let now = self.platform.now();
        for Ended { delivery, result, mark, .. } in results {
            if listed.is_err() && is_dead(&result) {
                continue;
            }
            let Delivery { profile, row, message_id, destination, attempt, .. } = delivery;
            let result = Confirmation { row, message_id, destination, attempt, mark, result };
            self.profiles.borrow_mut().entry(profile).or_default().add(result, now);
        }
        self.confirm(|open| open.take_ready(now)).await;
    }

    /// Ends the report. What was lost is confirmed once more, because an event whose mark got no answer would count as sent if it were not
    /// handed back.
    pub(super) async fn close(self) {
        self.confirm(Open::take_all).await;
        let lost = self.lost.take();
        self.send(lost).await;
        note_attempts(self.platform, &self.attempts.take());
    }

    /// Confirms the results that `take` selects.
    async fn confirm(&self, take: impl Fn(&mut Open) -> Vec<Confirmation>) {
        let mut ready = Vec::new();
        self.profiles.borrow_mut().retain(|profile, open| {
            let taken = take(open);
            if !taken.is_empty() {
                ready.push((profile.clone(), taken));
            }
            !open.left.is_empty() || !open.results.is_empty()
        });
        self.send(ready).await;
    }

    /// Confirms to each profile, and notes what was lost. A repeated confirmation changes nothing. If it is lost again, the lease ends the
    /// attempt.
    async fn send(&self, ready: Vec<OfProfile>) {
        let send = |(profile, confirmations): OfProfile| async move {
            let call = ProfileCall::Confirm { confirmations: confirmations.clone() };
            let sent: Result<(), _> = ask_profile(self.platform, profile.clone(), &call).await;
            if let Err(failure) = sent {
                self.platform.log(&log_line("warn", "confirm", &[("why", failure.message())]));
                self.lost.borrow_mut().push((profile, confirmations));
            }
        };
        stream::iter(ready).for_each_concurrent(CONFIRMED_AT_ONCE, send).await;
    }
}

/// Makes the journal's note of an attempt. A wait is none, unless the deployer has to mend something before.
fn note(ended: &Ended) -> Option<Attempt> {
    let Ended { delivery, result, shown, .. } = ended;
    let (end, reason) = match result {
        DeliveryResult::Delivered => (AttemptEnd::Delivered, None),
        DeliveryResult::Skipped { reason } => (AttemptEnd::Skipped, Some(reason)),
        DeliveryResult::Assumed { reason } => (AttemptEnd::Assumed, Some(reason)),
        DeliveryResult::Retry { reason, .. } => (AttemptEnd::Retried, Some(reason)),
        DeliveryResult::Dead { reason, .. } => (AttemptEnd::Dead, Some(reason)),
        DeliveryResult::Wait { reason, .. } => {
            let is_shut = reason::code(reason) == reason::UNAUTHORIZED;
            (AttemptEnd::Shut, Some(Some(reason).filter(|_| is_shut)?))
        }
    };
    let is_told = end != AttemptEnd::Skipped;
    Some(Attempt {
        destination: delivery.destination.clone(),
        profile: delivery.profile.clone(),
        message_hash: message_hash(&delivery.message_id),
        end,
        code: reason.map(|reason| reason::code(reason).to_owned()).unwrap_or_default(),
        reason: reason.filter(|_| is_told).cloned(),
        shown: shown.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Adds results of these rows to a profile with `left` deliveries in each of them, and returns the rows that are taken
    /// after each.
    fn check(left: &[(i64, usize)], results: &[(i64, i64)], expected: &[Vec<i64>]) {
        let mut open = Open { left: left.iter().copied().collect(), ..Open::default() };
        let taken = results.iter().map(|(row, at_ms)| {
            let now = Timestamp::from_millisecond(*at_ms).unwrap();
            let (message_id, destination) = (String::new(), String::new());
            let (mark, result) = (None, DeliveryResult::Delivered);
            let one = Confirmation { row: *row, message_id, destination, attempt: 0, mark, result };
            open.add(one, now);
            open.take_ready(now).iter().map(|one| one.row).collect::<Vec<_>>()
        });
        assert_eq!(taken.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_profile_gets_its_results_when_it_has_all() {
        check(&[(1, 2), (2, 1)], &[(1, 0), (2, 1), (1, 2)], &[vec![], vec![], vec![1, 2, 1]]);
    }

    #[test]
    fn a_result_does_not_wait_for_a_slow_one() {
        let expected = [vec![], vec![], vec![1, 1, 1], vec![]];
        check(&[(1, 9)], &[(1, 0), (1, 999), (1, 1_000), (1, 1_001)], &expected);
    }

    #[test]
    fn many_results_do_not_wait_and_split_no_row() {
        let results: Vec<_> = [1, 1, 1, 1, 2, 1, 1, 1, 1, 1, 1].map(|row| (row, 0)).into();
        let mut expected = vec![vec![]; 10];
        expected.push(vec![1; 10]);
        check(&[(1, 10), (2, 2)], &results, &expected);
    }
}
