//! The settings of HubSpot in `hilo.toml`, and what every request needs of them: steps, names, addresses, the token.
//!
//! An entry → settings, or the first one that cannot be right. Makes no request of an event.

use std::collections::BTreeMap;

use hilo_core::config::{DestinationEntry, Problem, ProblemCode};
use hilo_core::event::Event;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::forward::destination::{Access, MissingSecret, SecretName};
use crate::forward::destinations::answer::post;
use crate::forward::destinations::contact::track;
use crate::platform::Outgoing;

/// The steps of an event, in their order: its contact.
pub(super) const CONTACT: u32 = 0;
/// What the person has chosen.
pub(super) const SUBSCRIPTION: u32 = 1;
/// An order or a cart.
pub(super) const OBJECT: u32 = 2;
/// A custom event or a form.
pub(super) const EVENT: u32 = 3;

/// The first version of the paths that are written here. `2026-03` had other ones.
const VERSION_MIN: &str = "2026-09";
/// The longest name of a property, in bytes.
const NAME_BYTES_MAX: usize = 50;
/// The legal bases that HubSpot knows.
const LEGAL_BASES: [&str; 7] = [
    "CONSENT_WITH_NOTICE",
    "LEGITIMATE_INTEREST_CLIENT",
    "LEGITIMATE_INTEREST_OTHER",
    "LEGITIMATE_INTEREST_PQL",
    "NON_GDPR",
    "PERFORMANCE_OF_CONTRACT",
    "PROCESS_AND_STORE",
];

/// The settings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HubSpot {
    /// The token of a service key or of a private app.
    pub(super) token: Option<SecretName>,
    /// An app with OAuth, in place of the token.
    pub(super) app: Option<App>,
    /// The version in the paths.
    #[serde(default = "version")]
    pub(super) version: String,
    /// Traits, and the contact's properties that get their values.
    #[serde(default)]
    pub(super) properties: BTreeMap<String, String>,
    /// The beginning of the names of custom events, such as `pe123_`: every event is sent under its own name.
    pub(super) event_prefix: Option<String>,
    /// Events (`page` and `screen` for views), and the full names of the custom events that they are.
    #[serde(default)]
    pub(super) event_names: BTreeMap<String, String>,
    /// Properties of events that the definitions of the custom events have.
    #[serde(default)]
    pub(super) event_properties: Vec<String>,
    /// The account's id, which addresses of forms contain.
    pub(super) portal_id: Option<u64>,
    /// Events that submit a form.
    #[serde(default)]
    pub(super) forms: BTreeMap<String, Form>,
    /// The subscription type that follows the opt-in for e-mail.
    pub(super) subscription_id: Option<u64>,
    /// The legal basis of a subscription.
    #[serde(default = "legal_basis")]
    pub(super) legal_basis: String,
    /// Whether orders become objects.
    #[serde(default)]
    pub(super) orders: bool,
    /// The order's property that has the shop's own number.
    #[serde(default = "order_id_property")]
    pub(super) order_id_property: String,
    /// Events about orders, and the stages of the pipeline that they mean.
    #[serde(default)]
    pub(super) order_stages: BTreeMap<String, String>,
    /// Whether carts become objects.
    #[serde(default)]
    pub(super) carts: bool,
    /// The cart's property that has the cart's own id.
    #[serde(default = "cart_id_property")]
    pub(super) cart_id_property: String,
}

/// An app with OAuth.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct App {
    /// The app's id.
    pub(super) client_id: SecretName,
    /// Its secret.
    pub(super) client_secret: SecretName,
    /// A refresh token that the deployer has already.
    pub(super) refresh_token: Option<SecretName>,
}

/// A form of HubSpot.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Form {
    /// Its id.
    pub(super) guid: String,
    /// The contact's properties that it asks for. HubSpot refuses any other one.
    #[serde(default = "form_fields")]
    pub(super) fields: Vec<String>,
    /// The words by which the person agreed that the form is processed.
    pub(super) consent_text: Option<String>,
}

fn version() -> String {
    VERSION_MIN.to_owned()
}

fn legal_basis() -> String {
    "CONSENT_WITH_NOTICE".to_owned()
}

fn order_id_property() -> String {
    "hs_external_order_id".to_owned()
}

fn cart_id_property() -> String {
    "hs_external_cart_id".to_owned()
}

fn form_fields() -> Vec<String> {
    vec!["email".to_owned()]
}

/// Reads the settings.
///
/// # Errors
/// The first setting that cannot be right.
pub(super) fn load(entry: &DestinationEntry) -> Result<HubSpot, Problem> {
    let hubspot: HubSpot = entry.read_settings()?;
    match wrong(&hubspot) {
        Some((field, why)) => Err(entry.problem(field, ProblemCode::BadValue, why)),
        None => Ok(hubspot),
    }
}

/// The first setting that cannot be right, and why.
fn wrong(settings: &HubSpot) -> Option<(&'static str, &'static str)> {
    let HubSpot { event_prefix, event_names, forms, .. } = settings;
    let is_prefix = |prefix: &String| split_name(prefix).is_some_and(|rest| rest.is_empty());
    let is_event = |name: &String| {
        split_name(name).is_some_and(|rest| !rest.is_empty() && is_property_text(rest))
    };
    if settings.token.is_some() == settings.app.is_some() {
        return Some(("", "either `token` or `app` opens the account, and only one of them"));
    }
    if !is_version(&settings.version) {
        return Some(("version", "a version is a year and 03 or 09, not before 2026-09"));
    }
    if event_prefix.as_ref().is_some_and(|prefix| !is_prefix(prefix)) {
        return Some(("event_prefix", "it is `pe`, the account's id and `_`, such as `pe123_`"));
    }
    if !event_names.values().all(is_event) {
        return Some(("event_names", "a custom event is called like `pe123_order_completed`"));
    }
    if !settings.event_properties.iter().all(|name| is_property(&snake(name))) {
        return Some(("event_properties", "a property begins with a letter, and has at most 50"));
    }
    if !forms.values().all(|form| is_guid(&form.guid)) {
        return Some((
            "forms",
            "a form's `guid` is called like 78c2891f-ebdd-44c0-bd94-15c012bbbfbf",
        ));
    }
    if !forms.is_empty() && settings.portal_id.is_none() {
        return Some(("forms", "forms need `portal_id`, the account's id"));
    }
    if !LEGAL_BASES.contains(&settings.legal_basis.as_str()) {
        return Some(("legal_basis", "HubSpot knows no such basis; CONSENT_WITH_NOTICE is one"));
    }
    None
}

/// What follows `pe`, digits and `_` in the name of a custom event.
pub(super) fn split_name(name: &str) -> Option<&str> {
    let (id, rest) = name.strip_prefix("pe")?.split_once('_')?;
    (!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit())).then_some(rest)
}

fn is_version(version: &str) -> bool {
    let is_form = match version.split_once('-') {
        Some((year, month)) => {
            year.len() == 4
                && year.bytes().all(|byte| byte.is_ascii_digit())
                && ["03", "09"].contains(&month)
        }
        None => false,
    };
    is_form && version >= VERSION_MIN
}

fn is_guid(guid: &str) -> bool {
    let is_right = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    guid.len() == 36 && guid.bytes().enumerate().all(is_right)
}

impl HubSpot {
    /// The form that an event submits.
    pub(super) fn form(&self, event: &Event) -> Option<&Form> {
        self.forms.get(track(event)?.0)
    }

    /// A call of HubSpot's own host.
    pub(super) fn call(
        &self,
        method: &str,
        path: &str,
        body: &Value,
        access: &Access<'_>,
    ) -> Result<Outgoing, MissingSecret> {
        let outgoing = self.post(format!("https://api.hubapi.com/{path}"), body, access)?;
        Ok(Outgoing { method: method.to_owned(), ..outgoing })
    }

    /// A call of any of HubSpot's hosts.
    pub(super) fn post(
        &self,
        url: String,
        body: &Value,
        access: &Access<'_>,
    ) -> Result<Outgoing, MissingSecret> {
        let token = match &self.token {
            Some(name) => access.secret(name)?,
            None => access.token.map(|token| token.access.clone()).ok_or_else(|| {
                let name = self.app.as_ref().map(|app| app.client_id.secret.clone());
                MissingSecret(name.unwrap_or_default())
            })?,
        };
        Ok(post(url, &[("authorization", format!("Bearer {token}"))], body))
    }
}

/// Puts a text under a name, unless the name has one already.
pub(super) fn put_new(all: &mut Map<String, Value>, name: &str, text: Option<&str>) {
    if let Some(text) = text.filter(|text| !text.is_empty() && !all.contains_key(name)) {
        all.insert(name.to_owned(), text.into());
    }
}

/// A name in HubSpot's letters: `Order Completed` is `order_completed`.
pub(super) fn snake(name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    name.trim().chars().map(letter).collect()
}

/// Whether a text has only the letters of such a name.
fn is_property_text(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Whether a property may be called so.
fn is_property(name: &str) -> bool {
    is_property_text(name)
        && name.len() <= NAME_BYTES_MAX
        && name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use crate::forward::destinations::testing::problem;

    #[test]
    fn each_wrong_setting_has_its_problem() {
        let token = "token = { secret = 'T' }\n";
        assert_eq!(problem("hubspot", token), "");
        let app = "app = { client_id = { secret = 'I' }, client_secret = { secret = 'S' } }\n";
        assert_eq!(problem("hubspot", app), "");
        for wrong in [String::new(), format!("{token}{app}")] {
            assert!(problem("hubspot", &wrong).contains("`token` or `app`"), "{wrong}");
        }
        for (wrong, field) in [
            ("version = '2026-03'", "version"),
            ("version = 'v3'", "version"),
            ("event_prefix = 'pe12'", "event_prefix"),
            ("event_names = { page = 'page_viewed' }", "event_names"),
            ("event_names = { page = 'pe1_Page' }", "event_names"),
            ("event_properties = ['1st']", "event_properties"),
            ("portal_id = 1\nforms = { x = { guid = '../x' } }", "forms"),
            ("forms = { x = { guid = '78c2891f-ebdd-44c0-bd94-15c012bbbfbf' } }", "forms"),
            ("legal_basis = 'CONSENT'", "legal_basis"),
        ] {
            let told = problem("hubspot", &format!("{token}{wrong}\n"));
            assert!(told.contains(&format!("destination.{field}")), "{wrong}");
        }
    }
}
