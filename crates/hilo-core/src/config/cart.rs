//! `[cart]`: what becomes of a guest's cart at login, when a cart counts as abandoned, and how long it is kept.
//! Reads and checks the table. The hub compares these times with its clock.

use serde::Serialize;

use super::ProblemCode;
use super::reader::{Reader, Section};
use crate::cart::merge::Policy;

/// Seconds of a minute.
const MINUTE_S: u32 = 60;

/// The rules for carts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CartRules {
    /// How a guest's lines are merged when the guest signs in.
    pub merge: Policy,
    /// Seconds without an edit after which a cart that is not empty counts as abandoned.
    pub abandoned_s: u32,
    /// Days that a guest's cart is kept after its last edit.
    pub guest_days: u32,
    /// Days that a customer's cart is kept after its last edit.
    pub customer_days: u32,
}

impl Default for CartRules {
    fn default() -> CartRules {
        CartRules {
            merge: Policy::Max,
            abandoned_s: 60 * MINUTE_S,
            guest_days: 30,
            customer_days: 90,
        }
    }
}

/// Reads `[cart]`.
pub(super) fn read(reader: &Reader<'_>, root: &Section<'_>) -> CartRules {
    let mut rules = CartRules::default();
    let Some(cart) = reader.section(root, "cart") else { return rules };
    reader.only(
        &cart,
        &["merge", "abandoned_minutes", "abandoned_seconds", "guest_days", "customer_days"],
    );
    let policies = Policy::ALL.map(Policy::name);
    if let Some(policy) = reader.word(&cart, "merge", &policies).and_then(Policy::from_name) {
        rules.merge = policy;
    }
    // At most a week: a later reminder reminds nobody.
    if let Some(minutes) = reader.number(&cart, "abandoned_minutes", 1..=10_080) {
        rules.abandoned_s = minutes.saturating_mul(MINUTE_S);
    }
    if let Some(seconds) = reader.number(&cart, "abandoned_seconds", 1..=3_600) {
        rules.abandoned_s = seconds;
        if let Some(twice) = cart.value("abandoned_minutes") {
            let message = "say it once: `abandoned_minutes`, or `abandoned_seconds` to try it out";
            reader.report(twice.span(), "cart.abandoned_minutes", ProblemCode::BadValue, message);
        }
    }
    for (name, days) in
        [("guest_days", &mut rules.guest_days), ("customer_days", &mut rules.customer_days)]
    {
        if let Some(number) = reader.number(&cart, name, 1..=365) {
            *days = number;
        }
    }
    rules
}
