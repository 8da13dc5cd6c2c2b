//! Names of secrets, and what to do where a secret itself stands in their place.
//!
//! A file that is uploaded, shown and kept in a repository must not hold a secret. So only what looks like a name is a name,
//! and no message repeats the text.

/// Bytes of a name.
const NAME_BYTES_MAX: usize = 64;

/// What to do with a secret that stands in the file.
pub(super) const REMEDY: &str = "the secret itself must not stand here: store it with `wrangler secret put NAME` and write { secret = \"NAME\" }, the name in capitals, digits and `_`";

/// Whether `text` is a name as wrangler's secrets have them: capitals, digits and `_`. Keys and passwords have other letters.
pub(super) fn is_name(text: &str) -> bool {
    text.len() <= NAME_BYTES_MAX
        && text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::is_name;

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
