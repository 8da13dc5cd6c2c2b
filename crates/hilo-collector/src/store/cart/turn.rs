//! One turn of a cart's object: its name, the clock, fresh random bytes.
//!
//! An object has no clock and no randomness of its own, so each call brings both.

use hilo_core::cart::ReplicaId;
use jiff::Timestamp;

use crate::signature::sha256;

/// The arguments of one call, frame or alarm.
#[derive(Clone, Copy, Debug)]
pub struct Turn<'n> {
    /// The object's name, which is the cart's label.
    pub name: &'n str,
    /// The current time.
    pub now: Timestamp,
    /// Random bytes for this turn only.
    pub random: [u8; 16],
}

impl Turn<'_> {
    pub(super) fn ms(&self) -> i64 {
        self.now.as_millisecond()
    }

    /// Derives random bytes for one use, so that the bytes of one use do not reveal those of another.
    pub(super) fn random_for(&self, purpose: &str) -> [u8; 32] {
        sha256(&[&self.random, purpose.as_bytes()].concat())
    }

    /// Makes a new replica.
    pub(super) fn replica(&self, purpose: &str) -> ReplicaId {
        let bytes = self.random_for(purpose);
        let id = bytes.iter().take(8).fold(0, |id, byte| (id << 8) | u64::from(*byte));
        // A replica on the wire is never 0.
        ReplicaId(id.max(1))
    }
}
