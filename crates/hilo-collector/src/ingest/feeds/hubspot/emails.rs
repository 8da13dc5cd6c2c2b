//! E-mail events of HubSpot: the request for a page of them, newest first, and what each tells.
//!
//! A time range and a page → the request, its answer → reports. Of people these events name the address alone.

use hilo_core::inbound::{Report, Who};
use jiff::Timestamp;
use serde_json::Value;

use super::super::shape::Page;
use super::super::words::{act, address, at, get, id, list, members, millis, opt_out, query, text};
use crate::platform::Outgoing;

/// E-mail events of one page.
const EVENTS_MAX: &str = "300";
/// E-mail events, and the acts that they are.
const ACTS: [(&str, &str); 6] = [
    ("SENT", "Message Sent"),
    ("DELIVERED", "Email Delivered"),
    ("OPEN", "Email Opened"),
    ("CLICK", "Email Link Clicked"),
    ("BOUNCE", "Email Bounced"),
    ("SPAMREPORT", "Email Marked as Spam"),
];

/// The request for a page of the events between two times.
pub(super) fn asked(
    host: &str,
    (since, to): (Timestamp, Timestamp),
    offset: Option<&str>,
    token: &str,
) -> Outgoing {
    let (from, to) = (since.as_millisecond().to_string(), to.as_millisecond().to_string());
    let mut pairs =
        vec![("startTimestamp", from.as_str()), ("endTimestamp", &to), ("limit", EVENTS_MAX)];
    pairs.extend(offset.map(|offset| ("offset", offset)));
    get(format!("{host}/email/public/v1/events?{}", query(&pairs)), token)
}

/// Adds the reports of e-mail events.
pub(super) fn read(answer: &Value, page: &mut Page) {
    for event in list(answer, "events") {
        match of_event(event) {
            Some(reports) => page.reports.extend(reports),
            None => page.odd += 1,
        }
    }
}

/// What an e-mail event tells. One of a kind that hilo does not take tells nothing, and nothing is wrong.
fn of_event(event: &Value) -> Option<Vec<Report>> {
    let (of, kind) = (id(event, "id")?, text(event, "type")?);
    let who = Who { email: Some(text(event, "recipient")?), ..Who::default() };
    let created_at = millis(event, "created")?;
    let by = (&who, Some(created_at));
    // An event is known by its id and its time.
    let of = format!("email:{of}:{}", created_at.as_millisecond());
    let properties = members([
        ("campaign_id", id(event, "emailCampaignId").map(Value::from)),
        ("message_id", id(event, "sendId").or_else(|| id(event, "sentBy.id")).map(Value::from)),
        ("email_subject", text(event, "subject").map(Value::from)),
        ("link_url", address(event, "url")),
        ("reason", text(event, "category").map(Value::from)),
        ("is_machine", at(event, "filteredEvent").filter(|is| **is == Value::Bool(true)).cloned()),
    ]);
    if let Some((_, name)) = ACTS.iter().find(|(known, _)| *known == kind) {
        return Some(vec![act(of, name, "email", by, properties)]);
    }
    let ends = text(event, "portalSubscriptionStatus").as_deref() == Some("UNSUBSCRIBED");
    if kind != "STATUSCHANGE" || !ends {
        return Some(Vec::new());
    }
    let out = opt_out(format!("{of}:out"), "email", by);
    Some(vec![act(of, "Unsubscribed", "email", by, properties), out])
}
