//! Names of hosts: which domain a host is of, and which part of it somebody registered.
//!
//! In: hosts in lower case, without a port. Out: a part of the name, or an answer. It has no list of all public suffixes, which would be
//! larger than the tracker, and it resolves nothing.

use crate::text::{cut, lists};

/// Labels below a country under which sites are registered: `shop.co.uk` is one site, `co.uk` is none. A site below a rarer one
/// names its own hosts in `capture.domains`.
const BELOW_COUNTRIES: &str = "ac co com edu gob gov ne net nom or org";

/// Domains of platforms that give a host below them to everybody, from the private part of <https://publicsuffix.org>.
#[cfg(feature = "edge")]
const PLATFORMS: &str = "azurewebsites.net blogspot.com cloudfront.net firebaseapp.com fly.dev github.io gitlab.io herokuapp.com \
    myshopify.com netlify.app onrender.com pages.dev vercel.app web.app webflow.io wixsite.com workers.dev";

/// Whether `host` is `domain` or a host below it.
///
/// ```
/// assert!(hilo_core::hosts::is_host_of("www.shop.example", "shop.example"));
/// assert!(!hilo_core::hosts::is_host_of("myshop.example", "shop.example"));
/// ```
pub fn is_host_of(host: &str, domain: &str) -> bool {
    let before = host.strip_suffix(domain);
    before.is_some_and(|before| matches!(before.as_bytes().last(), None | Some(b'.')))
}

/// The part of a host that somebody registered.
#[inline(never)]
pub fn site(host: &str) -> &str {
    let mut labels = 0;
    for (at, byte) in host.bytes().enumerate().rev() {
        if byte == b'.' {
            labels += 1;
            let end = host.get(at + 1..).unwrap_or_default();
            if labels > 2 || labels == 2 && !is_below_country(end) {
                return end;
            }
        }
    }
    host
}

/// Whether strangers register names right below `domain`. Browsers refuse a cookie for such a domain by the whole list of public
/// suffixes; this function knows the common ones.
#[cfg(feature = "edge")]
pub fn is_public_suffix(domain: &str) -> bool {
    !domain.contains('.') || is_below_country(domain) || lists(PLATFORMS, domain)
}

/// Whether `domain` is two labels, of a country and of a kind of its sites.
fn is_below_country(domain: &str) -> bool {
    let (first, country) = cut(domain, b'.');
    country.is_some_and(|code| code.len() == 2) && lists(BELOW_COUNTRIES, first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_what_somebody_registered() {
        for (host, expected) in [
            ("example", "example"),
            ("shop.example", "shop.example"),
            ("www.shop.example", "shop.example"),
            ("www.shop.co.uk", "shop.co.uk"),
            ("shop.com.es", "shop.com.es"),
            ("co.uk", "co.uk"),
            ("a.b.co.example", "co.example"),
            ("", ""),
        ] {
            assert_eq!(site(host), expected, "{host}");
        }
    }

    #[cfg(feature = "edge")]
    #[test]
    fn strangers_register_names_right_below_a_public_suffix() {
        for domain in ["", "example", "co.uk", "com.es", "github.io", "myshopify.com"] {
            assert!(is_public_suffix(domain), "{domain}");
        }
        for domain in ["shop.example", "shop.co.uk", "mine.github.io", "t.co", "co.example"] {
            assert!(!is_public_suffix(domain), "{domain}");
        }
    }
}
