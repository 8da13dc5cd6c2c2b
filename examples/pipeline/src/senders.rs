//! How each system of the day tells what it knows: the page and the backend send events, the services call in their own forms and sign, and
//! the till's file is read as `cargo xtask import` reads it.
//!
//! In: a moment. Out: calls of the collector.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hilo_collector::platform::{Incoming, Upload};
use hilo_collector::signature::{hex, sign};
use jiff::Timestamp;
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use crate::day::{EMAIL, PHONE};

/// What the services sign with.
pub(crate) const SECRET: &str = "the secret of a service";
/// The address at which the telephone calls, as `sources.toml` has it.
const TELEPHONE: &str = "https://shop.example/_h/v1/in/telephone";

/// The page sends an event under its public key.
pub(crate) fn page(event: Value, at: Timestamp) -> Vec<Incoming> {
    let mut call = batch(event, at, json!({"writeKey": "wk_shop"}));
    call.headers.push("origin", "http://127.0.0.1:8787");
    vec![call]
}

/// The backend sends an event under its own key.
pub(crate) fn backend(event: Value, at: Timestamp) -> Vec<Incoming> {
    let mut call = batch(event, at, json!({}));
    call.headers.push("authorization", "Bearer sk_dev_backend");
    vec![call]
}

fn batch(mut event: Value, at: Timestamp, mut envelope: Value) -> Incoming {
    let granted =
        json!({"categoryPreferences": {"functional": true, "analytics": true}, "revision": 1});
    put(&mut event, "messageId", json!(format!("day-{}", at.as_second())));
    put(&mut event, "timestamp", json!(at));
    put(&mut envelope, "batch", json!([event]));
    put(&mut envelope, "sentAt", json!(at));
    put(&mut envelope, "context", json!({"consent": granted}));
    incoming("POST", "/_h/v1/batch", envelope.to_string())
}

fn put(object: &mut Value, name: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}

/// Twilio tells the end of a call. It signs its address and the fields of the form, sorted.
pub(crate) fn telephone(at: Timestamp) -> Vec<Incoming> {
    let fields = [
        ("CallDuration", "240".to_owned()),
        ("CallSid", "CA0018".to_owned()),
        ("CallStatus", "completed".to_owned()),
        ("Direction", "inbound".to_owned()),
        ("From", PHONE.to_owned()),
        ("Timestamp", at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()),
        ("To", "+34910000000".to_owned()),
    ];
    let signed: String = fields.iter().map(|(name, value)| format!("{name}{value}")).collect();
    let tag = sign(SECRET.as_bytes(), format!("{TELEPHONE}{signed}").as_bytes());
    let body = Serializer::new(String::new()).extend_pairs(&fields).finish();
    let mut call = incoming("POST", "/_h/v1/in/telephone", body);
    call.headers.push("content-type", "application/x-www-form-urlencoded");
    call.headers.push("x-twilio-signature", STANDARD.encode(tag));
    vec![call]
}

/// Klaviyo tells that an e-mail was opened. It signs the body and the time.
pub(crate) fn mail(at: Timestamp) -> Vec<Incoming> {
    let properties = json!({"$message": "mail-7", "Campaign Name": "Care"});
    let opened = json!({
        "external_id": "k-1",
        "topic": "event:klaviyo.opened_email",
        "payload": {
            "data": {"attributes": {"datetime": at, "event_properties": properties}},
            "included": [{"type": "profile", "attributes": {"email": EMAIL}}],
        },
    });
    let (body, stamp) = (json!({"data": [opened]}).to_string(), at.as_second());
    let tag = sign(SECRET.as_bytes(), format!("{body}{stamp}").as_bytes());
    let mut call = incoming("POST", "/_h/v1/in/mail", body);
    call.headers.push("content-type", "application/json");
    call.headers.push("klaviyo-timestamp", stamp.to_string());
    call.headers.push("klaviyo-signature", hex(&tag));
    vec![call]
}

/// Meta tells of a message by WhatsApp. It signs the body.
pub(crate) fn whatsapp(at: Timestamp) -> Vec<Incoming> {
    let message = json!({
        "from": PHONE.trim_start_matches('+'),
        "id": "wamid.18",
        "timestamp": at.as_second().to_string(),
        "type": "text",
        "text": {"body": "May I change the color?"},
    });
    let value = json!({"messaging_product": "whatsapp", "messages": [message]});
    let entry = json!({"id": "1", "changes": [{"field": "messages", "value": value}]});
    let body = json!({"object": "whatsapp_business_account", "entry": [entry]}).to_string();
    let tag = sign(SECRET.as_bytes(), body.as_bytes());
    let mut call = incoming("POST", "/_h/v1/in/whatsapp", body);
    call.headers.push("content-type", "application/json");
    call.headers.push("x-hub-signature-256", format!("sha256={}", hex(&tag)));
    vec![call]
}

/// The till's file, as the calls that `cargo xtask import till.csv --source till --kind orders …` sends.
pub(crate) fn till() -> Result<Vec<Incoming>, String> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/till.csv");
    let flags = "--source till --kind orders --timezone Europe/Madrid --currency EUR";
    let arguments: Vec<_> = [file].into_iter().chain(flags.split(' ')).map(Into::into).collect();
    let mut read = Vec::new();
    hilo_import::run(arguments, &mut read).map_err(|problem| problem.0)?;
    let read = String::from_utf8(read).map_err(|error| error.to_string())?;
    // The first part says what comes.
    let calls = read.split("\n\n").skip(1).filter(|call| !call.is_empty());
    let call = |(seq, rows): (usize, &str)| {
        let mut call = incoming("POST", "/admin/v1/import", rows.to_owned());
        call.query = "source=till&kind=orders".to_owned();
        call.headers.push("authorization", "Bearer token");
        call.headers.push("import-id", "5f0c7a3e-0000-8000-8000-000000000001");
        call.headers.push("import-seq", seq.to_string());
        call
    };
    Ok(calls.enumerate().map(call).collect())
}

/// An admin call that reads.
pub(crate) fn get(path: &str) -> Incoming {
    let mut call = incoming("GET", path, String::new());
    call.headers.push("authorization", "Bearer token");
    call
}

fn incoming(method: &str, path: &str, body: String) -> Incoming {
    Incoming {
        method: method.to_owned(),
        scheme: "http".to_owned(),
        host: "127.0.0.1:8787".to_owned(),
        path: path.to_owned(),
        body: Upload::Bytes(body.into_bytes()),
        ..Incoming::default()
    }
}
