//! The collector: a Cloudflare Worker that takes envelopes in, judges every event, keeps it and sends it on.
//!
//! Reading order: `pipeline` is the whole of it in one page; `ingest` is how HTTP gets in and out, `store` what the
//! objects keep, `forward` how events leave, `admin` how people look at it. `calls` and `signature` are shared by them.
//! `platform` is the only folder that knows what it runs on. This file only wires.

pub mod calls;
pub mod platform;
pub mod signature;

#[cfg(target_arch = "wasm32")]
mod wiring {
    use worker::{Context, Env, Request, Response, Result, event};

    /// Every HTTP request.
    #[event(fetch)]
    async fn fetch(request: Request, env: Env, context: Context) -> Result<Response> {
        crate::platform::edge::serve(request, env, context).await
    }
}
