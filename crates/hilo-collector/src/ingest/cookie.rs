//! Cookies: the server sets them, and scripts cannot read them (identity.md). What the id cookie holds is written in `proof`,
//! what the guest's cart holds in `capability`.
//!
//! A cookie is read only if its signature is valid, so a forged cookie never reaches an object. This file makes no ids.

use hilo_core::config::{Source, SourceKind};

use crate::keyring::{Keyring, Signed};
use crate::platform::{Incoming, Reply};

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
    /// The anonymous id, for all hosts of a domain. Any of them can set, read and remove a cookie of this name.
    Shared,
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
            (Jar::Secure | Jar::Closed, Which::Shared) => "hilo",
            (Jar::Secure | Jar::Closed, Which::Cart) => "__Host-hilo-cart",
            (Jar::Development, Which::Id) => "hilo",
            (Jar::Development, Which::Shared) => "hilo-shared",
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
        self.find_all(incoming, which).next()
    }

    /// Reads the values of all cookies of one name: a browser sends one for each domain and path that the name was set for.
    pub(super) fn find_all(self, incoming: &Incoming, which: Which) -> impl Iterator<Item = &str> {
        let sent = incoming.headers.get("cookie").filter(|_| self != Jar::Closed);
        sent.unwrap_or_default().split(';').filter_map(move |pair| {
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

    /// The `Set-Cookie` field that stores the id for every host of `domain`; `None` where cookies do not work.
    pub(super) fn share(self, value: &str, life_s: i64, domain: &str) -> Option<String> {
        let cookie = self.set(Which::Shared, value, life_s)?;
        Some(format!("{cookie}; Domain={domain}"))
    }

    /// The `Set-Cookie` field that removes a value.
    pub(super) fn clear(self, which: Which) -> Option<String> {
        self.set(which, "", 0)
    }

    /// Whether the request has one of our cookies, with or without a valid signature.
    pub(super) fn has(self, incoming: &Incoming, which: Which) -> bool {
        self.find(incoming, which).is_some()
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

/// Signs `text` as `<text>.<issued>.<key>.<HMAC>`.
pub(super) fn sign(text: &str, signed: Signed, secret: &Keyring, now_s: i64) -> String {
    secret.sign(signed, &format!("{text}.{now_s}"))
}

/// Reads the text and its time; `None` for a value that the collector did not sign.
pub(super) fn unsign<'v>(
    value: &'v str,
    signed: Signed,
    secret: &Keyring,
) -> Option<(&'v str, i64)> {
    let (text, issued) = secret.open(signed, value)?.rsplit_once('.')?;
    Some((text, issued.parse().ok()?))
}
