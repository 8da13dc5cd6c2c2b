//! What a replica says about itself when it sends, what it hears, and what it keeps while nobody answers.
//! Plain values: `wire` and `flat` are how they are written; what becomes of them the page decides.

use alloc::string::String;
use alloc::vec::Vec;

use super::context::{Dot, ReplicaId};
use super::state::Cart;

/// Who sends a delta.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sender {
    /// Which cart; empty on the first contact.
    pub cart: String,
    /// Who acted.
    pub replica: ReplicaId,
    /// The secret that was minted with the replica: whoever has it may act as this replica.
    pub token: String,
    /// The hub's revision the replica has.
    pub base: u64,
}

/// What the hub tells a replica: its cart, or what happened since the replica's revision. Both are absorbed alike, but
/// only a full one may begin another cart or epoch: the rest would be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Whether `known` is the whole cart.
    pub full: bool,
    /// Which cart; empty in a broadcast.
    pub cart: String,
    /// The hub's revision after it.
    pub rev: u64,
    /// The last operation of the receiver that is applied.
    pub acked: u32,
    /// The cart, or the deltas joined, with the hub's epoch.
    pub known: Cart,
}

/// Operations `from..=to` of one replica, joined, that the hub has not acknowledged: what one message to it carries.
///
/// A group ends when it is sent or has [`super::limits::WINDOW`] operations; the next operation begins another. So a
/// message that is sent again says the same, and an acknowledgment ends whole groups with all they dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Who acted.
    pub replica: ReplicaId,
    /// The secret that was minted with it.
    pub token: String,
    /// The first operation in it.
    pub from: u32,
    /// The last one.
    pub to: u32,
    /// Whether the hub may have heard of it.
    pub sent: bool,
    /// The deltas.
    pub delta: Cart,
}

/// What a replica keeps across page loads. Groups of several replicas may wait: every page load mints its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptReplica {
    /// Which cart.
    pub cart: String,
    /// The hub's revision that is in it.
    pub rev: u64,
    /// Everything known. The page leaves out what waits, so that what is in it is what the hub has confirmed.
    pub known: Cart,
    /// What was not acknowledged, in the order it happened.
    pub waiting: Vec<Group>,
}

impl Cart {
    /// The dots of a delta that are seen and not live. Of a delta only: a whole cart's would be its whole history.
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
