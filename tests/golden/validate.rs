//! An HTTP body and its circumstances → what each item is judged to be.
//!
//! In: `{path, source, config, deviceIds, gpc, contentEncoding, body | text, gzip, cut, append, repeat}`; `config` holds more
//! tables of `hilo.toml`. A body may hold `{"$repeat": "x", "$times": 9000}` for long text. Out: `refused` or `judged`; long text
//! is shown by its length.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use hilo_core::consent::Purpose;
use hilo_core::event::Facts;
use hilo_core::outcome::Rejection;
use hilo_core::testing::{browser_source, config_with, facts, server_source};
use hilo_core::validate::{Envelope, Judged, check, inflate, read_batch, read_single};
use serde_json::{Map, Value, json};

/// Bytes of text that a golden file shows in full.
const SHOWN_BYTES_MAX: usize = 300;

pub(crate) fn run(input: &Value) -> Value {
    let text = |key: &str| input.get(key).and_then(Value::as_str);
    let opened =
        inflate(&body(input), text("contentEncoding")).and_then(|body| match text("path") {
            Some("/v1/batch") | None => read_batch(&body),
            Some(path) => read_single(&body, path.trim_start_matches("/v1/")),
        });
    let mut source = match text("source") {
        Some("server") => server_source(&[]),
        Some("server-with-basis") => server_source(&[Purpose::Analytics]),
        _ => browser_source(),
    };
    let flag = |key: &str| input.get(key).is_some_and(|flag| flag == true);
    let gpc = flag("gpc");
    source.device_ids = flag("deviceIds");
    let facts = Facts { gpc, trust: source.trust(), ..facts() };
    let config = config_with(text("config").unwrap_or_default());
    match opened {
        Ok(envelope) => {
            let judged: Vec<_> =
                check(&envelope, &source, &config, &facts).iter().map(judged).collect();
            json!({ "envelope": header(&envelope), "judged": judged })
        }
        Err(refused) => json!({ "refused": rejection(&refused), "status": refused.code.status() }),
    }
}

/// The bytes on the wire.
fn body(input: &Value) -> Vec<u8> {
    let text = input.get("text").and_then(Value::as_str).map(str::to_owned);
    let text = text.unwrap_or_else(|| {
        let mut body = input.get("body").cloned().unwrap_or_default();
        expand(&mut body);
        if let (Some(times), Some(batch)) =
            (number(input, "repeat"), body.get_mut("batch").and_then(Value::as_array_mut))
        {
            *batch = batch.iter().cycle().take(times * batch.len()).cloned().collect();
        }
        body.to_string()
    });
    let mut bytes = text.into_bytes();
    if input.get("gzip").is_some_and(|gzip| gzip == true) {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        bytes = encoder.write_all(&bytes).and_then(|()| encoder.finish()).unwrap_or_default();
    }
    bytes.truncate(bytes.len().saturating_sub(number(input, "cut").unwrap_or(0)));
    bytes.extend_from_slice(
        input.get("append").and_then(Value::as_str).unwrap_or_default().as_bytes(),
    );
    bytes
}

fn number(input: &Value, key: &str) -> Option<usize> {
    input.get(key)?.as_u64()?.try_into().ok()
}

/// Writes out `{"$repeat": text, "$times": n}`.
fn expand(value: &mut Value) {
    if let (Some(text), Some(times)) =
        (value.get("$repeat").and_then(Value::as_str), number(value, "$times"))
    {
        *value = Value::String(text.repeat(times));
        return;
    }
    match value {
        Value::Array(values) => values.iter_mut().for_each(expand),
        Value::Object(object) => object.values_mut().for_each(expand),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Shows long text by its length.
fn shorten(value: &mut Value) {
    match value {
        Value::String(text) if text.len() > SHOWN_BYTES_MAX => {
            *text = format!("<{} bytes>", text.len())
        }
        Value::Array(values) => values.iter_mut().for_each(shorten),
        Value::Object(object) => object.values_mut().for_each(shorten),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn header(envelope: &Envelope) -> Value {
    json!({
        "writeKey": envelope.write_key,
        "sentAt": envelope.sent_at,
        "items": envelope.items.len(),
        "kind": envelope.kind,
    })
}

fn rejection(rejection: &Rejection) -> Value {
    json!(rejection)
}

fn judged(judged: &Judged) -> Value {
    let mut shown = Map::from_iter([("messageId".to_owned(), json!(judged.message_id))]);
    let mut show = |key: &str, value: Value| shown.insert(key.to_owned(), value);
    match &judged.result {
        Ok(event) => {
            show("event", json!(event));
        }
        Err(outcome) => {
            let redacted =
                judged.redacted.as_deref().and_then(|text| serde_json::from_str(text).ok());
            show("outcome", json!(outcome.name()));
            show("why", json!(outcome.rejection()));
            show("redacted", redacted.unwrap_or_default());
        }
    }
    if !judged.notices.is_empty() {
        show("notices", judged.notices.iter().map(rejection).collect());
    }
    let mut shown = Value::Object(shown);
    shorten(&mut shown);
    shown
}
