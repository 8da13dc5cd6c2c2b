//! HubSpot: e-mail events, and contacts that were changed (CRM search, e-mail events API).
//!
//! Pages of changed contacts, in the order of their changes, then pages of e-mail events → reports: traits, opt-outs, what was
//! delivered, opened and clicked. `opt_outs.rs` reads when contacts opted out. A call tells ids of contacts only, so they are read. No
//! answer to a person's wish is sent to HubSpot.

mod contact;
mod emails;
mod opt_outs;

use std::collections::BTreeMap;

use hilo_core::config::{Problem, ProblemCode, Settings};
use hilo_core::inbound::Report;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use self::contact::{changed_at, person};
use super::shape::{Called, Deletion, Kind, Page, Proof, Reader, Recorded, Refusal, Turn};
use super::words::{
    HISTORY_DAYS, at, body, by_status, code, days_before, facts, id, kept, later, list, opened,
    post, state, text,
};
use crate::access::{Access, ClientAuth, Flow, MissingSecret, OAuth, SecretName};
use crate::platform::{Outgoing, Response};

/// The row of the catalogue. An account may make 250,000 calls a day at the least.
pub(super) const KIND: Kind =
    Kind { name: "hubspot", title: "HubSpot", load, every_minutes: Some(10), daily_calls: 20_000 };

const HOST: &str = "https://api.hubapi.com";
/// Contacts of one page. A search answers 200 at most.
const CONTACTS_MAX: usize = 100;
/// A search sees a change some seconds late, and e-mail events come late too. So much of the time before is read again.
const OVERLAP_S: i64 = 300;

/// HubSpot's settings.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HubSpot {
    /// The token of a service key or of a private app.
    token: Option<SecretName>,
    /// An app with OAuth, in place of the token.
    app: Option<App>,
    /// The app's secret, which signs its calls.
    webhook_secret: Option<SecretName>,
    /// The version in the paths.
    #[serde(default = "version")]
    version: String,
    /// The contact's property with the company's own user id.
    user_id: Option<String>,
    /// Traits, and the contact's properties that they come from.
    #[serde(default = "properties")]
    properties: BTreeMap<String, String>,
    /// Whether e-mail events are read.
    #[serde(default = "yes")]
    email_events: bool,
    /// What a contact's deletion for privacy erases.
    #[serde(default)]
    privacy_deletion: Deletion,
    /// The account's id. An app's webhooks come from every account that has installed the app.
    portal_id: Option<u64>,
}

/// An app with OAuth.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct App {
    client_id: SecretName,
    client_secret: SecretName,
    refresh_token: Option<SecretName>,
}

fn version() -> String {
    "2026-09".to_owned()
}

fn properties() -> BTreeMap<String, String> {
    let usual = [("firstName", "firstname"), ("lastName", "lastname"), ("phone", "phone")];
    usual.map(|(of, from)| (of.to_owned(), from.to_owned())).into()
}

const fn yes() -> bool {
    true
}

/// How far a run is.
#[derive(Default, Deserialize, Serialize)]
struct State {
    /// Where the changes of contacts begin.
    since: Option<Timestamp>,
    /// The page of contacts behind `since`, of contacts that were all changed at that time.
    after: Option<String>,
    /// Whether the contacts of this run are read.
    has_contacts: bool,
    /// Where e-mail events begin.
    events_since: Option<Timestamp>,
    /// The end of this run's e-mail events: they come newest first, so it must stay while their pages are read.
    events_to: Option<Timestamp>,
    /// The page of e-mail events.
    offset: Option<String>,
    /// Contacts that have opted out, and of which nobody has read yet since when.
    #[serde(default)]
    opted_out: Vec<String>,
    /// Whether the run ends behind them.
    #[serde(default)]
    ends: bool,
}

fn load(settings: &Settings) -> Result<Box<dyn Reader>, Problem> {
    let hubspot: HubSpot = settings.read()?;
    let wrong = |field: &str, why: &str| Err(settings.problem(field, ProblemCode::BadValue, why));
    if hubspot.token.is_some() == hubspot.app.is_some() {
        return wrong("token", "name either `token` or `app`");
    }
    let is_version = hubspot.version.len() == 7
        && hubspot.version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if !is_version {
        return wrong("version", "write a version by its month, such as 2026-09");
    }
    let is_name = |name: &String| {
        !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    if !hubspot.properties.values().chain(&hubspot.user_id).all(is_name) {
        return wrong(
            "properties",
            "write properties by their internal names: lower-case letters, digits and _",
        );
    }
    let takes_deletions =
        hubspot.webhook_secret.is_some() && hubspot.privacy_deletion != Deletion::Nothing;
    if takes_deletions && hubspot.portal_id.is_none() {
        let why = "write portal_id, the account's id (HubSpot shows it as Hub ID): an app's webhooks come from every account that has installed it, and only this account's deletions may erase anything. Or write privacy_deletion = \"nothing\"";
        return Err(settings.problem("portal_id", ProblemCode::MissingField, why));
    }
    Ok(Box::new(hubspot))
}

impl Reader for HubSpot {
    fn request(&self, turn: &Turn<'_>) -> Result<Option<Outgoing>, MissingSecret> {
        let token = self.bearer(&turn.access)?;
        let state: State = state(turn.state);
        if !state.opted_out.is_empty() {
            let asked = opt_outs::asked(&state.opted_out, self.user_id.as_deref());
            return Ok(Some(post(self.contacts("batch/read"), &token, &asked)));
        }
        if !turn.told.is_empty() {
            let told: Vec<_> = turn.told.iter().take(CONTACTS_MAX).collect();
            let filter =
                json!({ "propertyName": "hs_object_id", "operator": "IN", "values": told });
            return Ok(Some(self.search(&filter, "0", &token)));
        }
        if state.has_contacts {
            let since = state.events_since.unwrap_or_else(|| days_before(turn.now, HISTORY_DAYS));
            let times = (since, state.events_to.unwrap_or(turn.now));
            return Ok(Some(emails::asked(HOST, times, state.offset.as_deref(), &token)));
        }
        let since = state.since.unwrap_or_else(|| days_before(turn.now, HISTORY_DAYS));
        let filter = json!({
            "propertyName": "lastmodifieddate", "operator": "GTE",
            "value": since.as_millisecond().to_string(),
        });
        Ok(Some(self.search(&filter, state.after.as_deref().unwrap_or("0"), &token)))
    }

    fn read(&self, turn: &Turn<'_>, response: &Response) -> Result<Page, Refusal> {
        let answer = answer(response, turn.now)?;
        let mut state: State = state(turn.state);
        let mut page = Page::default();
        if !state.opted_out.is_empty() {
            opt_outs::read(&answer, self.user_id.as_deref(), &mut page);
            opt_outs::go_on(&mut state.opted_out);
            if state.opted_out.is_empty() {
                page.is_done = std::mem::take(&mut state.ends);
            }
        } else if !turn.told.is_empty() {
            self.read_contacts(&answer, &mut state, &mut page);
            page.read = turn.told.iter().take(CONTACTS_MAX).cloned().collect();
        } else if state.has_contacts {
            emails::read(&answer, &mut page);
            page.is_done = !state.go_on_with_events(&answer, turn.now);
        } else {
            let last = self.read_contacts(&answer, &mut state, &mut page);
            state.go_on_with_contacts(&answer, last, turn.now);
            let is_last = state.has_contacts && !self.email_events;
            state.has_contacts &= self.email_events;
            state.ends = is_last && !state.opted_out.is_empty();
            page.is_done = is_last && !state.ends;
        }
        page.state = kept(&state);
        Ok(page)
    }

    fn oauth(&self) -> Option<OAuth> {
        let App { client_id: id, client_secret: secret, refresh_token: first } =
            self.app.clone()?;
        let scope = if self.email_events {
            "content%20crm.objects.contacts.read"
        } else {
            "crm.objects.contacts.read"
        };
        Some(OAuth {
            token_url: format!("{HOST}/oauth/{}/token", self.version),
            authorize_url: Some(format!("https://app.hubspot.com/oauth/authorize?scope={scope}")),
            flow: Flow::Refresh { id, secret, first, rotates: false },
            client: ClientAuth::Body,
            host_member: None,
            hosts: &[],
            life_s: 1_800,
        })
    }

    fn proof(&self) -> Option<Proof<'_>> {
        self.webhook_secret.as_ref().map(Proof::HubSpot)
    }

    fn deletion(&self) -> Deletion {
        self.privacy_deletion
    }

    /// A call is a list of changes. Those of contacts are read; a contact that was deleted has nothing to read. Another account's contact may
    /// have the id of one of this account.
    fn called(&self, body: &Value) -> Called {
        let mut called = Called::default();
        for change in body.as_array().into_iter().flatten() {
            if !self.is_own(change) {
                called.odd += 1;
                continue;
            }
            let kind = text(change, "subscriptionType").unwrap_or_default();
            let is_contact = kind.starts_with("contact.")
                || (kind.starts_with("object.")
                    && text(change, "objectTypeId").as_deref() == Some("0-1"));
            let is_forgotten = is_contact && kind.ends_with(".privacyDeletion");
            if is_forgotten && self.privacy_deletion != Deletion::Nothing {
                called.deleted.extend(id(change, "objectId").map(|id| record(&id)));
                continue;
            }
            let is_gone = is_forgotten || kind.ends_with(".deletion");
            match id(change, "objectId").filter(|_| is_contact && !is_gone) {
                Some(id) if !called.ids.contains(&id) => called.ids.push(id),
                Some(_) => {}
                None => called.odd += 1,
            }
        }
        called
    }
}

impl State {
    /// Takes the page of contacts for read, whose last change is `last`.
    ///
    /// The next page begins at that change, because a contact that changes meanwhile leaves its place, and a page by its number would
    /// miss another one. Only where a whole page has one time, the next is found by its number.
    fn go_on_with_contacts(&mut self, answer: &Value, last: Option<Timestamp>, now: Timestamp) {
        let since = self.since.unwrap_or_else(|| days_before(now, HISTORY_DAYS));
        let last = last.unwrap_or(since).max(since);
        (self.since, self.after) = match id(answer, "paging.next.after") {
            Some(_) if last > since => (Some(last), None),
            Some(next) => (Some(since), Some(next)),
            None => {
                let overlap = now.checked_sub(SignedDuration::from_secs(OVERLAP_S)).unwrap_or(now);
                self.has_contacts = true;
                (Some(last.min(overlap).max(since)), None)
            }
        };
    }

    /// Takes the page of e-mail events for read. Returns whether there is another one.
    fn go_on_with_events(&mut self, answer: &Value, now: Timestamp) -> bool {
        let next =
            text(answer, "offset").filter(|_| at(answer, "hasMore") == Some(&Value::Bool(true)));
        let to = self.events_to.unwrap_or(now);
        if next.is_some() {
            (self.offset, self.events_to) = (next, Some(to));
            return true;
        }
        let since = to.checked_sub(SignedDuration::from_secs(OVERLAP_S)).unwrap_or(to);
        (self.offset, self.events_to, self.events_since) = (None, None, Some(since));
        self.has_contacts = false;
        false
    }
}

impl HubSpot {
    fn bearer(&self, access: &Access<'_>) -> Result<String, MissingSecret> {
        match (&self.token, &self.app) {
            (Some(token), _) => access.secret(token),
            (None, app) => {
                let name = app.as_ref().map(|app| app.client_secret.secret.clone());
                let token = access.token.ok_or_else(|| MissingSecret(name.unwrap_or_default()))?;
                Ok(token.access.clone())
            }
        }
    }

    /// Whether a change is one of this account.
    fn is_own(&self, change: &Value) -> bool {
        self.portal_id.is_none_or(|own| id(change, "portalId") == Some(own.to_string()))
    }

    /// A search for contacts, those that were changed first first.
    fn search(&self, filter: &Value, after: &str, token: &str) -> Outgoing {
        let mut properties = vec!["email", "lastmodifieddate", "hs_email_optout"];
        properties.extend(self.properties.values().map(String::as_str));
        properties.extend(self.user_id.as_deref());
        properties.dedup();
        let asked = json!({
            "filterGroups": [{ "filters": [filter] }],
            "sorts": ["lastmodifieddate"],
            "properties": properties, "limit": CONTACTS_MAX, "after": after,
        });
        post(self.contacts("search"), token, &asked)
    }

    fn contacts(&self, act: &str) -> String {
        format!("{HOST}/crm/objects/{}/contacts/{act}", self.version)
    }

    /// Adds the reports of contacts. Returns the time of the last change.
    fn read_contacts(
        &self,
        answer: &Value,
        state: &mut State,
        page: &mut Page,
    ) -> Option<Timestamp> {
        let mut last = None;
        for contact in list(answer, "results") {
            let changed_at = at(contact, "properties").and_then(changed_at);
            last = last.max(changed_at);
            let Some(facts) = self.of_contact(contact, changed_at) else {
                page.odd += 1;
                continue;
            };
            if self.privacy_deletion != Deletion::Nothing {
                let of = id(contact, "id").map(|id| record(&id)).unwrap_or_default();
                page.records.push(Recorded { of, who: facts.who.clone() });
            }
            page.reports.push(facts);
            let Some(of) = id(contact, "id") else { continue };
            if opt_outs::is_opted_out(contact) {
                state.opted_out.push(of);
            } else {
                page.flags.push(opt_outs::lifted(&of));
            }
        }
        last
    }

    fn of_contact(&self, contact: &Value, changed_at: Option<Timestamp>) -> Option<Report> {
        let (of, properties) = (id(contact, "id")?, at(contact, "properties")?);
        let who = person(properties, self.user_id.as_deref())?;
        let mut traits = Map::new();
        traits.extend(who.email.clone().map(|email| ("email".to_owned(), Value::from(email))));
        for (name, property) in &self.properties {
            traits.extend(text(properties, property).map(|value| (name.clone(), value.into())));
        }
        let stamp = changed_at.map(|at| at.as_millisecond().to_string()).unwrap_or_default();
        Some(facts(format!("contact:{of}:{stamp}"), (&who, changed_at), traits))
    }
}

/// A contact among the records of the feed.
fn record(id: &str) -> String {
    format!("contact:{id}")
}

/// The body of a success.
fn answer(response: &Response, now: Timestamp) -> Result<Value, Refusal> {
    if (200..300).contains(&response.status) {
        return opened(response, now);
    }
    let told = body(response);
    match (response.status, text(&told, "policyName").as_deref()) {
        // The account's calls of the day are used up.
        (429, Some("DAILY")) => Err(later(Some(3_600), "status 429 DAILY".to_owned())),
        (429, Some(_)) => Err(later(Some(10), "status 429".to_owned())),
        _ => Err(by_status(response, &code(&told, "category"), now)),
    }
}
