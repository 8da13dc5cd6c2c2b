//! The code that all Durable Objects share: it makes an answer from a call's bytes, or from a failure.
//!
//! An answer leaves only when all writes are durable: workerd's output gate holds it until then.

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::Closure;
use worker::js_sys::Promise;
use worker::js_sys::futures::future_to_promise;
use worker::web_sys;
use worker::{Error, Response, Result, State};

use super::bindings::{self, Answering};
use crate::keyring::Keyring;
use crate::platform::{Failure, Platform};
use crate::seal::Key;

/// The status of an object whose storage is newer than this version. The caller is the collector itself.
pub(super) const SCHEMA_NEWER: u16 = 501;

/// Makes an object's answer to a call that failed.
pub(super) fn refuse(failure: &Failure) -> Result<Response> {
    match failure {
        Failure::Retriable(why) | Failure::Unreached(why) => Response::error(why, 503),
        Failure::Fatal(why) => Response::error(why, 500),
        Failure::SchemaNewer => Response::error(failure.message(), SCHEMA_NEWER),
        // The caller reads the seconds to wait.
        Failure::Busy { after_s } => Response::error(after_s.to_string(), 429),
    }
}

/// Turns our failure into an error of `worker`.
pub(super) fn worker_error(failure: &Failure) -> Error {
    Error::RustError(failure.message().to_owned())
}

/// Returns `work`'s answer to the runtime. The classes of profile and journal are written out, without
/// `#[durable_object]`: that macro wraps request and answer in types of its own, which costs a dozen calls into
/// JavaScript for each event batch.
pub(super) fn promise(work: impl Future<Output = Result<web_sys::Response>> + 'static) -> Promise {
    future_to_promise(std::panic::AssertUnwindSafe(async {
        work.await.map(JsValue::from).map_err(JsValue::from)
    }))
}

/// Runs `work` when an alarm fires. The runtime waits for an answer and ignores what stands in it.
pub(super) fn alarm(work: impl Future<Output = ()> + 'static) -> Promise {
    promise(async {
        work.await;
        Ok(bindings::nothing())
    })
}

/// Deletes everything that an object has stored, its alarm too.
pub(super) async fn delete_all(state: &State) -> std::result::Result<(), Failure> {
    let deleted = state.storage().delete_all().await;
    deleted.map_err(|error| Failure::Retriable(error.to_string()))
}

/// Makes the function that `fetch` of an object passes a call's bytes to. The call stays bytes: JavaScript would make a
/// string of it and copy the string character by character. `answer` gets the id of the request beside it, and awaits nothing, so all
/// of its writes happen in one turn.
pub(super) fn answering(
    answer: impl Fn(&str, &str) -> std::result::Result<String, Failure> + 'static,
) -> Answering {
    Closure::new(move |call: Vec<u8>, request: String| {
        let call = String::from_utf8(call);
        let call = call.map_err(|error| Error::RustError(error.to_string()));
        let replied = call.and_then(|call| reply(answer(&call, &request)));
        replied.map_err(JsValue::from)
    })
}

/// Makes the response of an object's answer. An empty one has no body, because reading a body costs the caller a promise.
pub(super) fn reply(answer: std::result::Result<String, Failure>) -> Result<web_sys::Response> {
    match answer {
        Ok(reply) if reply.is_empty() => Ok(bindings::nothing()),
        Ok(reply) => Ok(web_sys::Response::new_with_opt_str(Some(&reply))?),
        Err(failure) => refuse(&failure).map(web_sys::Response::from),
    }
}

/// The id of the request that a call is made for, in the call's address; empty for none.
pub(super) fn request_of(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or_default()
}

/// The key that seals what is personal in the object with this id.
pub(super) fn at_rest<P: Platform>(
    platform: &P,
    id: &str,
) -> std::result::Result<[u8; 32], Failure> {
    let keyring = Keyring::of(platform).map_err(|why| Failure::Retriable(why.message))?;
    Ok(*Key::derived(keyring.naming(), "at rest", id).bytes())
}
