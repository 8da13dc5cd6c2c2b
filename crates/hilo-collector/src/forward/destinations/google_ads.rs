//! Google Ads by the Data Manager API: orders, leads and calls → `POST /v1/events:ingest`, each for the conversion action that the
//! settings name (<https://developers.google.com/data-manager/api>).
//!
//! Google's 200 only means that it has read the request. It tells later, elsewhere, what it could use, and hilo does not ask. A
//! repeat with the same transaction counts once. A refund is no conversion, and is not sent.

use std::collections::BTreeMap;

use hilo_core::config::{DestinationEntry, Problem, ProblemCode};
use hilo_core::consent::Purpose;
use hilo_core::event::{Event, EventKind};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{by_status, post, quoted, retry};
use super::conversion::{
    Contact, Place, goods, has_address, is_granted, is_page, put, service_id, worth,
};
use super::hashing;
use crate::forward::destination::{
    Acceptance, Batch, BatchEvent, ClientAuth, Destination, Flow, Kind, LeftOut, Limits,
    MappedRequest, Mapping, MissingSecret, OAuth, OptIns, Reception, SecretName,
};
use crate::forward::reason;
use crate::platform::Response;

/// The row of the catalogue.
pub(super) const KIND: Kind = Kind {
    name: "google_ads",
    title: "Google Ads (Data Manager API)",
    is_silent: true,
    optins: OptIns::Read,
    load,
    purposes: &[Purpose::Advertising],
    limits: Limits {
        events: 2_000,
        bytes: 1_000_000,
        age_s_max: None,
        is_ordered: false,
        mixes_people: true,
        wants_person: true,
        pace: None,
    },
};

const URL: &str = "https://datamanager.googleapis.com/v1/events:ingest";
const TOKEN_URL: &str = "https://oauth2.googleapis.com/token";
const SCOPE: &str = "https://www.googleapis.com/auth/datamanager";
/// Where a person grants access. Google gives a refresh token with `offline` and `consent` only.
const AUTHORIZE_URL: &str = "https://accounts.google.com/o/oauth2/v2/auth?access_type=offline&prompt=consent\
     &scope=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fdatamanager";
/// The most conversion actions of a request.
const CONVERSIONS_MAX: usize = 10;

/// Reasons in Google's answers that no event is to blame for: the deployer can mend them, so the deliveries wait.
const OF_ACCOUNT: [&str; 7] = [
    "PERMISSION_DENIED",
    "TERMS_AND_CONDITIONS_NOT_SIGNED",
    "INVALID_CONVERSION_ACTION",
    "INVALID_DESTINATION",
    "DUPLICATE_DESTINATION_REFERENCE",
    "DESTINATION_ACCOUNT_",
    "TOO_MANY_DESTINATIONS",
];

/// The settings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GoogleAds {
    /// The account that has the conversion actions: ten digits.
    customer_id: String,
    /// The manager account through which the access goes, if it does.
    login_customer_id: Option<String>,
    /// Acts by name, with the id of the conversion action of each.
    conversions: BTreeMap<String, String>,
    /// The e-mail address of a service account, whose key is `private_key`.
    service_account: Option<String>,
    /// The service account's private key, PEM.
    private_key: Option<SecretName>,
    /// The OAuth client, where a person grants the access.
    client_id: Option<SecretName>,
    /// The OAuth client's secret.
    client_secret: Option<SecretName>,
    /// A refresh token that the deployer has already.
    refresh_token: Option<SecretName>,
    /// Google checks the events and counts none.
    #[serde(default)]
    validate_only: bool,
}

fn load(entry: &DestinationEntry) -> Result<Box<dyn Destination>, Problem> {
    let mut settings: GoogleAds = entry.read_settings()?;
    let bad = |field, why| Err(entry.problem(field, ProblemCode::BadValue, why));
    settings.customer_id = settings.customer_id.replace('-', "");
    settings.login_customer_id = settings.login_customer_id.map(|id| id.replace('-', ""));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(&settings.customer_id) {
        return bad("customer_id", "write the account's ten digits, such as \"123-456-7890\"");
    }
    if settings.login_customer_id.as_deref().is_some_and(|id| !is_number(id)) {
        return bad(
            "login_customer_id",
            "write the account's ten digits, such as \"123-456-7890\"",
        );
    }
    if settings.conversions.is_empty() || settings.conversions.len() > CONVERSIONS_MAX {
        return bad(
            "conversions",
            "name one to ten acts, each with the id of its conversion action",
        );
    }
    if !settings.conversions.values().all(|id| is_number(id)) {
        return bad("conversions", "write the digits of a conversion action (ctId in its address)");
    }
    if settings.conversions.contains_key("Order Refunded") {
        return bad("conversions", "a refund is no conversion");
    }
    let by_account = settings.service_account.is_some() && settings.private_key.is_some();
    let by_person = settings.client_id.is_some() && settings.client_secret.is_some();
    let has_rest_of_person = settings.client_id.is_some() || settings.client_secret.is_some();
    if by_account == by_person || (by_account && has_rest_of_person) {
        let why = "write service_account and private_key, or client_id and client_secret";
        return bad("service_account", why);
    }
    Ok(Box::new(settings))
}

impl Destination for GoogleAds {
    fn wants(&self, event: &Event) -> bool {
        match &event.kind {
            EventKind::Track { event: name, .. } => self.conversions.contains_key(name),
            EventKind::Page { .. }
            | EventKind::Screen { .. }
            | EventKind::Identify { .. }
            | EventKind::Group { .. }
            | EventKind::Alias { .. } => false,
        }
    }

    fn requests(&self, batch: &Batch<'_>) -> Result<Mapping, MissingSecret> {
        let token = batch.access.token.map(|token| token.access.as_str()).unwrap_or_default();
        let mut mapping = Mapping::default();
        let (mut ingested, mut events) = (Vec::new(), Vec::new());
        let mut actions: Vec<&str> = Vec::new();
        for (at, one) in batch.events.iter().enumerate() {
            match self.event(one) {
                Ok((action, event)) => {
                    if !actions.contains(&action) {
                        actions.push(action);
                    }
                    ingested.push(event);
                    events.push(at);
                }
                Err(why) => mapping.left_out.push((at, why)),
            }
        }
        if !events.is_empty() {
            let destinations: Vec<Value> = actions.into_iter().map(|id| self.action(id)).collect();
            let body = json!({
                "destinations": destinations, "encoding": "HEX", "events": ingested, "validateOnly": self.validate_only,
            });
            let headers = [("authorization", format!("Bearer {token}"))];
            let outgoing = post(URL.to_owned(), &headers, &body);
            mapping.requests.push(MappedRequest { outgoing, events, step: 0 });
        }
        Ok(mapping)
    }

    fn classify(&self, request: &MappedRequest, response: &Response) -> Reception {
        let body: Value = serde_json::from_str(&response.body).unwrap_or_default();
        match response.status {
            _ if is_page(response) => Reception::All(retry(response)),
            200..=299 if body.get("requestId").is_some_and(Value::is_string) => {
                Reception::All(Acceptance::Delivered)
            }
            // Nobody knows whether Google has read the request, and a repeat counts once.
            200..=299 => Reception::All(retry(response)),
            400 => refusal(&body, request.events.len(), response),
            _ => by_status(response),
        }
    }

    fn oauth(&self) -> Option<OAuth> {
        let flow = match (&self.service_account, &self.private_key) {
            (Some(issuer), Some(key)) => Flow::Signed {
                key: key.clone(),
                issuer: issuer.clone(),
                subject: None,
                audience: TOKEN_URL.to_owned(),
                scope: Some(SCOPE.to_owned()),
            },
            (_, _) => Flow::Refresh {
                id: self.client_id.clone()?,
                secret: self.client_secret.clone()?,
                first: self.refresh_token.clone(),
                rotates: false,
            },
        };
        let asks_person = matches!(flow, Flow::Refresh { .. });
        Some(OAuth {
            token_url: TOKEN_URL.to_owned(),
            authorize_url: asks_person.then(|| AUTHORIZE_URL.to_owned()),
            flow,
            client: ClientAuth::Body,
            host_member: None,
            hosts: &[],
            life_s: 3_600,
        })
    }
}

impl GoogleAds {
    /// A conversion action as the place of events. Events refer to it by its id.
    fn action(&self, id: &str) -> Value {
        let account = |id: &str| json!({ "accountType": "GOOGLE_ADS", "accountId": id });
        let mut action = json!({
            "reference": id, "productDestinationId": id, "operatingAccount": account(&self.customer_id),
        });
        if let (Value::Object(action), Some(login)) = (&mut action, &self.login_customer_id) {
            action.insert("loginAccount".to_owned(), account(login));
        }
        action
    }

    /// One event, and its conversion action.
    fn event(&self, one: &BatchEvent<'_>) -> Result<(&str, Value), LeftOut> {
        let event = one.event;
        let label = event.kind.label().unwrap_or_default();
        let action = self.conversions.get(label).ok_or_else(|| {
            LeftOut::Refused(reason::invalid("the settings name no conversion action for it"))
        })?;
        let contact = Contact::of(one, |_| true);
        let user = identifiers(&contact);
        let click = ["gclid", "gbraid", "wbraid"]
            .into_iter()
            .find_map(|name| Some(json!({ name: service_id(event, name)? })));
        if user.is_empty() && click.is_none() {
            let what = "an e-mail address, a phone number, a postal address or a click id";
            return Err(LeftOut::Skipped(reason::missing_identifier(what)));
        }
        let goods = goods(event);
        let mut out = Map::new();
        let transaction = goods.order_id.unwrap_or(&event.message_id);
        if has_address(transaction) {
            return Err(LeftOut::Refused(reason::invalid("its id is an e-mail address")));
        }
        out.insert("transactionId".to_owned(), transaction.into());
        out.insert("eventTimestamp".to_owned(), event.occurred_at.to_string().into());
        out.insert("eventSource".to_owned(), source(event).into());
        out.insert("destinationReferences".to_owned(), json!([action]));
        out.insert("consent".to_owned(), consent(event));
        if let Some((value, currency)) = worth(&goods) {
            out.insert("conversionValue".to_owned(), Value::Number(value));
            out.insert("currency".to_owned(), Value::String(currency));
        }
        put(&mut out, "adIdentifiers", click);
        let user = (!user.is_empty()).then(|| json!({ "userIdentifiers": user }));
        put(&mut out, "userData", user);
        put(&mut out, "customVariables", variables(one));
        Ok((action, Value::Object(out)))
    }
}

/// What the deployer's rules add: single values, as the account's custom variables.
fn variables(one: &BatchEvent<'_>) -> Option<Vec<Value>> {
    let variable = |(name, value): (&String, &Value)| {
        let text = match value {
            Value::String(text) if !has_address(text) => text.clone(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_) => return None,
        };
        Some(json!({ "variable": name, "value": text }))
    };
    let variables: Vec<Value> = one.mapped.fields.iter().filter_map(variable).collect();
    (!variables.is_empty()).then_some(variables)
}

/// Where the event happened, in Google's words.
fn source(event: &Event) -> &'static str {
    match Place::of(event) {
        Place::Web => "WEB",
        Place::Store => "IN_STORE",
        Place::Phone => "PHONE",
        Place::Other => "OTHER",
    }
}

/// The person's contact details, one identifier each. Google takes a name and address as a whole only.
fn identifiers(contact: &Contact<'_>) -> Vec<Value> {
    let mut found = Vec::new();
    if let Some(hash) = contact.hash("email", hashing::email_google_ads) {
        found.push(json!({ "emailAddress": hash }));
    }
    if let Some(hash) = contact.hash("phone", hashing::phone) {
        found.push(json!({ "phoneNumber": hash }));
    }
    let given = contact.hash("firstName", hashing::name);
    let family = contact.hash("lastName", hashing::name);
    let country = contact.address("country").and_then(hashing::country_code);
    let code = contact.address("postalCode").and_then(hashing::id);
    if let (Some(given), Some(family), Some(country), Some(code)) = (given, family, country, code) {
        found.push(json!({ "address": {
            "givenName": given, "familyName": family, "regionCode": country, "postalCode": code,
        }}));
    }
    found
}

/// What the person allowed. What was not granted is denied.
fn consent(event: &Event) -> Value {
    let may_use = is_granted(event, Purpose::Advertising);
    let may_personalize = may_use && is_granted(event, Purpose::Personalization);
    let word = |is_granted: bool| if is_granted { "CONSENT_GRANTED" } else { "CONSENT_DENIED" };
    json!({ "adUserData": word(may_use), "adPersonalization": word(may_personalize) })
}

/// What a refused request means: the account's fault, that of events which the answer names, or that of one that it does not name.
fn refusal(body: &Value, count: usize, response: &Response) -> Reception {
    let why = quoted(response);
    if OF_ACCOUNT.iter().any(|reason| response.body.contains(reason)) {
        return Reception::All(Acceptance::Unauthorized { reason: why });
    }
    let mut each = vec![Acceptance::Again; count];
    let mut has_named = false;
    let details = body.pointer("/error/details").and_then(Value::as_array).into_iter().flatten();
    for detail in details {
        let list = detail.get("fieldViolations").and_then(Value::as_array).into_iter().flatten();
        for violation in list {
            let Some(slot) = place(violation).and_then(|place| each.get_mut(place)) else {
                return Reception::Poison { reason: reason::refused(&why) };
            };
            let said = violation.get("description").and_then(Value::as_str).unwrap_or(&why);
            *slot = Acceptance::Rejected { reason: reason::refused(said) };
            has_named = true;
        }
    }
    match has_named {
        true => Reception::Each(each),
        false => Reception::Poison { reason: reason::refused(&why) },
    }
}

/// The place of the event that a violation names, such as `events.events[2].currency`.
fn place(violation: &Value) -> Option<usize> {
    let (_, rest) = violation.get("field")?.as_str()?.split_once("events[")?;
    rest.split(']').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::destinations::conversion::mapped_order;
    use crate::forward::destinations::testing::problem;

    #[track_caller]
    fn check(customer: &str, conversions: &str, more: &str, expected: &str) {
        let told = problem(
            "google_ads",
            &format!("customer_id = '{customer}'\nconversions = {{ {conversions} }}\n{more}"),
        );
        assert!(told.contains(expected) && told.is_empty() == expected.is_empty(), "{told}");
    }

    #[test]
    fn wrong_settings_are_told_with_their_remedy() {
        let account = "service_account = 'hilo@p.example'\nprivate_key = { secret = 'KEY' }";
        let client = "client_id = { secret = 'ID' }\nclient_secret = { secret = 'SECRET' }";
        let order = "'Order Completed' = '7001'";
        check("123-456-7890", order, account, "");
        check("1234567890", order, client, "");
        check(
            "1234567890/x",
            order,
            account,
            "destination.customer_id: write the account's ten digits",
        );
        check("1234567890", "", account, "name one to ten acts");
        check("1234567890", "'Order Completed' = 'AW-7/x'", account, "write the digits");
        check("1234567890", "'Order Refunded' = '7001'", account, "a refund is no conversion");
        check("1234567890", order, "", "write service_account and private_key, or");
        check(
            "1234567890",
            order,
            &format!("{account}\n{client}"),
            "write service_account and private_key, or",
        );
    }

    #[test]
    fn fields_of_a_rule_become_custom_variables_without_addresses() {
        let (event, mapped) = mapped_order();
        let one = BatchEvent { event: &event, source: None, person: None, mapped: &mapped };
        let expected = json!([
            {"variable": "tier", "value": "gold"}, {"variable": "value", "value": "7.5"},
        ]);
        assert_eq!(variables(&one).map(Value::from), Some(expected));
    }
}
