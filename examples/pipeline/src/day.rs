//! A day of one person, told from the timeline: two visits to the site, a call, a purchase in the store, an e-mail, a message, a refund.
//!
//! In: what page, telephone, till, mail service, messenger and backend report in the course of the day, each in its own way
//! (`senders.rs`). Out: the person's one timeline in order, each touchpoint with its place under the lenses, what the day comes to, and what each touch
//! is worth of the order, as text.

use std::fmt::Write as _;

use hilo_collector::pipeline::serve;
use hilo_collector::platform::{Body, Incoming};
use hilo_collector::shell::memory::{Memory as Edge, run};
use hilo_core::attribution::{Met, Path, PathRules, Rule, split, weights};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::senders::{self, SECRET, get};

/// The device of the two visits.
const DEVICE: &str = "5f0c7a3e-0000-4000-8000-000000000018";
/// The person, as the shop's own systems know them.
const USER: &str = "customer-18";
/// The person, as the telephone, the messenger, the mail service and the till know them.
pub(crate) const PHONE: &str = "+34600111222";
pub(crate) const EMAIL: &str = "ana@shop.example";
const LOYALTY: &str = "L-000917";
/// The beginning of the day. The other times are minutes after it; the sale stands in `till.csv` with the clock of Madrid.
const MORNING: &str = "2026-11-18T08:00:00Z";
/// The configuration: that of a developer's machine, and the other systems.
const CONFIG: &str = concat!(
    include_str!("../../../crates/hilo-collector/hilo.toml"),
    include_str!("../sources.toml")
);

/// Tells the day.
///
/// # Errors
/// What kept the day from being told; a test fails then.
pub fn day() -> Result<String, String> {
    let morning: Timestamp = MORNING.parse().map_err(|error: jiff::Error| error.to_string())?;
    let edge = Edge::new(morning, Some(CONFIG)).map_err(|failure| failure.message().to_owned())?;
    edge.set_secret("WEBHOOK_SECRET", "whsec_aGlsby1nb2xkZW4td2ViaG9vay1zZWNyZXQtMzI=");
    edge.set_secret("HILO_ADMIN_TOKEN", "token");
    edge.set_secret("VENDOR_SECRET", SECRET);
    edge.set_secret("META_CHALLENGE", "the token of the page");
    let mut clock = morning;
    for (minute, makes) in calls() {
        let at = morning + SignedDuration::from_mins(minute);
        edge.advance(at.duration_since(clock));
        clock = at;
        for call in makes(at)? {
            let (status, answer) = answered(&edge, call)?;
            if status != 200 || answer.pointer("/rejected/0").is_some() {
                return Err(format!("{status} {answer}"));
            }
        }
    }
    // The device is linked, and its visits move into the timeline of the person.
    edge.advance(SignedDuration::from_mins(1));
    settle(&edge)?;
    told(&edge)
}

/// What one system sends at a moment.
type Makes = fn(Timestamp) -> Result<Vec<Incoming>, String>;

/// The day: the minute, and what is sent.
fn calls() -> [(i64, Makes); 9] {
    [
        (65, |at| {
            let from = "/?utm_source=news&utm_medium=email&utm_campaign=autumn";
            Ok(senders::page(visit("page", "1", from, ""), at))
        }),
        (66, |at| {
            let view = visit("track", "1", "/product/?id=H-101", "https://shop.example/");
            Ok(senders::page(with(view, "event", json!("Product Viewed")), at))
        }),
        (270, |at| {
            let view = visit("page", "2", "/product/?id=H-101", "https://www.google.com/");
            Ok(senders::page(view, at))
        }),
        // The visitor signs in, and the backend has the addresses of the customer.
        (275, |at| {
            let traits = json!({"email": EMAIL, "phone": PHONE, "loyalty_id": LOYALTY});
            let link = json!({"type": "identify", "userId": USER, "anonymousId": DEVICE, "traits": traits});
            Ok(senders::backend(link, at))
        }),
        (300, |at| Ok(senders::telephone(at))),
        // The store has sold at 555, and its file comes a quarter of an hour later.
        (570, |_| senders::till()),
        (600, |at| Ok(senders::mail(at))),
        (690, |at| Ok(senders::whatsapp(at))),
        (730, |at| {
            let back = json!({"order_id": "S-1001", "refund_id": "R-1", "total": "20.00", "currency": "EUR"});
            let act = json!({"type": "track", "event": "Order Refunded", "userId": USER, "properties": back});
            Ok(senders::backend(act, at))
        }),
    ]
}

/// What the page tells of a visit.
fn visit(kind: &str, session: &str, path: &str, referrer: &str) -> Value {
    json!({
        "type": kind,
        "anonymousId": DEVICE,
        "context": {
            "page": {"url": format!("https://shop.example{path}"), "referrer": referrer},
            "hilo": {"session": {"id": session}},
        },
    })
}

fn with(mut event: Value, name: &str, value: Value) -> Value {
    if let Some(fields) = event.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
    event
}

/// What the collector has of the person.
fn told(edge: &Edge) -> Result<String, String> {
    let mut told = "\n== A day of one person, in one timeline.\n".to_owned();
    let (_, page) = answered(edge, get(&format!("/admin/v1/profiles/u:{USER}/events")))?;
    let rows = page.get("events").and_then(Value::as_array).cloned().unwrap_or_default();
    for row in rows.iter().rev() {
        let _ = writeln!(told, "   {}", line(row));
    }
    let (_, shown) = answered(edge, get(&format!("/admin/v1/profiles/u:{USER}")))?;
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
    let minor = |pointer: &str| field(pointer).as_str().and_then(|text| text.parse().ok());
    let [gross, returned] = ["/figures/orders/gross/EUR", "/figures/orders/returned/EUR"]
        .map(|pointer| minor(pointer).unwrap_or_default());
    told.push_str(&worth(&rows, gross, returned));
    Ok(told)
}

/// What each touch before the order is worth of it by each rule, in minor units, after what was returned.
fn worth(rows: &[Value], gross: i64, returned: i64) -> String {
    let text = |row: &Value, pointer: &str| {
        row.pointer(pointer).and_then(Value::as_str).map(str::to_owned)
    };
    let at = |row: &Value| text(row, "/timestamp").and_then(|at| at.parse::<Timestamp>().ok());
    let is_order = |row: &&Value| text(row, "/event").as_deref() == Some("Order Completed");
    let Some(ordered_at) = rows.iter().find(is_order).and_then(at) else { return String::new() };
    let met = |row: &Value| {
        let role = text(row, "/lens/role")?;
        let touch = text(row, "/touchpoint/channel")?;
        let is_touch = role == "arrival" || role == "contact";
        is_touch.then_some(Met { at: at(row)?, is_direct: touch == "Direct", touch })
    };
    let touches: Vec<_> = rows.iter().rev().filter_map(met).collect();
    let path = Path::of(&touches, ordered_at, None, PathRules::default());
    let mut told =
        "   what the order is worth to each touch before it, in cents, after the refund\n"
            .to_owned();
    for rule in Rule::ALL {
        let weights = weights(rule, &path.steps);
        let parts = split(gross, &weights).into_iter().zip(split(-returned, &weights));
        let each = path
            .touches
            .iter()
            .zip(parts)
            .map(|(channel, (given, taken))| format!("{channel} {}", given + taken));
        let _ = writeln!(told, "     {:<16} {}", rule.name(), each.collect::<Vec<_>>().join(", "));
    }
    told
}

/// One touchpoint in words.
fn line(row: &Value) -> String {
    let text = |pointer: &str| row.pointer(pointer).and_then(Value::as_str).unwrap_or("–");
    let seen =
        if row.pointer("/lens/visible") == Some(&Value::Bool(false)) { "unseen" } else { "seen" };
    format!(
        "{} {:<9} {:<16} {:<14} {:<6} {} · {} · {}→{} · {seen}, {}, role {}",
        text("/timestamp").get(11..16).unwrap_or_default(),
        text("/source"),
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

fn answered(edge: &Edge, incoming: Incoming) -> Result<(u16, Value), String> {
    let reply = run(serve(incoming, edge)).map_err(|failure| failure.message().to_owned())?;
    settle(edge)?;
    let Body::Text(text) = reply.body else { return Ok((reply.status, Value::Null)) };
    let answer = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    Ok((reply.status, answer))
}

fn settle(edge: &Edge) -> Result<(), String> {
    let settled = run(edge.settle()).and_then(|settled| settled);
    settled.map_err(|failure| failure.message().to_owned())
}
