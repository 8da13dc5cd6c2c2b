//! Where requests may go: public https hosts by name, and nowhere else (server-side request forgery).
//!
//! In: a URL. Out: why it is refused, if it is. Judges the text; that a public name leads to a public address is the
//! runtime's part (`global_fetch_strictly_public` in wrangler.jsonc).

use url::{Host, Url};

/// Endings of names that never lead to the public internet (RFC 6761, RFC 6762, RFC 8375, ICANN's `.internal`).
const PRIVATE: [&str; 7] =
    ["localhost", "local", "internal", "home.arpa", "test", "invalid", "onion"];

/// Judges a URL. `is_dev` lets plain http go to this machine.
///
/// # Errors
/// One sentence for the person who wrote the URL.
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
    if url.port().is_some() {
        return Err("only port 443");
    }
    match url.host() {
        Some(Host::Domain(name)) => domain(name.trim_end_matches('.')),
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => Err("a host name, not an address"),
        None => Err("a host is missing"),
    }
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
    fn public_https_hosts_are_allowed() {
        assert_eq!(check("https://hooks.example/in?x=1", false), Ok(()));
    }

    #[test]
    fn everything_else_is_refused() {
        for url in [
            "http://hooks.example/",
            "https://hooks.example:8443/",
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
            "//hooks.example/",
            "http://127.0.0.1:8787/",
            "https://169.254.169.254/latest/meta-data/",
        ] {
            assert!(check(url, false).is_err(), "{url}");
        }
    }

    #[test]
    fn a_developer_may_post_to_this_machine() {
        assert_eq!(check("http://127.0.0.1:8787/dev/webhook", true), Ok(()));
        assert!(check("http://10.0.0.1/", true).is_err());
    }
}
