//! Salesforce: contacts and leads that were changed (SOQL, REST API).
//!
//! Pages of records in the order of their `SystemModstamp` → reports: traits and opt-outs. A record that was changed is read as it is
//! now, so changes between two readings are one. Salesforce's own stream of changes speaks gRPC, which a Worker cannot.

use std::collections::BTreeMap;

use hilo_core::config::{Problem, ProblemCode, Settings};
use hilo_core::inbound::Who;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::shape::{Flag, Kind, Page, Reader, Refusal, Turn};
use super::words::{
    HISTORY_DAYS, at, body, by_status, code, days_before, facts, get, id, is_somebody, kept, later,
    list, opened, opt_out, query, state, text, time,
};
use crate::access::{ClientAuth, Flow, MissingSecret, OAuth, SecretName};
use crate::platform::{Outgoing, Response};

/// The row of the catalogue. An org may make 100,000 calls a day, and a developer's 15,000.
pub(super) const KIND: Kind = Kind {
    name: "salesforce",
    title: "Salesforce",
    load,
    every_minutes: Some(15),
    daily_calls: 5_000,
};

/// Records of one page.
const RECORDS_MAX: usize = 200;
/// A transaction that ends late writes an earlier time than others that are read already. So much of the newest time is left for the
/// next run.
const LAG_S: i64 = 60;

/// Salesforce's settings.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Salesforce {
    /// The org's own host: `acme.my.salesforce.com`.
    domain: String,
    /// The version of the API.
    #[serde(default = "version")]
    api_version: String,
    /// The id of the external client app.
    client_id: SecretName,
    /// Its secret.
    client_secret: SecretName,
    /// The objects that keep people.
    #[serde(default = "objects")]
    objects: Vec<String>,
    /// The field with the company's own user id.
    user_id: Option<String>,
    /// Traits, and the fields that they come from.
    #[serde(default = "fields")]
    fields: BTreeMap<String, String>,
    /// The field with the time of the opt-out, where the org keeps one.
    opted_out_at: Option<String>,
}

fn version() -> String {
    "v60.0".to_owned()
}

fn objects() -> Vec<String> {
    vec!["Contact".to_owned(), "Lead".to_owned()]
}

fn fields() -> BTreeMap<String, String> {
    let usual = [("firstName", "FirstName"), ("lastName", "LastName"), ("phone", "Phone")];
    usual.map(|(of, from)| (of.to_owned(), from.to_owned())).into()
}

/// How far the objects are read.
#[derive(Default, Deserialize, Serialize)]
struct State {
    /// The object that comes next, by its place.
    part: usize,
    /// Object → the last record that was read.
    #[serde(default)]
    read: BTreeMap<String, Mark>,
}

/// The last record that was read.
#[derive(Clone, Deserialize, Serialize)]
struct Mark {
    at: Timestamp,
    /// Its id; of records with one time, those behind it are left.
    id: Option<String>,
}

fn load(settings: &Settings) -> Result<Box<dyn Reader>, Problem> {
    let salesforce: Salesforce = settings.read()?;
    let wrong = |field: &str, why: &str| Err(settings.problem(field, ProblemCode::BadValue, why));
    let name = salesforce.domain.strip_suffix(".my.salesforce.com").unwrap_or_default();
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    if name.is_empty()
        || !name.starts_with(|c: char| c.is_ascii_alphanumeric())
        || !name.bytes().all(is_plain)
    {
        return wrong("domain", "write the org's own host, such as acme.my.salesforce.com");
    }
    let number = salesforce.api_version.strip_prefix('v').and_then(|rest| rest.strip_suffix(".0"));
    if number
        .and_then(|number| number.parse::<u32>().ok())
        .is_none_or(|number| !(46..100).contains(&number))
    {
        return wrong("api_version", "write a version such as v60.0, from v46.0 on");
    }
    if salesforce.objects.is_empty() || !salesforce.objects.iter().all(|one| is_name(one)) {
        return wrong(
            "objects",
            "name the objects that keep people, such as [\"Contact\", \"Lead\"]",
        );
    }
    let named = salesforce.fields.values().chain(&salesforce.user_id);
    if !named.chain(&salesforce.opted_out_at).all(|one| is_name(one)) {
        return wrong("fields", "write a name as Salesforce's API has it: letters, digits and _");
    }
    Ok(Box::new(salesforce))
}

/// Whether a name is one of SOQL, and nothing more.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.len() <= 80
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

impl Reader for Salesforce {
    fn request(&self, turn: &Turn<'_>) -> Result<Option<Outgoing>, MissingSecret> {
        let missing = || MissingSecret(self.client_secret.secret.clone());
        let token = turn.access.token.ok_or_else(missing)?;
        let state: State = state(turn.state);
        let Some(object) = self.objects.get(state.part) else { return Ok(None) };
        let soql = self.soql(object, state.read.get(object), turn.now);
        let host = token.host.as_deref().unwrap_or(&self.domain);
        let url = format!(
            "https://{host}/services/data/{}/query?{}",
            self.api_version,
            query(&[("q", &soql)])
        );
        Ok(Some(get(url, &token.access)))
    }

    fn read(&self, turn: &Turn<'_>, response: &Response) -> Result<Page, Refusal> {
        let answer = answer(response, turn.now)?;
        let mut state: State = state(turn.state);
        let mut page = Page::default();
        let Some(object) = self.objects.get(state.part) else {
            return Ok(Page { state: Value::Null, is_done: true, ..page });
        };
        let records = list(&answer, "records");
        for record in records {
            if self.read_record(record, object, &mut page).is_none() {
                page.odd += 1;
            }
        }
        let last =
            records.last().and_then(|last| Some((time(last, "SystemModstamp")?, id(last, "Id")?)));
        match last {
            Some((at, id)) => drop(state.read.insert(object.clone(), Mark { at, id: Some(id) })),
            None if records.is_empty() => {
                let at = days_before(turn.now, HISTORY_DAYS);
                state.read.entry(object.clone()).or_insert(Mark { at, id: None });
            }
            None => {
                return Err(Refusal::Wrong("a record without Id and SystemModstamp".to_owned()));
            }
        }
        if records.len() < RECORDS_MAX {
            state.part += 1;
        }
        if state.part >= self.objects.len() {
            (state.part, page.is_done) = (0, true);
        }
        page.state = kept(&state);
        Ok(page)
    }

    fn oauth(&self) -> Option<OAuth> {
        Some(OAuth {
            token_url: format!("https://{}/services/oauth2/token", self.domain),
            authorize_url: None,
            flow: Flow::Client { id: self.client_id.clone(), secret: self.client_secret.clone() },
            client: ClientAuth::Body,
            host_member: Some("instance_url"),
            hosts: &[".salesforce.com"],
            // A session lives two hours at the least where the org says nothing else.
            life_s: 3_600,
        })
    }
}

impl Salesforce {
    /// The next records behind a mark. Only names that were checked, times and ids of Salesforce stand in the text.
    fn soql(&self, object: &str, mark: Option<&Mark>, now: Timestamp) -> String {
        let mut fields = vec!["Id", "Email", "HasOptedOutOfEmail", "SystemModstamp"];
        for field in self.fields.values().chain(&self.user_id).chain(&self.opted_out_at) {
            if !fields.contains(&field.as_str()) {
                fields.push(field);
            }
        }
        let start = mark.map_or_else(|| days_before(now, HISTORY_DAYS), |mark| mark.at);
        let behind = match mark.and_then(|mark| mark.id.as_deref()).filter(|id| is_id(id)) {
            Some(id) => {
                format!("(SystemModstamp > {start} OR (SystemModstamp = {start} AND Id > '{id}'))")
            }
            None => format!("SystemModstamp >= {start}"),
        };
        let to = now.checked_sub(SignedDuration::from_secs(LAG_S)).unwrap_or(now);
        format!(
            "SELECT {} FROM {object} WHERE {behind} AND SystemModstamp < {to} ORDER BY SystemModstamp, Id LIMIT {RECORDS_MAX}",
            fields.join(", ")
        )
    }

    /// Adds what a record tells; `None` if it names nobody.
    fn read_record(&self, record: &Value, object: &str, page: &mut Page) -> Option<()> {
        let (of, changed_at) = (id(record, "Id")?, time(record, "SystemModstamp"));
        let who = Who {
            user_id: self.user_id.as_ref().and_then(|name| id(record, name)),
            email: text(record, "Email"),
            ..Who::default()
        };
        if !is_somebody(&who) {
            return None;
        }
        let mut traits = Map::new();
        traits.extend(who.email.clone().map(|email| ("email".to_owned(), Value::from(email))));
        for (name, field) in &self.fields {
            let value = at(record, field).filter(|value| !value.is_null() && !value.is_object());
            traits.extend(value.map(|value| (name.clone(), value.clone())));
        }
        let stamp = changed_at.map(|at| at.as_millisecond().to_string()).unwrap_or_default();
        let of = format!("{}:{of}", object.to_ascii_lowercase());
        page.reports.push(facts(format!("{of}:{stamp}"), (&who, changed_at), traits));
        let is_opted_out = at(record, "HasOptedOutOfEmail")?.as_bool()?;
        let opted_out_at = self.opted_out_at.as_ref().and_then(|name| time(record, name));
        let out = |at| opt_out(format!("{of}:{stamp}:out"), "email", (&who, at));
        if is_opted_out && opted_out_at.is_some() {
            page.reports.push(out(opted_out_at));
        } else {
            // The flag is told with every change of the record, and nobody knows since when it is set.
            let opt_out = is_opted_out.then(|| out(changed_at));
            page.flags.push(Flag { of: format!("{of}:email"), opt_out });
        }
        Some(())
    }
}

fn is_id(id: &str) -> bool {
    (15..=18).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// The body of a success. A refusal is a list.
fn answer(response: &Response, now: Timestamp) -> Result<Value, Refusal> {
    if (200..300).contains(&response.status) {
        return opened(response, now);
    }
    let word = code(&body(response), "0.errorCode");
    match (response.status, word.as_str()) {
        // The org's calls of 24 hours, or too many at once.
        (403, "REQUEST_LIMIT_EXCEEDED") => Err(later(Some(3_600), word)),
        _ => Err(by_status(response, &word, now)),
    }
}
