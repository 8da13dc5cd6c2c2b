//! What all Durable Objects share: how a call's bytes become an answer, and how a failure does.
//!
//! An answer leaves only when what was written is durable: workerd's output gate holds it until then.

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::Closure;
use worker::js_sys::Promise;
use worker::js_sys::futures::future_to_promise;
use worker::web_sys;
use worker::{Error, Response, Result};

use super::bindings::Answering;
use crate::platform::Failure;

/// An object's answer when it could not do what it was asked.
pub(super) fn refuse(failure: &Failure) -> Result<Response> {
    let status = match failure {
        Failure::Retriable(_) => 503,
        Failure::Fatal(_) => 500,
    };
    Response::error(failure.message(), status)
}

/// Our failure as `worker` has it.
pub(super) fn worker_error(failure: &Failure) -> Error {
    Error::RustError(failure.message().to_owned())
}

/// Hands `work`'s answer to the runtime. The classes of profile and journal are written out, without `#[durable_object]`: that
/// wraps request and answer in types of its own, which costs a dozen looks into JavaScript for each event batch.
pub(super) fn promise(work: impl Future<Output = Result<web_sys::Response>> + 'static) -> Promise {
    future_to_promise(std::panic::AssertUnwindSafe(async {
        work.await.map(JsValue::from).map_err(JsValue::from)
    }))
}

/// What `fetch` of an object gives a call's bytes to. As bytes: JavaScript would make a string of them, and hand it over
/// character by character. `answer` waits for nothing, so all that it writes is written in one turn.
pub(super) fn answering(answer: impl Fn(&str) -> Result<web_sys::Response> + 'static) -> Answering {
    Closure::new(move |call: Vec<u8>| {
        let call = String::from_utf8(call);
        let call = call.map_err(|error| Error::RustError(error.to_string()));
        call.and_then(|call| answer(&call)).map_err(JsValue::from)
    })
}
