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
        })?;
        let mut brakes = self.brakes.borrow_mut();
        let brake = brakes.of(&self.destination);
        brake.permit(now_ms).map_err(|after_ms| Held {
            after_s: u32::try_from(after_ms.div_euclid(1_000) + 1).unwrap_or(u32::MAX),
            reason: brake.reason(),
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
