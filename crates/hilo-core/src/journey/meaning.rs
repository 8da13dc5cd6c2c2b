//! What an event means for the profile beside its time, ids and traits: an order, a refund, the fate of a message, a contact.
//! In: an event. Out: a [`Meaning`], the touchpoint's kind and its contact channel. Decides nothing about the person.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::sort::{Fate, OrderStep, Sort, sort_of};
use super::{Channel, Worth};
use crate::consent::{OptInChannel, OptInState};
use crate::event::{Event, EventKind, OPT_IN_CONFIRMED, OPT_IN_WITHDRAWN, Properties};

/// The kind of a touchpoint that opens a visit.
pub const VISIT_STARTED: &str = "Visit Started";

/// Bytes of an id of another system that the profile keeps. A longer id is cut.
const ID_BYTES_MAX: usize = 128;

/// What an event means for the profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// A step of an order.
    Order {
        /// The order's id, or that of the event.
        id: String,
        /// The step.
        step: OrderStep,
        /// What the order is worth, with shipping and tax.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        total: Option<Worth>,
    },
    /// A refund.
    Refund {
        /// The order's id.
        order: String,
        /// The refund's own id, or that of the event.
        id: String,
        /// The amount; absent for the whole order.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        amount: Option<Worth>,
    },
    /// What became of a message.
    Message {
        /// The message's id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// The way that it went: `email`, `sms`, `whatsapp` …
        way: String,
        /// What became of it.
        fate: Fate,
        /// The conversation that it answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        talk: Option<String>,
        /// The link of a click.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        followed: Option<Followed>,
    },
    /// A turn of a conversation.
    Talk {
        /// The conversation's id, or the way that it goes.
        id: String,
        /// Whose turn it was.
        turn: Turn,
    },
    /// A review or a recommendation.
    Belongs,
    /// A number of the loyalty program.
    Loyalty {
        /// The number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        number: Option<String>,
    },
    /// The person has chosen about a channel. Only the collector's own ledger tells it.
    OptIn {
        /// The channel.
        channel: OptInChannel,
        /// The choice.
        state: OptInState,
    },
}

/// A link of a message that was followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Followed {
    /// A hash of the link, where the event names it: it only tells links of one message apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<u32>,
    /// Whether the service says that a machine followed it.
    #[serde(default, rename = "machine", skip_serializing_if = "std::ops::Not::not")]
    pub by_machine: bool,
}

/// A turn of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// The person asks.
    Asked,
    /// The company answers.
    Answered,
    /// It is over.
    Closed,
}

/// What an event is as a moment of contact, before anybody knows whose it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contact {
    /// The touchpoint's kind: the act's name, or the event's type.
    pub kind: String,
    /// What it is about, where its kind alone does not say so: `lead`, `support`, `sales`, `newsletter`.
    pub about: Option<String>,
    /// The contact channel, which counts before that of the visit.
    pub channel: Option<Channel>,
    /// Whether the company and the person met by that channel.
    pub is_meeting: bool,
    /// What it means for the profile.
    pub meaning: Option<Meaning>,
}

impl Contact {
    /// Reads an event.
    pub fn of(event: &Event) -> Contact {
        let EventKind::Track { event: name, properties } = &event.kind else {
            return Contact { kind: kind_of(event).to_owned(), ..Contact::default() };
        };
        let mut contact = Contact {
            kind: name.clone(),
            about: text(properties, &["form_purpose", "purpose"]),
            ..Contact::default()
        };
        if event.is_optin_change() {
            contact.meaning = optin(name, properties);
        } else if let Some(sort) = sort_of(name) {
            contact.channel = channel_of(sort, properties, event);
            contact.is_meeting = match sort {
                Sort::Asks(_) | Sort::Answers(_) | Sort::Meets(_) => true,
                Sort::Message(_, Fate::Clicked | Fate::Replied) => !is_by_machine(properties),
                Sort::Order(OrderStep::Placed) => contact.channel.is_some(),
                Sort::Order(_)
                | Sort::Refund
                | Sort::Message(..)
                | Sort::Closes(_)
                | Sort::Belongs
                | Sort::Loyalty => false,
            };
            contact.meaning = meaning(sort, properties, event);
        }
        contact
    }
}

/// Whether an act with this name is a click on a link of a message.
pub fn is_click(kind: &str) -> bool {
    matches!(sort_of(kind), Some(Sort::Message(_, Fate::Clicked)))
}

/// The kind of a touchpoint that is no named act.
fn kind_of(event: &Event) -> &'static str {
    match &event.kind {
        EventKind::Page { .. } | EventKind::Screen { .. } if event.context.hilo.touch.is_some() => {
            VISIT_STARTED
        }
        EventKind::Page { .. }
        | EventKind::Screen { .. }
        | EventKind::Track { .. }
        | EventKind::Identify { .. }
        | EventKind::Group { .. }
        | EventKind::Alias { .. } => event.kind.name(),
    }
}

/// The contact channel. An order has one where it was placed in a store, by telephone or at a partner.
fn channel_of(sort: Sort, properties: &Properties, event: &Event) -> Option<Channel> {
    let told = || {
        let named = way(properties).or_else(|| event.context.channel.clone());
        named.as_deref().and_then(channel_named)
    };
    match sort {
        Sort::Message(channel, _)
        | Sort::Asks(channel)
        | Sort::Answers(channel)
        | Sort::Closes(channel)
        | Sort::Meets(channel) => channel.or_else(told),
        Sort::Order(OrderStep::Placed) => {
            let at = text(properties, &["affiliation"]);
            let at = at.as_deref().and_then(channel_named).or_else(told);
            at.filter(|one| matches!(one, Channel::Store | Channel::Phone | Channel::Partner))
        }
        Sort::Order(_) | Sort::Refund | Sort::Belongs | Sort::Loyalty => None,
    }
}

/// The way that a message or a conversation goes.
fn way(properties: &Properties) -> Option<String> {
    text(properties, &["channel", "via"])
}

/// The contact channel with this name, as people and other systems write it.
fn channel_named(name: &str) -> Option<Channel> {
    Some(match name.to_ascii_lowercase().as_str() {
        "store" | "pos" | "tpv" | "tienda" => Channel::Store,
        "phone" | "call" | "voice" | "telephone" => Channel::Phone,
        "chat" | "whatsapp" | "messenger" | "telegram" | "live_chat" | "rcs" => Channel::Chat,
        "post" | "letter" => Channel::Post,
        "event" | "fair" => Channel::Event,
        "social" | "instagram" | "facebook" | "tiktok" | "x" | "twitter" => Channel::SocialContact,
        "partner" | "marketplace" => Channel::Partner,
        "email" | "mail" => Channel::Email,
        "sms" => Channel::Sms,
        "push" => Channel::MobilePush,
        _ => return None,
    })
}

/// The way that the messages of a channel go.
fn way_of(channel: Channel) -> Option<&'static str> {
    match channel {
        Channel::Email => Some("email"),
        Channel::Sms => Some("sms"),
        Channel::MobilePush => Some("push"),
        Channel::Post => Some("post"),
        Channel::Phone => Some("phone"),
        Channel::Chat => Some("chat"),
        Channel::Store => Some("store"),
        Channel::SocialContact => Some("social"),
        Channel::Partner => Some("partner"),
        Channel::Event => Some("event"),
        Channel::Direct
        | Channel::CrossNetwork
        | Channel::PaidShopping
        | Channel::PaidSearch
        | Channel::PaidSocial
        | Channel::PaidVideo
        | Channel::Display
        | Channel::PaidOther
        | Channel::OrganicShopping
        | Channel::OrganicSocial
        | Channel::OrganicVideo
        | Channel::OrganicSearch
        | Channel::Referral
        | Channel::AiAssistant
        | Channel::Affiliates
        | Channel::Audio
        | Channel::Unassigned => None,
    }
}

fn meaning(sort: Sort, properties: &Properties, event: &Event) -> Option<Meaning> {
    let own_id = || event.message_id.clone();
    let order = || text(properties, &["order_id"]);
    let talk = || text(properties, &["conversation_id", "ticket_id", "thread_id"]);
    Some(match sort {
        Sort::Order(step) => Meaning::Order {
            // An order without an id is an order all the same. What becomes of an order needs its id.
            id: order().or_else(|| (step == OrderStep::Placed).then(own_id))?,
            step,
            total: Worth::of(properties, &["total", "revenue", "value"]),
        },
        Sort::Refund => Meaning::Refund {
            order: order()?,
            id: text(properties, &["refund_id"]).unwrap_or_else(own_id),
            amount: Worth::of(properties, &["total", "amount", "revenue", "value"]),
        },
        Sort::Message(channel, fate) => {
            let by_machine = is_by_machine(properties);
            Meaning::Message {
                id: text(properties, &["message_id", "email_id", "sms_id", "push_id", "letter_id"]),
                way: message_way(channel, properties),
                fate: if by_machine && fate == Fate::Opened { Fate::OpenedByMachine } else { fate },
                talk: talk().filter(|_| fate == Fate::Sent),
                followed: (fate == Fate::Clicked).then(|| Followed {
                    link: text(properties, &["link_url", "url", "link"]).map(|link| hash(&link)),
                    by_machine,
                }),
            }
        }
        Sort::Asks(channel) => turn(talk(), channel, properties, Turn::Asked),
        Sort::Answers(channel) => turn(talk(), channel, properties, Turn::Answered),
        Sort::Closes(channel) => turn(talk(), channel, properties, Turn::Closed),
        Sort::Meets(_) => return None,
        Sort::Belongs => Meaning::Belongs,
        Sort::Loyalty => Meaning::Loyalty {
            number: text(properties, &["loyalty_id", "loyalty_number", "card_number"]),
        },
    })
}

/// Whether the service says that a machine opened or followed something.
fn is_by_machine(properties: &Properties) -> bool {
    ["machine", "is_machine"].iter().any(|name| properties.get(*name) == Some(&Value::Bool(true)))
}

/// FNV-1a, 32 bits.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

fn turn(
    talk: Option<String>,
    channel: Option<Channel>,
    properties: &Properties,
    turn: Turn,
) -> Meaning {
    Meaning::Talk { id: talk.unwrap_or_else(|| message_way(channel, properties)), turn }
}

fn message_way(channel: Option<Channel>, properties: &Properties) -> String {
    let own = channel.and_then(way_of).map(str::to_owned);
    own.or_else(|| way(properties).map(|one| one.to_ascii_lowercase()))
        .unwrap_or_else(|| "other".to_owned())
}

fn optin(name: &str, properties: &Properties) -> Option<Meaning> {
    let state = match name {
        OPT_IN_CONFIRMED => OptInState::Subscribed,
        OPT_IN_WITHDRAWN => OptInState::Unsubscribed,
        _ => return None,
    };
    let channel = properties.get("channel").and_then(Value::as_str)?;
    Some(Meaning::OptIn { channel: OptInChannel::from_name(channel)?, state })
}

/// The first of these properties that has a text or a number.
fn text(properties: &Properties, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| {
        let text = match properties.get(*name)? {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
        };
        let end = text.floor_char_boundary(ID_BYTES_MAX);
        text.get(..end).filter(|text| !text.is_empty()).map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn contact(name: &str, properties: &Value) -> Contact {
        let event = json!({
            "messageId": "m1", "type": "track", "event": name, "properties": properties, "context": {},
            "timestamp": "2026-11-24T10:00:00Z", "receivedAt": "2026-11-24T10:00:00Z",
        });
        Contact::of(&serde_json::from_value(event).unwrap())
    }

    #[test]
    fn an_order_is_in_a_store_where_its_sender_says_so() {
        let sold = json!({"order_id": "1", "affiliation": "store", "total": 12, "currency": "EUR"});
        let store = contact("Order Completed", &sold);
        assert_eq!((store.channel, store.is_meeting), (Some(Channel::Store), true));
        let web = contact("Order Completed", &json!({"order_id": "1", "channel": "email"}));
        assert_eq!((web.channel, web.is_meeting), (None, false));
    }

    #[test]
    fn an_opening_by_a_machine_is_told_apart() {
        let fate = |properties: &Value| match contact("Email Opened", properties).meaning {
            Some(Meaning::Message { fate, way, .. }) => (fate, way),
            other => panic!("{other:?}"),
        };
        assert_eq!(fate(&json!({})), (Fate::Opened, "email".to_owned()));
        assert_eq!(fate(&json!({"machine": true})).0, Fate::OpenedByMachine);
    }

    #[test]
    fn an_order_without_an_id_counts_by_its_event_and_a_refund_without_one_does_not() {
        let placed = contact("Order Completed", &json!({})).meaning;
        assert!(matches!(placed, Some(Meaning::Order { id, .. }) if id == "m1"));
        assert_eq!(contact("Order Refunded", &json!({})).meaning, None);
        assert_eq!(contact("Order Shipped", &json!({})).meaning, None);
    }

    #[test]
    fn a_message_by_a_messenger_is_a_contact_in_a_chat() {
        let received = contact("Message Received", &json!({"channel": "whatsapp"}));
        assert_eq!((received.channel, received.is_meeting), (Some(Channel::Chat), true));
        let asked = Meaning::Talk { id: "whatsapp".to_owned(), turn: Turn::Asked };
        assert_eq!(received.meaning, Some(asked));
    }

    #[test]
    fn only_the_ledger_tells_of_an_opt_in() {
        assert_eq!(contact(OPT_IN_CONFIRMED, &json!({"channel": "email"})).meaning, None);
    }
}
