//! THE list of touchpoints by name: what other systems report about people, with the properties of each.
//!
//! Name and properties → the same properties without what may not be kept, and remarks. A report is kept whatever it lacks, except an
//! order without its total. Segment's own names of carts and checkouts are not here, because pages send those.

use serde_json::Value;

use super::Properties;
use super::fields::Privacy;
use crate::outcome::{Code, Rejection};

/// Who began a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Initiator {
    /// The person.
    Person,
    /// The company.
    Company,
    /// Somebody else: a bank, a mail server.
    Other,
}

impl Initiator {
    /// The word in documents and facts.
    pub const fn name(self) -> &'static str {
        match self {
            Initiator::Person => "person",
            Initiator::Company => "company",
            Initiator::Other => "other",
        }
    }
}

/// The type of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// Text, or a number that is read as its digits.
    Id,
    /// A whole number, not below 0.
    Count,
    /// An amount: a number, or a decimal as text.
    Amount,
    /// `true` or `false`.
    Flag,
    /// A time as text.
    Time,
    /// A list of objects.
    List,
    /// One of these words.
    OneOf(&'static [&'static str]),
}

/// A property of a touchpoint.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// Its key.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Whether a report without it is remarked on.
    pub is_required: bool,
    /// How it must be treated.
    pub privacy: Privacy,
}

/// A touchpoint.
#[derive(Clone, Copy, Debug)]
pub struct Touchpoint {
    /// The event's name.
    pub name: &'static str,
    /// The channel of a report that names none.
    pub channel: Option<&'static str>,
    /// Who began it.
    pub initiator: Initiator,
    /// Whether the person perceives it.
    pub is_visible: bool,
    /// Its properties.
    pub properties: &'static [Property],
}

const fn may(name: &'static str, kind: Kind) -> Property {
    Property { name, kind, is_required: false, privacy: Privacy::Plain }
}

const fn must(name: &'static str, kind: Kind) -> Property {
    Property { name, kind, is_required: true, privacy: Privacy::Plain }
}

/// A property that singles somebody out, or a thing of theirs.
const fn names(name: &'static str, kind: Kind) -> Property {
    Property { name, kind, is_required: false, privacy: Privacy::Identifier }
}

const fn url(name: &'static str) -> Property {
    Property { name, kind: Kind::Text, is_required: false, privacy: Privacy::Url }
}

const fn row(
    name: &'static str,
    channel: Option<&'static str>,
    initiator: Initiator,
    is_visible: bool,
    properties: &'static [Property],
) -> Touchpoint {
    Touchpoint { name, channel, initiator, is_visible, properties }
}

use Initiator::{Company, Other, Person};
use Kind::{Amount, Count, Flag, Id, List, OneOf, Text, Time};

const PHONE: Option<&str> = Some("Phone");
const STORE: Option<&str> = Some("Store");
const SOCIAL: Option<&str> = Some("Social Contact");
const EMAIL: Option<&str> = Some("Email");

const CALL: &[Property] = &[
    must("call_id", Id),
    may("duration_s", Count),
    may("outcome", Text),
    may("purpose", OneOf(&["sales", "support"])),
    may("agent", Text),
    may("number_called", Text),
    may("missed_reason", Text),
    may("tags", List),
];
const MAIL: &[Property] = &[
    must("message_id", Id),
    may("campaign_id", Id),
    may("campaign_name", Text),
    may("list_id", Id),
    may("tags", List),
    may("machine", Flag),
    url("url"),
    may("bounce_type", OneOf(&["hard", "soft", "blocked"])),
    may("reason", Text),
];
const MESSAGE: &[Property] = &[
    must("message_id", Id),
    may("channel", OneOf(&["sms", "whatsapp", "email", "chat", "social", "push"])),
    may("length", Count),
    may("media", Count),
    may("conversation_id", Id),
    may("error_code", Id),
    may("campaign_id", Id),
    may("campaign_name", Text),
];
const ORDER: &[Property] = &[
    must("order_id", Id),
    must("total", Amount),
    must("currency", Text),
    may("revenue", Amount),
    may("tax", Amount),
    may("shipping", Amount),
    may("discount", Amount),
    may("coupon", Text),
    may("affiliation", Text),
    may("location_id", Id),
    may("cashier", Text),
    may("payment_method", Text),
    may("products", List),
];
const REFUND: &[Property] = &[
    must("order_id", Id),
    may("refund_id", Id),
    may("total", Amount),
    may("currency", Text),
    may("reason", Text),
    may("products", List),
];
const PAYMENT: &[Property] = &[
    must("payment_id", Id),
    must("amount", Amount),
    must("currency", Text),
    names("order_id", Id),
    may("location_id", Id),
    may("method", Text),
    may("reason", Text),
];
const TICKET: &[Property] = &[
    must("ticket_id", Id),
    may("status", Text),
    may("priority", Text),
    may("via", Text),
    may("tags", List),
];
const APPOINTMENT: &[Property] = &[
    must("appointment_id", Id),
    may("service", Text),
    may("starts_at", Time),
    may("location_id", Id),
    may("reason", Text),
];
const VISIT: &[Property] = &[must("location_id", Id), may("reason", Text), may("agent", Text)];
const SOCIAL_POST: &[Property] = &[
    must("post_id", Id),
    may("network", Text),
    may("reaction", Text),
    may("conversation_id", Id),
    url("url"),
];
const LEAD: &[Property] = &[
    must("lead_id", Id),
    may("form_id", Id),
    may("ad_id", Id),
    may("campaign_id", Id),
    may("network", Text),
];

/// Every touchpoint, in the order of the documentation.
pub const TOUCHPOINTS: &[Touchpoint] = &[
    row("Call Received", PHONE, Person, true, CALL),
    row("Call Missed", PHONE, Person, true, CALL),
    row("Call Made", PHONE, Company, true, CALL),
    row("Voicemail Left", PHONE, Person, true, CALL),
    row("Callback Requested", PHONE, Person, true, CALL),
    row("Store Visited", STORE, Person, true, VISIT),
    row("Order Completed", None, Person, true, ORDER),
    row("Order Refunded", None, Person, true, REFUND),
    row("Payment Succeeded", None, Person, true, PAYMENT),
    row("Payment Failed", None, Other, true, PAYMENT),
    row("Payment Disputed", None, Person, true, PAYMENT),
    row("Email Sent", EMAIL, Company, false, MAIL),
    row("Email Delivered", EMAIL, Company, false, MAIL),
    row("Email Opened", EMAIL, Person, true, MAIL),
    row("Email Link Clicked", EMAIL, Person, true, MAIL),
    row("Email Bounced", EMAIL, Other, false, MAIL),
    row("Email Marked as Spam", EMAIL, Person, true, MAIL),
    row("Email Unsubscribed", EMAIL, Person, true, MAIL),
    row("Message Received", None, Person, true, MESSAGE),
    row("Message Sent", None, Company, false, MESSAGE),
    row("Message Delivered", None, Company, false, MESSAGE),
    row("Message Read", None, Person, true, MESSAGE),
    row("Message Failed", None, Other, false, MESSAGE),
    row("Ticket Created", None, Person, true, TICKET),
    row("Ticket Updated", None, Company, true, TICKET),
    row("Ticket Solved", None, Company, true, TICKET),
    row("Appointment Booked", None, Person, true, APPOINTMENT),
    row("Appointment Attended", None, Person, true, APPOINTMENT),
    row("Appointment Cancelled", None, Person, true, APPOINTMENT),
    row("Appointment Rescheduled", None, Person, true, APPOINTMENT),
    row("Appointment Missed", None, Person, true, APPOINTMENT),
    row("Social Mentioned", SOCIAL, Person, true, SOCIAL_POST),
    row("Content Commented", SOCIAL, Person, true, SOCIAL_POST),
    row("Content Reacted", SOCIAL, Person, true, SOCIAL_POST),
    row("Lead Submitted", None, Person, true, LEAD),
];

/// Keys with what people wrote or said. No touchpoint keeps them: whoever reads a timeline must not read letters.
pub const CONTENT_KEYS: [&str; 12] = [
    "answers",
    "body",
    "comment",
    "comments",
    "content",
    "description",
    "html",
    "message",
    "note",
    "subject",
    "text",
    "transcript",
];

/// The properties in which an order's money may stand.
const MONEY_KEYS: [&str; 3] = ["total", "revenue", "value"];
/// The order's own name.
const ORDER_COMPLETED: &str = "Order Completed";

impl Touchpoint {
    /// The touchpoint of this name.
    pub fn of(event: &str) -> Option<&'static Touchpoint> {
        TOUCHPOINTS.iter().find(|touchpoint| touchpoint.name == event)
    }

    /// The channel of a report that names none.
    pub fn channel_of(&self, properties: &Properties) -> Option<&'static str> {
        let told = properties.get("channel").and_then(Value::as_str);
        match told {
            Some("store") => STORE,
            Some("sms") => Some("SMS"),
            Some("email") => EMAIL,
            Some("push") => Some("Mobile Push Notifications"),
            Some("social") => SOCIAL,
            Some("chat" | "whatsapp") => Some("Chat"),
            Some(_) | None => self.channel,
        }
    }
}

/// Checks what is reported under a name of the list. A property of another type, and what people wrote, are left out.
///
/// # Errors
/// An order without its total: revenue would be wrong in silence.
pub fn check(event: &str, properties: &mut Properties) -> Result<Vec<Rejection>, Rejection> {
    let Some(touchpoint) = Touchpoint::of(event) else { return Ok(Vec::new()) };
    let mut notices = Vec::new();
    for key in CONTENT_KEYS {
        if properties.remove(key).is_some() {
            let message = "hilo does not store what people write or say; it was left out";
            notices.push(Rejection::at(Code::NotKept, path(key), message));
        }
    }
    for property in touchpoint.properties {
        let Some(value) = properties.get(property.name).filter(|value| !value.is_null()) else {
            if property.is_required && !(property.name == "total" && has_money(properties)) {
                let message = "this touchpoint has such a property; the event was kept without it";
                notices.push(Rejection::at(Code::MissingField, path(property.name), message));
            }
            continue;
        };
        if !property.kind.fits(value) {
            properties.remove(property.name);
            let message = format!("send {} here; it was left out", property.kind.expected());
            notices.push(Rejection::at(Code::WrongType, path(property.name), message));
        }
    }
    if touchpoint.name == ORDER_COMPLETED && !has_money(properties) {
        let message =
            "an order has a total, such as \"59.90\": without it the revenue would be wrong";
        return Err(Rejection::at(Code::MissingField, path("total"), message));
    }
    Ok(notices)
}

fn has_money(properties: &Properties) -> bool {
    MONEY_KEYS.iter().any(|key| properties.get(*key).is_some_and(|value| Amount.fits(value)))
}

fn path(key: &str) -> String {
    format!("properties.{key}")
}

impl Kind {
    fn fits(self, value: &Value) -> bool {
        match self {
            Kind::Text | Kind::Time => value.is_string(),
            Kind::Id => value.is_string() || value.is_i64() || value.is_u64(),
            Kind::Count => value.is_u64() || value.as_str().is_some_and(is_digits),
            Kind::Amount => value.is_number() || value.as_str().is_some_and(is_decimal),
            Kind::Flag => value.is_boolean(),
            Kind::List => value.is_array(),
            Kind::OneOf(words) => value.as_str().is_some_and(|text| words.contains(&text)),
        }
    }

    /// What a sender has to send.
    pub fn expected(self) -> String {
        match self {
            Kind::Text => "text".to_owned(),
            Kind::Id => "text, or a number as its digits".to_owned(),
            Kind::Count => "a whole number".to_owned(),
            Kind::Amount => "a decimal number, such as `59.90`".to_owned(),
            Kind::Flag => "`true` or `false`".to_owned(),
            Kind::Time => "a time as text".to_owned(),
            Kind::List => "a list".to_owned(),
            Kind::OneOf(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                words.join(", ")
            }
        }
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_decimal(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    match text.split_once('.') {
        Some((whole, part)) => is_digits(whole) && is_digits(part),
        None => is_digits(text),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;

    #[track_caller]
    fn checked(event: &str, properties: &Value) -> (Result<Vec<String>, String>, Value) {
        let mut properties = properties.as_object().unwrap().clone();
        let said = |why: &Rejection| {
            format!("{} {}", why.code.name(), why.field.clone().unwrap_or_default())
        };
        let result = check(event, &mut properties);
        let result = result.map(|all| all.iter().map(said).collect()).map_err(|why| said(&why));
        (result, Value::Object(properties))
    }

    #[test]
    fn each_name_and_each_property_of_a_touchpoint_stands_once() {
        let names: BTreeSet<_> = TOUCHPOINTS.iter().map(|one| one.name).collect();
        assert_eq!(names.len(), TOUCHPOINTS.len());
        for touchpoint in TOUCHPOINTS {
            let keys: BTreeSet<_> = touchpoint.properties.iter().map(|one| one.name).collect();
            assert_eq!(keys.len(), touchpoint.properties.len(), "{}", touchpoint.name);
            assert!(keys.iter().all(|key| !CONTENT_KEYS.contains(key)), "{}", touchpoint.name);
        }
    }

    #[test]
    fn every_channel_of_the_list_is_one_that_the_profile_knows() {
        let told = ["store", "sms", "email", "push", "social", "chat", "whatsapp"];
        for touchpoint in TOUCHPOINTS {
            let of = |told: &&str| {
                let properties = json!({ "channel": told });
                touchpoint.channel_of(properties.as_object().unwrap())
            };
            for name in told.iter().map(of).chain([touchpoint.channel]).flatten() {
                let channel = serde_json::from_value::<crate::journey::Channel>(json!(name));
                assert!(channel.is_ok(), "{name}");
            }
        }
    }

    #[test]
    fn a_missing_property_is_remarked_on_and_the_call_is_kept() {
        let (result, _) = checked("Call Received", &json!({"duration_s": 12}));
        assert_eq!(result, Ok(vec!["missing_field properties.call_id".to_owned()]));
    }

    #[test]
    fn an_odd_property_costs_only_itself() {
        let told = json!({"call_id": 7, "duration_s": "long", "purpose": "sales", "own": [1]});
        let (result, left) = checked("Call Received", &told);
        assert_eq!(result, Ok(vec!["wrong_type properties.duration_s".to_owned()]));
        assert_eq!(left, json!({"call_id": 7, "purpose": "sales", "own": [1]}));
    }

    #[test]
    fn what_people_wrote_is_never_kept() {
        let told = json!({"message_id": "SM1", "body": "my card is 4111", "subject": "hi"});
        let (result, left) = checked("Message Received", &told);
        assert_eq!(result.unwrap().len(), 2);
        assert_eq!(left, json!({"message_id": "SM1"}));
    }

    #[test]
    fn an_order_without_money_is_refused_and_one_with_revenue_alone_is_not() {
        let refused = Err("missing_field properties.total".to_owned());
        for told in [json!({"order_id": "1"}), json!({"order_id": "1", "total": "much"})] {
            assert_eq!(checked("Order Completed", &told).0, refused, "{told}");
        }
        for told in [
            json!({"order_id": "1", "currency": "EUR", "total": "59.90"}),
            json!({"order_id": 1, "currency": "EUR", "revenue": 59.9}),
        ] {
            assert_eq!(checked("Order Completed", &told).0, Ok(vec![]), "{told}");
        }
        assert_eq!(checked("Order Refunded", &json!({"order_id": "1"})).0, Ok(vec![]));
    }

    #[test]
    fn a_report_that_names_no_channel_gets_that_of_its_touchpoint() {
        let channel = |event: &str, properties: &Value| {
            Touchpoint::of(event).unwrap().channel_of(properties.as_object().unwrap())
        };
        assert_eq!(channel("Call Made", &json!({})), Some("Phone"));
        assert_eq!(channel("Message Received", &json!({"channel": "whatsapp"})), Some("Chat"));
        assert_eq!(channel("Order Completed", &json!({"channel": "store"})), Some("Store"));
        assert_eq!(channel("Order Completed", &json!({})), None);
    }
}
