//! Salesforce's settings: the org, what is shown for a token, and the objects that keep people, touchpoints and orders.
//!
//! Shapes and their usual values only: `mod.rs` checks them.

use serde::Deserialize;

use crate::forward::destination::SecretName;

/// Salesforce's settings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// The org's own host: `acme.my.salesforce.com`.
    pub(super) domain: String,
    /// The version of the API.
    pub(super) api_version: Option<String>,
    /// What is shown for a token.
    #[serde(default)]
    pub(super) login: Login,
    /// The id of the external client app.
    pub(super) client_id: Option<SecretName>,
    /// Its secret.
    pub(super) client_secret: Option<SecretName>,
    /// A refresh token that the deployer has already; for `login = "person"`.
    pub(super) refresh_token: Option<SecretName>,
    /// The private key of the app's certificate; for `login = "key"`.
    pub(super) private_key: Option<SecretName>,
    /// The app's consumer key, which is no secret; for `login = "key"`.
    pub(super) consumer_key: Option<String>,
    /// The user in whose name records are written; for `login = "key"`.
    pub(super) user: Option<String>,
    /// The records of people.
    #[serde(default)]
    pub(super) person: People,
    /// The records of touchpoints. Without it there are none.
    pub(super) touchpoint: Option<Touchpoints>,
    /// The records of orders. Without it there are none.
    pub(super) order: Option<Orders>,
    /// Whether records are saved although a duplicate rule warns.
    #[serde(default)]
    pub(super) save_duplicates: bool,
}

/// What is shown for a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Login {
    /// The app's own id and secret.
    #[default]
    Client,
    /// A person's grant, and the refresh token of it.
    Person,
    /// A token signed with the app's key.
    Key,
}

/// The records of people.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct People {
    pub(super) object: PersonObject,
    /// The external id field.
    pub(super) external_id: String,
    /// What is written into it.
    pub(super) id: PersonId,
    /// What a new record gets where Salesforce demands a text and none is known.
    pub(super) unknown: String,
    /// `LeadSource` of a person who sends a contact form.
    pub(super) lead_source: Option<String>,
}

impl Default for People {
    fn default() -> People {
        People {
            object: PersonObject::Lead,
            external_id: "Collector_Id__c".to_owned(),
            id: PersonId::Email,
            unknown: "n/a".to_owned(),
            lead_source: Some("Web".to_owned()),
        }
    }
}

/// The object that keeps people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum PersonObject {
    Lead,
    Contact,
}

impl PersonObject {
    pub(super) const fn name(self) -> &'static str {
        match self {
            PersonObject::Lead => "Lead",
            PersonObject::Contact => "Contact",
        }
    }
}

/// What identifies a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PersonId {
    /// The e-mail address in lower case.
    Email,
    /// The user id that a server or a verified token named.
    UserId,
}

impl PersonId {
    /// What is missing where a person has none.
    pub(super) const fn words(self) -> &'static str {
        match self {
            PersonId::Email => "an e-mail address",
            PersonId::UserId => "a user id",
        }
    }
}

/// The records of touchpoints.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Touchpoints {
    /// A custom object, or `Task`.
    pub(super) object: String,
    /// The external id field, for the event's id.
    #[serde(default = "event_id")]
    pub(super) external_id: String,
    /// The relationship to the person, such as `Lead__r`.
    pub(super) person: Option<String>,
    /// Whether page views are touchpoints.
    #[serde(default)]
    pub(super) pages: bool,
}

fn event_id() -> String {
    "Event_Id__c".to_owned()
}

/// The records of orders.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Orders {
    /// `Opportunity`, or a custom object with the same fields.
    #[serde(default = "opportunity")]
    pub(super) object: String,
    /// The external id field, for the order's number.
    #[serde(default = "order_number")]
    pub(super) external_id: String,
    /// The currency of the org's amounts, such as `EUR`; `each` where the org keeps several.
    #[serde(default)]
    pub(super) currency: String,
    /// The stage of an order that was paid.
    #[serde(default = "closed_won")]
    pub(super) stage: String,
    /// The stage of an order that was refunded or canceled. Without it such orders stay as they are.
    pub(super) refunded_stage: Option<String>,
}

fn opportunity() -> String {
    "Opportunity".to_owned()
}

fn order_number() -> String {
    "Order_Number__c".to_owned()
}

fn closed_won() -> String {
    "Closed Won".to_owned()
}
