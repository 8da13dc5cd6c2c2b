//! CORS: the origins that may call the collector, and the header fields that their browsers need.
//!
//! The answer repeats the one allowed origin, with credentials; never `*`, never `null`. This is a guard against misuse,
//! not authentication: a program that is no browser can send any origin, and public keys can only append.

use hilo_core::config::{Config, Origin, Source, SourceKind};
use hilo_core::outcome::{Code, Rejection};

use crate::platform::{Headers, Incoming, Reply};

/// The seconds that a browser may keep a preflight's answer: Chromium's own upper bound.
const PREFLIGHT_S: &str = "7200";
/// The most bytes of an origin that a refusal repeats. A host has 253 at most (RFC 1035).
const ORIGIN_BYTES_MAX: usize = 300;
/// The header fields that pages may send: our own, those of Segment's library (`x-retry-count`), of RudderStack's (its
/// `anonymousid` to `rsa-…`) and of Jitsu's (`x-write-key` and the two after it).
const FIELDS_ALLOWED: &str = "authorization, content-encoding, content-type, x-hilo, x-hilo-auth, x-hilo-user-token, \
    x-hilo-cart-token, x-retry-count, anonymousid, sentat, rsa-recovered, rsa-retry-attempt, rsa-since-last-attempt, \
    rsa-since-first-attempt, rsa-retry-reason, x-write-key, x-enable-debug, x-ip-policy";

/// Refuses pages that `source` does not list.
///
/// Browsers send `Origin` with every POST, and `Sec-Fetch-Site` with every request to a trustworthy URL. A request
/// without both fields does not come from a page.
pub(super) fn check_origin(
    incoming: &Incoming,
    source: &Source,
    dev: bool,
) -> Result<(), Rejection> {
    let refused = |message: &str| Err(Rejection::new(Code::OriginRefused, message));
    let site = incoming.headers.get("sec-fetch-site");
    let Some(origin) = incoming.headers.get("origin") else {
        return match site {
            None | Some("same-origin") => Ok(()),
            Some(_) => refused("a page has to say its origin"),
        };
    };
    // The host is not compared with the origin: a proxy before the collector may change the host.
    if !Origin::parse(origin).is_some_and(|origin| source.allows_origin(&origin, dev)) {
        return Err(refusal(origin, Some(source)));
    }
    // No page made this request: a person typed the address or used a bookmark.
    if site == Some("none") { refused("events are sent by pages") } else { Ok(()) }
}

/// Whether a page made the request: only browsers send these fields. `Sec-Fetch-Mode` is no such field, because Node's
/// `fetch` sends it.
pub(super) fn is_from_page(incoming: &Incoming) -> bool {
    let has = |name| incoming.headers.get(name).is_some();
    has("origin") || has("sec-fetch-site")
}

/// Explains why `origin` is refused, and what helps. `source` is the source of the request, if its key is known.
pub(super) fn refusal(origin: &str, source: Option<&Source>) -> Rejection {
    let is_app = source.is_some_and(|source| source.kind == SourceKind::App);
    let message = match Origin::parse(origin).filter(|_| origin.len() <= ORIGIN_BYTES_MAX) {
        None => "a page without an origin of its own may not send, such as a file or a sandboxed frame: serve it over https, or from the app's own scheme".to_owned(),
        Some(origin) if origin.is_readable() => {
            format!("the page {origin} is not encrypted, so it may not send: serve it over https")
        }
        Some(origin) if !is_app && !origin.is_web() => format!(
            "{origin} is the origin of every app of its framework, so it proves nothing: give the app a [[source]] with kind = \"app\", a key of its own and origins = [\"{origin}\"] in hilo.toml"
        ),
        Some(origin) if !is_app && origin.is_loopback() => format!(
            "{origin} is a page of the visitor's own machine. A developer's machine needs HILO_DEV=1; an app needs a [[source]] with kind = \"app\", a key of its own and origins = [\"{origin}\"] in hilo.toml"
        ),
        Some(origin) => {
            let name = source.map_or_else(String::new, |source| format!(" called {}", source.name));
            format!(
                "no source{name} lists the origin {origin}: if it is yours, add \"{origin}\" to the origins of your [[source]]{name} in hilo.toml"
            )
        }
    };
    Rejection::new(Code::OriginRefused, message)
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
    Err(refusal(origin, None))
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
            // A page's client must not read these fields otherwise: it could not wait as long as it is asked to, nor name its request.
            reply.headers.push("access-control-expose-headers", "retry-after, x-hilo-request-id");
        }
    }
}

/// Answers a preflight request of a browser.
///
/// # Errors
/// `origin_refused`.
pub fn preflight(door: &Door, incoming: &Incoming) -> Result<Reply, Rejection> {
    if door.origin.is_none() {
        return Err(refusal(incoming.headers.get("origin").unwrap_or_default(), None));
    }
    let mut reply = Reply::empty(204);
    let Headers(fields) = &mut reply.headers;
    for (name, value) in [
        ("access-control-allow-methods", "GET, POST, DELETE, OPTIONS"),
        ("access-control-allow-headers", FIELDS_ALLOWED),
        ("access-control-max-age", PREFLIGHT_S),
    ] {
        fields.push((name.to_owned(), value.to_owned()));
    }
    Ok(reply)
}

/// Lets every page read an answer that contains nothing secret and depends on no cookie.
pub fn open_to_all(reply: &mut Reply) {
    reply.headers.push("access-control-allow-origin", "*");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loaded::Loaded;

    fn check(origin: &str, is_app: bool, remedy: &str) {
        let loaded = Loaded::built_in(None).unwrap();
        let mut source = loaded.config.sources.first().unwrap().clone();
        if is_app {
            source.kind = SourceKind::App;
        }
        let mut incoming = Incoming::default();
        incoming.headers.push("origin", origin);
        let refused = check_origin(&incoming, &source, false).unwrap_err();
        assert_eq!(refused.code, Code::OriginRefused);
        assert!(refused.message.contains(remedy), "{origin}: {}", refused.message);
        let is_named = refused.message.contains(&format!("\"{origin}\""));
        assert_eq!(is_named, remedy.contains("origins"), "{origin}: {}", refused.message);
    }

    #[test]
    fn the_refusal_of_an_origin_names_what_helps_and_never_what_is_done_already() {
        let (add, app) = (
            "origins of your [[source]] called shop",
            "kind = \"app\", a key of its own and origins",
        );
        check("https://new.example", false, add);
        check("https://new.example", true, add);
        check("https://localhost", false, app);
        check("http://127.0.0.1:5173", false, app);
        check("capacitor://localhost", false, app);
        check("capacitor://localhost", true, add);
        check("http://192.168.0.5:3000", false, "serve it over https");
        check("null", false, "serve it over https");
        check("file://", true, "serve it over https");
        check(&format!("https://{}.example", "a".repeat(300)), false, "serve it over https");
    }

    #[test]
    fn a_proxy_before_the_collector_may_change_the_host() {
        let loaded = Loaded::built_in(None).unwrap();
        let source = loaded.config.sources.first().unwrap();
        let mut incoming = Incoming { host: "127.0.0.1:8787".to_owned(), ..Incoming::default() };
        incoming.headers.push("origin", "http://localhost:5173");
        incoming.headers.push("sec-fetch-site", "same-origin");
        assert!(check_origin(&incoming, source, true).is_ok());
        assert!(check_origin(&incoming, source, false).is_err());
    }
}
