//! The user token: a JWT in which the shop's own backend vouches for a person (RFC 7519 in RFC 7515's compact form).
//!
//! Text → [`Token`] → the key that must have signed the token → [`Claims`], checked at a time that is an argument. The
//! configuration fixes the algorithm, never the token. A key is looked up by its name, never fetched from an address.
//! Verifies no signature: the caller of [`Token::claims`] must have done so.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::ID_BYTES_MAX;
use super::rules::{IdentityRules, TokenKey};
use crate::outcome::{Code, Rejection};
use crate::strict::read_object;

/// Bytes of a token. An RS256 signature of 4,096 bits takes 683, and claims take less than the rest.
pub const TOKEN_BYTES_MAX: usize = 4_096;
/// Seconds by which the issuer's clock and ours may differ (identity.md).
pub(super) const LEEWAY_S: i64 = 60;
/// Seconds after its end for which a token counts for a denial: a tab that was left open for a week. An older one could have come
/// into anybody's hands.
const LAPSED_S_MAX: i64 = 7 * 86_400;
/// Seconds that a token may live (identity.md).
const LIFE_S_MAX: i64 = 86_400;

/// A token taken apart. No part of it may be trusted before its signature was verified.
#[derive(Debug)]
pub struct Token<'t> {
    /// The signed text: header and claims as they were sent.
    pub signed: &'t str,
    /// The signature.
    pub signature: Vec<u8>,
    pub(super) algorithm: String,
    pub(super) kid: String,
    pub(super) claims: &'t str,
}

/// A right of a token's holder. A token without scopes has every right of its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Read and change the profile.
    Profile,
    /// Read and change the cart.
    Cart,
    /// Erase all data of the subject.
    Erase,
}

impl Scope {
    /// The word in the claim.
    pub const fn name(self) -> &'static str {
        match self {
            Scope::Profile => "profile",
            Scope::Cart => "cart",
            Scope::Erase => "erase",
        }
    }
}

/// The claims of a token about its subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The user id (`sub`).
    pub subject: String,
    /// The login session at the shop (`sid`).
    pub session: Option<String>,
    /// When the token expires.
    pub expires_at: Timestamp,
    /// The token's scopes; `None` where it names none.
    pub scopes: Option<Vec<String>>,
}

fn malformed(message: &str) -> Rejection {
    Rejection::new(Code::TokenMalformed, message)
}

impl<'t> Token<'t> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// `token_malformed`; `token_unknown_key` where the token names no key.
    pub fn read(text: &'t str) -> Result<Token<'t>, Rejection> {
        if text.len() > TOKEN_BYTES_MAX {
            return Err(malformed("a token has at most 4,096 bytes"));
        }
        let not_three = || malformed("a token is header.claims.signature in base64url");
        let (signed, signature) = text.rsplit_once('.').ok_or_else(not_three)?;
        let (header, claims) = signed.split_once('.').ok_or_else(not_three)?;
        if claims.contains('.') {
            return Err(not_three());
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| not_three())?;
        let mut header = object(header)?;
        // RFC 7515, 4.1.11: an unknown critical extension must be refused, and this reader knows no extension.
        if header.contains_key("crit") {
            return Err(malformed("its header demands extensions that nobody here knows"));
        }
        let Some(Value::String(algorithm)) = header.remove("alg") else {
            return Err(malformed("its header names no `alg`"));
        };
        let Some(Value::String(kid)) = header.remove("kid") else {
            return Err(Rejection::new(Code::TokenUnknownKey, "its header names no `kid`"));
        };
        Ok(Token { signed, signature, algorithm, kid, claims })
    }

    /// The key that must have signed the token. Development keys count only on a developer's machine.
    ///
    /// # Errors
    /// `token_unknown_key`; `token_bad_algorithm` where the header names another algorithm than the key's.
    pub fn key<'r>(&self, rules: &'r IdentityRules, dev: bool) -> Result<&'r TokenKey, Rejection> {
        let is_named = |key: &&TokenKey| key.kid == self.kid && (dev || !key.is_development);
        let key = rules.keys.iter().find(is_named).ok_or_else(|| {
            Rejection::new(Code::TokenUnknownKey, "no [[identity.key]] has its `kid`")
        })?;
        if key.algorithm() != self.algorithm {
            let message = "its `alg` is not the one that hilo.toml pins for its `kid`";
            return Err(Rejection::new(Code::TokenBadAlgorithm, message));
        }
        Ok(key)
    }

    /// The token's claims. Only for a token whose signature was verified.
    ///
    /// # Errors
    /// `token_malformed`, `token_wrong_issuer`, `token_wrong_audience`, `token_expired`, `token_not_yet`,
    /// `token_long_lived`, `token_bad_subject`.
    pub fn claims(&self, rules: &IdentityRules, now: Timestamp) -> Result<Claims, Rejection> {
        self.claims_since(rules, now, 0)
    }

    /// The claims of a token that may have ended, for a choice that only takes rights away. It counts for
    /// [`LAPSED_S_MAX`] seconds.
    ///
    /// # Errors
    /// Those of [`Token::claims`].
    pub fn lapsed_claims(
        &self,
        rules: &IdentityRules,
        now: Timestamp,
    ) -> Result<Claims, Rejection> {
        self.claims_since(rules, now, LAPSED_S_MAX)
    }

    fn claims_since(
        &self,
        rules: &IdentityRules,
        now: Timestamp,
        lapsed_s: i64,
    ) -> Result<Claims, Rejection> {
        let mut claims = object(self.claims)?;
        if text(&claims, "iss") != Some(rules.issuer.as_str()) {
            return Err(Rejection::new(Code::TokenWrongIssuer, "its `iss` is another issuer's"));
        }
        if !is_meant_for(claims.get("aud"), &rules.audience) {
            let message = "its `aud` is another environment's";
            return Err(Rejection::new(Code::TokenWrongAudience, message));
        }
        let expires_at = lifetime(&claims, now, lapsed_s)?;
        let scopes = scopes(claims.get("scope"))?;
        let session = text(&claims, "sid").map(str::to_owned);
        let subject = match claims.remove("sub") {
            Some(Value::String(subject)) if is_subject(&subject, rules) => subject,
            _ => {
                let message = "its `sub` has to be one user's own id, as text of at most 128 bytes";
                return Err(Rejection::new(Code::TokenBadSubject, message));
            }
        };
        Ok(Claims { subject, session, expires_at, scopes })
    }
}

impl Claims {
    /// Checks that the token has this scope.
    ///
    /// # Errors
    /// `token_missing_scope`.
    pub fn require(&self, scope: Scope) -> Result<(), Rejection> {
        match &self.scopes {
            Some(scopes) if !scopes.iter().any(|named| named == scope.name()) => {
                let message = format!("the token's `scope` does not name `{}`", scope.name());
                Err(Rejection::new(Code::TokenMissingScope, message))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// One base64url part as an object. A key that stands twice is refused, because JSON readers disagree about such keys.
pub(super) fn object(part: &str) -> Result<Map<String, Value>, Rejection> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| malformed("a part is not base64url"))?;
    read_object(&bytes).map_err(|_| malformed("a part is not one object of JSON"))
}

pub(super) fn text<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c str> {
    claims.get(name).and_then(Value::as_str)
}

/// `aud` is one audience or a list of them (RFC 7519, 4.1.3).
pub(super) fn is_meant_for(audience: Option<&Value>, own: &str) -> bool {
    match audience {
        Some(Value::String(audience)) => audience == own,
        Some(Value::Array(audiences)) => audiences.iter().any(|audience| audience == own),
        _ => false,
    }
}

/// When the token expires, if `now` lies between its beginning and `lapsed_s` seconds after its end, within the leeway.
fn lifetime(
    claims: &Map<String, Value>,
    now: Timestamp,
    lapsed_s: i64,
) -> Result<Timestamp, Rejection> {
    let now_s = now.as_second();
    let (Some(issued_s), Some(expires_s)) = (second(claims, "iat"), second(claims, "exp")) else {
        return Err(malformed("it needs `iat` and `exp`, in seconds since the epoch"));
    };
    if expires_s.saturating_add(LEEWAY_S + lapsed_s) <= now_s {
        return Err(Rejection::new(Code::TokenExpired, "it has expired: ask for a new one"));
    }
    // A token with an unreadable `nbf` must not count as valid already.
    let starts_s = match claims.get("nbf") {
        Some(_) => second(claims, "nbf").unwrap_or(i64::MAX).max(issued_s),
        None => issued_s,
    };
    if starts_s > now_s.saturating_add(LEEWAY_S) {
        let message = "it is not valid yet: compare the clocks";
        return Err(Rejection::new(Code::TokenNotYet, message));
    }
    if expires_s.saturating_sub(issued_s) > LIFE_S_MAX {
        let message = "it lives for more than 24 hours: make `exp` earlier";
        return Err(Rejection::new(Code::TokenLongLived, message));
    }
    Timestamp::from_second(expires_s).map_err(|_| malformed("its `exp` is no time"))
}

/// A time in whole seconds. RFC 7519 allows fractions, and JavaScript writes them.
pub(super) fn second(claims: &Map<String, Value>, name: &str) -> Option<i64> {
    let number = claims.get(name)?;
    number.as_i64().or_else(|| number.as_f64().map(|seconds| seconds as i64))
}

/// Words with spaces between them (RFC 8693, 4.2), or a list of words.
fn scopes(claim: Option<&Value>) -> Result<Option<Vec<String>>, Rejection> {
    let unreadable = || malformed("its `scope` is neither words nor a list of words");
    match claim {
        None => Ok(None),
        Some(Value::String(words)) => {
            Ok(Some(words.split_ascii_whitespace().map(str::to_owned).collect()))
        }
        Some(Value::Array(words)) => {
            let words = words.iter().map(|word| word.as_str().map(str::to_owned));
            words.collect::<Option<Vec<_>>>().ok_or_else(unreadable).map(Some)
        }
        Some(_) => Err(unreadable()),
    }
}

fn is_subject(subject: &str, rules: &IdentityRules) -> bool {
    !rules.is_reserved(subject)
        && subject.len() <= ID_BYTES_MAX
        && !subject.chars().any(char::is_control)
        && subject.trim() == subject
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::identity::rules::{IdentityMode, TokenKeyMaterial};

    const NOW_S: i64 = 1_795_000_000;

    fn rules() -> IdentityRules {
        IdentityRules {
            reserved: Vec::new(),
            mode: IdentityMode::Enforce,
            audience: "test".to_owned(),
            issuer: "https://shop.example".to_owned(),
            keys: vec![TokenKey {
                kid: "k1".to_owned(),
                material: TokenKeyMaterial::Secret("TOKEN_SECRET".to_owned()),
                is_development: false,
            }],
        }
    }

    fn sealed(header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.c2lnbmVk", part(header), part(claims))
    }

    fn good() -> Value {
        json!({
            "iss": "https://shop.example", "aud": "test", "sub": "user-1",
            "iat": NOW_S - 10, "exp": NOW_S + 3_600,
        })
    }

    fn read(header: &Value, claims: &Value) -> Result<Claims, Code> {
        let (text, rules) = (sealed(header, claims), rules());
        let token = Token::read(&text).map_err(|why| why.code)?;
        token.key(&rules, false).map_err(|why| why.code)?;
        let now = Timestamp::from_second(NOW_S).unwrap();
        token.claims(&rules, now).map_err(|why| why.code)
    }

    fn check_header(header: &Value, code: Code) {
        assert_eq!(read(header, &good()).unwrap_err(), code, "{header}");
    }

    fn check_claim(name: &str, value: Value, expected: Result<(), Code>) {
        let mut claims = good();
        claims[name] = value;
        let header = json!({"alg": "HS256", "kid": "k1"});
        assert_eq!(read(&header, &claims).map(|_| ()), expected, "{claims}");
    }

    #[test]
    fn a_good_token_names_its_subject() {
        let claims = read(&json!({"alg": "HS256", "kid": "k1", "typ": "JWT"}), &good()).unwrap();
        assert_eq!(
            (claims.subject.as_str(), claims.session, claims.scopes),
            ("user-1", None, None)
        );
    }

    #[test]
    fn a_token_that_has_ended_counts_a_week_longer_for_a_denial_and_for_nothing_else() {
        let (text, rules) = (sealed(&json!({"alg": "HS256", "kid": "k1"}), &good()), rules());
        let token = Token::read(&text).unwrap();
        let end_s = NOW_S + 3_600 + LEEWAY_S;
        for (now_s, is_whole, is_lapsed) in [
            (end_s - 1, true, true),
            (end_s, false, true),
            (end_s + LAPSED_S_MAX - 1, false, true),
            (end_s + LAPSED_S_MAX, false, false),
        ] {
            let now = Timestamp::from_second(now_s).unwrap();
            assert_eq!(token.claims(&rules, now).is_ok(), is_whole, "{now_s}");
            assert_eq!(token.lapsed_claims(&rules, now).is_ok(), is_lapsed, "{now_s}");
        }
        let early = Timestamp::from_second(NOW_S - 3_600).unwrap();
        let refused = token.lapsed_claims(&rules, early).map_err(|why| why.code);
        assert_eq!(refused, Err(Code::TokenNotYet));
    }

    #[test]
    fn a_token_cannot_choose_its_algorithm_or_key() {
        for alg in ["none", "None", "RS256", "hs256", ""] {
            check_header(&json!({"alg": alg, "kid": "k1"}), Code::TokenBadAlgorithm);
        }
        for kid in ["k2", "", "../k1", "https://evil.example/key.json", "k1\0"] {
            check_header(&json!({"alg": "HS256", "kid": kid}), Code::TokenUnknownKey);
        }
        check_header(&json!({"alg": "HS256"}), Code::TokenUnknownKey);
        check_header(&json!({"kid": "k1"}), Code::TokenMalformed);
        check_header(&json!({"alg": ["HS256"], "kid": "k1"}), Code::TokenMalformed);
        check_header(&json!({"alg": "HS256", "kid": "k1", "crit": ["b64"]}), Code::TokenMalformed);
    }

    #[test]
    fn a_development_key_verifies_nothing_outside_of_development() {
        let mut rules = rules();
        rules.keys[0].is_development = true;
        let text = sealed(&json!({"alg": "HS256", "kid": "k1"}), &good());
        let token = Token::read(&text).unwrap();
        assert!(token.key(&rules, true).is_ok());
        let refused = token.key(&rules, false).map(|_| ()).map_err(|why| why.code);
        assert_eq!(refused, Err(Code::TokenUnknownKey));
    }

    #[test]
    fn text_that_is_no_token_is_refused() {
        let whole = sealed(&json!({"alg": "HS256", "kid": "k1"}), &good());
        let padded = format!("{whole}=");
        let long = format!("{whole}{}", "A".repeat(TOKEN_BYTES_MAX));
        let four = format!("{whole}.AAAA");
        for text in ["", "a", "a.b", "..", &four, &padded, &long, &whole[1..]] {
            let code = Token::read(text).map(|_| ()).map_err(|why| why.code);
            assert_eq!(code, Err(Code::TokenMalformed), "{text}");
        }
    }

    #[test]
    fn the_issuers_clock_may_differ_by_a_minute() {
        check_claim("exp", json!(NOW_S - 59), Ok(()));
        check_claim("exp", json!(NOW_S - 60), Err(Code::TokenExpired));
        check_claim("iat", json!(NOW_S + 60), Ok(()));
        check_claim("iat", json!(NOW_S + 61), Err(Code::TokenNotYet));
        check_claim("nbf", json!(NOW_S + 61), Err(Code::TokenNotYet));
        check_claim("nbf", json!("soon"), Err(Code::TokenNotYet));
        check_claim("exp", json!(NOW_S as f64 + 0.5), Ok(()));
    }

    #[test]
    fn a_token_lives_for_a_day_at_most() {
        check_claim("exp", json!(NOW_S - 10 + LIFE_S_MAX), Ok(()));
        check_claim("exp", json!(NOW_S - 9 + LIFE_S_MAX), Err(Code::TokenLongLived));
        check_claim("exp", json!(i64::MAX), Err(Code::TokenLongLived));
        check_claim("iat", json!(i64::MIN), Err(Code::TokenLongLived));
        check_claim("exp", json!("tomorrow"), Err(Code::TokenMalformed));
        check_claim("iat", Value::Null, Err(Code::TokenMalformed));
    }

    #[test]
    fn issuer_audience_and_subject_of_a_token_are_checked() {
        check_claim("iss", json!("https://evil.example"), Err(Code::TokenWrongIssuer));
        check_claim("aud", json!(["other", "test"]), Ok(()));
        check_claim("aud", json!("other"), Err(Code::TokenWrongAudience));
        check_claim("aud", Value::Null, Err(Code::TokenWrongAudience));
        let long = "x".repeat(ID_BYTES_MAX + 1);
        for subject in ["null", "undefined", "guest", "", " user-1", "a\nb", &long] {
            check_claim("sub", json!(subject), Err(Code::TokenBadSubject));
        }
        check_claim("sub", json!(42), Err(Code::TokenBadSubject));
    }

    #[test]
    fn a_token_with_scopes_has_no_other_right() {
        let header = json!({"alg": "HS256", "kid": "k1"});
        let check = |scope: Value, expected: Result<(), Code>| {
            let mut claims = good();
            claims["scope"] = scope;
            let read = read(&header, &claims).unwrap();
            assert_eq!(read.require(Scope::Cart).map_err(|why| why.code), expected, "{claims}");
        };
        check(json!("profile cart"), Ok(()));
        check(json!(["cart"]), Ok(()));
        check(json!("profile"), Err(Code::TokenMissingScope));
        check(json!(""), Err(Code::TokenMissingScope));
        check_claim("scope", json!(7), Err(Code::TokenMalformed));
    }
}
