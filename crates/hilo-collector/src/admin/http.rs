//! Reads the requests of admin calls, and writes their answers.
//!
//! Method, query and body → values or a refusal; answers → JSON. This file sends nothing to an object.

use hilo_core::outcome::{Code, Rejection};
use hilo_core::strict::read_bytes;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::call::Call;
use crate::calls::PAGE_ROWS_MAX;
use crate::platform::{Incoming, Reply, Upload};

/// Refuses a call with another method than `wanted`. Whoever may GET may ask for the head alone.
///
/// # Errors
/// `method_not_allowed`.
pub(super) fn called_with<P>(wanted: &str, call: &Call<'_, P>) -> Result<(), Rejection> {
    let method = call.incoming.method.as_str();
    if method == wanted || (wanted, method) == ("GET", "HEAD") {
        return Ok(());
    }
    Err(Rejection::new(Code::MethodNotAllowed, format!("this path is called with {wanted}")))
}

/// Reads a body whose fields `GET /admin/v1/` names.
pub(super) fn body<T: DeserializeOwned + Default>(incoming: &Incoming) -> Result<T, Rejection> {
    body_as(incoming, "send the fields that GET /admin/v1/ names for this call, each optional")
}

/// Reads a body; `message` says what it has.
pub(super) fn body_as<T: DeserializeOwned + Default>(
    incoming: &Incoming,
    message: &str,
) -> Result<T, Rejection> {
    match &incoming.body {
        Upload::Absent => Ok(T::default()),
        Upload::Bytes(bytes) if bytes.is_empty() => Ok(T::default()),
        Upload::Bytes(bytes) => {
            read_bytes(bytes).ok_or_else(|| Rejection::new(Code::MalformedBody, message))
        }
        Upload::TooLarge => Err(Rejection::new(Code::BodyTooLarge, "the body is too large")),
        Upload::Broken => Err(Rejection::new(Code::MalformedBody, "the body was cut short")),
    }
}

/// The start of the time range from `?since=`, milliseconds since the epoch.
pub(super) fn since(incoming: &Incoming) -> Result<i64, Rejection> {
    Ok(time_ms("since", incoming.query_value("since").as_deref())?.unwrap_or(0))
}

/// Reads RFC 3339 or milliseconds since the epoch from the field `name`. `None` for a missing text.
pub(super) fn time_ms(name: &str, text: Option<&str>) -> Result<Option<i64>, Rejection> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    text.parse::<i64>()
        .ok()
        .or_else(|| text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond))
        .filter(|ms| (0..=8_640_000_000_000_000).contains(ms))
        .map(Some)
        .ok_or_else(|| {
            Rejection::at(Code::WrongType, name, "a time as RFC 3339 writes it, or milliseconds")
        })
}

/// The number of rows from `?limit=`.
pub(super) fn limit(incoming: &Incoming) -> Result<u32, Rejection> {
    match incoming.query_value("limit") {
        None => Ok(PAGE_ROWS_MAX),
        Some(text) => {
            text.parse().ok().filter(|limit| (1..=PAGE_ROWS_MAX).contains(limit)).ok_or_else(|| {
                Rejection::at(Code::WrongType, "limit", format!("1 to {PAGE_ROWS_MAX}"))
            })
        }
    }
}

/// The answer of a call that succeeded.
pub(super) fn ok(answer: &impl serde::Serialize) -> Reply {
    match serde_json::to_string(answer) {
        Ok(text) => Reply::json(200, text),
        Err(why) => error(&Rejection::new(Code::Unavailable, why.to_string())),
    }
}

/// The answer of a call that is refused, in the shape that every refusal of the collector has.
pub(super) fn error(why: &Rejection) -> Reply {
    let body = json!({ "code": why.code, "message": why.message, "error": why });
    Reply::json(why.code.status(), body.to_string())
}
