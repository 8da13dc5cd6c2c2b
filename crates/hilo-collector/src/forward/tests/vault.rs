//! A kind with access tokens, for tests: its settings say how it gets them.

use serde::Deserialize;

use super::*;
use crate::forward::destination::{ClientAuth, Flow, OAuth, SecretName};
use crate::forward::destinations::answer::by_status;

/// A kind with access tokens. `https://vault.example` gets a request per event, and `https://id.vault.example/token` gives tokens.
pub(in crate::forward) const VAULT: Kind = Kind {
    name: "vault",
    load: |entry| Ok(Box::new(entry.read_settings::<Vault>()?)),
    limits: Limits { age_s_max: None, events: 1, ..DESK.limits },
    ..DESK
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vault {
    /// Whether a refresh token is good only once. Without it the client gets tokens for itself.
    rotates: Option<bool>,
    /// A refresh token that the deployer has.
    first: Option<SecretName>,
}

fn named(name: &str) -> SecretName {
    SecretName { secret: name.to_owned() }
}

fn sent(path: &str, batch: &Access<'_>, body: String) -> Outgoing {
    let mut headers = Headers::default();
    let token = batch.token.map(|token| token.access.as_str()).unwrap_or_default();
    headers.push("authorization", format!("Bearer {token}"));
    let url = format!("https://vault.example/{path}");
    Outgoing { method: "POST".to_owned(), url, headers, body }
}

impl Destination for Vault {
    fn requests(&self, batch: &Batch<'_>) -> Result<Mapping, MissingSecret> {
        let request = |(at, one): (usize, &crate::forward::destination::BatchEvent<'_>)| {
            let outgoing = sent("events", &batch.access, one.event.message_id.clone());
            MappedRequest { outgoing, events: vec![at], step: 0 }
        };
        let requests = batch.events.iter().enumerate().map(request).collect();
        Ok(Mapping { requests, left_out: Vec::new() })
    }

    fn classify(&self, _: &MappedRequest, response: &Response) -> Reception {
        let reason = format!("status {}", response.status);
        Reception::All(match response.status {
            200 => Acceptance::Delivered,
            401 => Acceptance::Unauthorized { reason },
            422 => return by_status(response),
            _ => Acceptance::Retry { after: None, reason },
        })
    }

    fn oauth(&self) -> Option<OAuth> {
        let (id, secret) = (named("VAULT_ID"), named("VAULT_SECRET"));
        let address = "https://id.vault.example/auth?code_challenge_method=S256".to_owned();
        let (flow, authorize_url) = match self.rotates {
            None => (Flow::Client { id, secret }, None),
            Some(rotates) => {
                (Flow::Refresh { id, secret, first: self.first.clone(), rotates }, Some(address))
            }
        };
        Some(OAuth {
            token_url: "https://id.vault.example/token".to_owned(),
            authorize_url,
            flow,
            client: ClientAuth::Body,
            host_member: None,
            hosts: &[],
            life_s: 3_600,
        })
    }

    fn deletion(
        &self,
        person: &Person,
        access: &Access<'_>,
    ) -> Option<Result<Outgoing, MissingSecret>> {
        Some(Ok(sent("delete", access, json!([person.user_id]).to_string())))
    }
}
