//! The URLs that requests may go to: public https hosts by name, and nothing else (server-side request forgery).
//!
//! A URL → the reason why it is refused, if it is. This file judges only the text. The runtime ensures that a public
//! name leads to a public address (`global_fetch_strictly_public` in wrangler.jsonc).

use url::{Host, Url};

use crate::platform::Outgoing;

/// The endings of names that never lead to the public internet (RFC 6761, RFC 6762, RFC 8375, ICANN's `.internal`).
const PRIVATE: [&str; 7] =
    ["localhost", "local", "internal", "home.arpa", "test", "invalid", "onion"];

/// Judges a URL. `is_dev` also allows plain http to this machine.
///
/// # Errors
/// One sentence for the person who wrote the URL, with the reason.
pub fn check(text: &str, is_dev: bool) -> Result<(), &'static str> {
    let url = Url::parse(text).map_err(|_| "this is no absolute URL")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("credentials in a URL end up in logs: put them into a secret");
    }
    if is_dev && is_loopback(&url) && url.scheme() == "http" {
        return Ok(());
    }
    if url.scheme() != "https" {
        return Err("only https");
    }
    // Services that take HTTPS beside their own protocol, such as ClickHouse, have it at 8443.
    if url.port().is_some_and(|port| port != 8443) {
        return Err("only ports 443 and 8443");
    }
    match url.host() {
        Some(Host::Domain(name)) => domain(name.trim_end_matches('.')),
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => Err("a host name, not an address"),
        None => Err("a host is missing"),
    }
}

/// Judges the URL of a request. Only a destination's own code makes one of a bound bucket: no setting of `hilo.toml` may name it.
///
/// # Errors
/// The same.
pub fn check_request(request: &Outgoing, is_dev: bool) -> Result<(), &'static str> {
    if request.object().is_some() { Ok(()) } else { check(&request.url, is_dev) }
}

/// Judges the beginning of URLs: one that a service's paths and queries are added to. A developer's file may have this machine's.
///
/// # Errors
/// The same.
pub(super) fn check_base(text: &str) -> Result<(), &'static str> {
    check(text, true)?;
    if text.contains(['?', '#']) {
        return Err("a URL without a query");
    }
    Ok(())
}

fn domain(name: &str) -> Result<(), &'static str> {
    let is_private = PRIVATE.iter().any(|ending| {
        name.strip_suffix(ending).is_some_and(|head| head.is_empty() || head.ends_with('.'))
    });
    if is_private || !name.contains('.') {
        return Err("this name never leads to the public internet");
    }
    Ok(())
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn a_url_of_a_public_https_host_is_allowed() {
        assert_eq!(check("https://hooks.example/in?x=1", false), Ok(()));
        assert_eq!(check("https://rows.example:8443/", false), Ok(()));
    }

    #[test]
    fn a_url_of_any_other_host_or_scheme_is_refused() {
        for url in [
            "http://hooks.example/",
            "https://hooks.example:8123/",
            "https://ana:pw@hooks.example/",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://localhost/",
            "https://db.internal/",
            "https://printer.local./",
            "https://intranet/",
            "ftp://hooks.example/",
            "file:///etc/passwd",
            "r2://ARCHIVE/in",
            "//hooks.example/",
            "http://127.0.0.1:8787/",
            "https://169.254.169.254/latest/meta-data/",
        ] {
            assert!(check(url, false).is_err(), "{url}");
        }
    }

    #[test]
    fn a_webhook_may_go_to_this_machine_in_development() {
        assert_eq!(check("http://127.0.0.1:8787/dev/webhook", true), Ok(()));
        assert!(check("http://10.0.0.1/", true).is_err());
    }
}
