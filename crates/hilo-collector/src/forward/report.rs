//! The report of one group of deliveries: each profile gets its results as soon as it has all, the journal gets counts.
//!
//! Results → confirmations. A result that is not confirmed when the isolate ends is repeated, so none waits for long. A
//! confirmation costs a call of the profile's object, so the results of a profile mostly share one.

use std::cell::RefCell;
use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;

use crate::calls::journal::{Attempt, JournalCall, ask_journal};
use crate::calls::{Confirmation, Delivery, DeliveryResult, ProfileCall, ask_profile};
use crate::platform::{Platform, log_line};

/// The most profiles that get their confirmations at the same time.
const CONFIRMED_AT_ONCE: usize = 16;
/// How long a result waits for the others of its profile, at the next result of any profile.
const CONFIRM_MS: i64 = 1_000;

/// The report of one group.
pub(super) struct Report<'p, P> {
    platform: &'p P,
    profiles: RefCell<BTreeMap<String, Open>>,
    /// The attempts that the journal will count.
    attempts: RefCell<Vec<Attempt>>,
}

/// The results of one profile.
#[derive(Default)]
struct Open {
    /// The number of deliveries without a result.
    left: usize,
    results: Vec<Confirmation>,
    /// The time of the oldest result.
    since: Option<Timestamp>,
}

impl Open {
    fn is_ready(&self, now: Timestamp) -> bool {
        let is_old = |since: Timestamp| now.as_millisecond() - since.as_millisecond() >= CONFIRM_MS;
        self.left == 0 || self.since.is_some_and(is_old)
    }
}

impl<'p, P: Platform> Report<'p, P> {
    /// Begins the report of these deliveries.
    pub(super) fn of(group: &[Delivery], platform: &'p P) -> Report<'p, P> {
        let mut profiles: BTreeMap<String, Open> = BTreeMap::new();
        for delivery in group {
            profiles.entry(delivery.profile.clone()).or_default().left += 1;
        }
        Report { platform, profiles: RefCell::new(profiles), attempts: RefCell::default() }
    }

    /// Takes results, and confirms to each profile that has all of its own, or waits for long enough.
    pub(super) async fn add(&self, results: Vec<(Delivery, DeliveryResult)>) {
        let now = self.platform.now();
        let mut dead = Vec::new();
        for (delivery, result) in results {
            match note(&delivery, &result) {
                Some(attempt) if attempt.result == DEAD => dead.push(attempt),
                attempt => self.attempts.borrow_mut().extend(attempt),
            }
            let Delivery { profile, row, message_id, attempt, .. } = delivery;
            let mut profiles = self.profiles.borrow_mut();
            let open = profiles.entry(profile).or_default();
            open.left = open.left.saturating_sub(1);
            open.since = open.since.or(Some(now));
            open.results.push(Confirmation { row, message_id, attempt, result });
        }
        // A dead letter is listed first: people find it only there, and a repeat of the attempt lists it once.
        self.count(dead).await;
        self.confirm(|open| open.is_ready(now)).await;
    }

    /// Ends the report.
    pub(super) async fn close(self) {
        self.confirm(|_| true).await;
        let attempts = self.attempts.take();
        self.count(attempts).await;
    }

    /// Confirms the results of some profiles. After a lost confirmation the lease ends the attempt.
    async fn confirm(&self, is_wanted: impl Fn(&Open) -> bool) {
        let mut ready = Vec::new();
        self.profiles.borrow_mut().retain(|profile, open| {
            let is_ready = is_wanted(open);
            if is_ready {
                ready.push((profile.clone(), std::mem::take(&mut open.results)));
                open.since = None;
            }
            !is_ready || open.left > 0
        });
        let send = |(profile, confirmations): (String, Vec<Confirmation>)| async move {
            if confirmations.is_empty() {
                return;
            }
            let call = ProfileCall::Confirm { confirmations };
            let sent: Result<(), _> = ask_profile(self.platform, profile, &call).await;
            if let Err(failure) = sent {
                self.platform.log(&log_line("warn", "confirm", &[("why", failure.message())]));
            }
        };
        stream::iter(ready).for_each_concurrent(CONFIRMED_AT_ONCE, send).await;
    }

    async fn count(&self, attempts: Vec<Attempt>) {
        if attempts.is_empty() {
            return;
        }
        let sent: Result<(), _> =
            ask_journal(self.platform, &JournalCall::Attempted { attempts }).await;
        if let Err(failure) = sent {
            self.platform.log(&log_line("warn", "journal", &[("why", failure.message())]));
        }
    }
}

/// The word of the journal for a delivery that is given up.
const DEAD: &str = "dead";

/// Makes the journal's note of an attempt. A wait is none.
fn note(delivery: &Delivery, result: &DeliveryResult) -> Option<Attempt> {
    let (result, reason) = match result {
        DeliveryResult::Delivered => ("delivered", None),
        DeliveryResult::Retry { reason, .. } => ("retry", Some(reason.clone())),
        DeliveryResult::Dead { reason, .. } => (DEAD, Some(reason.clone())),
        DeliveryResult::Wait { .. } => return None,
    };
    Some(Attempt {
        destination: delivery.destination.clone(),
        profile: delivery.profile.clone(),
        message_id: delivery.message_id.clone(),
        result: result.to_owned(),
        reason,
    })
}
