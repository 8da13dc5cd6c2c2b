//! The first grant: the address at the service that a person opens, and the challenge that ties its code to the collector
//! (RFC 6749, 4.1.1; PKCE, RFC 7636).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::Url;

use crate::forward::destination::{Access, Flow, MissingSecret, OAuth};
use crate::signature::sha256;

/// Whether the service takes a challenge: the kind says so among the parameters of its address.
pub(super) fn takes_challenge(oauth: &OAuth) -> bool {
    let address = oauth.authorize_url.as_deref().unwrap_or_default();
    address.split(['?', '&']).any(|pair| pair == "code_challenge_method=S256")
}

/// The challenge of a verifier.
pub(super) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes()))
}

/// Makes the address that the person opens; `None` where no person is asked.
///
/// # Errors
/// The secret that is not set.
pub fn authorize_url(
    oauth: &OAuth,
    access: &Access<'_>,
    redirect_uri: &str,
    state: &str,
    verifier: &str,
) -> Result<Option<String>, MissingSecret> {
    let Flow::Refresh { id, .. } = &oauth.flow else { return Ok(None) };
    let address = oauth.authorize_url.as_deref().and_then(|address| Url::parse(address).ok());
    let Some(mut address) = address else { return Ok(None) };
    let id = access.secret(id)?;
    {
        let mut pairs = address.query_pairs_mut();
        pairs.append_pair("response_type", "code").append_pair("client_id", &id);
        pairs.append_pair("redirect_uri", redirect_uri).append_pair("state", state);
        if takes_challenge(oauth) {
            pairs.append_pair("code_challenge", &challenge(verifier));
        }
    }
    Ok(Some(address.into()))
}

#[cfg(test)]
mod tests {
    use super::super::testing::refreshing;
    use super::*;

    #[test]
    fn the_challenge_is_that_of_rfc_7636() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(challenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn the_address_keeps_the_services_own_parameters_and_gets_the_standard_ones() {
        let secrets = |name: &str| Some(name.to_lowercase());
        let access = Access { secrets: &secrets, token: None };
        let back = "https://shop.example/cb";
        let of = |address: Option<&str>| {
            let mut oauth = refreshing(false);
            oauth.authorize_url = address.map(str::to_owned);
            authorize_url(&oauth, &access, back, "s.1", "v").unwrap()
        };
        let standard = "response_type=code&client_id=id&redirect_uri=https%3A%2F%2Fshop.example%2Fcb&state=s.1";
        let plain = format!("https://id.example/auth?scope=a%20b&{standard}");
        assert_eq!(of(Some("https://id.example/auth?scope=a%20b")), Some(plain));
        let address = of(Some("https://id.example/auth?code_challenge_method=S256")).unwrap();
        assert!(address.ends_with(&format!("{standard}&code_challenge={}", challenge("v"))));
        assert_eq!(of(None), None);
    }
}
