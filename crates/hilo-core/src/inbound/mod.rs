//! What other systems report about people: a till, a telephone, a mail service, a file.
//!
//! Shapes only. Webhooks, imports and polls make a [`Report`]; the collector's pipeline finds the person and records it as an
//! event. A report never carries consent: its source's legal basis counts.

pub mod presets;

use alloc::string::String;

use jiff::Timestamp;
use serde_json::{Map, Value};

/// One report about one person.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The other system's own stable id of it. The event's id is made of it and of the source's name, so that a repeat counts once.
    pub id: Option<String>,
    /// What it says.
    pub told: Told,
    /// When it happened, if the report says so.
    pub occurred_at: Option<Timestamp>,
    /// The person, as the other system knows them.
    pub who: Who,
    /// Parts of the event's context: `channel`, `campaign`, `locale`.
    pub context: Map<String, Value>,
}

/// What a report says.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// An act, with the name and the properties of the field table's list of touchpoints.
    Act {
        /// Its name, such as `Call Received`.
        event: String,
        /// Its details.
        properties: Map<String, Value>,
    },
    /// Facts about the person.
    Traits(Map<String, Value>),
    /// Whether the person may be written to by a channel.
    OptIn {
        /// `email`, `sms`, `push`, `phone`, `post`.
        channel: String,
        /// Whether it is a subscription. An opt-out needs no proof and wins.
        is_subscribed: bool,
        /// The text that the person saw, or its id.
        text: Option<String>,
    },
}

/// How another system names a person. At least one is set, else nobody is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// The company's own user id.
    pub user_id: Option<String>,
    /// hilo's id of a device, which a page handed to the other system.
    pub anonymous_id: Option<String>,
    /// An e-mail address, as it was written.
    pub email: Option<String>,
    /// A telephone number, as it was written.
    pub phone: Option<String>,
    /// An order that hilo may know already.
    pub order_id: Option<String>,
    /// The number of a loyalty card.
    pub loyalty_id: Option<String>,
}
