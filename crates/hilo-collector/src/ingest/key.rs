//! The key in a header: `Authorization: Basic base64(key:)` or `Bearer key`, as Segment's libraries send it, or Jitsu's
//! `X-Write-Key: key`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::platform::Headers;

/// Reads the key from the headers, if there is one.
pub fn presented_key(headers: &Headers) -> Option<String> {
    authorization(headers).or_else(|| headers.get("x-write-key").map(|key| key.trim().to_owned()))
}

fn authorization(headers: &Headers) -> Option<String> {
    let (scheme, token) = headers.get("authorization")?.trim().split_once(' ')?;
    let token = token.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(token.to_owned());
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let text = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
        // The key is the user name. The password is ignored.
        return Some(text.split(':').next().unwrap_or_default().to_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(header: &str, expected: Option<&str>) {
        let headers = Headers(vec![("authorization".to_owned(), header.to_owned())]);
        assert_eq!(presented_key(&headers).as_deref(), expected, "{header}");
    }

    #[test]
    fn jitsus_header_presents_a_key_and_its_secret_together() {
        let headers = Headers(vec![("x-write-key".to_owned(), "id:secret".to_owned())]);
        assert_eq!(presented_key(&headers).as_deref(), Some("id:secret"));
    }

    #[test]
    fn basic_and_bearer_both_present_a_key() {
        check("Basic d2tfc2hvcDo=", Some("wk_shop"));
        check("basic d2tfc2hvcA==", Some("wk_shop"));
        check("Bearer wk_shop", Some("wk_shop"));
    }

    #[test]
    fn a_broken_or_unknown_authorization_scheme_presents_no_key() {
        check("Basic !!!", None);
        check("Digest a", None);
        check("", None);
    }
}
