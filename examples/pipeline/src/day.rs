//! A day of one person, told from the timeline: two visits to the site, a call, a purchase in the store, an e-mail, a message, a refund.
//!
//! In: what page, telephone, till, mail service and messenger report in the course of the day. Out: the person's one timeline in order,
//! each touchpoint with its place under the lenses, and what the day comes to, as text.

use std::fmt::Write as _;

use hilo_collector::pipeline::serve;
use hilo_collector::platform::{Body, Incoming, Upload};
use hilo_collector::shell::memory::{Memory as Edge, run};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// The device of the two visits.
const DEVICE: &str = "5f0c7a3e-0000-4000-8000-000000000018";
/// The person, as the shop knows them.
const USER: &str = "customer-18";
/// The beginning of the day. The other times are minutes after it.
const MORNING: &str = "2026-11-18T08:00:00Z";

/// Who sends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sender {
    /// The page, under its public key.
    Page,
    /// The company's own systems, under the backend's key.
    Backend,
}

/// Tells the day.
///
/// # Errors
/// What kept the day from being told; a test fails then.
pub fn day() -> Result<String, String> {
    let morning: Timestamp = MORNING.parse().map_err(|error: jiff::Error| error.to_string())?;
    let edge = Edge::new(morning, None).map_err(|failure| failure.message().to_owned())?;
    edge.set_secret("WEBHOOK_SECRET", "whsec_aGlsby1nb2xkZW4td2ViaG9vay1zZWNyZXQtMzI=");
    edge.set_secret("HILO_ADMIN_TOKEN", "token");
    let mut clock = morning;
    for (minute, sender, event) in events() {
        let at = morning + SignedDuration::from_mins(minute);
        edge.advance(at.duration_since(clock));
        clock = at;
        send(&edge, sender, event, at)?;
    }
    // The device is linked, and its visits move into the timeline of the person.
    edge.advance(SignedDuration::from_mins(1));
    settle(&edge)?;
    let mut told = "\n== A day of one person, in one timeline.\n".to_owned();
    let page = get(&edge, &format!("/admin/v1/profiles/u:{USER}/events"))?;
    let rows = page.get("events").and_then(Value::as_array).cloned().unwrap_or_default();
    for row in rows.iter().rev() {
        let _ = writeln!(told, "   {}", line(row));
    }
    let shown = get(&edge, &format!("/admin/v1/profiles/u:{USER}"))?;
    let field = |pointer: &str| shown.pointer(pointer).cloned().unwrap_or_default();
    let _ = writeln!(
        told,
        "   devices {} user {}",
        field("/profile/anonymousIds"),
        field("/profile/userId")
    );
    let _ = writeln!(
        told,
        "   state {}, open questions {}",
        field("/figures/state"),
        field("/figures/openQuestions")
    );
    let _ = writeln!(told, "   orders {} net {}", field("/figures/orders"), field("/figures/net"));
    let _ = writeln!(told, "   messages {}", field("/figures/messages"));
    Ok(told)
}

/// The day: minute, sender, event.
fn events() -> Vec<(i64, Sender, Value)> {
    let page = |session: &str, path: &str, referrer: &str| {
        json!({
            "page": {"url": format!("https://shop.example{path}"), "referrer": referrer},
            "hilo": {"session": {"id": session}},
        })
    };
    let act = |name: &str, properties: Value| {
        let mut act = json!({"type": "track", "event": name, "userId": USER});
        if let Some(fields) = act.as_object_mut() {
            fields.insert("properties".to_owned(), properties);
        }
        act
    };
    let news = page("1", "/?utm_source=news&utm_medium=email&utm_campaign=autumn", "");
    let shelf = page("1", "/product/?id=H-101", "https://shop.example/");
    let search = page("2", "/product/?id=H-101", "https://www.google.com/");
    let sold =
        json!({"order_id": "S-1001", "affiliation": "store", "total": "89.90", "currency": "EUR"});
    let back =
        json!({"order_id": "S-1001", "refund_id": "R-1", "total": "20.00", "currency": "EUR"});
    vec![
        (65, Sender::Page, json!({"type": "page", "anonymousId": DEVICE, "context": news})),
        (
            66,
            Sender::Page,
            json!({"type": "track", "event": "Product Viewed", "anonymousId": DEVICE, "context": shelf}),
        ),
        (270, Sender::Page, json!({"type": "page", "anonymousId": DEVICE, "context": search})),
        (
            275,
            Sender::Backend,
            json!({"type": "identify", "userId": USER, "anonymousId": DEVICE, "traits": {}}),
        ),
        (300, Sender::Backend, act("Call Received", json!({"call_id": "c-1", "duration_s": 240}))),
        (555, Sender::Backend, act("Order Completed", sold)),
        (
            600,
            Sender::Backend,
            act("Email Opened", json!({"message_id": "mail-7", "campaign_id": "care"})),
        ),
        (690, Sender::Backend, act("Message Received", json!({"channel": "whatsapp"}))),
        (730, Sender::Backend, act("Order Refunded", back)),
    ]
}

/// One touchpoint in words.
fn line(row: &Value) -> String {
    let text = |pointer: &str| row.pointer(pointer).and_then(Value::as_str).unwrap_or("–");
    let seen =
        if row.pointer("/lens/visible") == Some(&Value::Bool(false)) { "unseen" } else { "seen" };
    format!(
        "{} {:<16} {:<14} {:<6} {} · {} · {}→{} · {seen}, {}, role {}",
        text("/timestamp").get(11..16).unwrap_or_default(),
        text("/touchpoint/kind"),
        text("/touchpoint/channel"),
        text("/touchpoint/state"),
        text("/lens/stage"),
        text("/lens/cycle"),
        text("/lens/experience"),
        text("/lens/goal"),
        text("/lens/owner"),
        text("/lens/role"),
    )
}

fn send(edge: &Edge, sender: Sender, mut event: Value, at: Timestamp) -> Result<(), String> {
    if let Some(fields) = event.as_object_mut() {
        fields.insert("messageId".to_owned(), json!(format!("day-{}", at.as_second())));
        fields.insert("timestamp".to_owned(), json!(at));
        fields.entry("properties").or_insert_with(|| json!({}));
    }
    let granted =
        json!({"categoryPreferences": {"functional": true, "analytics": true}, "revision": 1});
    let mut envelope = json!({"batch": [event], "sentAt": at, "context": {"consent": granted}});
    if let (Sender::Page, Some(fields)) = (sender, envelope.as_object_mut()) {
        fields.insert("writeKey".to_owned(), json!("wk_shop"));
    }
    let mut incoming = incoming("POST", "/_h/v1/batch", envelope.to_string().into_bytes());
    match sender {
        Sender::Page => incoming.headers.push("origin", "http://127.0.0.1:8787"),
        Sender::Backend => incoming.headers.push("authorization", "Bearer sk_dev_backend"),
    }
    let answer = answered(edge, incoming)?;
    if answer.get("accepted") != Some(&json!(1)) {
        return Err(answer.to_string());
    }
    Ok(())
}

fn get(edge: &Edge, path: &str) -> Result<Value, String> {
    let mut incoming = incoming("GET", path, Vec::new());
    incoming.headers.push("authorization", "Bearer token");
    answered(edge, incoming)
}

fn incoming(method: &str, path: &str, body: Vec<u8>) -> Incoming {
    Incoming {
        method: method.to_owned(),
        scheme: "http".to_owned(),
        host: "127.0.0.1:8787".to_owned(),
        path: path.to_owned(),
        body: Upload::Bytes(body),
        ..Incoming::default()
    }
}

fn answered(edge: &Edge, incoming: Incoming) -> Result<Value, String> {
    let reply = run(serve(incoming, edge)).map_err(|failure| failure.message().to_owned())?;
    settle(edge)?;
    let Body::Text(text) = reply.body else { return Ok(Value::Null) };
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

fn settle(edge: &Edge) -> Result<(), String> {
    let settled = run(edge.settle()).and_then(|settled| settled);
    settled.map_err(|failure| failure.message().to_owned())
}
