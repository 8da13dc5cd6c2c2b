//! The gate before each request to a destination: its brake, and its pace in this invocation.
//!
//! The time → the request may start, or it waits and for how long. `hilo_core::delivery` decides. The brake is the
//! isolate's, the pace belongs to one group of deliveries.

use std::cell::RefCell;
use std::rc::Rc;

use hilo_core::delivery::{Brakes, Pace};
use jiff::Timestamp;

use super::destination::{Acceptance, Reception};

/// The gate before one destination.
pub(super) struct Gate {
    destination: String,
    brakes: Rc<RefCell<Brakes>>,
    pace: RefCell<Pace>,
}

/// Why a request does not start, and the seconds after which it is worth another look.
pub(super) struct Held {
    pub(super) after_s: u32,
    pub(super) reason: String,
    /// Whether it only waits for its turn: the destination is not at fault, so the delivery is never given up for that.
    pub(super) is_its_turn: bool,
}

impl Gate {
    /// Makes the gate for deliveries of one invocation, which begin now.
    pub(super) fn new(destination: &str, brakes: Rc<RefCell<Brakes>>, now: Timestamp) -> Gate {
        let pace = RefCell::new(Pace::new(now.as_millisecond()));
        Gate { destination: destination.to_owned(), brakes, pace }
    }

    /// Whether a request may start now. [`Gate::note`] must follow each that starts.
    pub(super) fn permit(&self, now: Timestamp) -> Result<(), Held> {
        let now_ms = now.as_millisecond();
        self.pace.borrow_mut().permit(now_ms).map_err(|after_s| Held {
            after_s,
            reason: "waits: the destination is slow, and others have their turn".to_owned(),
            is_its_turn: true,
        })?;
        let mut brakes = self.brakes.borrow_mut();
        let brake = brakes.of(&self.destination);
        brake.permit(now_ms).map_err(|after_ms| Held {
            after_s: u32::try_from(after_ms.div_euclid(1_000) + 1).unwrap_or(u32::MAX),
            reason: brake.reason(),
            is_its_turn: false,
        })
    }

    /// Notes the result of a request that started at `began`.
    pub(super) fn note(&self, reception: &Reception, began: Timestamp, now: Timestamp) {
        let took_ms = now.as_millisecond() - began.as_millisecond();
        self.pace.borrow_mut().note(took_ms);
        let mut brakes = self.brakes.borrow_mut();
        let brake = brakes.of(&self.destination);
        match reception {
            Reception::All(Acceptance::Retry { after, reason }) => {
                brake.press(took_ms, after.as_deref(), reason, now.as_millisecond());
            }
            Reception::All(Acceptance::Delivered | Acceptance::Rejected { .. })
            | Reception::Each(_)
            | Reception::Poison { .. } => brake.release(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(took_s: i64, reception: &Reception) -> (bool, String) {
        let began: Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
        let gate = Gate::new("desk", Rc::default(), began);
        let now = began + jiff::SignedDuration::from_secs(took_s);
        (0..3).for_each(|_| gate.note(reception, began, now));
        let Err(held) = gate.permit(now) else { panic!("the gate is open") };
        (held.is_its_turn, held.reason)
    }

    #[test]
    fn a_delivery_waits_for_its_turn_behind_a_slow_destination_and_not_behind_one_that_fails() {
        let (is_its_turn, reason) = held(60, &Reception::All(Acceptance::Delivered));
        assert!(is_its_turn && reason.contains("slow"), "{reason}");
        let fails = Acceptance::Retry { after: None, reason: "status 503".to_owned() };
        let (is_its_turn, reason) = held(0, &Reception::All(fails));
        assert!(!is_its_turn && reason.contains("503"), "{reason}");
    }
}
