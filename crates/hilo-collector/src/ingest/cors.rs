//! CORS: the origins that may call the collector, and the header fields that their browsers need.
//!
//! The answer repeats the one allowed origin, with credentials; never `*`, never `null`. This is a guard against misuse,
//! not authentication: a program that is no browser can send any origin, and public keys can only append.

use hilo_core::config::{Config, Origin, Source};
use hilo_core::outcome::{Code, Rejection};

use crate::platform::{Headers, Incoming, Reply};

/// The seconds that a browser may keep a preflight's answer: Chromium's own upper bound.
const PREFLIGHT_S: &str = "7200";

/// Refuses pages that `source` does not list.
///
/// Browsers send `Origin` with every POST, and `Sec-Fetch-Site` with every request to a trustworthy URL. A request
/// without both fields does not come from a page.
pub(super) fn check_origin(
    incoming: &Incoming,
    source: &Source,
    dev: bool,
) -> Result<(), Rejection> {
    let refused = |message| Err(Rejection::new(Code::OriginRefused, message));
    let site = incoming.headers.get("sec-fetch-site");
    let Some(origin) = incoming.headers.get("origin") else {
        return match site {
            None | Some("same-origin") => Ok(()),
            Some(_) => refused("a page has to say its origin"),
        };
    };
    if !Origin::parse(origin).is_some_and(|origin| source.allows_origin(&origin, dev)) {
        return refused("add this origin to the source's `origins` in hilo.toml");
    }
    let is_own = origin.split_once("://").is_some_and(|(_, host)| host == incoming.host);
    match site {
        Some("same-origin") if !is_own => {
            refused("origin and Sec-Fetch-Site contradict each other")
        }
        // No page made this request: a person typed the address or used a bookmark.
        Some("none") => refused("events are sent by pages"),
        _ => Ok(()),
    }
}

/// Refuses a socket from a page whose origin no source lists. A browser sends no key when it opens a socket, so the
/// origin of any source is enough; the ticket proves who owns the cart. A request without an origin does not come from a
/// page.
///
/// # Errors
/// `origin_refused`.
pub fn check_socket(incoming: &Incoming, config: &Config, dev: bool) -> Result<(), Rejection> {
    let Some(origin) = incoming.headers.get("origin") else { return Ok(()) };
    if is_listed(origin, config, dev) {
        return Ok(());
    }
    Err(Rejection::new(Code::OriginRefused, "no source lists this origin"))
}

/// Whether any source lists the origin.
fn is_listed(origin: &str, config: &Config, dev: bool) -> bool {
    Origin::parse(origin)
        .is_some_and(|origin| config.sources.iter().any(|one| one.allows_origin(&origin, dev)))
}

/// The header fields of an answer that let its page read it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Door {
    origin: Option<String>,
}

impl Door {
    /// Opens the door for a page whose origin some source lists. The door is closed for all others.
    pub fn of(incoming: &Incoming, config: &Config, dev: bool) -> Door {
        let origin = incoming.headers.get("origin");
        Door { origin: origin.filter(|one| is_listed(one, config, dev)).map(str::to_owned) }
    }

    /// Adds the header fields to an answer.
    pub fn mark(&self, reply: &mut Reply) {
        // A closed door adds this field too: a cache must not give this answer to another page.
        reply.headers.push("vary", "Origin");
        if let Some(origin) = &self.origin {
            reply.headers.push("access-control-allow-origin", origin.as_str());
            reply.headers.push("access-control-allow-credentials", "true");
        }
    }
}

/// Answers a preflight request of a browser.
///
/// # Errors
/// `origin_refused`.
pub fn preflight(door: &Door) -> Result<Reply, Rejection> {
    if door.origin.is_none() {
        return Err(Rejection::new(Code::OriginRefused, "no source lists this origin"));
    }
    let mut reply = Reply::empty(204);
    let Headers(fields) = &mut reply.headers;
    for (name, value) in [
        ("access-control-allow-methods", "GET, POST, OPTIONS"),
        (
            "access-control-allow-headers",
            "authorization, content-encoding, content-type, x-hilo, x-hilo-user, x-hilo-cart",
        ),
        ("access-control-max-age", PREFLIGHT_S),
    ] {
        fields.push((name.to_owned(), value.to_owned()));
    }
    Ok(reply)
}
