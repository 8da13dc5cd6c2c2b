//! What the Worker does beside a request: a point in a dataset, a probe in the queue, a look at its bindings.
//!
//! Values → calls of the runtime. No rule of hilo is decided here.

use wasm_bindgen::{JsCast, JsValue};
use worker::js_sys::futures::JsFuture;
use worker::js_sys::{Array, Object, Reflect, Uint8Array};
use worker::{Env, Result};

use super::bindings::{self, word};
use crate::platform::Point;

/// Writes a point, if a dataset is bound. `blob1` to `blob4`, then the codes from `blob5` on; `double1` to `double4` are the outcomes, and `double5` counts the
/// code of `blob5`. RUNBOOK.md has the same order.
pub(super) fn measure(env: &Env, point: &Point) {
    if !is_bound(env, bindings::METRICS) {
        return;
    }
    let status = point.status.to_string();
    let (blobs, doubles) = (Array::new(), Array::new());
    for text in [point.call, point.method.as_str(), status.as_str(), env!("CARGO_PKG_VERSION")] {
        blobs.push(&JsValue::from_str(text));
    }
    for count in point.outcomes {
        doubles.push(&count.into());
    }
    for (code, count) in &point.codes {
        blobs.push(&JsValue::from_str(code));
        doubles.push(&(*count).into());
    }
    bindings::measure(env, bindings::METRICS, &point.source, &blobs, &doubles);
}

/// Makes one message for the queue.
pub(super) fn message(text: &str) -> Result<JsValue> {
    let message = Object::new();
    Reflect::set(&message, &word("body"), &Uint8Array::from(text.as_bytes()))?;
    Reflect::set(&message, &word("contentType"), &word("bytes"))?;
    Ok(message.into())
}

/// Adds a message to the queue of deliveries.
pub(super) async fn enqueue(env: &Env, text: &str) -> Result<()> {
    let queue = Reflect::get(env, &word(bindings::DELIVERIES))?;
    let batch = Array::of1(&message(text)?);
    JsFuture::from(queue.unchecked_into::<bindings::Messages>().send_batch(&batch)?).await?;
    Ok(())
}

/// Whether something is bound under this name.
pub(super) fn is_bound(env: &Env, name: &str) -> bool {
    Reflect::has(env, &word(name)).unwrap_or(false)
}
