//! The collector: a Cloudflare Worker that takes envelopes in, judges every event, keeps it and sends it on.
//!
//! Reading order: `pipeline` is the whole of it in one page; `ingest` is how HTTP gets in and out, `store` what the
//! objects keep, `forward` how events leave, `admin` how people look at it. `calls`, `loaded`, `signature` and `ticket` are
//! shared by them. `platform` is the only folder that knows what it runs on. This file only wires.

pub mod admin;
pub mod calls;
pub mod forward;
pub mod ingest;
pub mod journal;
pub mod loaded;
pub mod pipeline;
pub mod platform;
pub mod signature;
pub mod store;
pub mod ticket;

/// The secret that signs cookies and names objects.
pub const SECRET: &str = "HILO_SECRET";

#[cfg(target_arch = "wasm32")]
mod wiring {
    use worker::wasm_bindgen::JsValue;
    use worker::web_sys::{Request, Response};
    use worker::{Context, Env, MessageBatch, Result, event};

    use crate::platform::{edge, objects};

    /// Every HTTP request.
    #[event(fetch)]
    async fn fetch(request: Request, env: Env, context: Context) -> Result<Response> {
        edge::serve(request, env, context).await
    }

    /// Deliveries, off the request's path.
    #[event(queue)]
    async fn queue(batch: MessageBatch<JsValue>, env: Env, context: Context) -> Result<()> {
        let edge = edge::Edge::new(env, context);
        crate::pipeline::deliver(objects::deliveries(&batch), &edge).await;
        batch.ack_all();
        Ok(())
    }
}
