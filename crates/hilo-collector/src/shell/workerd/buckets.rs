//! Buckets that are bound to the collector: their objects are created, listed and read. Binding and name in, answers as S3 gives them out.

use worker::Env;
use worker::js_sys::Uint8Array;
use worker::js_sys::futures::JsFuture;

use super::bindings;
use crate::platform::{Failure, Files, Outgoing, http};

/// Creates an object, unless it is there.
pub(super) async fn create(
    env: &Env,
    binding: &str,
    name: &str,
    request: &Outgoing,
) -> Result<http::Response, Failure> {
    let body = Uint8Array::from(request.body.as_bytes());
    let kind = request.headers.get("content-type").unwrap_or_default();
    let created = JsFuture::from(bindings::create(env, binding, name, &body, kind)).await;
    let status = created.ok().and_then(|status| status.as_f64());
    match status {
        Some(404.0) | None => Err(unanswered(binding)),
        Some(412.0) => Ok(http::Response { status: 412, ..http::Response::default() }),
        Some(_) => Ok(http::Response { status: 200, ..http::Response::default() }),
    }
}

/// Lists a page of the objects whose names begin with `prefix`.
pub(super) async fn files(
    env: &Env,
    binding: &str,
    prefix: &str,
    cursor: Option<&str>,
) -> Result<Files, Failure> {
    let listed = bindings::files(env, binding, prefix, cursor.unwrap_or_default());
    let text = JsFuture::from(listed).await.ok().and_then(|text| text.as_string());
    let text = text.ok_or_else(|| unanswered(binding))?;
    serde_json::from_str(&text).map_err(|error| Failure::Fatal(error.to_string()))
}

/// Reads an object.
pub(super) async fn file(env: &Env, binding: &str, name: &str) -> Result<Option<String>, Failure> {
    let read = JsFuture::from(bindings::file(env, binding, name)).await;
    read.map(|text| text.as_string()).map_err(|_| unanswered(binding))
}

/// The failure of a bucket.
fn unanswered(binding: &str) -> Failure {
    Failure::Retriable(format!(
        "the bucket {binding} did not answer, or is not bound: see r2_buckets in wrangler.jsonc"
    ))
}
