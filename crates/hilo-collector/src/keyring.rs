//! The collector's own secrets: one names the objects and never changes, the others sign what visitors carry and can be
//! replaced.
//!
//! `HILO_SECRET` names every object and signs, until `HILO_SIGNING_SECRET_1` is set. The secret with the highest number
//! signs, and the one whose number is one less is still accepted, so that a new secret logs nobody out. A signature names its
//! key.
//! The vendors' and destinations' own secrets are not here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hilo_core::outcome::{Code, Rejection};

use crate::platform::Platform;
use crate::seal::Key;
use crate::signature;

/// The secret that names objects, and signs where no signing secret is set.
pub const SECRET: &str = "HILO_SECRET";
/// The beginning of the signing secrets' names. A number from 1 follows.
pub const SIGNING: &str = "HILO_SIGNING_SECRET_";
/// The highest number of a signing secret. Every request looks all numbers up, because a deployer may delete an old one.
pub const SIGNING_MAX: u8 = 9;
/// The fewest bytes of a secret: a shorter one could be guessed. HMAC with a hash of 32 bytes needs a key as long
/// (RFC 2104).
pub const SECRET_BYTES_MIN: usize = 32;
/// The newest secret signs, and those whose numbers are at most so much lower are accepted. The distance counts and not how
/// many are set: whoever deletes a secret must not make an older one valid again.
const ACCEPTED_BACK: u8 = 1;

/// The uses of a signature. Each is part of the signed text, so that a signature is valid for one use only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    /// The cookie of the anonymous id.
    Id,
    /// The capability of a guest's cart.
    Cart,
    /// The ticket for a cart's socket.
    Ticket,
    /// The link that confirms or ends a subscription.
    OptIn,
    /// The reference to an erasure.
    Erasure,
    /// The `state` with which a service sends a person back, who has connected a destination.
    Connect,
}

impl Signed {
    const fn prefix(self) -> &'static str {
        match self {
            Signed::Id => "cookie:",
            Signed::Cart => "cart:",
            Signed::Ticket => "ticket:",
            Signed::OptIn => "optin:",
            Signed::Erasure => "erasure:",
            Signed::Connect => "connect:",
        }
    }
}

/// The secrets of a deployment, each long enough.
#[derive(Clone)]
pub struct Keyring {
    naming: String,
    /// The accepted signing secrets with their numbers, newest first. `HILO_SECRET` is number 0.
    signing: Vec<(u8, String)>,
}

impl Keyring {
    /// Reads the secrets of a deployment.
    ///
    /// # Errors
    /// `secret_missing`, `secret_short`, each with its remedy. Anybody could make the signatures of such a secret.
    pub fn of<P: Platform>(platform: &P) -> Result<Keyring, Rejection> {
        let naming = long_enough(SECRET, platform.secret(SECRET).unwrap_or_default())?;
        let mut signing = Vec::new();
        for number in (1..=SIGNING_MAX).rev() {
            let name = format!("{SIGNING}{number}");
            if let Some(secret) = platform.secret(&name) {
                signing.push((number, long_enough(&name, secret)?));
            }
        }
        signing.push((0, naming.clone()));
        let newest = signing.first().map_or(0, |(number, _)| *number);
        signing.retain(|(number, _)| newest - number <= ACCEPTED_BACK);
        Ok(Keyring { naming, signing })
    }

    /// One secret for everything, for tests of formats.
    #[cfg(test)]
    pub fn only(secret: &str) -> Keyring {
        Keyring { naming: secret.to_owned(), signing: vec![(0, secret.to_owned())] }
    }

    /// The secret that names objects and pseudonyms. It signs nothing that a visitor carries.
    pub fn naming(&self) -> &str {
        &self.naming
    }

    /// Signs `text` for one use, with the newest secret: `text.<number of the secret>.<HMAC>`.
    pub fn sign(&self, signed: Signed, text: &str) -> String {
        // There is always a signing secret: `of` adds HILO_SECRET where no other is set.
        let (number, secret) = self.signing.first().map_or((0, &self.naming), |(n, s)| (*n, s));
        let tag = signature::sign(secret.as_bytes(), input(signed, number, text).as_bytes());
        format!("{text}.{number}.{}", URL_SAFE_NO_PAD.encode(tag))
    }

    /// The keys for what visitors carry sealed, for one use and one owner of it: the newest secret's first. That one seals, and each opens.
    pub fn sealing(&self, usage: &str, owner: &str) -> impl Iterator<Item = Key> {
        self.signing.iter().map(move |(_, secret)| Key::derived(secret, usage, owner))
    }

    /// Reads the text of a signed text; `None` if the collector did not sign it for this use, or not with a secret that
    /// is still accepted.
    pub fn open<'t>(&self, signed: Signed, value: &'t str) -> Option<&'t str> {
        let (rest, tag) = value.rsplit_once('.')?;
        let (text, number) = rest.rsplit_once('.')?;
        let number: u8 = number.parse().ok()?;
        let (_, secret) = self.signing.iter().find(|(known, _)| *known == number)?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        let input = input(signed, number, text);
        signature::verify(secret.as_bytes(), input.as_bytes(), &tag).then_some(text)
    }
}

/// `Debug` shows no secret.
impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.signing.iter().map(|(number, _)| number)).finish()
    }
}

fn input(signed: Signed, number: u8, text: &str) -> String {
    format!("{}{number}:{text}", signed.prefix())
}

fn long_enough(name: &str, secret: String) -> Result<String, Rejection> {
    if secret.is_empty() {
        let message = format!(
            "the secret {name} is not set: openssl rand -base64 32 | cargo xtask wrangler secret put {name}"
        );
        return Err(Rejection::new(Code::SecretMissing, message));
    }
    if secret.len() < SECRET_BYTES_MIN {
        let message = format!(
            "the secret {name} has fewer than {SECRET_BYTES_MIN} bytes and could be guessed: \
             openssl rand -base64 32 | cargo xtask wrangler secret put {name}"
        );
        return Err(Rejection::new(Code::SecretShort, message));
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::memory::Memory;

    const LONG: &str = "a naming secret of forty bytes or so, ok";

    fn memory(secrets: &[(&str, &str)]) -> Memory {
        let memory = Memory::new("2026-11-24T10:00:00Z".parse().unwrap(), None).unwrap();
        secrets.iter().for_each(|(name, value)| memory.set_secret(name, value));
        memory
    }

    fn secrets(signing: &[&str]) -> Keyring {
        let names: Vec<_> = (1..=signing.len()).map(|n| format!("{SIGNING}{n}")).collect();
        let mut all = vec![(SECRET, LONG)];
        all.extend(names.iter().map(String::as_str).zip(signing.iter().copied()));
        Keyring::of(&memory(&all)).unwrap()
    }

    const ONE: &str = "the first signing secret, 32 or more";
    const TWO: &str = "the second signing secret, 32 or more";

    #[test]
    fn a_signed_text_reads_back_for_its_own_use_only() {
        let secrets = secrets(&[]);
        let value = secrets.sign(Signed::Id, "v1.a.1");
        assert_eq!(secrets.open(Signed::Id, &value), Some("v1.a.1"));
        assert_eq!(secrets.open(Signed::Cart, &value), None);
        for forged in [value.replace("v1.a", "v1.b"), value.replace(".0.", ".1."), String::new()] {
            assert_eq!(secrets.open(Signed::Id, &forged), None, "{forged}");
        }
    }

    #[test]
    fn the_newest_two_secrets_are_accepted_and_the_newest_signs() {
        let (none, one, two) = (secrets(&[]), secrets(&[ONE]), secrets(&[ONE, TWO]));
        let of_none = none.sign(Signed::Ticket, "t");
        let of_one = one.sign(Signed::Ticket, "t");
        assert!(of_one.starts_with("t.1."), "{of_one}");
        assert_eq!(one.open(Signed::Ticket, &of_none), Some("t"));
        assert_eq!(two.open(Signed::Ticket, &of_one), Some("t"));
        assert_eq!(two.open(Signed::Ticket, &of_none), None);
        assert_eq!(none.open(Signed::Ticket, &of_one), None);
    }

    #[test]
    fn a_new_signing_secret_renames_no_object() {
        assert_eq!(secrets(&[ONE, TWO]).naming(), secrets(&[]).naming());
    }

    #[test]
    fn a_deleted_old_secret_makes_no_older_one_valid_again() {
        let memory = memory(&[(SECRET, LONG), (&format!("{SIGNING}3"), TWO)]);
        let three = Keyring::of(&memory).unwrap();
        let signed = three.sign(Signed::Id, "t");
        assert!(signed.starts_with("t.3."), "{signed}");
        assert_eq!(three.open(Signed::Id, &signed), Some("t"));
        assert_eq!(three.open(Signed::Id, &secrets(&[]).sign(Signed::Id, "t")), None);
    }

    #[test]
    fn a_missing_or_short_secret_is_refused_with_its_remedy() {
        let check = |name: &str, value: &str, code: Code| {
            let why = Keyring::of(&memory(&[(SECRET, LONG), (name, value)])).unwrap_err();
            assert_eq!((why.code, why.code.status()), (code, 503), "{name}");
            assert!(why.message.contains(&format!("cargo xtask wrangler secret put {name}")));
        };
        check(SECRET, "", Code::SecretMissing);
        check(SECRET, "thirty-one bytes are not enough", Code::SecretShort);
        check(&format!("{SIGNING}1"), "short", Code::SecretShort);
    }
}
