//! Division by chance: the name of an experiment, its version and a person's id → one of 10,000 buckets.
//!
//! The same id always has the same bucket, on the page, at the edge and in an archive, so that no assignment has to be stored. Two
//! experiments divide people independently of each other.

use sha2::{Digest, Sha256};

/// How many buckets there are.
pub const BUCKETS: u16 = 10_000;
/// What separates the parts of the text under the hash: the unit separator of ASCII. No name and no version has one.
const SEPARATOR: [u8; 1] = [0x1f];

/// The bucket of `unit`, below [`BUCKETS`]. The unit is the person's id, or the anonymous id where the person is unknown.
#[must_use]
pub fn bucket(name: &str, version: &str, unit: &str) -> u16 {
    let scaled = u128::from(first_bytes(name, version, unit)) * u128::from(BUCKETS);
    // The upper half of the product has no bias, as the remainder of a division would have.
    u16::try_from(scaled >> u64::BITS).unwrap_or_default()
}

/// The first 8 bytes of the hash, big endian.
pub(super) fn first_bytes(name: &str, version: &str, unit: &str) -> u64 {
    let hash = Sha256::new()
        .chain_update(name)
        .chain_update(SEPARATOR)
        .chain_update(version)
        .chain_update(SEPARATOR)
        .chain_update(unit)
        .finalize();
    hash.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}
