//! Orders: what was bought leaves the cart that the visitor sees at once, and stays away until the hub has taken the order.
//!
//! In: acts between the order's beginning and end. Out: a group that hides the bought units. It waits in its place among the
//! operations and is never sent: operations before it go out first, operations behind it wait for the order. The page sends the
//! order itself, and then ends the group.

use hilo_core::cart::Span;
use hilo_core::cart::replica::Group;

use super::Replica;

/// Whether a group is what an order takes: no writer without a token writes to the hub.
pub(super) fn is_order(group: &Group) -> bool {
    group.token.is_empty()
}

impl Replica {
    /// Begins an order, and ends it with `is_over`. The acts between the two are what the order takes: no hub receives them.
    pub fn order(&mut self, is_over: bool) {
        self.seal();
        self.me = None;
        if !is_over {
            self.identity();
        }
        if let Some(me) = &mut self.me {
            me.token.clear();
        }
    }

    /// The hub has taken the order that was due, or never will: what the hub's cart shows of its lines counts again.
    pub fn order_done(&mut self) {
        if let Some(due) = self.groups.first().filter(|group| is_order(group)) {
            // An order of many lines is several groups of one replica.
            self.known.ctx.add(Span { r: due.replica, from: 1, to: u32::MAX });
        }
        self.confirm();
    }
}
