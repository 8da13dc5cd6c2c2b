//! The token request: what is shown → a request, or the text that a private key has to sign first.
//!
//! This file signs nothing, because WebCrypto is asynchronous. A secret that is not set, or is no key, is told by its name.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde_json::json;
use url::form_urlencoded;

use super::person::takes_challenge;
use crate::calls::tokens::Shown;
use crate::forward::destination::{Access, ClientAuth, Flow, MissingSecret, OAuth, SecretName};
use crate::platform::{Headers, Outgoing};

/// The life of a signed assertion. Salesforce takes three minutes at most, Google an hour.
const ASSERTION_S: i64 = 120;
/// The grant type of a signed assertion (RFC 7523).
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// A token request that is nearly ready.
pub struct Asking {
    /// The request, or what has to be signed for it.
    pub draft: Draft,
    /// What the request shows. No reason may have any of it.
    pub hidden: Vec<String>,
}

/// A token request, or what has to be signed for it.
pub enum Draft {
    /// The request.
    Ready(Outgoing),
    /// The assertion lacks its signature.
    Unsigned(Unsigned),
}

/// An assertion without its signature.
pub struct Unsigned {
    /// The private key, PKCS#8.
    pub key: Vec<u8>,
    /// The text to sign: header and claims.
    pub text: String,
    url: String,
}

impl Unsigned {
    /// Makes the request, with the signature of [`Unsigned::text`].
    pub fn signed(&self, signature: &[u8]) -> Outgoing {
        let assertion = format!("{}.{}", self.text, URL_SAFE_NO_PAD.encode(signature));
        post(&self.url, None, &[("grant_type", JWT_BEARER), ("assertion", &assertion)])
    }
}

/// Makes the request that shows `shown`.
///
/// # Errors
/// The secret that is not set, or is no key.
pub fn request(
    oauth: &OAuth,
    shown: &Shown,
    access: &Access<'_>,
    now: Timestamp,
) -> Result<Asking, MissingSecret> {
    match &oauth.flow {
        Flow::Client { id, secret } | Flow::Refresh { id, secret, .. } => {
            let (id, secret) = (access.secret(id)?, access.secret(secret)?);
            let mut pairs = pairs_of(oauth, shown);
            let mut hidden: Vec<String> =
                pairs.iter().skip(1).map(|(_, value)| (*value).to_owned()).collect();
            hidden.push(secret.clone());
            let mut basic = None;
            match oauth.client {
                ClientAuth::Basic => basic = Some(authorization(&id, &secret)),
                ClientAuth::Body | ClientAuth::Query => {
                    pairs.extend([("client_id", id.as_str()), ("client_secret", secret.as_str())]);
                }
            }
            let outgoing = match oauth.client {
                ClientAuth::Query => post(&with_query(&oauth.token_url, &pairs), basic, &[]),
                ClientAuth::Body | ClientAuth::Basic => post(&oauth.token_url, basic, &pairs),
            };
            Ok(Asking { draft: Draft::Ready(outgoing), hidden })
        }
        Flow::Signed { key, issuer, subject, audience, scope } => {
            let head = json!({ "alg": "RS256", "typ": "JWT" });
            let now_s = now.as_second();
            let mut claims = json!({
                "iss": issuer, "aud": audience, "iat": now_s, "exp": now_s + ASSERTION_S,
            });
            for (name, value) in [("sub", subject), ("scope", scope)] {
                if let (Some(value), Some(claims)) = (value, claims.as_object_mut()) {
                    claims.insert(name.to_owned(), value.as_str().into());
                }
            }
            let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
            let text = format!("{}.{}", part(&head), part(&claims));
            let unsigned =
                Unsigned { key: private_key(key, access)?, text, url: oauth.token_url.clone() };
            Ok(Asking { draft: Draft::Unsigned(unsigned), hidden: Vec::new() })
        }
    }
}

/// The grant type and what it needs, the type first.
fn pairs_of<'s>(oauth: &OAuth, shown: &'s Shown) -> Vec<(&'static str, &'s str)> {
    match shown {
        Shown::Client => vec![("grant_type", "client_credentials")],
        Shown::Refresh(token) => vec![("grant_type", "refresh_token"), ("refresh_token", token)],
        Shown::Code { code, verifier, redirect_uri } => {
            let mut pairs = vec![
                ("grant_type", "authorization_code"),
                ("code", code.as_str()),
                ("redirect_uri", redirect_uri.as_str()),
            ];
            if takes_challenge(oauth) {
                pairs.push(("code_verifier", verifier.as_str()));
            }
            pairs
        }
    }
}

/// `Authorization: Basic` of a client. Id and secret are form-encoded first (RFC 6749, 2.3.1).
fn authorization(id: &str, secret: &str) -> String {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret))))
}

fn with_query(url: &str, pairs: &[(&str, &str)]) -> String {
    let mark = if url.contains('?') { '&' } else { '?' };
    format!("{url}{mark}{}", form(pairs))
}

fn form(pairs: &[(&str, &str)]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        form.append_pair(name, value);
    }
    form.finish()
}

fn post(url: &str, authorization: Option<String>, pairs: &[(&str, &str)]) -> Outgoing {
    let mut headers = Headers::default();
    headers.push("accept", "application/json");
    if !pairs.is_empty() {
        headers.push("content-type", "application/x-www-form-urlencoded");
    }
    if let Some(authorization) = authorization {
        headers.push("authorization", authorization);
    }
    Outgoing { method: "POST".to_owned(), url: url.to_owned(), headers, body: form(pairs) }
}

/// Reads a private key in PEM. A secret that was pasted from JSON has `\n` as two characters.
fn private_key(name: &SecretName, access: &Access<'_>) -> Result<Vec<u8>, MissingSecret> {
    let pem = access.secret(name)?.replace("\\n", "\n");
    let inner = pem
        .split_once("-----BEGIN PRIVATE KEY-----")
        .and_then(|(_, rest)| rest.split_once("-----END PRIVATE KEY-----"))
        .map(|(inner, _)| inner.split_whitespace().collect::<String>());
    let key = inner.and_then(|inner| STANDARD.decode(inner).ok());
    key.filter(|key| !key.is_empty()).ok_or_else(|| MissingSecret(name.secret.clone()))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{named, oauth, refreshing};
    use super::*;

    const NOW: &str = "2026-11-24T10:00:00Z";

    fn ask(oauth: &OAuth, shown: &Shown) -> Outgoing {
        let secrets = |name: &str| Some(format!("{name} 1+1"));
        let access = Access { secrets: &secrets, token: None };
        match request(oauth, shown, &access, NOW.parse().unwrap()).unwrap().draft {
            Draft::Ready(outgoing) => outgoing,
            Draft::Unsigned(unsigned) => unsigned.signed(b"signature"),
        }
    }

    #[test]
    fn a_client_stands_in_the_body_in_basic_or_in_the_query() {
        let flow = || Flow::Client { id: named("ID"), secret: named("SECRET") };
        let body = ask(&oauth(flow(), ClientAuth::Body), &Shown::Client);
        let of_client = "client_id=ID+1%2B1&client_secret=SECRET+1%2B1";
        assert_eq!(body.body, format!("grant_type=client_credentials&{of_client}"));
        assert_eq!(body.headers.get("authorization"), None);
        let basic = ask(&oauth(flow(), ClientAuth::Basic), &Shown::Client);
        assert_eq!(basic.body, "grant_type=client_credentials");
        let expected = format!("Basic {}", STANDARD.encode("ID+1%2B1:SECRET+1%2B1"));
        assert_eq!(basic.headers.get("authorization"), Some(expected.as_str()));
        let query = ask(&oauth(flow(), ClientAuth::Query), &Shown::Client);
        let expected =
            format!("https://id.example/token?grant_type=client_credentials&{of_client}");
        assert_eq!((query.url, query.body), (expected, String::new()));
    }

    #[test]
    fn a_grant_is_shown_as_a_refresh_token_or_as_a_code_with_its_verifier() {
        let refresh = ask(&refreshing(false), &Shown::Refresh("r/1".to_owned()));
        assert!(
            refresh.body.starts_with("grant_type=refresh_token&refresh_token=r%2F1&client_id=")
        );
        let code = Shown::Code {
            code: "c".to_owned(),
            verifier: "v".to_owned(),
            redirect_uri: "https://shop.example/_h/v1/oauth/callback".to_owned(),
        };
        let mut oauth = refreshing(false);
        let sent = ask(&oauth, &code).body;
        assert!(
            sent.starts_with("grant_type=authorization_code&code=c&redirect_uri=https%3A%2F%2F")
        );
        assert!(!sent.contains("code_verifier"), "{sent}");
        oauth.authorize_url = Some("https://id.example/auth?code_challenge_method=S256".to_owned());
        assert!(ask(&oauth, &code).body.contains("&code_verifier=v&"));
    }

    #[test]
    fn a_client_stays_the_same_behind_a_newer_endpoint_and_not_at_another_host() {
        let of = |token_url: &str, id: &str| {
            let secrets = |name: &str| Some(if name == "ID" { id } else { "s" }.to_owned());
            let access = Access { secrets: &secrets, token: None };
            let flow = Flow::Client { id: named("ID"), secret: named("SECRET") };
            let oauth = OAuth { token_url: token_url.to_owned(), ..oauth(flow, ClientAuth::Body) };
            super::super::Client::of(&oauth, &access).unwrap().identity
        };
        let before = of("https://id.example/2026-03/token", "a");
        assert_eq!(of("https://id.example/2026-09/token", "a"), before);
        assert_ne!(of("https://other.example/2026-03/token", "a"), before);
        assert_ne!(of("https://id.example/2026-03/token", "b"), before);
    }

    #[test]
    fn an_assertion_names_issuer_audience_scope_and_two_minutes() {
        let flow = Flow::Signed {
            key: named("KEY"),
            issuer: "robot@project.example".to_owned(),
            subject: None,
            audience: "https://id.example/token".to_owned(),
            scope: Some("events".to_owned()),
        };
        let oauth = oauth(flow, ClientAuth::Body);
        let pem = "-----BEGIN PRIVATE KEY-----\\nAQID\\n-----END PRIVATE KEY-----\\n";
        let secrets = |_: &str| Some(pem.to_owned());
        let access = Access { secrets: &secrets, token: None };
        let asking = request(&oauth, &Shown::Client, &access, NOW.parse().unwrap()).unwrap();
        let Draft::Unsigned(unsigned) = asking.draft else { panic!("nothing is signed") };
        assert_eq!(unsigned.key, [1, 2, 3]);
        let (head, claims) = unsigned.text.split_once('.').unwrap();
        let read = |part: &str| String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
        assert_eq!(read(head), r#"{"alg":"RS256","typ":"JWT"}"#);
        let claims: serde_json::Value = serde_json::from_str(&read(claims)).unwrap();
        let expected = json!({
            "iss": "robot@project.example", "aud": "https://id.example/token", "scope": "events",
            "iat": 1_795_514_400, "exp": 1_795_514_520,
        });
        assert_eq!(claims, expected);
        let sent = unsigned.signed(b"sig").body;
        assert!(sent.ends_with(&format!(".{}", URL_SAFE_NO_PAD.encode("sig"))), "{sent}");
        assert!(
            sent.starts_with("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&")
        );
    }

    #[test]
    fn a_secret_that_is_no_key_is_told_by_its_name() {
        for pem in ["", "AQID", "-----BEGIN PRIVATE KEY-----!-----END PRIVATE KEY-----"] {
            let secrets = |_: &str| Some(pem.to_owned());
            let access = Access { secrets: &secrets, token: None };
            assert_eq!(private_key(&named("KEY"), &access), Err(MissingSecret("KEY".to_owned())));
        }
    }
}
