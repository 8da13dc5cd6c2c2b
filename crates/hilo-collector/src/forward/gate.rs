//! The gate before each request to a destination: its brake, and its pace in this invocation.
//!
//! The time → the request may start, or it waits and for how long. `hilo_core::delivery` decides. The brake is the
//! isolate's, the pace belongs to one group of deliveries.

use std::cell::RefCell;
use std::rc::Rc;

use hilo_core::delivery::{Brake, Brakes, Pace, retry_after_s};
use hilo_core::rate::Rate;
use jiff::Timestamp;

use super::destination::{Acceptance, Reception};

/// The gate before one destination.
pub(super) struct Gate {
    destination: String,
    brakes: Rc<RefCell<Brakes>>,
    pace: RefCell<Pace>,
}

/// The seconds after which a destination that did not let us in gets the next request.
pub(super) const SHUT_S: u32 = Brake::SHUT_S;

/// Why a request does not start, and the seconds after which it is worth another look.
#[derive(Clone)]
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

    /// Whether the brake or the destination's pace lets no request start now. It starts no probe and takes nothing.
    pub(super) fn is_closed(&self, allowed: Option<Rate>, now: Timestamp) -> bool {
        let now_ms = now.as_millisecond();
        let mut brakes = self.brakes.borrow_mut();
        let brake = brakes.of(&self.destination);
        brake.is_closed(now_ms) || allowed.is_some_and(|pace| brake.is_out_of_pace(pace, now_ms))
    }

    /// Whether a request may start now, within the pace that the destination allows. [`Gate::note`] must follow each that starts.
    pub(super) fn permit(&self, allowed: Option<Rate>, now: Timestamp) -> Result<(), Held> {
        let now_ms = now.as_millisecond();
        self.pace.borrow_mut().permit(now_ms).map_err(|after_s| Held {
            after_s,
            reason: "waits: the destination is slow, and others have their turn".to_owned(),
            is_its_turn: true,
        })?;
        let mut brakes = self.brakes.borrow_mut();
        let brake = brakes.of(&self.destination);
        // A request that the brake holds back takes nothing of the pace.
        if let Some(allowed) = allowed.filter(|_| !brake.is_closed(now_ms)) {
            brake.keep_pace(allowed, now_ms).map_err(|after_s| Held {
                after_s,
                reason: "waits: the destination takes only so many requests a second".to_owned(),
                is_its_turn: true,
            })?;
        }
        brake.permit(now_ms).map_err(|after_ms| Held {
            after_s: u32::try_from(after_ms.div_euclid(1_000) + 1).unwrap_or(u32::MAX),
            reason: brake.reason(),
            is_its_turn: false,
        })
    }

    /// Closes the brake at once, because the destination does not let us in.
    pub(super) fn shut(&self, reason: &str, now: Timestamp) {
        self.brakes.borrow_mut().of(&self.destination).shut(reason, now.as_millisecond());
    }

    /// Notes the result of a request that started at `began`. Where the destination does not let us in, a new token may help, or
    /// [`Gate::shut`] follows.
    pub(super) fn note(&self, reception: &Reception, began: Timestamp, now: Timestamp) {
        let took_ms = now.as_millisecond() - began.as_millisecond();
        self.pace.borrow_mut().note(took_ms);
        let mut brakes = self.brakes.borrow_mut();
        let brake = brakes.of(&self.destination);
        match reception {
            Reception::All(Acceptance::Retry { after, reason }) => {
                let asked_s = after.as_deref().and_then(|after| retry_after_s(after, now));
                brake.press(took_ms, asked_s, reason, now.as_millisecond());
            }
            Reception::All(Acceptance::Unauthorized { .. }) => {}
            Reception::All(
                Acceptance::Delivered | Acceptance::Again | Acceptance::Rejected { .. },
            )
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
        let Err(held) = gate.permit(None, now) else { panic!("the gate is open") };
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

    #[test]
    fn a_destination_gets_no_more_requests_than_it_allows_and_the_others_wait_for_their_turn() {
        let now: Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
        let (brakes, allowed) = (Rc::default(), Some(Rate { per_s: 2, burst: 3 }));
        let gate = || Gate::new("desk", Rc::clone(&brakes), now);
        assert!((0..3).all(|_| gate().permit(allowed, now).is_ok()));
        let Err(held) = gate().permit(allowed, now) else { panic!("the gate is open") };
        assert_eq!((held.after_s, held.is_its_turn), (1, true));
        assert!(gate().is_closed(allowed, now));
        let later = now + jiff::SignedDuration::from_secs(1);
        assert!(!gate().is_closed(allowed, later), "a look takes nothing");
        assert_eq!((0..9).filter(|_| gate().permit(allowed, later).is_ok()).count(), 2);
        gate().shut("unauthorized: status 401", later);
        assert!(gate().is_closed(None, later));
        let Err(held) = gate().permit(allowed, later) else { panic!("the gate is open") };
        assert_eq!((held.after_s, held.is_its_turn), (SHUT_S + 1, false));
    }
}
