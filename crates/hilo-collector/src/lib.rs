//! The collector: a Cloudflare Worker that takes envelopes in, judges every event, keeps it and sends it on.
//!
//! Reading order: `pipeline` is the whole of it in one page; `ingest` is how HTTP gets in and out, `store` what the
//! objects keep, `forward` how events leave, `admin` how people look at it. `calls`, `loaded` and `signature` are shared by
//! them. `platform` is the only folder that knows what it runs on. This file only wires.

pub mod calls;
pub mod ingest;
pub mod journal;
pub mod loaded;
pub mod pipeline;
pub mod platform;
pub mod signature;
pub mod store;

/// The secret that signs cookies and names objects.
pub const SECRET: &str = "HILO_SECRET";

pub mod standin {
    pub mod normalize {
        pub fn apply(_event: &mut hilo_core::event::Event, _facts: &hilo_core::event::Facts) {}
    }
    pub mod profile {
        #[derive(Default, serde::Serialize, serde::Deserialize)]
        pub struct Profile {}
        pub fn fold(profile: Profile, _event: &hilo_core::event::Event) -> Profile {
            profile
        }
    }
}
pub mod forward {
    use hilo_core::{config::DestinationEntry, event::Event};
    pub fn plan(_event: &Event, destinations: &[DestinationEntry]) -> Vec<String> {
        destinations.iter().map(|d| d.name.clone()).collect()
    }
    pub async fn deliver<P: crate::platform::Platform>(_d: Vec<crate::calls::Delivery>, _p: &P) {}
}
pub mod admin {
    use crate::calls::{Page, ProfileCall, ask_profile};
    use crate::platform::{Incoming, Platform, Reply};
    pub async fn serve<P: Platform>(incoming: &Incoming, path: &str, _l: &crate::loaded::Loaded, platform: &P) -> Reply {
        let key = path.split('/').nth(2).unwrap_or_default();
        let Some(key) = hilo_core::identity::ProfileKey::parse(key) else { return Reply::empty(404) };
        let name = crate::store::object_name(&platform.secret(crate::SECRET).unwrap_or_default(), &key);
        let cursor = incoming.query_value("cursor");
        let page: Page = ask_profile(platform, name, &ProfileCall::Events { cursor, limit: 200 }).await.unwrap_or_default();
        crate::ingest::reply::json(200, &serde_json::json!({"events": page.rows, "next": page.next}))
    }
}

#[cfg(target_arch = "wasm32")]
mod wiring {
    use worker::{Context, Env, MessageBatch, Request, Response, Result, event};

    use crate::platform::{edge, objects};

    /// Every HTTP request.
    #[event(fetch)]
    async fn fetch(request: Request, env: Env, context: Context) -> Result<Response> {
        edge::serve(request, env, context).await
    }

    /// Deliveries, off the request's path.
    #[event(queue)]
    async fn queue(batch: MessageBatch<String>, env: Env, context: Context) -> Result<()> {
        let edge = edge::Edge::new(env, context);
        crate::pipeline::deliver(objects::deliveries(&batch), &edge).await;
        batch.ack_all();
        Ok(())
    }
}
