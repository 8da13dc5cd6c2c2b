//! Origins from which a source may send: exact scheme, host and port, with at most one wildcard label.
//!
//! An origin guards against misuse and authenticates nobody: a server can send any `Origin`.

use std::fmt;

use serde::{Serialize, Serializer};
use url::{Host, Url};

/// An origin as browsers send it: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    scheme: String,
    /// Without the `*.` of a wildcard.
    host: String,
    port: u16,
    is_loopback: bool,
    has_wildcard: bool,
}

impl Origin {
    /// Reads a browser's `Origin` header; `None` for `null` and any other text that is no web origin.
    pub fn parse(text: &str) -> Option<Origin> {
        let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
        // `https://user@host/path?query` parses too, but browsers never send it.
        let is_bare = url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
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
            port: url.port_or_known_default()?,
            is_loopback,
            has_wildcard: false,
        })
    }

    /// Reads an origin of `hilo.toml`, or returns a sentence about its mistake.
    pub(super) fn parse_rule(text: &str) -> Result<Origin, &'static str> {
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
        if origin.scheme != "https" && !origin.is_loopback {
            return Err("use https: what is sent over http can be read and changed on its way");
        }
        Ok(Origin { has_wildcard, ..origin })
    }

    /// Whether the origin is this machine, as in development.
    pub const fn is_loopback(&self) -> bool {
        self.is_loopback
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

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wildcard = if self.has_wildcard { "*." } else { "" };
        write!(f, "{}://{wildcard}{}", self.scheme, self.host)?;
        let is_default = matches!((self.scheme.as_str(), self.port), ("https", 443) | ("http", 80));
        if is_default { Ok(()) } else { write!(f, ":{}", self.port) }
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
        let rule = Origin::parse_rule(rule).unwrap();
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
            "https://*.127.0.0.1",
        ] {
            assert!(Origin::parse_rule(rule).is_err(), "{rule}");
        }
        assert!(Origin::parse_rule("http://127.0.0.1:8787").is_ok());
    }
}
