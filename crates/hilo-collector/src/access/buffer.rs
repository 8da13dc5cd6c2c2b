//! Buffer's API: its address, its tokens, and what the codes of GraphQL's own errors mean.

use super::{ClientAuth, Flow, OAuth, Refused, SecretName};

/// The one address of the API.
pub const URL: &str = "https://api.buffer.com/graphql";

/// How an app gets tokens after a person's grant. `scope` is encoded.
pub fn oauth(
    scope: &str,
    (id, secret): (&SecretName, &SecretName),
    first: Option<&SecretName>,
) -> OAuth {
    let (id, secret, first) = (id.clone(), secret.clone(), first.cloned());
    OAuth {
        token_url: "https://auth.buffer.com/token".to_owned(),
        authorize_url: Some(format!(
            "https://auth.buffer.com/auth?code_challenge_method=S256&scope={scope}"
        )),
        flow: Flow::Refresh { id, secret, first, rotates: true },
        client: ClientAuth::Body,
        host_member: None,
        hosts: &[],
        life_s: 3_600,
    }
}

/// What the code of an error means.
pub fn refused(code: &str) -> Refused {
    match code {
        "UNAUTHENTICATED" | "UNAUTHORIZED" | "FORBIDDEN" => Refused::Door,
        "RATE_LIMIT_EXCEEDED" | "UNEXPECTED" | "INTERNAL_SERVER_ERROR" => Refused::Later(None),
        _ => Refused::Other,
    }
}
