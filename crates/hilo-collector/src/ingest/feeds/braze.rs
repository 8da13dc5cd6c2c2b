//! Braze: message events, which it sends by itself (Currents, custom HTTP connector).
//!
//! A call with up to a hundred events → reports: what was sent, delivered, opened and clicked, and who wants no more. Events of other
//! kinds, which this site has sent to Braze itself, are not taken. Braze is never asked.

use hilo_core::config::{Problem, Settings};
use hilo_core::inbound::Who;
use serde::Deserialize;
use serde_json::Value;

use super::shape::{Called, Kind, Proof, Reader};
use super::words::{act, address, id, is_somebody, list, members, opt_out, seconds, text};
use crate::access::SecretName;

/// The row of the catalogue.
pub(super) const KIND: Kind =
    Kind { name: "braze", title: "Braze", load, every_minutes: None, daily_calls: 0 };

/// Braze's event type, the channel, and the act that it is.
const ACTS: [(&str, &str, &str); 20] = [
    ("users.messages.email.Send", "email", "Message Sent"),
    ("users.messages.email.Delivery", "email", "Email Delivered"),
    ("users.messages.email.Open", "email", "Email Opened"),
    ("users.messages.email.Click", "email", "Email Link Clicked"),
    ("users.messages.email.Bounce", "email", "Email Bounced"),
    ("users.messages.email.SoftBounce", "email", "Email Bounced"),
    ("users.messages.email.MarkAsSpam", "email", "Email Marked as Spam"),
    ("users.messages.email.Unsubscribe", "email", "Unsubscribed"),
    ("users.messages.pushnotification.Send", "push", "Message Sent"),
    ("users.messages.pushnotification.IosForeground", "push", "Push Notification Received"),
    ("users.messages.pushnotification.Open", "push", "Push Notification Tapped"),
    ("users.messages.pushnotification.Bounce", "push", "Push Notification Bounced"),
    ("users.messages.sms.Send", "sms", "Message Sent"),
    ("users.messages.sms.Delivery", "sms", "SMS Delivered"),
    ("users.messages.sms.DeliveryFailure", "sms", "SMS Failed"),
    ("users.messages.sms.Rejection", "sms", "SMS Failed"),
    ("users.messages.sms.ShortLinkClick", "sms", "SMS Link Clicked"),
    ("users.messages.sms.InboundReceive", "sms", "Message Received"),
    ("users.messages.whatsapp.Delivery", "whatsapp", "Message Delivered"),
    ("users.messages.whatsapp.InboundReceive", "whatsapp", "Message Received"),
];
/// A change of what a person wants from one channel.
const STATE_CHANGE: &str = "users.behaviors.subscription.GlobalStateChange";
/// The word for a soft bounce.
const SOFT: &str = "users.messages.email.SoftBounce";

/// Braze's settings.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Braze {
    /// The bearer token that Currents shows.
    token: SecretName,
}

fn load(settings: &Settings) -> Result<Box<dyn Reader>, Problem> {
    Ok(Box::new(settings.read::<Braze>()?))
}

impl Reader for Braze {
    fn proof(&self) -> Option<Proof<'_>> {
        Some(Proof::Bearer(&self.token))
    }

    fn called(&self, body: &Value) -> Called {
        let mut called = Called::default();
        for event in list(body, "events") {
            if !take(event, &mut called) {
                called.odd += 1;
            }
        }
        called
    }
}

/// Adds the reports of one event. Returns whether it is one that hilo takes.
fn take(event: &Value, called: &mut Called) -> bool {
    let who = Who {
        user_id: text(event, "user.external_user_id"),
        email: text(event, "properties.email_address"),
        phone: text(event, "properties.to_phone_number"),
        ..Who::default()
    };
    let (Some(kind), Some(of), true) =
        (text(event, "event_type"), text(event, "id"), is_somebody(&who))
    else {
        return false;
    };
    let by = (&who, seconds(event, "time"));
    if kind == STATE_CHANGE {
        let channel = text(event, "properties.channel").unwrap_or_else(|| "email".to_owned());
        let is_end =
            text(event, "properties.subscription_status").as_deref() == Some("unsubscribed");
        called.reports.extend(is_end.then(|| opt_out(of, &channel, by)));
        return is_end;
    }
    let Some((_, channel, name)) = ACTS.iter().find(|(known, ..)| *known == kind) else {
        return false;
    };
    let details = |path: &str| text(event, &format!("properties.{path}")).map(Value::from);
    let properties = members([
        ("campaign_id", details("campaign_id").or_else(|| details("canvas_id"))),
        ("campaign_name", details("campaign_name").or_else(|| details("canvas_name"))),
        ("variation_id", details("message_variation_id").or_else(|| details("canvas_step_id"))),
        ("message_id", id(event, "properties.dispatch_id").map(Value::from)),
        (
            "link_url",
            address(event, "properties.link_url").or_else(|| address(event, "properties.url")),
        ),
        ("reason", details("bounce_reason").or_else(|| details("error"))),
        ("is_soft", (kind == SOFT).then_some(Value::Bool(true))),
        (
            "is_machine",
            event.pointer("/properties/machine_open").map(is_true).filter(Value::is_boolean),
        ),
    ]);
    if *name == "Unsubscribed" {
        called.reports.push(opt_out(format!("{of}:out"), channel, by));
    }
    called.reports.push(act(of, name, channel, by, properties));
    true
}

/// Braze writes this flag as a text; nothing where it is not set.
fn is_true(value: &Value) -> Value {
    let is_set = value.as_bool() == Some(true) || value.as_str() == Some("true");
    if is_set { Value::Bool(true) } else { Value::Null }
}
