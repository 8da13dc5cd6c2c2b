//! The verified user of a request: the person that the shop's own backend vouches for, in the header `X-Hilo-User-Token`.
//!
//! Request → no person, a person, a remark, or a refusal with its code. This file does not read what a page claims about
//! itself, and such claims never count. Each call checks the person's rights with [`VerifiedUser::require`]. The
//! pipeline writes the remarks down.

use hilo_core::config::{Config, IdentityMode, TOKEN_SECRET_BYTES_MIN, TokenKey, TokenKeyMaterial};
use hilo_core::identity::token::{Claims, Scope, Token};
use hilo_core::outcome::{Code, Rejection};
use jiff::Timestamp;

use crate::call::Call;
use crate::platform::{Failure, Platform, log_line};
use crate::signature;

/// The header field with the token.
pub(super) const HEADER: &str = "x-hilo-user-token";

/// A person that the shop's backend vouches for. Only a token with a valid signature makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedUser {
    /// The user id.
    pub id: String,
    /// The login at the shop: a digest of the session that the token names, or else of the token.
    pub login: String,
    /// The time until which the token is valid.
    pub expires_at: Timestamp,
    claims: Claims,
}

impl VerifiedUser {
    /// Checks that the token allows this scope. A token without scopes allows everything.
    ///
    /// # Errors
    /// `token_missing_scope`.
    pub fn require(&self, scope: Scope) -> Result<(), Rejection> {
        self.claims.require(scope)
    }
}

/// The result of reading a request's token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vouched {
    /// The person that the token vouches for; `None` without a token, and in every mode but `enforce`.
    pub user: Option<VerifiedUser>,
    /// The refusal that the mode `enforce` would give, where the mode is `report`.
    pub remark: Option<Rejection>,
}

/// Judges the request's token.
///
/// # Errors
/// The `token_…` codes; `unavailable` where the key in the configuration cannot be used.
pub async fn verified_user<P: Platform>(call: &Call<'_, P>) -> Result<Vouched, Rejection> {
    let mode = call.loaded.config.identity.mode;
    let Some(text) = call.incoming.headers.get(HEADER) else {
        return Ok(Vouched::default());
    };
    if mode == IdentityMode::Off {
        return Ok(Vouched::default());
    }
    match (judge(text.trim(), false, call).await, mode) {
        (Ok(user), IdentityMode::Enforce) => Ok(Vouched { user: Some(user), remark: None }),
        (Err(why), IdentityMode::Enforce) => Err(why),
        (Err(why), IdentityMode::Report) => Ok(Vouched { user: None, remark: Some(why) }),
        (Ok(_), IdentityMode::Report) | (_, IdentityMode::Off) => Ok(Vouched::default()),
    }
}

/// Finds the person of a token that has ended not long ago. It counts for a choice that only takes rights away, beside the
/// proof of the device: the page may learn too late that it needs a new token.
pub async fn lapsed_user<P: Platform>(call: &Call<'_, P>) -> Option<VerifiedUser> {
    let text = call.incoming.headers.get(HEADER)?;
    let is_enforced = call.loaded.config.identity.mode == IdentityMode::Enforce;
    let judged = judge(text.trim(), true, call).await;
    judged.ok().filter(|_| is_enforced)
}

async fn judge<P: Platform>(
    text: &str,
    may_be_lapsed: bool,
    call: &Call<'_, P>,
) -> Result<VerifiedUser, Rejection> {
    let platform = call.platform;
    let rules = &call.loaded.config.identity;
    let token = Token::read(text)?;
    let key = token.key(rules, platform.is_dev())?;
    // The signature is checked first: the answer to an unsigned token must not show whether its claims are valid.
    match is_signed(&token, key, platform).await {
        Ok(true) => {}
        Ok(false) => {
            let message = "the key that its `kid` names did not sign it";
            return Err(Rejection::new(Code::TokenBadSignature, message));
        }
        Err(failure) => {
            platform.log(&log_line("error", "identity", &[("why", failure.message())]));
            let message = "tokens of this key cannot be verified now; try again later";
            return Err(Rejection::new(Code::Unavailable, message));
        }
    }
    let now = platform.now();
    let claims =
        if may_be_lapsed { token.lapsed_claims(rules, now) } else { token.claims(rules, now) }?;
    Ok(VerifiedUser {
        id: claims.subject.clone(),
        login: signature::sha256_hex(claims.session.as_deref().unwrap_or(text).as_bytes()),
        expires_at: claims.expires_at,
        claims,
    })
}

async fn is_signed<P: Platform>(
    token: &Token<'_>,
    key: &TokenKey,
    platform: &P,
) -> Result<bool, Failure> {
    let signed = token.signed.as_bytes();
    match &key.material {
        TokenKeyMaterial::Public(key) => platform.verify(key, &token.signature, signed).await,
        TokenKeyMaterial::Secret(name) => {
            let secret = token_secret(name, platform)?;
            Ok(signature::verify(secret.as_bytes(), signed, &token.signature))
        }
    }
}

/// The names of the secrets of HS256 keys that are missing or too short. Where tokens are not enforced, nobody needs them.
pub fn unusable_secrets<'c, P: Platform>(config: &'c Config, platform: &P) -> Vec<&'c str> {
    let rules = &config.identity;
    let named = rules.keys.iter().filter_map(|key| match &key.material {
        TokenKeyMaterial::Public(_) => None,
        TokenKeyMaterial::Secret(name) => Some(name.as_str()),
    });
    let is_needed = rules.mode == IdentityMode::Enforce;
    named.filter(|name| is_needed && token_secret(name, platform).is_err()).collect()
}

/// Returns the secret of an HS256 key.
///
/// # Errors
/// `Fatal` where the secret is not set, or is so short that it can be guessed.
fn token_secret<P: Platform>(name: &str, platform: &P) -> Result<String, Failure> {
    let secret = platform.secret(name).unwrap_or_default();
    if secret.len() < TOKEN_SECRET_BYTES_MIN {
        let why = format!(
            "the secret {name} has less than {TOKEN_SECRET_BYTES_MIN} bytes: cargo xtask wrangler secret put {name}"
        );
        return Err(Failure::Fatal(why));
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::{Value, json};

    use super::*;
    use crate::platform::{Headers, Incoming};
    use crate::shell::memory::{Memory, run};

    const SECRET: &str = "thirty-two bytes are needed here!";
    const CONFIG: &str = r#"
        [project]
        controller = "Shop"
        environment = "test"
        [[source]]
        name = "shop"
        kind = "browser"
        keys = ["wk_shop"]
        origins = ["https://shop.example"]
        [identity]
        mode = "MODE"
        issuer = "https://shop.example"
        [[identity.key]]
        kid = "k1"
        alg = "HS256"
        secret = { secret = "TOKEN_SECRET" }
    "#;

    fn memory(mode: &str) -> Memory {
        let config = CONFIG.replace("MODE", mode);
        let memory = Memory::new("2026-11-24T10:00:00Z".parse().unwrap(), Some(&config)).unwrap();
        memory.set_secret("TOKEN_SECRET", SECRET);
        memory
    }

    fn token(secret: &str, scope: &str) -> String {
        let now_s = "2026-11-24T10:00:00Z".parse::<Timestamp>().unwrap().as_second();
        let claims = json!({
            "iss": "https://shop.example", "aud": "test", "sub": "user-1", "scope": scope,
            "iat": now_s, "exp": now_s + 600,
        });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&json!({"alg": "HS256", "kid": "k1"})), part(&claims));
        let tag = signature::sign(secret.as_bytes(), signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
    }

    fn check(memory: &Memory, token: Option<&str>) -> Result<Vouched, Code> {
        let mut headers = Headers::default();
        token.into_iter().for_each(|token| headers.push("x-hilo-user-token", token));
        let incoming = Incoming { headers, ..Incoming::default() };
        let loaded = run(memory.config()).unwrap().unwrap();
        run(verified_user(&Call { incoming: &incoming, loaded: &loaded, platform: memory }))
            .unwrap()
            .map_err(|why| why.code)
    }

    #[test]
    fn a_valid_token_vouches_for_a_person_and_for_the_persons_scopes() {
        let memory = memory("enforce");
        assert_eq!(check(&memory, None), Ok(Vouched::default()));
        let user = check(&memory, Some(&token(SECRET, "cart"))).unwrap().user.unwrap();
        assert_eq!(user.id, "user-1");
        assert_eq!(user.require(Scope::Cart), Ok(()));
        let refused = user.require(Scope::Erase).map_err(|why| why.code);
        assert_eq!(refused, Err(Code::TokenMissingScope));
    }

    #[test]
    fn a_forged_token_is_refused_or_remarked_on_as_the_mode_demands() {
        let forged = token("another secret that is long enough", "cart");
        let refused = check(&memory("enforce"), Some(&forged));
        assert_eq!(refused, Err(Code::TokenBadSignature));
        let Vouched { user, remark } = check(&memory("report"), Some(&forged)).unwrap();
        let remark = remark.map(|why| why.code);
        assert_eq!((user, remark), (None, Some(Code::TokenBadSignature)));
        assert_eq!(check(&memory("off"), Some(&forged)), Ok(Vouched::default()));
    }

    #[test]
    fn a_valid_token_grants_nothing_where_tokens_are_not_enforced() {
        for mode in ["report", "off"] {
            let good = check(&memory(mode), Some(&token(SECRET, "cart")));
            assert_eq!(good, Ok(Vouched::default()));
        }
    }

    #[test]
    fn a_secret_that_is_too_short_verifies_no_token() {
        let memory = memory("enforce");
        memory.set_secret("TOKEN_SECRET", "short");
        assert_eq!(check(&memory, Some(&token("short", "cart"))), Err(Code::Unavailable));
    }
}
