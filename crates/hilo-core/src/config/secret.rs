//! Names of secrets, and what to do where a secret itself stands in their place.
//!
//! A file that is uploaded, shown and kept in a repository must not hold a secret. So only what looks like a name is a name,
//! and no message repeats the text.

/// Bytes of a name.
const NAME_BYTES_MAX: usize = 64;

/// What to do with a secret that stands in the file.
pub(super) const REMEDY: &str = "the secret itself must not stand here: store it with `cargo xtask wrangler secret put NAME` and write { secret = \"NAME\" }, the name in capitals, digits and `_`";

/// What to do with a name of one of the collector's own secrets.
const OWN: &str = "names that begin with HILO_ are the collector's own secrets, and nobody else may sign with them: choose another name";

/// What is wrong with the name of a secret, if anything is.
pub(super) fn fault(text: &str) -> Option<&'static str> {
    match is_name(text) {
        false => Some(REMEDY),
        true => text.starts_with("HILO_").then_some(OWN),
    }
}

/// Whether `text` is a name as wrangler's secrets have them: capitals, digits and `_`. Keys and passwords have other letters.
fn is_name(text: &str) -> bool {
    text.len() <= NAME_BYTES_MAX
        && text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::{OWN, fault, is_name};

    #[test]
    fn the_collectors_own_secrets_are_nobody_elses() {
        for name in ["HILO_SECRET", "HILO_ADMIN_TOKEN", "HILO_SIGNING_SECRET_1"] {
            assert_eq!(fault(name), Some(OWN), "{name}");
        }
        assert_eq!(fault("MY_HILO_SECRET"), None);
    }

    #[test]
    fn a_name_is_told_from_a_secret() {
        for name in ["NAME", "WEBHOOK_SECRET", "KEY_2"] {
            assert!(is_name(name), "{name}");
        }
        for secret in ["whsec_C2FVsBQIhrscChlQIMV", "c2VjcmV0", "2FA", "", "my-secret", "sk_live_1"]
        {
            assert!(!is_name(secret), "{secret}");
        }
    }
}
