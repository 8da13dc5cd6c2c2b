//! The id cookie: `v1.<id>.<issued>.<HMAC>`, set by the server, out of reach for scripts (identity.md).
//!
//! Reads a cookie only if its signature holds, so a forged one never touches an object. Mints no id.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hilo_core::consent::ConsentState;
use jiff::Timestamp;

use crate::platform::Incoming;
use crate::signature;

/// 390 days: Chromium caps cookies at 400.
const LIFE_S: i64 = 33_696_000;
/// A cookie is renewed at most daily.
const REFRESH_S: i64 = 86_400;
/// Bound to this use, so that no other signature of the same secret fits.
const PURPOSE: &str = "cookie:";

/// What a cookie that we signed says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdCookie {
    /// The anonymous id.
    pub id: String,
    issued_s: i64,
}

impl IdCookie {
    /// Whether it is old enough to be renewed.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        now.as_second() - self.issued_s >= REFRESH_S
    }
}

/// How cookies work on this connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jar {
    /// https: `__Host-hilo`, which only this very host could have set.
    Secure,
    /// Plain http on a developer's machine. Browsers do not take `Secure` cookies from 127.0.0.1 over http.
    Development,
    /// Plain http elsewhere: no cookies.
    Closed,
}

impl Jar {
    /// The jar for a request.
    pub fn of(incoming: &Incoming, dev: bool) -> Jar {
        match (incoming.scheme.as_str(), dev) {
            ("https", _) => Jar::Secure,
            (_, true) => Jar::Development,
            (_, false) => Jar::Closed,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Jar::Secure | Jar::Closed => "__Host-hilo",
            Jar::Development => "hilo",
        }
    }

    const fn attributes(self) -> &'static str {
        match self {
            Jar::Secure | Jar::Closed => "Path=/; Secure; HttpOnly; SameSite=Lax",
            Jar::Development => "Path=/; HttpOnly; SameSite=Lax",
        }
    }

    /// The request's id cookie, if its signature holds and it has not outlived itself.
    pub fn read(self, incoming: &Incoming, secret: &str, now: Timestamp) -> Option<IdCookie> {
        if self == Jar::Closed {
            return None;
        }
        let value = incoming.headers.get("cookie")?.split(';').find_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            (name == self.name()).then_some(value)
        })?;
        let (signed, tag) = value.rsplit_once('.')?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        if !signature::verify(secret.as_bytes(), format!("{PURPOSE}{signed}").as_bytes(), &tag) {
            return None;
        }
        let (id, issued) = signed.strip_prefix("v1.")?.rsplit_once('.')?;
        let issued_s: i64 = issued.parse().ok()?;
        let is_alive = now.as_second() - issued_s < LIFE_S;
        is_alive.then(|| IdCookie { id: id.to_owned(), issued_s })
    }

    /// The `Set-Cookie` that keeps `id`; `None` where cookies do not work.
    fn write(self, id: &str, secret: &str, now: Timestamp) -> Option<String> {
        if self == Jar::Closed {
            return None;
        }
        let signed = format!("v1.{id}.{}", now.as_second());
        let tag = signature::sign(secret.as_bytes(), format!("{PURPOSE}{signed}").as_bytes());
        let tag = URL_SAFE_NO_PAD.encode(tag);
        Some(format!("{}={signed}.{tag}; {}; Max-Age={LIFE_S}", self.name(), self.attributes()))
    }

    /// The `Set-Cookie` that takes the id away.
    fn clear(self) -> Option<String> {
        (self != Jar::Closed).then(|| format!("{}=; {}; Max-Age=0", self.name(), self.attributes()))
    }

    /// The `Set-Cookie` that consent demands: keeps `id` where an id is allowed, takes it away where none is, and says
    /// nothing when the browser has it right already.
    pub fn follow(
        self,
        incoming: &Incoming,
        consent: &ConsentState,
        id: Option<&str>,
        secret: &str,
        now: Timestamp,
    ) -> Option<String> {
        if !consent.allows_id() {
            return self.is_present(incoming).then(|| self.clear()).flatten();
        }
        let id = id?;
        let kept = self.read(incoming, secret, now);
        let is_current = kept.is_some_and(|cookie| cookie.id == id && !cookie.is_stale(now));
        if is_current { None } else { self.write(id, secret, now) }
    }

    /// Whether the request carries a cookie of ours, good or bad.
    fn is_present(self, incoming: &Incoming) -> bool {
        incoming.headers.get("cookie").is_some_and(|cookies| {
            cookies.split(';').any(|pair| pair.trim().split('=').next() == Some(self.name()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Headers;

    const ID: &str = "5f0c7a3e-0000-4000-8000-000000000000";

    fn with_cookie(cookie: &str) -> Incoming {
        let headers = Headers(vec![("cookie".to_owned(), format!("a=b; {cookie}"))]);
        Incoming { scheme: "https".to_owned(), headers, ..Incoming::default() }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn what_was_signed_reads_back_until_it_is_too_old() {
        let set = Jar::Secure.write(ID, "secret", at(1_000)).unwrap();
        let incoming = with_cookie(set.split(';').next().unwrap());
        let cookie = Jar::Secure.read(&incoming, "secret", at(1_010)).unwrap();
        assert_eq!(cookie.id, ID);
        assert!(!cookie.is_stale(at(1_010)) && cookie.is_stale(at(1_000 + REFRESH_S)));
        assert_eq!(Jar::Secure.read(&incoming, "secret", at(1_000 + LIFE_S)), None);
    }

    #[test]
    fn a_forged_cookie_says_nothing() {
        let set = Jar::Secure.write(ID, "secret", at(1_000)).unwrap();
        let pair = set.split(';').next().unwrap();
        let other = pair.replace("5f0c", "5f0d");
        assert_eq!(Jar::Secure.read(&with_cookie(&other), "secret", at(1_010)), None);
        assert_eq!(Jar::Secure.read(&with_cookie(pair), "another", at(1_010)), None);
        assert_eq!(Jar::Secure.read(&with_cookie("__Host-hilo=v1..."), "secret", at(1_010)), None);
    }

    #[test]
    fn plain_http_outside_development_has_no_cookies() {
        let incoming = Incoming { scheme: "http".to_owned(), ..Incoming::default() };
        assert_eq!(Jar::of(&incoming, false).write(ID, "secret", at(1_000)), None);
        assert!(!Jar::of(&incoming, true).write(ID, "secret", at(1)).unwrap().contains("Secure"));
    }
}
