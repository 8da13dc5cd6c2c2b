//! Made-up services for tests of token requests.

use crate::forward::destination::{ClientAuth, Flow, OAuth, SecretName};

pub(super) fn named(name: &str) -> SecretName {
    SecretName { secret: name.to_owned() }
}

pub(super) fn oauth(flow: Flow, client: ClientAuth) -> OAuth {
    OAuth {
        token_url: "https://id.example/token".to_owned(),
        authorize_url: None,
        flow,
        client,
        host_member: None,
        hosts: &[],
        life_s: 7_200,
    }
}

pub(super) fn refreshing(rotates: bool) -> OAuth {
    let flow = Flow::Refresh { id: named("ID"), secret: named("SECRET"), first: None, rotates };
    oauth(flow, ClientAuth::Body)
}
