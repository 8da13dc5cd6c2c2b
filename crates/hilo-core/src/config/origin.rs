//! Origins from which a source may send: exact scheme, host and port, with at most one wildcard label.
//!
//! Text of a request or of `hilo.toml` → [`Origin`]. An origin guards against misuse and authenticates nobody: a server
//! can send any `Origin`, and every app of a framework has the same one, such as `capacitor://localhost`.

use std::fmt;

use serde::{Serialize, Serializer};
use url::{Host, Url};

use super::SourceKind;
use crate::hosts::is_host_of;

/// An origin as browsers send it: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    scheme: String,
    /// Without the `*.` of a wildcard.
    host: String,
    /// The scheme's default port where the text names none. An app's own scheme has no default port.
    port: Option<u16>,
    is_loopback: bool,
    has_wildcard: bool,
}

impl Origin {
    /// Reads a browser's `Origin` header; `None` for `null`, `file://` and any other text that names no host.
    pub fn parse(text: &str) -> Option<Origin> {
        let url = Url::parse(text).ok().filter(|url| url.scheme() != "file")?;
        // `https://user@host/path?query` parses too, but browsers never send it.
        let is_bare = url.username().is_empty()
            && url.password().is_none()
            && url.path() == if is_web(url.scheme()) { "/" } else { "" }
            && url.query().is_none()
            && url.fragment().is_none();
        let host = url.host()?;
        let is_loopback = match &host {
            Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        is_bare.then_some(Origin {
            scheme: url.scheme().to_owned(),
            host: host.to_string(),
            port: url.port_or_known_default(),
            is_loopback,
            has_wildcard: false,
        })
    }

    /// Reads an origin of `hilo.toml`, or returns a sentence about its mistake. What is accepted here may send at run time:
    /// pages of a developer's machine may do so in a file for development only.
    pub(super) fn parse_rule(
        text: &str,
        kind: SourceKind,
        is_development: bool,
    ) -> Result<Origin, &'static str> {
        if text == "null" || text.starts_with("file:") {
            return Err(
                "any file and any sandboxed page sends this: serve the page over https, or from the app's own scheme",
            );
        }
        let (bare, has_wildcard) = match text.split_once("://*.") {
            Some((scheme, rest)) => (format!("{scheme}://{rest}"), true),
            None => (text.to_owned(), false),
        };
        if bare.contains('*') {
            return Err(
                "`*` may stand only for the whole first label, as in https://*.shop.example",
            );
        }
        let origin = Origin::parse(&bare)
            .filter(|_| !bare.ends_with('/'))
            .ok_or("write scheme and host only, such as https://www.shop.example, without a path or a slash at the end")?;
        if has_wildcard
            && (origin.is_loopback
                || !origin.host.contains('.')
                || origin.host.parse::<std::net::IpAddr>().is_ok())
        {
            return Err(
                "a wildcard needs a domain of at least two labels behind it, as in https://*.shop.example",
            );
        }
        if origin.is_readable() {
            return Err("use https: what is sent over http can be read and changed on its way");
        }
        if kind != SourceKind::App && !origin.is_web() {
            return Err(
                "every app of this framework has this origin, so it proves nothing: give the app's source kind = \"app\"",
            );
        }
        if kind != SourceKind::App && origin.is_loopback && !is_development {
            return Err(
                "pages of a developer's machine may send with HILO_DEV=1 only: give an app's source kind = \"app\", and a file for development environment = \"development\" in [project]",
            );
        }
        Ok(Origin { has_wildcard, ..origin })
    }

    /// The host, without the `*.` of a wildcard.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Whether the origin is the machine of the visitor, as in development and in an app's web view.
    pub const fn is_loopback(&self) -> bool {
        self.is_loopback
    }

    /// Whether the origin is a host of `domain`. A developer's machine counts as one.
    pub(super) fn is_of(&self, domain: &str) -> bool {
        self.is_loopback || is_host_of(&self.host, domain)
    }

    /// Whether a web server served the page, rather than an app.
    pub fn is_web(&self) -> bool {
        is_web(&self.scheme)
    }

    /// Whether others can read what this origin's pages load: http to another machine.
    pub fn is_readable(&self) -> bool {
        self.scheme == "http" && !self.is_loopback
    }

    /// Whether a browser's `origin` is this origin or falls under its wildcard.
    pub(super) fn covers(&self, origin: &Origin) -> bool {
        let is_host = if self.has_wildcard {
            let label =
                origin.host.strip_suffix(&self.host).and_then(|label| label.strip_suffix('.'));
            label.is_some_and(|label| !label.is_empty() && !label.contains('.'))
        } else {
            self.host == origin.host
        };
        is_host && self.scheme == origin.scheme && self.port == origin.port
    }
}

fn is_web(scheme: &str) -> bool {
    matches!(scheme, "http" | "https")
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wildcard = if self.has_wildcard { "*." } else { "" };
        write!(f, "{}://{wildcard}{}", self.scheme, self.host)?;
        match (self.scheme.as_str(), self.port) {
            ("https", Some(443)) | ("http", Some(80)) | (_, None) => Ok(()),
            (_, Some(port)) => write!(f, ":{port}"),
        }
    }
}

impl Serialize for Origin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: &str, origin: &str, covered: bool) {
        let rule = Origin::parse_rule(rule, SourceKind::Browser, false).unwrap();
        assert_eq!(
            Origin::parse(origin).is_some_and(|origin| rule.covers(&origin)),
            covered,
            "{rule} {origin}"
        );
    }

    #[test]
    fn an_origin_matches_by_exact_scheme_host_and_port() {
        check("https://shop.example", "https://shop.example", true);
        check("https://shop.example", "https://shop.example:443", true);
        check("https://shop.example", "HTTPS://Shop.Example", true);
        for other in [
            "http://shop.example",
            "https://shop.example:8443",
            "https://shop.example.evil.example",
            "https://evilshop.example",
            "https://shop.example@evil.example",
            "https://shop.example/path",
            "https://shop.example.",
            "null",
            "",
        ] {
            check("https://shop.example", other, false);
        }
    }

    #[test]
    fn a_wildcard_stands_for_exactly_one_label() {
        check("https://*.shop.example", "https://www.shop.example", true);
        check("https://*.shop.example", "https://a.b.shop.example", false);
        check("https://*.shop.example", "https://shop.example", false);
        check("https://*.shop.example", "https://evilshop.example", false);
    }

    #[test]
    fn origin_rules_that_would_allow_too_much_are_refused() {
        for rule in [
            "*",
            "https://*",
            "https://*.com",
            "https://w*.shop.example",
            "https://*.*.example",
            "http://shop.example",
            "https://shop.example/",
            "https://shop.example/path",
            "shop.example",
            "null",
            "file://",
            "file://localhost",
            "https://*.127.0.0.1",
        ] {
            for kind in [SourceKind::Browser, SourceKind::App] {
                assert!(Origin::parse_rule(rule, kind, true).is_err(), "{rule} {kind:?}");
            }
        }
    }

    #[test]
    fn a_page_of_this_machine_may_be_listed_for_an_app_and_in_development() {
        for rule in ["http://127.0.0.1:8787", "https://localhost", "http://localhost"] {
            let is_ok = |kind, is_development| {
                Origin::parse_rule(rule, kind, is_development).is_ok_and(|o| o.to_string() == rule)
            };
            assert!(is_ok(SourceKind::App, false) && is_ok(SourceKind::Browser, true), "{rule}");
            assert!(!is_ok(SourceKind::Browser, false), "{rule}");
        }
    }

    #[test]
    fn the_scheme_of_an_app_may_be_listed_for_an_app_only() {
        for rule in
            ["capacitor://localhost", "ionic://localhost", "app://shop:1", "tauri://localhost"]
        {
            let origin = Origin::parse_rule(rule, SourceKind::App, false).unwrap();
            assert_eq!(origin.to_string(), rule);
            assert!(origin.covers(&Origin::parse(rule).unwrap()), "{rule}");
            assert!(!origin.covers(&Origin::parse("https://localhost").unwrap()), "{rule}");
            assert!(Origin::parse_rule(rule, SourceKind::Browser, true).is_err(), "{rule}");
        }
        for other in
            ["capacitor://localhost/", "capacitor://", "capacitor:localhost", "null", "file://"]
        {
            assert_eq!(Origin::parse(other), None, "{other}");
        }
    }
}
