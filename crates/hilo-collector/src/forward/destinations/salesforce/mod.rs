//! Salesforce: people as leads or contacts, touchpoints and orders as records of their own (REST API, sObject collections).
//!
//! Events → upserts of up to 200 records by an external id, so that a repeat changes nothing. A person is changed first, and made
//! only if the answer says that nobody has this id: what Salesforce demands of a new record never overwrites what a colleague wrote.
//! It does not convert leads, read records or query.

mod answer;
mod records;
mod settings;

use hilo_core::config::{DestinationEntry, Problem, ProblemCode};
use hilo_core::consent::Purpose;
use hilo_core::event::Event;
use hilo_core::profile::Person;
use records::Door;
use settings::{Login, Settings, Touchpoints};

use super::crm;
use crate::forward::destination::{
    Access, Batch, ClientAuth, Destination, Flow, Kind, Limits, MappedRequest, Mapping,
    MissingSecret, OAuth, OptIns, Reception,
};
use crate::platform::{Outgoing, Response};

/// The row of the catalogue.
pub(super) const KIND: Kind = Kind {
    name: "salesforce",
    title: "Salesforce",
    is_silent: false,
    optins: OptIns::Kept,
    load,
    purposes: &[Purpose::Analytics],
    limits: Limits {
        // sObject collections take 200 records.
        events: 200,
        bytes: 1_000_000,
        age_s_max: None,
        // An order that comes after its refund would take the refund back.
        is_ordered: true,
        mixes_people: true,
        wants_person: true,
        pace: None,
    },
};

/// The version of the API if the settings name none: Spring '26, which every org has.
const VERSION: &str = "v66.0";
/// The first version whose upserts answer with a body.
const VERSION_MIN: u32 = 46;

/// The seconds for which a token is used: the answer names no time, and a session lasts two hours unless the org has another rule.
const LIFE_S: u32 = 3_600;

/// A configured org.
struct Salesforce {
    settings: Settings,
    version: String,
    oauth: OAuth,
}

fn load(entry: &DestinationEntry) -> Result<Box<dyn Destination>, Problem> {
    let settings: Settings = entry.read_settings()?;
    let wrong = |field: &str, why: &str| Err(entry.problem(field, ProblemCode::BadValue, why));
    if !is_domain(&settings.domain) {
        return wrong("domain", "write the org's own host, such as acme.my.salesforce.com");
    }
    let version = settings.api_version.clone().unwrap_or_else(|| VERSION.to_owned());
    if !is_version(&version) {
        return wrong("api_version", "write a version such as v66.0, from v46.0 on");
    }
    for (field, name) in names(&settings) {
        if !crm::is_field(name) {
            return wrong(field, "write a name as Salesforce's API has it: letters, digits and _");
        }
    }
    if settings.order.as_ref().is_some_and(|one| !crm::is_currency(&one.currency)) {
        return wrong("order.currency", crm::CURRENCY_REMEDY);
    }
    let is_row = |one: &Touchpoints| one.object == "Task" || one.object.ends_with("__c");
    if settings.touchpoint.as_ref().is_some_and(|one| !is_row(one)) {
        return wrong("touchpoint.object", "write a custom object, such as Touchpoint__c, or Task");
    }
    let oauth = oauth(&settings, entry)?;
    Ok(Box::new(Salesforce { settings, version, oauth }))
}

/// Every setting that becomes a part of a path or a name in a record.
fn names(settings: &Settings) -> Vec<(&'static str, &str)> {
    let mut names = vec![("person.external_id", settings.person.external_id.as_str())];
    if let Some(one) = &settings.touchpoint {
        names.push(("touchpoint.object", &one.object));
        names.push(("touchpoint.external_id", &one.external_id));
        names.extend(one.person.iter().map(|name| ("touchpoint.person", name.as_str())));
    }
    if let Some(one) = &settings.order {
        names.push(("order.object", &one.object));
        names.push(("order.external_id", &one.external_id));
    }
    names
}

/// Whether a host is an org's My Domain, sandboxes included. A token never goes to another host.
fn is_domain(host: &str) -> bool {
    let Some(name) = host.strip_suffix(".my.salesforce.com") else { return false };
    let name = [".sandbox", ".develop", ".scratch"]
        .into_iter()
        .find_map(|kind| name.strip_suffix(kind))
        .unwrap_or(name);
    !name.is_empty()
        && !name.starts_with('-')
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn is_version(version: &str) -> bool {
    let number = version.strip_prefix('v').and_then(|rest| rest.strip_suffix(".0"));
    let number = number.filter(|number| number.len() == 2).and_then(|text| text.parse().ok());
    number.is_some_and(|number: u32| number >= VERSION_MIN)
}

fn oauth(settings: &Settings, entry: &DestinationEntry) -> Result<OAuth, Problem> {
    let needs = |field: &'static str| {
        let why = format!("this login needs the setting `{field}`");
        entry.problem(field, ProblemCode::MissingField, why)
    };
    let id = || settings.client_id.clone().ok_or_else(|| needs("client_id"));
    let secret = || settings.client_secret.clone().ok_or_else(|| needs("client_secret"));
    let at = |path: &str| format!("https://{}/services/oauth2/{path}", settings.domain);
    let flow = match settings.login {
        Login::Client => Flow::Client { id: id()?, secret: secret()? },
        Login::Person => {
            let first = settings.refresh_token.clone();
            Flow::Refresh { id: id()?, secret: secret()?, first, rotates: false }
        }
        Login::Key => Flow::Signed {
            key: settings.private_key.clone().ok_or_else(|| needs("private_key"))?,
            issuer: settings.consumer_key.clone().ok_or_else(|| needs("consumer_key"))?,
            subject: Some(settings.user.clone().ok_or_else(|| needs("user"))?),
            audience: audience(&settings.domain).to_owned(),
            scope: None,
        },
    };
    let is_asked = settings.login == Login::Person;
    Ok(OAuth {
        token_url: at("token"),
        authorize_url: is_asked.then(|| at("authorize?scope=api%20refresh_token")),
        flow,
        client: ClientAuth::Body,
        host_member: Some("instance_url"),
        hosts: &[".my.salesforce.com"],
        life_s: LIFE_S,
    })
}

/// Whom a signed token is for: Salesforce's login, or that of sandboxes.
fn audience(domain: &str) -> &'static str {
    match domain.ends_with(".sandbox.my.salesforce.com") {
        true => "https://test.salesforce.com",
        false => "https://login.salesforce.com",
    }
}

impl Destination for Salesforce {
    fn wants(&self, event: &Event) -> bool {
        let Settings { touchpoint, order, .. } = &self.settings;
        crm::tells_of_person(event)
            || touchpoint.as_ref().is_some_and(|one| crm::is_touchpoint(event, one.pages))
            || order.as_ref().is_some_and(|one| one.stage_of(event).is_some())
    }

    fn requests(&self, batch: &Batch<'_>) -> Result<Mapping, MissingSecret> {
        let door = self.door(&batch.access)?;
        Ok(records::map(&self.settings, &door, batch))
    }

    fn classify(&self, request: &MappedRequest, response: &Response) -> Reception {
        answer::read(request, response)
    }

    fn found(&self, request: &MappedRequest, response: &Response) -> Vec<(String, String)> {
        answer::found(request, response)
    }

    fn oauth(&self) -> Option<OAuth> {
        Some(self.oauth.clone())
    }

    /// One call with the person's id in its body: the path of a plain DELETE would have it in the address.
    fn deletion(
        &self,
        person: &Person,
        access: &Access<'_>,
    ) -> Option<Result<Outgoing, MissingSecret>> {
        match self.door(access) {
            Ok(door) => records::deletion(&self.settings.person, &door, person).map(Ok),
            Err(missing) => Some(Err(missing)),
        }
    }
}

impl Salesforce {
    fn door(&self, access: &Access<'_>) -> Result<Door, MissingSecret> {
        let token = access.token.ok_or_else(|| MissingSecret(self.credential().to_owned()))?;
        let host = token.host.as_deref().unwrap_or(&self.settings.domain);
        let path = format!("/services/data/{}", self.version);
        let mut headers = vec![("authorization", format!("Bearer {}", token.access))];
        if self.settings.save_duplicates {
            headers.push(("sforce-duplicate-rule-header", "allowSave=true".to_owned()));
        }
        Ok(Door { base: format!("https://{host}{path}"), path, headers })
    }

    /// The secret without which there is no token.
    fn credential(&self) -> &str {
        match &self.oauth.flow {
            Flow::Client { secret, .. } | Flow::Refresh { secret, .. } => &secret.secret,
            Flow::Signed { key, .. } => &key.secret,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::forward::destination::{BatchEvent, Mapped, Token};
    use crate::forward::destinations::testing::{loaded, problem};

    const LOGIN: &str = "domain = 'acme.my.salesforce.com'\nclient_id = { secret = 'ID' }\n\
        client_secret = { secret = 'SECRET' }\n";

    /// What becomes of an added product with these fields of a rule: the records of each step.
    fn made(settings: &str, fields: &Value) -> Mapping {
        let destination = loaded("salesforce", &format!("{LOGIN}{settings}")).unwrap();
        let event: Event = serde_json::from_value(json!({
            "messageId": "5f0c1d52-8f3e-4a3b-9a57-3f2f6f0c9a11", "type": "track", "event": "Product Added", "properties": {},
            "timestamp": "2026-11-24T10:00:00.7Z", "receivedAt": "2026-11-24T10:00:01Z",
            "context": {"traits": {"email": "ana@shop.example", "lastName": "Sol", "company": "Sol"}},
        }))
        .unwrap();
        let fields: Map<String, Value> = fields.as_object().unwrap().clone();
        let mapped = Mapped { name: Some("Added".to_owned()), fields };
        let token = Token { access: "at".to_owned(), host: None };
        let batch = Batch {
            events: vec![BatchEvent { event: &event, source: None, person: None, mapped: &mapped }],
            access: Access { secrets: &|_| None, token: Some(&token) },
            found: &[],
            now: "2026-11-24T10:00:05Z".parse().unwrap(),
        };
        destination.requests(&batch).unwrap()
    }

    fn record(mapping: &Mapping, at: usize) -> Value {
        let body: Value = serde_json::from_str(&mapping.requests[at].outgoing.body).unwrap();
        body["records"][0].clone()
    }

    const TOUCHPOINT: &str = "touchpoint.object = 'Touchpoint__c'";

    #[test]
    fn a_rule_names_the_touchpoint_and_its_fields_go_where_it_says() {
        let fields = json!({"Lead.Score__c": 7, "Color__c": "red", "Url__c": null});
        let mapping = made(TOUCHPOINT, &fields);
        assert_eq!(record(&mapping, 0)["Score__c"], 7);
        assert_eq!(record(&mapping, 0).get("Color__c"), None);
        let touchpoint = record(&mapping, 1);
        assert_eq!(touchpoint["Name"], "Added");
        assert_eq!(touchpoint["Color__c"], "red");
        assert_eq!(
            (touchpoint.get("Score__c"), touchpoint.get("Url__c")),
            (None, Some(&Value::Null))
        );
    }

    #[test]
    fn a_rule_cannot_name_another_record() {
        for name in [
            "Id",
            "attributes",
            "Collector_Id__c",
            "Event_Id__c",
            "Account.Name",
            "a b",
            "Lead.Id",
            "__c",
            "Lead.",
        ] {
            let mapping = made(TOUCHPOINT, &json!({ name: "x" }));
            assert!(mapping.requests.is_empty(), "{name}");
            let (_, why) = &mapping.left_out[0];
            assert!(format!("{why:?}").contains("invalid: a rule names the field"), "{why:?}");
        }
    }

    #[test]
    fn a_touchpoint_may_be_a_task_of_the_person() {
        let mapping = made("touchpoint.object = 'Task'", &json!({}));
        let expected = json!({
            "attributes": {"type": "Task"}, "Event_Id__c": "5f0c1d52-8f3e-4a3b-9a57-3f2f6f0c9a11", "Subject": "Added", "Status": "Completed",
            "ActivityDate": "2026-11-24",
            "Who": {"attributes": {"type": "Lead"}, "Collector_Id__c": "ana@shop.example"},
        });
        assert_eq!(record(&mapping, 1), expected);
        assert!(mapping.requests[1].outgoing.url.ends_with("/composite/sobjects/Task/Event_Id__c"));
    }

    #[test]
    fn a_token_goes_to_an_org_and_nowhere_else() {
        for host in [
            "acme.my.salesforce.com",
            "acme--uat.sandbox.my.salesforce.com",
            "acme-dev-ed.develop.my.salesforce.com",
        ] {
            assert!(is_domain(host), "{host}");
        }
        for host in [
            "",
            ".my.salesforce.com",
            "login.salesforce.com",
            "acme.my.salesforce.com.evil.example",
            "evil.example/acme.my.salesforce.com",
            "evil.example#.my.salesforce.com",
            "a.b.my.salesforce.com",
            "ACME.my.salesforce.com",
            "-acme.my.salesforce.com",
        ] {
            assert!(!is_domain(host), "{host}");
        }
    }

    #[test]
    fn a_version_has_a_number_that_answers_with_a_body() {
        assert!(is_version(VERSION) && is_version("v46.0"));
        for version in ["66.0", "v66", "v45.0", "v66.1", "v166.0", "v6a.0", "v+6.0"] {
            assert!(!is_version(version), "{version}");
        }
    }

    #[test]
    fn a_wrong_setting_is_named() {
        for (settings, words) in [
            (
                "touchpoint = { object = 'Touchpoint__c', page = true }",
                "destination.touchpoint.page: a salesforce has no setting `page`: did you mean `pages`?",
            ),
            (
                "touchpoint.object = 'Account'",
                "destination.touchpoint.object: write a custom object",
            ),
            (
                "touchpoint = { object = 'T__c', external_id = 'a/b' }",
                "destination.touchpoint.external_id: write a name",
            ),
            ("person.external_id = 'a b'", "destination.person.external_id: write a name"),
            (
                "login = 'key'\nconsumer_key = 'k'\nuser = 'hilo@acme.example'",
                "needs the setting `private_key`",
            ),
            ("api_version = '60'", "destination.api_version: write a version"),
            ("order.stage = 'Won'", "destination.order.currency: write the currency"),
            ("order.currency = 'euro'", "destination.order.currency: write the currency"),
        ] {
            let problem = problem("salesforce", &format!("{LOGIN}{settings}"));
            assert!(problem.contains(words), "{problem}");
        }
    }

    #[test]
    fn a_sandbox_has_a_login_of_its_own() {
        assert_eq!(audience("acme--uat.sandbox.my.salesforce.com"), "https://test.salesforce.com");
        assert_eq!(audience("acme.my.salesforce.com"), "https://login.salesforce.com");
    }
}
