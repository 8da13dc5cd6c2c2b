//! Cookies: `v1.<id>.<issued>.<key>.<HMAC>`. The server sets them, and scripts cannot read them (identity.md). The rules of
//! the anonymous id are here, those of the guest's cart are in `capability`.
//!
//! A cookie is read only if its signature is valid, so a forged cookie never reaches an object. This file makes no ids.

use hilo_core::config::{Source, SourceKind};
use hilo_core::consent::ConsentState;
use jiff::Timestamp;

use crate::keyring::{Keyring, Signed};
use crate::platform::{Incoming, Reply};

/// The cookie's lifetime of 390 days: Chromium allows 400.
const LIFE_S: i64 = 33_696_000;
/// A cookie is renewed at most daily.
const REFRESH_S: i64 = 86_400;

/// The content of a cookie that the collector signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdCookie {
    /// The anonymous id.
    pub id: String,
    issued_s: i64,
}

impl IdCookie {
    /// Whether the cookie is old enough to be renewed.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        now.as_second() - self.issued_s >= REFRESH_S
    }
}

/// How cookies work on this connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jar {
    /// https: `__Host-hilo`. Only this host can set a cookie of that name.
    Secure,
    /// Plain http on a developer's machine. Browsers do not take `Secure` cookies from 127.0.0.1 over http.
    Development,
    /// Plain http elsewhere: no cookies.
    Closed,
}

/// The cookies of the collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// The anonymous id.
    Id,
    /// The guest's cart.
    Cart,
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

    const fn name(self, which: Which) -> &'static str {
        match (self, which) {
            (Jar::Secure | Jar::Closed, Which::Id) => "__Host-hilo",
            (Jar::Secure | Jar::Closed, Which::Cart) => "__Host-hilo-cart",
            (Jar::Development, Which::Id) => "hilo",
            (Jar::Development, Which::Cart) => "hilo-cart",
        }
    }

    const fn attributes(self) -> &'static str {
        match self {
            Jar::Secure | Jar::Closed => "Path=/; Secure; HttpOnly; SameSite=Lax",
            Jar::Development => "Path=/; HttpOnly; SameSite=Lax",
        }
    }

    /// Reads the value of one of our cookies, with or without a valid signature.
    pub(super) fn find(self, incoming: &Incoming, which: Which) -> Option<&str> {
        if self == Jar::Closed {
            return None;
        }
        incoming.headers.get("cookie")?.split(';').find_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            (name == self.name(which)).then_some(value)
        })
    }

    /// The `Set-Cookie` field that stores a value; `None` where cookies do not work.
    pub(super) fn set(self, which: Which, value: &str, life_s: i64) -> Option<String> {
        (self != Jar::Closed).then(|| {
            format!("{}={value}; {}; Max-Age={life_s}", self.name(which), self.attributes())
        })
    }

    /// The `Set-Cookie` field that removes a value.
    pub(super) fn clear(self, which: Which) -> Option<String> {
        self.set(which, "", 0)
    }

    /// Reads the request's id cookie, if its signature is valid and it has not expired.
    pub fn read(self, incoming: &Incoming, secret: &Keyring, now: Timestamp) -> Option<IdCookie> {
        let (id, issued_s) = unsign(self.find(incoming, Which::Id)?, Signed::Id, secret)?;
        let is_alive = now.as_second() - issued_s < LIFE_S;
        is_alive.then_some(IdCookie { id, issued_s })
    }

    /// The `Set-Cookie` field that stores `id`; `None` where cookies do not work.
    fn write(self, id: &str, secret: &Keyring, now: Timestamp) -> Option<String> {
        self.set(Which::Id, &sign(id, Signed::Id, secret, now.as_second()), LIFE_S)
    }

    /// The `Set-Cookie` field that consent demands. It stores `id` where consent allows an id, and otherwise removes the
    /// cookie. `None` where the browser's cookie is right already.
    pub fn follow(
        self,
        incoming: &Incoming,
        consent: &ConsentState,
        id: Option<&str>,
        secret: &Keyring,
        now: Timestamp,
    ) -> Option<String> {
        if !consent.allows_id() {
            return self.is_present(incoming).then(|| self.clear(Which::Id)).flatten();
        }
        let id = id?;
        let kept = self.read(incoming, secret, now);
        let is_current = kept.is_some_and(|cookie| cookie.id == id && !cookie.is_stale(now));
        if is_current { None } else { self.write(id, secret, now) }
    }

    /// Whether the request has one of our id cookies, with or without a valid signature.
    fn is_present(self, incoming: &Incoming) -> bool {
        self.find(incoming, Which::Id).is_some()
    }
}

/// Leaves the cookies out of an answer to an app. The page of an app has the same origin in every app of its framework, so
/// a cookie would be no proof of anything.
pub fn keep_from_apps(mut reply: Reply, source: &Source) -> Reply {
    if source.kind == SourceKind::App {
        reply.headers.0.retain(|(name, _)| name != "set-cookie");
    }
    reply
}

/// Signs an id as `v1.<id>.<issued>.<key>.<HMAC>`.
pub(super) fn sign(id: &str, signed: Signed, secret: &Keyring, now_s: i64) -> String {
    secret.sign(signed, &format!("v1.{id}.{now_s}"))
}

/// Reads the id and its time; `None` for a value that the collector did not sign.
pub(super) fn unsign(value: &str, signed: Signed, secret: &Keyring) -> Option<(String, i64)> {
    let (id, issued) = secret.open(signed, value)?.strip_prefix("v1.")?.rsplit_once('.')?;
    Some((id.to_owned(), issued.parse().ok()?))
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
    fn a_signed_cookie_reads_back_until_it_is_too_old() {
        let set = Jar::Secure.write(ID, &Keyring::only("secret"), at(1_000)).unwrap();
        let incoming = with_cookie(set.split(';').next().unwrap());
        let cookie = Jar::Secure.read(&incoming, &Keyring::only("secret"), at(1_010)).unwrap();
        assert_eq!(cookie.id, ID);
        assert!(!cookie.is_stale(at(1_010)) && cookie.is_stale(at(1_000 + REFRESH_S)));
        assert_eq!(Jar::Secure.read(&incoming, &Keyring::only("secret"), at(1_000 + LIFE_S)), None);
    }

    #[test]
    fn a_cookie_with_a_forged_signature_is_not_read() {
        let set = Jar::Secure.write(ID, &Keyring::only("secret"), at(1_000)).unwrap();
        let pair = set.split(';').next().unwrap();
        let other = pair.replace("5f0c", "5f0d");
        assert_eq!(
            Jar::Secure.read(&with_cookie(&other), &Keyring::only("secret"), at(1_010)),
            None
        );
        assert_eq!(
            Jar::Secure.read(&with_cookie(pair), &Keyring::only("another"), at(1_010)),
            None
        );
        assert_eq!(
            Jar::Secure.read(
                &with_cookie("__Host-hilo=v1..."),
                &Keyring::only("secret"),
                at(1_010)
            ),
            None
        );
    }

    #[test]
    fn plain_http_outside_development_has_no_cookies() {
        let incoming = Incoming { scheme: "http".to_owned(), ..Incoming::default() };
        assert_eq!(Jar::of(&incoming, false).write(ID, &Keyring::only("secret"), at(1_000)), None);
        assert!(
            !Jar::of(&incoming, true)
                .write(ID, &Keyring::only("secret"), at(1))
                .unwrap()
                .contains("Secure")
        );
    }
}
