//! The settings of Marketo in `hilo.toml`, and what every request needs of them: steps, the instance's host, the token.
//!
//! An entry → settings, or the first one that cannot be right. Makes no request of an event.

use std::collections::BTreeMap;

use hilo_core::config::{DestinationEntry, Problem, ProblemCode};
use hilo_core::event::{Event, EventKind};
use serde::Deserialize;
use serde_json::Value;

use crate::access::marketo;
use crate::forward::destination::{Access, MissingSecret, SecretName};
use crate::forward::destinations::answer::post;
use crate::forward::destinations::contact::track;
use crate::platform::Outgoing;

/// The steps of an event, in their order: its lead.
pub(super) const LEAD: u32 = 0;
/// The order is changed. One that may be refunded is changed without its state, as far as it exists.
pub(super) const ORDER: u32 = 1;
/// The order that may be refunded is made, if it does not exist.
pub(super) const NEW_ORDER: u32 = 2;
/// The activity, or the form.
pub(super) const ACTIVITY: u32 = 3;

/// The settings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Marketo {
    /// The instance's Munchkin id, such as `123-ABC-456`.
    pub(super) munchkin_id: String,
    /// The id of the custom service.
    pub(super) client_id: SecretName,
    /// Its secret.
    pub(super) client_secret: SecretName,
    /// The partition of new leads.
    pub(super) partition: Option<String>,
    /// Traits, and the fields of leads that get their values.
    #[serde(default)]
    pub(super) fields: BTreeMap<String, String>,
    /// Events (`page` and `screen` for views) that are custom activities.
    #[serde(default)]
    pub(super) activities: BTreeMap<String, Activity>,
    /// The custom object of orders.
    pub(super) orders: Option<Orders>,
    /// Events that submit a form, and the form's id.
    #[serde(default)]
    pub(super) forms: BTreeMap<String, u32>,
}

/// A type of custom activities.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Activity {
    /// The type's id.
    pub(super) r#type: u32,
    /// The property of the event that is the primary attribute. Otherwise the order's number, the product's name, the page or the
    /// event's own name is.
    pub(super) primary: Option<String>,
    /// Properties of the event, and the API names of the attributes that get their values.
    #[serde(default)]
    pub(super) attributes: BTreeMap<String, String>,
    /// The attribute that gets the event's id, by which a repeat can be told.
    pub(super) event_id: Option<String>,
}

/// The custom object of orders.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Orders {
    /// Its API name.
    pub(super) object: String,
    /// Its field of the order's number, by which Marketo finds it.
    pub(super) id: String,
    /// Its field of the lead's address.
    pub(super) email: String,
    /// Its field of the total.
    pub(super) total: Option<String>,
    /// Its field of the currency.
    pub(super) currency: Option<String>,
    /// Its field of the state: `completed`, `refunded`, `cancelled`. Without one, only new orders are sent.
    pub(super) status: Option<String>,
    /// Properties of the event, and further fields that get their values.
    #[serde(default)]
    pub(super) fields: BTreeMap<String, String>,
}

/// Reads the settings.
///
/// # Errors
/// The first setting that cannot be right.
pub(super) fn load(entry: &DestinationEntry) -> Result<Marketo, Problem> {
    let settings: Marketo = entry.read_settings()?;
    if !marketo::is_munchkin_id(&settings.munchkin_id) {
        return Err(entry.problem("munchkin_id", ProblemCode::BadValue, marketo::WRONG_ID));
    }
    let is_name = |name: &String| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if !settings.orders.as_ref().is_none_or(|orders| is_name(&orders.object)) {
        let why = "an object's API name has letters, digits and `_`, such as order_c";
        return Err(entry.problem("orders", ProblemCode::BadValue, why));
    }
    Ok(settings)
}

impl Marketo {
    /// The host of the instance.
    pub(super) fn host(&self) -> String {
        marketo::host(&self.munchkin_id)
    }

    /// The form that an event submits.
    pub(super) fn form(&self, event: &Event) -> Option<u32> {
        self.forms.get(track(event)?.0).copied()
    }

    /// The activity that an event is.
    pub(super) fn activity_of(&self, event: &Event) -> Option<&Activity> {
        match &event.kind {
            EventKind::Page { .. } => self.activities.get("page"),
            EventKind::Screen { .. } => self.activities.get("screen"),
            EventKind::Track { event, .. } => self.activities.get(event),
            EventKind::Identify { .. } | EventKind::Group { .. } | EventKind::Alias { .. } => None,
        }
    }

    /// A call of the instance.
    pub(super) fn call(
        &self,
        path: &str,
        body: &Value,
        access: &Access<'_>,
    ) -> Result<Outgoing, MissingSecret> {
        let missing = || MissingSecret(self.client_secret.secret.clone());
        let token = access.token.ok_or_else(missing)?;
        let url = format!("https://{}/rest/v1/{path}.json", self.host());
        Ok(post(url, &[("authorization", format!("Bearer {}", token.access))], body))
    }
}

#[cfg(test)]
mod tests {
    use crate::forward::destinations::testing::problem;

    #[test]
    fn a_munchkin_id_cannot_name_another_host() {
        let with = |id: &str| {
            problem(
                "marketo",
                &format!(
                    "munchkin_id = '{id}'\nclient_id = {{ secret = 'I' }}\nclient_secret = {{ secret = 'S' }}\n"
                ),
            )
        };
        assert_eq!(with("123-ABC-456"), "");
        for wrong in ["", "123-abc-456", "123-ABC-4567", "evil.example/", "123-ABC-45/"] {
            assert!(with(wrong).contains("destination.munchkin_id"), "{wrong}");
        }
    }

    #[test]
    fn an_objects_name_cannot_leave_its_path() {
        let orders = "munchkin_id = '123-ABC-456'\nclient_id = { secret = 'I' }\nclient_secret = { secret = 'S' }\n\
            orders = { object = '../leads', id = 'a', email = 'b' }\n";
        assert!(problem("marketo", orders).contains("destination.orders"));
    }
}
