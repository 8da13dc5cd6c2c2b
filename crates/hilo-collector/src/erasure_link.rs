//! The reference to an erasure: the right to ask how far it is, signed.
//!
//! The answer to `DELETE /v1/me` takes the cookie back, so the person has no other proof afterwards. The reference has the names of
//! profiles' objects, from which nobody finds a person, and it opens nothing else. The collector stores no references.

use crate::keyring::{Keyring, Signed};
use crate::signature::OBJECT_NAME_CHARS;

/// The most objects of one reference: a user and a device.
const NAMES_MAX: usize = 2;

/// Writes the reference to the erasure of the objects with these names.
pub fn write(names: &[String], secret: &Keyring) -> String {
    secret.sign(Signed::Erasure, &names.join("-"))
}

/// Reads the names of the objects; `None` if the collector did not sign the reference.
pub fn read(reference: &str, secret: &Keyring) -> Option<Vec<String>> {
    let names = secret.open(Signed::Erasure, reference)?.split('-').map(str::to_owned);
    let names: Vec<_> = names.collect();
    let are_names = names.iter().all(|name| name.len() == OBJECT_NAME_CHARS);
    (are_names && names.len() <= NAMES_MAX).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_reads_back_only_as_it_was_signed() {
        let secret = Keyring::only("secret");
        let names = ["a".repeat(OBJECT_NAME_CHARS), "b".repeat(OBJECT_NAME_CHARS)];
        let reference = write(&names, &secret);
        assert_eq!(read(&reference, &secret), Some(names.to_vec()));
        assert_eq!(read(&reference, &Keyring::only("another")), None);
        assert_eq!(read(&reference.replacen('a', "c", 1), &secret), None);
        assert_eq!(read(&secret.sign(Signed::OptIn, &names.join("-")), &secret), None);
        assert_eq!(read("", &secret), None);
    }
}
