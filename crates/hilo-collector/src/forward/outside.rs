//! What an attempt needs from outside, and what it gives back: shapes only.

use std::pin::Pin;
use std::rc::Rc;

use jiff::Timestamp;

use super::destination::{Acceptance, Reception, Secrets, Token};
use super::gate::{Gate, Held};
use super::shown::Veil;
use crate::calls::journal::lines::Shown;
use crate::calls::{Delivery, DeliveryResult, UnderWay};
use crate::keyring::Keyring;
use crate::platform::Response;

/// Work that ends later.
pub(super) type Later<'o, T> = Pin<Box<dyn Future<Output = T> + 'o>>;

/// The row of each delivery that was to be marked; `None` for one that must not be sent.
pub(super) type Rows = Vec<Option<i64>>;

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
    /// Gets an access token: the one at hand for `None`, and another one in the place of a token that the destination refuses.
    pub(super) renew: &'o dyn Fn(Option<Token>) -> Later<'o, Result<Token, Held>>,
    /// Marks deliveries of the profile with this name before they are sent. Returns the row of each, as
    /// [`crate::calls::ProfileCall::Sending`] answers it; `None` where the profile does not answer, though it may have marked them.
    pub(super) mark: &'o dyn Fn(String, Vec<UnderWay>) -> Later<'o, Option<Rows>>,
    /// The random id under which this attempt marks deliveries.
    pub(super) mark_id: String,
}

/// A delivery whose attempt has ended.
pub(super) struct Ended {
    pub(super) delivery: Delivery,
    pub(super) result: DeliveryResult,
    /// The last request and its answer, if the delivery is given up for them.
    pub(super) shown: Option<Rc<Shown>>,
    /// The id under which the attempt has asked for a mark, if it has.
    pub(super) mark: Option<String>,
}

impl Ended {
    /// A delivery that ended without a request.
    pub(super) const fn unsent(delivery: Delivery, result: DeliveryResult) -> Ended {
        Ended { delivery, result, shown: None, mark: None }
    }
}

/// What a request brought.
pub(super) struct Sent {
    pub(super) reception: Reception,
    /// Whether nobody knows if the request arrived: its answer did not come in time.
    pub(super) is_unknown: bool,
    /// Whether the answer told something for later steps.
    pub(super) has_found: bool,
    pub(super) response: Option<Response>,
    /// Hides what people must not see. `None` if the destination accepted everything.
    pub(super) veil: Option<Veil>,
}

impl Sent {
    /// The reason of a destination that lets nothing of the request in.
    pub(super) fn refusal(&self) -> Option<&str> {
        let refusal =
            |acceptance: &'_ Acceptance| matches!(acceptance, Acceptance::Unauthorized { .. });
        let first = match &self.reception {
            Reception::All(acceptance) => Some(acceptance),
            Reception::Each(each) => each.first().filter(|_| each.iter().all(refusal)),
            Reception::Poison { .. } => None,
        };
        match first {
            Some(Acceptance::Unauthorized { reason }) => Some(reason),
            Some(
                Acceptance::Delivered
                | Acceptance::Again
                | Acceptance::Retry { .. }
                | Acceptance::Rejected { .. },
            )
            | None => None,
        }
    }
}
