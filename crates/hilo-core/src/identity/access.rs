//! The assertion of Cloudflare Access: a JWT in which Cloudflare vouches for a member of the deployer's staff.
//!
//! [`Token`] → the address of the person, checked at a time that is an argument. Team and audience stand in `hilo.toml` and are never
//! taken from the token. Verifies no signature and fetches no key: the caller of [`AccessRules::email`] must have done so.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::token::{LEEWAY_S, Token, is_meant_for, object, second, text};
use crate::outcome::{Code, Rejection};

/// The algorithm of every assertion (Cloudflare One, "Validate JWTs").
const ALGORITHM: &str = "RS256";

/// Whose assertions count, and whether an admin call needs one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccessRules {
    /// The team: the first label of `<team>.cloudflareaccess.com`.
    pub team: String,
    /// The tag of the Access application (AUD).
    pub audience: String,
    /// Whether an admin call needs an assertion beside its token.
    pub required: bool,
}

impl AccessRules {
    /// The issuer of the team's assertions.
    pub fn issuer(&self) -> String {
        format!("https://{}.cloudflareaccess.com", self.team)
    }

    /// The address of the team's public keys.
    pub fn certs_url(&self) -> String {
        format!("{}/cdn-cgi/access/certs", self.issuer())
    }

    /// The name of the key that must have signed the assertion.
    ///
    /// # Errors
    /// `token_bad_algorithm`.
    pub fn kid<'t>(&self, token: &'t Token<'_>) -> Result<&'t str, Rejection> {
        if token.algorithm != ALGORITHM {
            return Err(Rejection::new(Code::TokenBadAlgorithm, "its `alg` is not RS256"));
        }
        Ok(&token.kid)
    }

    /// The address of the person, in lower case. Only for an assertion whose signature was verified.
    ///
    /// # Errors
    /// `token_malformed`, `token_wrong_issuer`, `token_wrong_audience`, `token_expired`, `token_not_yet`, `token_bad_subject`.
    pub fn email(&self, token: &Token<'_>, now: Timestamp) -> Result<String, Rejection> {
        let claims = object(token.claims)?;
        if text(&claims, "iss") != Some(self.issuer().as_str()) {
            return Err(Rejection::new(Code::TokenWrongIssuer, "its `iss` is another team's"));
        }
        if !is_meant_for(claims.get("aud"), &self.audience) {
            let message = "its `aud` is another application's";
            return Err(Rejection::new(Code::TokenWrongAudience, message));
        }
        // The team's own session has the type "org": it was made for no application.
        if text(&claims, "type") != Some("app") {
            return Err(Rejection::new(Code::TokenMalformed, "its `type` is not \"app\""));
        }
        let now_s = now.as_second();
        let Some(expires_s) = second(&claims, "exp") else {
            return Err(Rejection::new(Code::TokenMalformed, "it needs `exp`"));
        };
        if expires_s.saturating_add(LEEWAY_S) <= now_s {
            return Err(Rejection::new(Code::TokenExpired, "it has expired: log in again"));
        }
        // A time that cannot be read must not count as passed.
        let begins = |name: &str| {
            claims.get(name).map_or(i64::MIN, |_| second(&claims, name).unwrap_or(i64::MAX))
        };
        if begins("iat").max(begins("nbf")) > now_s.saturating_add(LEEWAY_S) {
            return Err(Rejection::new(Code::TokenNotYet, "it is not valid yet"));
        }
        match claims.get("email") {
            Some(Value::String(email)) if !email.is_empty() => Ok(email.to_owned().to_lowercase()),
            _ => {
                // A service token has no address: a program shows a token of its own as bearer.
                Err(Rejection::new(Code::TokenBadSubject, "it names no person's `email`"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;

    const NOW_S: i64 = 1_795_000_000;

    fn rules() -> AccessRules {
        AccessRules { team: "shop".to_owned(), audience: "aud-1".to_owned(), required: false }
    }

    fn read(header: &Value, claims: &Value) -> Result<String, Code> {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}.c2lnbmVk", part(header), part(claims));
        let token = Token::read(&text).map_err(|why| why.code)?;
        rules().kid(&token).map_err(|why| why.code)?;
        rules().email(&token, Timestamp::from_second(NOW_S).unwrap()).map_err(|why| why.code)
    }

    fn good() -> Value {
        json!({
            "iss": "https://shop.cloudflareaccess.com", "aud": ["other", "aud-1"], "type": "app",
            "email": "Ana@Shop.example", "sub": "s", "iat": NOW_S - 10, "nbf": NOW_S - 10,
            // Longer than a user token may live: a session of Access lasts up to a month.
            "exp": NOW_S + 2_000_000,
        })
    }

    fn check(name: &str, value: Value, expected: Code) {
        let mut claims = good();
        claims[name] = value;
        let header = json!({"alg": "RS256", "kid": "k1"});
        assert_eq!(read(&header, &claims), Err(expected), "{claims}");
    }

    #[test]
    fn a_good_assertion_names_the_persons_address_in_lower_case() {
        let header = json!({"alg": "RS256", "kid": "k1", "typ": "JWT"});
        assert_eq!(read(&header, &good()).as_deref(), Ok("ana@shop.example"));
        let token = |kid: &str| json!({"alg": "RS256", "kid": kid});
        assert!(read(&token("k2"), &good()).is_ok());
        assert_eq!(rules().certs_url(), "https://shop.cloudflareaccess.com/cdn-cgi/access/certs");
    }

    #[test]
    fn an_assertion_of_another_team_application_kind_or_time_is_refused() {
        check("iss", json!("https://other.cloudflareaccess.com"), Code::TokenWrongIssuer);
        check("aud", json!(["aud-2"]), Code::TokenWrongAudience);
        check("aud", Value::Null, Code::TokenWrongAudience);
        check("type", json!("org"), Code::TokenMalformed);
        check("exp", json!(NOW_S - 61), Code::TokenExpired);
        check("exp", json!("later"), Code::TokenMalformed);
        check("nbf", json!(NOW_S + 61), Code::TokenNotYet);
        check("nbf", json!("soon"), Code::TokenNotYet);
        check("iat", json!(NOW_S + 61), Code::TokenNotYet);
        check("email", Value::Null, Code::TokenBadSubject);
        check("email", json!(""), Code::TokenBadSubject);
    }

    #[test]
    fn an_assertion_with_another_algorithm_or_without_a_key_is_refused() {
        for algorithm in ["HS256", "none", "ES256"] {
            let header = json!({"alg": algorithm, "kid": "k1"});
            assert_eq!(read(&header, &good()), Err(Code::TokenBadAlgorithm), "{algorithm}");
        }
        assert_eq!(read(&json!({"alg": "RS256"}), &good()), Err(Code::TokenUnknownKey));
    }
}
