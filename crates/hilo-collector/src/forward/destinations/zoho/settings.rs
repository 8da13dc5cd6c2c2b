//! Zoho's settings: the account, its login, and the modules that keep people, touchpoints and orders.
//!
//! Shapes and their usual values only: `mod.rs` checks them.

use serde::Deserialize;

use crate::forward::destination::SecretName;

/// Zoho's settings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// The ending of Zoho's address where the deployer logs in: `eu`, `com`, `in` …
    pub(super) data_center: String,
    /// The id of the server-based application.
    pub(super) client_id: SecretName,
    /// Its secret.
    pub(super) client_secret: SecretName,
    /// A refresh token that the deployer has already.
    pub(super) refresh_token: Option<SecretName>,
    /// The records of people.
    #[serde(default)]
    pub(super) person: People,
    /// The rows of touchpoints. Without it there are none.
    pub(super) touchpoint: Option<Touchpoints>,
    /// The records of orders. Without it there are none.
    pub(super) order: Option<Orders>,
    /// Whether Zoho's workflows, approvals and blueprints run for what is written.
    #[serde(default)]
    pub(super) workflows: bool,
}

/// The records of people.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct People {
    pub(super) module: PersonModule,
    /// What a record gets where Zoho demands a text and none is known.
    pub(super) unknown: String,
    /// `Lead_Source` of a person who sends a contact form.
    pub(super) lead_source: Option<String>,
}

impl Default for People {
    fn default() -> People {
        People {
            module: PersonModule::Leads,
            unknown: "n/a".to_owned(),
            lead_source: Some("Web Form".to_owned()),
        }
    }
}

/// The module that keeps people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum PersonModule {
    Leads,
    Contacts,
}

impl PersonModule {
    pub(super) const fn name(self) -> &'static str {
        match self {
            PersonModule::Leads => "Leads",
            PersonModule::Contacts => "Contacts",
        }
    }
}

/// The rows of touchpoints.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Touchpoints {
    /// The API name of the custom module.
    pub(super) module: String,
    /// The field for the event's id. Zoho finds a row by it.
    #[serde(default = "event_id")]
    pub(super) event_id: String,
    /// The field for the person's e-mail address. Without it the rows name nobody.
    pub(super) email: Option<String>,
    /// Whether page views are touchpoints.
    #[serde(default)]
    pub(super) pages: bool,
}

fn event_id() -> String {
    "Event_Id".to_owned()
}

/// The records of orders.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Orders {
    /// `Deals`, or a module with the same fields.
    #[serde(default = "deals")]
    pub(super) module: String,
    /// The field for the order's number. Zoho finds a record by it.
    #[serde(default = "order_number")]
    pub(super) order_number: String,
    /// The currency of the account's amounts, such as `EUR`; `each` where the account keeps several.
    #[serde(default)]
    pub(super) currency: String,
    /// The stage of an order that was paid.
    #[serde(default = "closed_won")]
    pub(super) stage: String,
    /// The stage of an order that was refunded or canceled. Without it such orders stay as they are.
    pub(super) refunded_stage: Option<String>,
}

fn deals() -> String {
    "Deals".to_owned()
}

fn order_number() -> String {
    "Order_Number".to_owned()
}

fn closed_won() -> String {
    "Closed Won".to_owned()
}
