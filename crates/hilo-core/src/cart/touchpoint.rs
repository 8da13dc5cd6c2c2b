//! Touchpoints of a cart: which event an operation is in the person's history, with line, units and message id.
//!
//! In: the cart before and after an operation. Out: touchpoints. Their ids derive from the operation, so page, hub and every
//! retry give one touchpoint the same id, and it is stored once. Sends nothing.

use super::context::Dot;
use super::line::LineKey;
use super::state::{Cart, Line};
use crate::digits::{push, push_hex};

/// Events about carts, after the Segment ecommerce spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CartEvent {
    /// A line has more units, or is new.
    ProductAdded,
    /// A line has fewer units, or is gone.
    ProductRemoved,
    /// The cart was looked at.
    CartViewed,
    /// A checkout began.
    CheckoutStarted,
    /// An order was placed.
    OrderCompleted,
    /// Nothing happened to a filled cart for a while.
    CartAbandoned,
    /// An abandoned cart was ordered after all.
    CartRecovered,
}

impl CartEvent {
    /// The event's name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            CartEvent::ProductAdded => "Product Added",
            CartEvent::ProductRemoved => "Product Removed",
            CartEvent::CartViewed => "Cart Viewed",
            CartEvent::CheckoutStarted => "Checkout Started",
            CartEvent::OrderCompleted => "Order Completed",
            CartEvent::CartAbandoned => "Cart Abandoned",
            CartEvent::CartRecovered => "Cart Recovered",
        }
    }
}

/// The touchpoint of one line that an operation changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touchpoint {
    /// The message id.
    pub id: String,
    /// [`CartEvent::ProductAdded`] or [`CartEvent::ProductRemoved`].
    pub event: CartEvent,
    /// The line.
    pub line: LineKey,
    /// Units added or removed.
    pub quantity: u32,
}

/// The touchpoints of the operation `dot`, which made `before` into `after`: one per line whose quantity changed.
///
/// Where several operations come at once, such as clicks in one message or a server's group, `dot` is the last of them. Only
/// `clear` and such a group change several lines. From the second line on the id ends with the line's hash.
pub fn touchpoints(before: &Cart, after: &Cart, dot: Dot) -> Vec<Touchpoint> {
    let mut touchpoints: Vec<Touchpoint> = Vec::new();
    let new = after.lines().filter(|line| !before.has(&line.key));
    for Line { key: line, .. } in before.lines().chain(new) {
        let (was, is) = (before.qty(line), after.qty(line));
        if was == is {
            continue;
        }
        let event = if is > was { CartEvent::ProductAdded } else { CartEvent::ProductRemoved };
        let mut id = dot.id();
        if !touchpoints.is_empty() {
            id.push('-');
            push_hex(&mut id, hash(line));
        }
        touchpoints.push(Touchpoint { id, event, line: line.clone(), quantity: is.abs_diff(was) });
    }
    touchpoints
}

/// The id of [`CartEvent::OrderCompleted`]: one per order of the shop.
pub fn order_id(order: &str) -> String {
    ["order-", order].concat()
}

/// The id of [`CartEvent::CheckoutStarted`].
pub fn checkout_id(checkout: &str) -> String {
    ["checkout-", checkout].concat()
}

/// The id of [`CartEvent::CartAbandoned`] or [`CartEvent::CartRecovered`]: one per cart, epoch and idle period. The time at
/// which the period began names it.
pub fn idle_id(event: CartEvent, label: &str, epoch: u32, idle_since_ms: u64) -> String {
    let recovered = event == CartEvent::CartRecovered;
    let prefix = if recovered { "cart-recovered-" } else { "cart-abandoned-" };
    let mut id = [prefix, label, "-"].concat();
    push_number(&mut id, u64::from(epoch));
    id.push('-');
    push_number(&mut id, idle_since_ms);
    id
}

fn push_number(text: &mut String, number: u64) {
    push(text, false, number);
}

/// FNV-1a, 64 bits (draft-eastlake-fnv): small, and the same everywhere. Nothing depends on its strength.
fn hash(line: &LineKey) -> u64 {
    let options = line.options_hash.to_be_bytes();
    let parts = [line.variant.as_bytes(), &options, line.currency.code().as_bytes()];
    parts.into_iter().flatten().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cart::limits::LINE_DOTS_FOLD;
    use crate::cart::tests::{A, B, add, done, line, on, other_line};
    use crate::cart::{ReplicaId, join};

    const DOT: Dot = Dot { r: ReplicaId(0xbeef), n: 12 };

    /// Expects touchpoints of the usual line with these events and units.
    fn check(before: &Cart, after: &Cart, expected: &[(CartEvent, u32)]) {
        let found = touchpoints(before, after, DOT);
        let events: Vec<_> =
            found.iter().map(|touchpoint| (touchpoint.event, touchpoint.quantity)).collect();
        assert_eq!(events, expected);
        assert!(found.iter().all(|touchpoint| touchpoint.id == "cart-000000000000beef-12"));
        assert!(found.iter().all(|touchpoint| touchpoint.line == line()));
    }

    #[test]
    fn more_units_are_an_addition_fewer_a_removal_and_equal_units_no_touchpoint() {
        let cart = on(3);
        let after = |delta: Result<Cart, _>| done(cart.clone(), &delta.unwrap());
        check(&Cart::default(), &cart, &[(CartEvent::ProductAdded, 3)]);
        check(&cart, &after(cart.add(A, &line(), 2)), &[(CartEvent::ProductAdded, 2)]);
        check(&cart, &after(cart.set(A, &line(), 5)), &[(CartEvent::ProductAdded, 2)]);
        check(&cart, &after(cart.set(A, &line(), 3)), &[]);
        check(&cart, &after(cart.dec(A, &line(), 1)), &[(CartEvent::ProductRemoved, 1)]);
        check(&cart, &after(cart.remove(A, &line())), &[(CartEvent::ProductRemoved, 3)]);
        check(&cart, &cart, &[]);
    }

    #[test]
    fn an_add_that_folds_counts_only_its_own_units() {
        let mut cart = on(1);
        for _ in 1..LINE_DOTS_FOLD {
            add(&mut cart, A, 1);
        }
        let before = cart.clone();
        add(&mut cart, A, 2);
        check(&before, &cart, &[(CartEvent::ProductAdded, 2)]);
    }

    #[test]
    fn every_line_of_a_clear_has_an_id_of_its_own() {
        let mut cart = on(3);
        for variant in ["cup", "hat"] {
            let added = cart.add(B, &other_line(variant), 1).unwrap();
            cart.absorb(&added);
        }
        let cleared = join(&cart, &cart.clear(A).unwrap());
        let ids = |before: &Cart| {
            let found = touchpoints(before, &cleared, DOT);
            found
                .into_iter()
                .map(|touchpoint| (touchpoint.line.variant, touchpoint.id))
                .collect::<Vec<_>>()
        };
        let expected = [
            ("cup", "cart-000000000000beef-12"),
            ("hat", "cart-000000000000beef-12-dddf62de529de815"),
            ("mug", "cart-000000000000beef-12-42aea06bb706f117"),
        ];
        let expected = expected.map(|(line, id)| (line.to_owned(), id.to_owned()));
        assert_eq!(ids(&cart), expected);
    }

    #[test]
    fn ids_of_orders_checkouts_and_idle_carts_are_those_of_the_contract() {
        assert_eq!(order_id("A-7"), "order-A-7");
        assert_eq!(checkout_id("co_x_y"), "checkout-co_x_y");
        let idle = |event| idle_id(event, "1f", 4, 1_700_000_000_000);
        assert_eq!(idle(CartEvent::CartAbandoned), "cart-abandoned-1f-4-1700000000000");
        assert_eq!(idle(CartEvent::CartRecovered), "cart-recovered-1f-4-1700000000000");
        let longest = Dot { r: ReplicaId(u64::MAX), n: u32::MAX };
        assert_eq!(longest.id(), "cart-ffffffffffffffff-4294967295");
    }
}
