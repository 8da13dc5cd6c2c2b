//! One request to the collector and its answer. In: a `Request`. Out: an `Answer`, whatever happens, within the timeout.
//!
//! Bodies are `text/plain` so that batches need no preflight; calls that change something carry `X-Hilo`, which a
//! foreign page cannot send unasked.

use js_sys::{Array, Reflect};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{AbortController, RequestCredentials, RequestInit, Response, Window};

use super::browser::get;
use super::{Answer, Call, Request};

/// How long an answer may take (protocol.md).
const TIMEOUT_MS: i32 = 10_000;

/// Sends `request` and tells `then` what came back.
pub(super) fn post(
    window: &Window,
    endpoint: &str,
    request: Request,
    then: impl FnOnce(Answer) + 'static,
) {
    let (ticket, call) = (request.ticket, request.call);
    let mut url = String::from(endpoint);
    url.push_str(call.path());
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_body(&JsValue::from_str(&request.body));
    // Not part of web-sys yet. Without it a browser drops the request together with the page.
    let _ = Reflect::set(&init, &JsValue::from_str("keepalive"), &JsValue::TRUE);
    if call == Call::Batch {
        init.set_credentials(RequestCredentials::SameOrigin);
    } else {
        init.set_credentials(RequestCredentials::Include);
        if let Ok(headers) = web_sys::Headers::new() {
            let _ = headers.set("x-hilo", "1");
            init.set_headers(&headers);
        }
    }
    let abort = AbortController::new().ok();
    let stop = abort.clone();
    let too_late = Closure::once(move || stop.iter().for_each(AbortController::abort));
    if let Some(abort) = &abort {
        init.set_signal(Some(&abort.signal()));
    }
    let timer = window
        .set_timeout_with_callback_and_timeout_and_arguments_0(
            too_late.as_ref().unchecked_ref(),
            TIMEOUT_MS,
        )
        .ok();
    let window = window.clone();
    let sent = window.fetch_with_str_and_init(&url, &init);
    spawn_local(async move {
        let mut answer = Answer { ticket, ..Answer::default() };
        if let Ok(response) = JsFuture::from(sent).await
            && let Ok(response) = response.dyn_into::<Response>()
        {
            answer.status = response.status();
            answer.retry_after = response.headers().get("retry-after").ok().flatten();
            read(&response, &mut answer).await;
        }
        if let Some(timer) = timer {
            window.clear_timeout_with_handle(timer);
        }
        drop(too_late);
        then(answer);
    });
}

/// Picks from a body what the tracker acts on. The browser parses it.
async fn read(response: &Response, answer: &mut Answer) {
    if answer.status != 200 {
        return;
    }
    let Ok(body) = response.json() else { return };
    let Ok(body) = JsFuture::from(body).await else { return };
    answer.anonymous_id = get(&body, "anonymousId").and_then(|id| id.as_string());
    let rejected = get(&body, "rejected").and_then(|list| list.dyn_into::<Array>().ok());
    answer.rejected = rejected.map_or(0, |list| list.length());
}
