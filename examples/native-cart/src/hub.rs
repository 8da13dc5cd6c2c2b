//! The hub over HTTP: `GET /v1/cart` and `POST /v1/cart/ops`.
//! In: a replica's position and messages. Out: views and refusals. Knows only the shapes of carts on the wire.

use std::time::Duration;

use hilo_core::cart::ReplicaId;
use hilo_core::cart::epoch::Applied;
use hilo_core::cart::replica::View;
use hilo_core::cart::wire::{Broadcast, Full, Ops, Snapshot};
use hilo_tracker::cart::sync::{HubRefusal, Message};
use serde::Deserialize;

/// How long an answer may take, as in the page.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The hub's answer.
pub(crate) enum Answer {
    /// The cart, or what is new in it.
    View(View),
    /// A refusal.
    Refused(HubRefusal),
    /// No answer, or an answer that cannot be read: try again later.
    Nothing,
}

/// The way to one customer's cart.
pub(crate) struct Hub {
    agent: ureq::Agent,
    url: String,
    key: String,
    token: String,
}

#[derive(Deserialize)]
struct ErrorBody {
    error: Why,
}

#[derive(Deserialize)]
struct Why {
    code: String,
    replica: Option<ReplicaId>,
    from: Option<u32>,
    previous: Option<Applied>,
}

impl Hub {
    /// The cart that `token` opens, at the collector under `url`.
    pub(crate) fn new(url: &str, key: &str, token: &str) -> Hub {
        let config =
            ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).http_status_as_error(false);
        Hub {
            agent: config.build().into(),
            url: url.to_owned(),
            key: format!("Bearer {key}"),
            token: token.to_owned(),
        }
    }

    /// What is new since an epoch and a revision, or the whole cart.
    pub(crate) fn ask(&self, since: Option<(u32, u64)>) -> Answer {
        let query = since.map_or(String::new(), |(epoch, rev)| format!("?epoch={epoch}&rev={rev}"));
        let request = self.agent.get(format!("{}/v1/cart{query}", self.url));
        let request = request
            .header("x-hilo", "1")
            .header("authorization", &self.key)
            .header("x-hilo-user-token", &self.token);
        read(request.call())
    }

    /// Sends one message.
    pub(crate) fn send(&self, message: &Message) -> Answer {
        let ops = Ops::of(
            message.sender.clone(),
            *message.span.start(),
            *message.span.end(),
            &message.delta,
        );
        let Ok(body) = serde_json::to_string(&ops) else { return Answer::Nothing };
        let request = self.agent.post(format!("{}/v1/cart/ops", self.url));
        let request = request
            .header("x-hilo", "1")
            .header("content-type", "application/json")
            .header("authorization", &self.key)
            .header("x-hilo-user-token", &self.token);
        read(request.send(body))
    }
}

fn read(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Answer {
    let Ok(mut response) = answer else { return Answer::Nothing };
    let status = response.status().as_u16();
    let Ok(text) = response.body_mut().read_to_string() else { return Answer::Nothing };
    if status == 200 {
        return view(&text).map_or(Answer::Nothing, Answer::View);
    }
    if status >= 500 || status == 429 {
        return Answer::Nothing;
    }
    serde_json::from_str(&text)
        .map_or(Answer::Nothing, |ErrorBody { error }| Answer::Refused(why(error)))
}

fn view(text: &str) -> Option<View> {
    #[derive(Deserialize)]
    struct Head {
        cart: Option<String>,
        #[serde(default)]
        acked: u32,
        full: Option<Full>,
    }
    let head: Head = serde_json::from_str(text).ok()?;
    let (full, rev, known) = if head.full.is_some() {
        let snapshot: Snapshot = serde_json::from_str(text).ok()?;
        (true, snapshot.rev, snapshot.cart())
    } else {
        let broadcast: Broadcast = serde_json::from_str(text).ok()?;
        (false, broadcast.rev, broadcast.delta())
    };
    Some(View { full, cart: head.cart.unwrap_or_default(), rev, acked: head.acked, known })
}

fn why(error: Why) -> HubRefusal {
    match (error.code.as_str(), error.replica, error.from) {
        ("missing", Some(replica), Some(from)) => HubRefusal::Missing { replica, from },
        ("epoch", ..) => HubRefusal::Epoch(error.previous.map(|told| told.into_iter().collect())),
        ("foreign_replica" | "replica_exhausted", ..) => HubRefusal::ForeignReplica,
        ("cart_merged", ..) => HubRefusal::Merged,
        _ => HubRefusal::BadMessage,
    }
}
