//! Cloudflare Access: the keys of the team, and the person for whom an assertion vouches.
//!
//! Assertion → the person's address, or a refusal. Keys come from the one address that `hilo.toml` names by its team, and stay in the
//! isolate's memory. An assertion names a key and never an address.

use hilo_core::identity::access::AccessRules;
use hilo_core::identity::public_key::{PublicKey, Scheme};
use hilo_core::identity::token::Token;
use hilo_core::outcome::{Code, Rejection};
use serde_json::Value;

use crate::loaded::{AccessKeys, Loaded};
use crate::platform::{Headers, Outgoing, Platform, log_line};

/// The seconds for which fetched keys count. Cloudflare renews them every six weeks and honors the old one for seven days.
const FRESH_S: i64 = 3_600;
/// The seconds between two fetches. An assertion with an invented key must not make one each time.
const ASK_S: i64 = 60;
/// The most keys that are kept. Cloudflare has two.
const KEYS_MAX: usize = 8;

/// The address of the person for whom the assertion vouches.
///
/// # Errors
/// `unauthorized`, with the reason; `unavailable` where the keys cannot be had.
pub(super) async fn email<P: Platform>(
    assertion: &str,
    rules: &AccessRules,
    loaded: &Loaded,
    platform: &P,
) -> Result<String, Rejection> {
    let refused = |why: Rejection| {
        let message = format!(
            "the assertion of Cloudflare Access does not count ({}: {}): log in again, and compare [access] in hilo.toml with the application",
            why.code.name(),
            why.message
        );
        Rejection::new(Code::Unauthorized, message)
    };
    let token = Token::read(assertion.trim()).map_err(refused)?;
    let kid = rules.kid(&token).map_err(refused)?;
    let Some(key) = key(kid, rules, loaded, platform).await? else {
        let message = "no key of the team has its `kid`";
        return Err(refused(Rejection::new(Code::TokenUnknownKey, message)));
    };
    // The signature is checked first: the answer to an unsigned token must not show whether its claims are valid.
    match platform.verify(&key, &token.signature, token.signed.as_bytes()).await {
        Ok(true) => rules.email(&token, platform.now()).map_err(refused),
        Ok(false) => {
            let message = "the key that its `kid` names did not sign it";
            Err(refused(Rejection::new(Code::TokenBadSignature, message)))
        }
        Err(failure) => {
            platform.log(&log_line("error", "access", &[("why", failure.message())]));
            Err(unavailable())
        }
    }
}

fn unavailable() -> Rejection {
    let message =
        "the keys of Cloudflare Access cannot be had now: try again, or call with a token";
    Rejection::new(Code::Unavailable, message)
}

/// Finds a key of the team. Old keys are asked for again, and so is an unknown one, but not more often than [`ASK_S`] says.
async fn key<P: Platform>(
    kid: &str,
    rules: &AccessRules,
    loaded: &Loaded,
    platform: &P,
) -> Result<Option<PublicKey>, Rejection> {
    let now = platform.now();
    let find = || {
        let kept = loaded.access_keys.borrow();
        kept.keys.iter().find(|(known, _)| known == kid).map(|(_, key)| key.clone())
    };
    let known = find();
    let since = |at: Option<jiff::Timestamp>| at.map(|at| now.duration_since(at).as_secs());
    let AccessKeys { fetched_at, asked_at, .. } = *loaded.access_keys.borrow();
    let is_fresh = since(fetched_at).is_some_and(|age_s| age_s < FRESH_S);
    let may_ask = since(asked_at).is_none_or(|age_s| age_s >= ASK_S);
    if (known.is_some() && is_fresh) || !may_ask {
        return if fetched_at.is_some() { Ok(known) } else { Err(unavailable()) };
    }
    loaded.access_keys.borrow_mut().asked_at = Some(now);
    match fetch(rules, platform).await {
        Ok(keys) => {
            let kept = AccessKeys { fetched_at: Some(now), asked_at: Some(now), keys };
            loaded.access_keys.replace(kept);
            Ok(find())
        }
        Err(why) => {
            platform.log(&log_line("warn", "access keys", &[("why", &why)]));
            // Keys that were fetched before are still the team's.
            if fetched_at.is_some() { Ok(known) } else { Err(unavailable()) }
        }
    }
}

async fn fetch<P: Platform>(
    rules: &AccessRules,
    platform: &P,
) -> Result<Vec<(String, PublicKey)>, String> {
    let request = Outgoing {
        method: "GET".to_owned(),
        url: rules.certs_url(),
        headers: Headers::default(),
        body: String::new(),
    };
    let answer = platform.send(&request).await.map_err(|why| why.message().to_owned())?;
    if answer.status != 200 {
        return Err(format!("status {}", answer.status));
    }
    let certs: Value = serde_json::from_str(&answer.body).map_err(|_| "no JSON came".to_owned())?;
    let listed = certs.get("keys").and_then(Value::as_array).ok_or("no keys came")?;
    let read = |jwk: &Value| {
        let kid = jwk.get("kid")?.as_str()?.to_owned();
        Some((kid, PublicKey::read(Scheme::Rs256, &jwk.to_string()).ok()?))
    };
    let keys: Vec<_> = listed.iter().filter_map(read).take(KEYS_MAX).collect();
    if keys.is_empty() { Err("no key of RSA came".to_owned()) } else { Ok(keys) }
}
