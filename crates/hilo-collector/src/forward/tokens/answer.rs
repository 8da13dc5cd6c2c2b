//! The answer to a token request → the token, or why there is none.
//!
//! Services differ most where they refuse. RFC 6749 has error codes; Zoho refuses with 200, HubSpot and Marketo have words of their own.
//! This file keeps nothing and waits for nothing.

use serde_json::{Map, Value};
use url::Url;

use crate::calls::tokens::{Granted, Refusal, Shown, Token};
use crate::forward::destination::OAuth;
use crate::platform::Response;

/// The seconds to wait where the service names none.
const LATER_S: u32 = 5;
/// The seconds to wait after "too many requests" without a number. Zoho counts tokens over ten minutes.
const TOO_MANY_S: u32 = 120;
/// The longest wait that a service may ask for.
const AFTER_S_MAX: u32 = 3_600;
/// The longest life that counts: no service has tokens of a year, and a wrong number must not keep a token for ever.
const LIFE_S_MAX: u32 = 86_400 * 30;
/// The most characters of a service's own words.
const WORDS_CHARS_MAX: usize = 200;

/// Words that a grant is no longer honored: RFC 6749, Zoho, HubSpot.
const LOST: [&str; 5] = [
    "invalid_grant",
    "invalid_code",
    "bad_refresh_token",
    "bad_auth_code",
    "invalid_refresh_token",
];
/// Words that the service cannot do it now: RFC 6749 and RFC 8628.
const NOT_NOW: [&str; 3] = ["temporarily_unavailable", "server_error", "slow_down"];
/// The beginning of Salesforce's sentence about two requests that show the same refresh token. The grant stays good.
const BUSY: &str = "token request is already being processed";

/// Reads the answer to a request that showed `shown`. No reason has any of `hidden`.
///
/// # Errors
/// Why there is no token.
pub fn read(
    oauth: &OAuth,
    shown: &Shown,
    response: &Response,
    hidden: &[String],
) -> Result<Granted, Refusal> {
    let body: Option<Map<String, Value>> = serde_json::from_str(&response.body).ok();
    let is_success = (200..300).contains(&response.status);
    let Some(body) = body else {
        let reason = format!("status {}, and the answer cannot be read", response.status);
        return Err(match is_success {
            true => Refusal::Unclear(reason),
            false => by_status(response, reason),
        });
    };
    match text(&body, "access_token") {
        Some(access) if is_success => granted(oauth, access, &body),
        Some(_) | None => Err(refused(shown, response, &body, hidden)),
    }
}

fn granted(oauth: &OAuth, access: &str, body: &Map<String, Value>) -> Result<Granted, Refusal> {
    let life_s = match body.get("expires_in") {
        None | Some(Value::Null) => Some(oauth.life_s),
        // Some services write the number as text.
        Some(value) => value
            .as_str()
            .map_or_else(|| value.as_u64(), |text| text.parse().ok())
            .map(|life_s| u32::try_from(life_s).unwrap_or(LIFE_S_MAX)),
    };
    let life_s = life_s.unwrap_or(oauth.life_s).min(LIFE_S_MAX);
    if life_s == 0 {
        // Marketo gives the same token until its end, and in its last second this life.
        let reason = "the token ends in this second".to_owned();
        return Err(Refusal::Later { after_s: 1, reason });
    }
    let named = oauth.host_member.and_then(|member| text(body, member));
    let host = named.map(|named| host(named, oauth.hosts)).transpose().map_err(Refusal::Unclear)?;
    let refresh = text(body, "refresh_token").map(str::to_owned);
    Ok(Granted { token: Token { access: access.to_owned(), host }, refresh, life_s })
}

/// Reads the host that an answer names, such as `https://shop.my.salesforce.com`. The collector sends tokens and people there, so only
/// the service's own hosts count.
fn host(named: &str, allowed: &[&str]) -> Result<String, String> {
    let url = Url::parse(named).ok().filter(|url| {
        let is_bare = url.username().is_empty() && url.password().is_none() && url.port().is_none();
        is_bare && url.scheme() == "https" && url.path() == "/" && url.query().is_none()
    });
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    let is_allowed = allowed.iter().any(|ending| match ending.strip_prefix('.') {
        Some(_) => host.len() > ending.len() && host.ends_with(ending),
        None => host == *ending,
    });
    match is_allowed {
        true => Ok(host.to_owned()),
        false => Err("the answer names a host that is not the service's".to_owned()),
    }
}

fn refused(
    shown: &Shown,
    response: &Response,
    body: &Map<String, Value>,
    hidden: &[String],
) -> Refusal {
    let found = |names: &[&str]| names.iter().find_map(|name| text(body, name)).unwrap_or_default();
    let code = found(&["error", "status", "code"]);
    let sentence = found(&["error_description", "message"]);
    let reason = told(&format!("status {}: {code} {sentence}", response.status), hidden);
    let code = code.to_ascii_lowercase();
    if LOST.contains(&code.as_str()) {
        return match shown {
            Shown::Refresh(_) if sentence.contains(BUSY) => {
                Refusal::Later { after_s: LATER_S, reason }
            }
            Shown::Refresh(_) | Shown::Code { .. } => Refusal::Lost(reason),
            Shown::Client => Refusal::Wrong(reason),
        };
    }
    match code.as_str() {
        // Zoho, with 200: too many tokens in ten minutes.
        "access denied" => Refusal::Later { after_s: TOO_MANY_S, reason },
        code if NOT_NOW.contains(&code) => {
            Refusal::Later { after_s: asked_s(response, LATER_S), reason }
        }
        _ => by_status(response, reason),
    }
}

fn by_status(response: &Response, reason: String) -> Refusal {
    match response.status {
        429 => Refusal::Later { after_s: asked_s(response, TOO_MANY_S), reason },
        408 | 425 | 500..=599 => Refusal::Later { after_s: asked_s(response, LATER_S), reason },
        _ => Refusal::Wrong(reason),
    }
}

/// The seconds of `Retry-After`.
fn asked_s(response: &Response, otherwise: u32) -> u32 {
    let asked = response.headers.get("retry-after").and_then(|text| text.trim().parse().ok());
    asked.unwrap_or(otherwise).min(AFTER_S_MAX)
}

/// The service's words, without anything that was shown to it.
fn told(words: &str, hidden: &[String]) -> String {
    let mut told = words.trim().to_owned();
    for secret in hidden.iter().filter(|secret| !secret.is_empty()) {
        told = told.replace(secret.as_str(), "…");
    }
    told.chars().take(WORDS_CHARS_MAX).collect()
}

fn text<'b>(body: &'b Map<String, Value>, name: &str) -> Option<&'b str> {
    body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::refreshing;
    use super::*;
    use crate::platform::Headers;

    fn refresh() -> Shown {
        Shown::Refresh("old".to_owned())
    }

    fn answer(status: u16, body: &Value) -> Response {
        Response { status, body: body.to_string(), headers: Headers::default() }
    }

    #[track_caller]
    fn check(status: u16, body: &Value, expected: &str) {
        let read = read(&refreshing(false), &refresh(), &answer(status, body), &["old".to_owned()]);
        let found = match &read {
            Ok(_) => "granted".to_owned(),
            Err(Refusal::Later { after_s, .. }) => format!("later {after_s}"),
            Err(Refusal::Unclear(_)) => "unclear".to_owned(),
            Err(Refusal::Lost(_)) => "lost".to_owned(),
            Err(Refusal::Wrong(_)) => "wrong".to_owned(),
        };
        assert_eq!(found, expected, "{status} {body}");
    }

    #[test]
    fn each_services_refusal_has_its_meaning() {
        for (status, body, expected) in [
            (200, json!({"access_token": "t", "expires_in": 3600}), "granted"),
            (200, json!({"access_token": "t", "expires_in": 0}), "later 1"),
            // Zoho refuses with 200.
            (200, json!({"error": "invalid_code"}), "lost"),
            (200, json!({"error": "invalid_client"}), "wrong"),
            (200, json!({"error": "Access Denied", "status": "failure"}), "later 120"),
            (200, json!({}), "wrong"),
            (200, json!("text"), "unclear"),
            (400, json!({"error": "invalid_grant", "error_description": "expired"}), "lost"),
            (
                400,
                json!({"error": "invalid_grant", "error_description": format!("{BUSY}.")}),
                "later 5",
            ),
            (400, json!({"status": "BAD_REFRESH_TOKEN", "message": "missing"}), "lost"),
            (400, json!({"error": "temporarily_unavailable"}), "later 5"),
            // Marketo.
            (401, json!({"error": "unauthorized", "error_description": "No client"}), "wrong"),
            (400, json!("html"), "wrong"),
            (401, json!({"error": "invalid_client"}), "wrong"),
            (404, json!({}), "wrong"),
            (429, json!({"error": "rate"}), "later 120"),
            (503, json!("html"), "later 5"),
        ] {
            check(status, &body, expected);
        }
    }

    #[test]
    fn a_client_without_a_grant_has_none_to_lose() {
        let refused = answer(400, &json!({"error": "invalid_grant"}));
        let read = read(&refreshing(false), &Shown::Client, &refused, &[]);
        assert!(matches!(read, Err(Refusal::Wrong(_))));
    }

    #[test]
    fn the_life_of_a_token_may_be_text_or_missing() {
        let life = |body: &Value| {
            read(&refreshing(false), &refresh(), &answer(200, body), &[]).ok().map(|one| one.life_s)
        };
        assert_eq!(life(&json!({"access_token": "t", "expires_in": "1800"})), Some(1_800));
        assert_eq!(life(&json!({"access_token": "t"})), Some(7_200));
        assert_eq!(
            life(&json!({"access_token": "t", "expires_in": 1e12 as u64})),
            Some(LIFE_S_MAX)
        );
    }

    #[test]
    fn only_the_services_own_hosts_count() {
        let hosts = [".salesforce.com", "www.zohoapis.eu"];
        let of = |named| host(named, &hosts).ok();
        assert_eq!(of("https://shop.my.salesforce.com"), Some("shop.my.salesforce.com".to_owned()));
        assert_eq!(of("https://WWW.zohoapis.eu/"), Some("www.zohoapis.eu".to_owned()));
        for named in [
            "https://salesforce.com.evil.example",
            "https://evilsalesforce.com",
            "https://.salesforce.com",
            "https://evil.example/.salesforce.com",
            "https://evil.example?x=.salesforce.com",
            "https://evil.example#.salesforce.com",
            "https://shop.my.salesforce.com:8443",
            "https://a@shop.my.salesforce.com",
            "http://shop.my.salesforce.com",
            "https://xwww.zohoapis.eu",
            "shop.my.salesforce.com",
            "",
        ] {
            assert_eq!(of(named), None, "{named}");
        }
    }

    #[test]
    fn a_reason_has_nothing_that_was_shown() {
        let body = json!({"error": "invalid_client", "error_description": "no client for s3cret!"});
        let refused =
            read(&refreshing(false), &refresh(), &answer(400, &body), &["s3cret!".to_owned()]);
        let Err(Refusal::Wrong(reason)) = refused else { panic!("not refused") };
        assert_eq!(reason, "status 400: invalid_client no client for …");
    }
}
