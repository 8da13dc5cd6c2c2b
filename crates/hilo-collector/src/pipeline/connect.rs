//! `GET /v1/oauth/callback`: a service sends a person back who connects a destination → `state` and code → the object that keeps the
//! tokens → a page.
//!
//! Only a `state` that the collector has signed reaches an object. People read this answer, so a refusal is a page too.

use crate::call::{Call, secret};
use crate::calls::tokens::{CodeAnswer, TokensCall, ask_tokens};
use crate::connect_link;
use crate::ingest::oauth::{Say, page};
use crate::platform::{Platform, Reply, log_line};

/// Takes what the service gave to the person.
pub(super) async fn callback<P: Platform>(call: &Call<'_, P>) -> Reply {
    let value = |name| call.incoming.query_value(name);
    let state = value("state").zip(secret(call.platform).ok());
    let Some((name, nonce)) = state.and_then(|(state, secret)| connect_link::read(&state, &secret))
    else {
        return page(&Say::Wrong, call);
    };
    // A program that asks for the head alone must not use the code up.
    let Some(code) = value("code").filter(|code| !code.is_empty() && call.incoming.method == "GET")
    else {
        let is_declined = value("error").is_some();
        return page(if is_declined { &Say::Declined } else { &Say::Wrong }, call);
    };
    let say = match ask_tokens(call.platform, &name, &TokensCall::Code { nonce, code }).await {
        Ok(CodeAnswer::Connected) => Say::Connected(name),
        Ok(CodeAnswer::Over) => Say::Over,
        Ok(CodeAnswer::Refused(reason)) => Say::Refused(reason),
        Err(failure) => {
            call.platform.log(&log_line("error", "connect", &[("why", failure.message())]));
            Say::Later
        }
    };
    page(&say, call)
}
