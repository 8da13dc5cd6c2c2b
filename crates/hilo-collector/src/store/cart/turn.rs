//! One turn of a cart's object: its name, the clock, fresh random bytes.
//!
//! An object has no clock and no randomness of its own; each call brings them.

use hilo_core::cart::ReplicaId;
use jiff::Timestamp;

use crate::signature::sha256;

/// What an object is given for one call, frame or alarm.
#[derive(Clone, Copy, Debug)]
pub struct Turn<'n> {
    /// The object's name, which is the cart's label.
    pub name: &'n str,
    /// The clock.
    pub now: Timestamp,
    /// Random bytes of this turn alone.
    pub random: [u8; 16],
}

impl Turn<'_> {
    pub(super) fn ms(&self) -> i64 {
        self.now.as_millisecond()
    }

    /// Random bytes for a use, so that one use does not show another.
    pub(super) fn random_for(&self, purpose: &str) -> [u8; 32] {
        sha256(&[&self.random, purpose.as_bytes()].concat())
    }

    /// A new replica.
    pub(super) fn replica(&self, purpose: &str) -> ReplicaId {
        let bytes = self.random_for(purpose);
        let id = bytes.iter().take(8).fold(0, |id, byte| (id << 8) | u64::from(*byte));
        // 0 is no replica on the wire.
        ReplicaId(id.max(1))
    }
}
