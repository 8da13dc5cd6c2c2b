//! The collector: a Cloudflare Worker that receives envelopes, judges every event, stores it and forwards it.
//!
//! Reading order: `pipeline` lists all stages on one page. `ingest` reads and writes HTTP, `store` is the code of the
//! objects, `forward` sends events to destinations, and `admin` shows people all of it. These stages share `access`, `address`,
//! `archive_line`, `call`, `calls`, `connect_link`, `fault`, `keyring`, `loaded`, `seal`, `signature`, `ticket` and `erasure_link`. `platform`
//! lists what the collector needs from its runtime, and `shell` implements it. This file only connects them.

pub mod access;
pub mod address;
pub mod admin;
pub mod archive_line;
pub mod call;
pub mod calls;
pub mod connect_link;
pub mod erasure_link;
pub mod fault;
pub mod forward;
pub mod ingest;
pub mod keyring;
pub mod loaded;
pub mod optin_link;
pub mod pipeline;
pub mod platform;
pub mod seal;
pub mod shell;
pub mod signature;
pub mod store;
pub mod ticket;

#[cfg(target_arch = "wasm32")]
mod wiring {
    use worker::wasm_bindgen::JsValue;
    use worker::web_sys::{Request, Response};
    use worker::{Context, Env, MessageBatch, Result, ScheduleContext, ScheduledEvent, event};

    use crate::shell::workerd::{edge, profile_object, requests};

    /// Answers every HTTP request.
    #[event(fetch)]
    async fn fetch(request: Request, env: Env, context: Context) -> Result<Response> {
        requests::serve(request, env, context).await
    }

    /// Sends deliveries after the request has been answered.
    #[event(queue)]
    async fn queue(batch: MessageBatch<JsValue>, env: Env, context: Context) -> Result<()> {
        let edge = edge::Edge::new(env, context);
        let (deliveries, probed) = profile_object::deliveries(&batch);
        if let Some(sent_ms) = probed {
            crate::pipeline::probed(sent_ms, &edge).await;
        }
        crate::pipeline::deliver(deliveries, &edge).await;
        batch.ack_all();
        Ok(())
    }

    /// Looks at the health of the deployment every few minutes, and reads the feeds that are due (`triggers` in wrangler.jsonc).
    #[event(scheduled)]
    async fn scheduled(_: ScheduledEvent, env: Env, context: ScheduleContext) {
        let edge = edge::Edge::scheduled(env, context);
        crate::pipeline::watch(&edge).await;
        crate::pipeline::read_feeds(&edge).await;
    }
}
