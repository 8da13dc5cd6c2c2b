//! What brought a customer: the touches before the first counted order → the first one that is not direct.
//!
//! The answer is that of the first order. A later order changes nothing.

use jiff::{SignedDuration, Timestamp};

use crate::attribution::Met;

/// What brought a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acquisition<T> {
    /// This touch.
    By(T),
    /// The customer met the shop by its own address alone.
    Direct,
    /// No touch before the order is known.
    Unknown,
}

impl<T: Clone> Acquisition<T> {
    /// Finds what brought the customer whose first counted order was at `ordered_at`. `touches` are in the order of time. A touch
    /// counts if it lies less than `lookback_days` before the order.
    pub fn of(touches: &[Met<T>], ordered_at: Timestamp, lookback_days: u16) -> Acquisition<T> {
        let lookback = SignedDuration::from_hours(24 * i64::from(lookback_days));
        let is_inside =
            |at: Timestamp| at <= ordered_at && ordered_at.duration_since(at) < lookback;
        let mut inside = touches.iter().filter(|one| is_inside(one.at)).peekable();
        if inside.peek().is_none() {
            return Acquisition::Unknown;
        }
        let first = inside.find(|one| !one.is_direct);
        first.map_or(Acquisition::Direct, |one| Acquisition::By(one.touch.clone()))
    }
}
