//! An id that a page made itself, with a proof that only this page has: so it can send before anybody answers.
//!
//! Two texts of the page → proofs to bind profiles to. The page sends the same two texts until it has an answer, so a lost answer costs
//! nothing: whoever shows them again gets the same id. The bound proof is derived from them with the collector's secret. Knowing it does
//! not tell what the page keeps, and the page cannot make the cookie. This file calls no object.

use hilo_core::identity::uuid_v4;
use jiff::Timestamp;

use super::proof::IdProof;
use crate::keyring::Keyring;
use crate::signature::sign;

/// The fewest bytes of a page's proof: 128 bits in hex digits. Nobody may guess one.
pub const PROOF_BYTES_MIN: usize = 32;

/// An id that a page made itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spare {
    /// The id.
    pub id: String,
    /// The proof that the page made for it. Earlier trackers make none.
    pub proof: Option<String>,
}

impl Spare {
    /// The proofs to try, one after another: of the id itself, and of another id in its place where the first is somebody's. Both are the
    /// same at each attempt. Nothing for an id without a proof.
    pub fn offers(&self, secret: &Keyring, now: Timestamp) -> Vec<IdProof> {
        let Some(proof) = &self.proof else { return Vec::new() };
        let instead = uuid_v4(derived("instead", &self.id, proof, secret));
        [self.id.clone(), instead]
            .into_iter()
            .map(|id| IdProof::fresh(&id, derived("spare", &id, proof, secret), now))
            .collect()
    }
}

/// Sixteen bytes for one use of a page's id and proof.
fn derived(purpose: &str, id: &str, proof: &str, secret: &Keyring) -> [u8; 16] {
    let text = format!("{purpose}:{id}:{proof}");
    let mut bytes = [0; 16];
    for (byte, made) in bytes.iter_mut().zip(sign(secret.naming().as_bytes(), text.as_bytes())) {
        *byte = made;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROOF: &str = "00000000-0000-4000-8000-000000000007";

    fn hashes(id: &str, proof: &str, secret: &str, now_s: i64) -> Vec<(String, String)> {
        let spare = Spare { id: id.to_owned(), proof: Some(proof.to_owned()) };
        let now = Timestamp::from_second(now_s).unwrap();
        let offers = spare.offers(&Keyring::only(secret), now);
        offers.into_iter().map(|offer| (offer.id.clone(), offer.hash())).collect()
    }

    #[test]
    fn the_same_texts_give_the_same_ids_and_proofs_at_any_time() {
        assert_eq!(hashes("a1", PROOF, "secret", 1), hashes("a1", PROOF, "secret", 900_000));
        let [(own, first), (other, second)] = &hashes("a1", PROOF, "secret", 1)[..] else {
            panic!("an id and another in its place")
        };
        assert!(own == "a1" && other != "a1" && first != second);
    }

    #[test]
    fn each_id_proof_and_secret_gives_a_proof_of_its_own() {
        let first = hashes("a1", PROOF, "secret", 1);
        for changed in [
            hashes("a2", PROOF, "secret", 1),
            hashes("a1", &PROOF.replace('7', "8"), "secret", 1),
            hashes("a1", PROOF, "another", 1),
        ] {
            assert!(first.iter().zip(&changed).all(|(one, other)| one.1 != other.1));
        }
    }

    #[test]
    fn another_id_in_place_of_the_first_is_proved_by_the_same_text() {
        let other = hashes("a1", PROOF, "secret", 1).pop().unwrap();
        assert_eq!(hashes(&other.0, PROOF, "secret", 2).remove(0), other);
    }
}
