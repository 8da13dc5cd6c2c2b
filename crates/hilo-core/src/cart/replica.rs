//! What a replica sends, receives and keeps, as plain values. `wire` and `flat` write and read them, and the page decides
//! what to do with them.

use alloc::string::String;
use alloc::vec::Vec;

use super::context::{Dot, ReplicaId};
use super::state::Cart;

/// The sender of a delta.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sender {
    /// The cart's label; empty on the first contact.
    pub cart: String,
    /// The replica that acted.
    pub replica: ReplicaId,
    /// The secret that was minted with the replica. Its holder may act as this replica.
    pub token: String,
    /// The hub's revision that the replica has.
    pub base: u64,
}

/// What the hub tells a replica: the whole cart, or the deltas since the replica's revision. A replica absorbs both alike.
/// Only a full view may begin another cart or epoch, because deltas would lack the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Whether `known` is the whole cart.
    pub full: bool,
    /// The cart's label; empty in a broadcast.
    pub cart: String,
    /// The hub's revision after this view.
    pub rev: u64,
    /// The receiver's last operation that the hub has applied.
    pub acked: u32,
    /// The whole cart or the joined deltas, with the hub's epoch.
    pub known: Cart,
}

/// Operations `from..=to` of one replica, joined, that the hub has not acknowledged. One message to the hub carries one group.
///
/// A group takes no more operations once it was sent or has [`super::limits::WINDOW`] of them; the next operation begins a new
/// group. So a message that is sent again has the same content, and an acknowledgment ends whole groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// The replica that acted.
    pub replica: ReplicaId,
    /// The secret that was minted with the replica.
    pub token: String,
    /// The first operation of the group.
    pub from: u32,
    /// The last operation of the group.
    pub to: u32,
    /// Whether the group was sent, so that the hub may have received it.
    pub sent: bool,
    /// The joined deltas.
    pub delta: Cart,
}

/// What a page keeps of its replica across page loads. Groups of several replicas may wait, since every page load mints a
/// replica of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptReplica {
    /// The cart's label.
    pub cart: String,
    /// The hub's revision that `known` has.
    pub rev: u64,
    /// The cart as the hub has confirmed it. Waiting groups are not in it.
    pub known: Cart,
    /// The groups that the hub has not acknowledged, in the order of the acts.
    pub waiting: Vec<Group>,
}

impl Cart {
    /// The dots of a delta that are seen and not live. For deltas only: the gone dots of a whole cart are its whole history.
    pub(super) fn gone(&self) -> Vec<Dot> {
        let is_live = |dot| self.known_lines.iter().any(|line| line.dots.contains(dot));
        let mut gone = Vec::new();
        for dot in self.ctx.dots() {
            if !is_live(dot) {
                gone.push(dot);
            }
        }
        gone
    }
}
