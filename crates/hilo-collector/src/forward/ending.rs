//! The results of deliveries that did not reach their destination: another attempt, a wait, or the end.
//!
//! `hilo_core::delivery` decides. This file knows since when a delivery is pending.

use hilo_core::delivery::{
    Next, PENDING_S_MAX, after_failure, after_wait, chance, is_over, retry_after_s, wait_s,
};
use jiff::Timestamp;

use super::reason;
use crate::calls::{ATTEMPT_MS, Delivery, DeliveryResult};

/// Returns the result of an attempt that failed after this number of steps.
pub(super) fn failed(
    delivery: &Delivery,
    steps: u32,
    retry_after: Option<&str>,
    reason: &str,
    now: Timestamp,
) -> DeliveryResult {
    let pending_s = pending_s(delivery, now);
    let asked_s = retry_after.and_then(|text| retry_after_s(text, now));
    match after_failure(delivery.attempt, pending_s, asked_s, chance_of(delivery)) {
        Next::After(after_s) => DeliveryResult::Retry { after_s, reason: reason.to_owned(), steps },
        Next::GiveUp => DeliveryResult::Dead { reason: reason::given_up(reason), steps },
    }
}

/// Returns the result of a delivery that was not attempted. It waits `at_least_s` seconds or longer.
pub(super) fn waits(
    delivery: &Delivery,
    steps: u32,
    at_least_s: u32,
    reason: &str,
    now: Timestamp,
) -> DeliveryResult {
    match after_wait(pending_s(delivery, now), at_least_s, chance_of(delivery)) {
        Next::After(after_s) => DeliveryResult::Wait { after_s, reason: reason.to_owned(), steps },
        Next::GiveUp => {
            let days = PENDING_S_MAX / 86_400;
            let reason = reason::given_up(&format!("after {days} days: {reason}"));
            DeliveryResult::Dead { reason, steps }
        }
    }
}

/// Returns the result of a delivery that waits only for its turn here: it is never given up for that.
pub(super) fn waits_its_turn(
    delivery: &Delivery,
    steps: u32,
    at_least_s: u32,
    reason: &str,
    now: Timestamp,
) -> DeliveryResult {
    let after_s = wait_s(pending_s(delivery, now), at_least_s, chance_of(delivery));
    DeliveryResult::Wait { after_s, reason: reason.to_owned(), steps }
}

/// Returns the result of a delivery that must not be attempted any more, or not now.
pub(super) fn untouched(delivery: &Delivery, now: Timestamp) -> Option<DeliveryResult> {
    let steps = delivery.steps;
    if is_over(delivery.attempt) {
        let why = format!("after {} attempts, the last of them lost", delivery.attempt);
        let reason = reason::given_up(&why);
        return Some(DeliveryResult::Dead { reason, steps });
    }
    // The object may send the delivery again while this attempt is under way.
    (delivery.until_ms - now.as_millisecond() < ATTEMPT_MS)
        .then(|| waits_its_turn(delivery, steps, 0, "waits: it was in the queue for too long", now))
}

fn pending_s(delivery: &Delivery, now: Timestamp) -> u32 {
    u32::try_from((now.as_millisecond() - delivery.since_ms) / 1_000).unwrap_or(0)
}

/// All events of an outbox row get the same jitter. With one result they stay one row; with different results they would
/// become one row each.
fn chance_of(delivery: &Delivery) -> u8 {
    chance((&delivery.profile, delivery.row, delivery.attempt))
}
