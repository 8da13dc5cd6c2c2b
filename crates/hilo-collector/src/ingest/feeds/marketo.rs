//! Marketo: activities of people with messages, by their time (REST, lead database).
//!
//! A token for a time, pages of activities, and the people of each page → reports: what was sent, delivered, opened, clicked, bounced,
//! and who wants no more. Marketo counts calls by day for all programs together. Contacts are not read.

use std::collections::BTreeMap;

use hilo_core::config::{Problem, ProblemCode, Settings};
use hilo_core::inbound::Who;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::shape::{Kind, Page, Reader, Refusal, Turn};
use super::words::{
    HISTORY_DAYS, act, at, by_status, code, days_before, get, id, is_somebody, kept, later, list,
    members, nobodys, opened, opt_out, query, state, text, time,
};
use crate::access::{ClientAuth, Flow, MissingSecret, OAuth, SecretName};
use crate::platform::{Outgoing, Response};

/// The row of the catalogue. An instance may make 10,000 calls a day at the least, for all programs together.
pub(super) const KIND: Kind = Kind {
    name: "marketo",
    title: "Adobe Marketo Engage",
    load,
    every_minutes: Some(15),
    daily_calls: 5_000,
};

/// Marketo's standard types of activity, and the acts that they are.
const ACTS: [(i64, &str); 7] = [
    (6, "Message Sent"),
    (7, "Email Delivered"),
    (8, "Email Bounced"),
    (9, "Unsubscribed"),
    (10, "Email Opened"),
    (11, "Email Link Clicked"),
    (27, "Email Bounced"),
];
/// The type of a person who wants no more.
const UNSUBSCRIBED: i64 = 9;
/// The type of a soft bounce.
const SOFT: i64 = 27;
/// The attributes that are kept between a page of activities and its people.
const ATTRIBUTES: [&str; 5] = ["Link", "Details", "Category", "Is Bot Activity", "Campaign Run ID"];

/// Marketo's settings.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Marketo {
    /// The instance's Munchkin id, such as `123-ABC-456`.
    munchkin_id: String,
    /// The id of the custom service.
    client_id: SecretName,
    /// Its secret.
    client_secret: SecretName,
    /// The lead's field with the company's own user id.
    user_id: Option<String>,
}

/// How far a run is.
#[derive(Default, Deserialize, Serialize)]
struct State {
    /// The time of the newest activity that was read: a new token begins there.
    since: Option<Timestamp>,
    /// The token of the next page.
    token: Option<String>,
    /// Activities whose people are not read yet.
    #[serde(default)]
    waiting: Vec<Activity>,
    /// Whether there are more pages.
    more: bool,
    /// Whether the token is a new one, because Marketo did not know the one before.
    is_new: bool,
}

/// An activity, as far as its report needs it.
#[derive(Clone, Deserialize, Serialize)]
struct Activity {
    id: String,
    lead: String,
    kind: i64,
    at: Option<Timestamp>,
    /// The message.
    asset: Option<String>,
    asset_name: Option<String>,
    campaign: Option<String>,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

fn load(settings: &Settings) -> Result<Box<dyn Reader>, Problem> {
    let marketo: Marketo = settings.read()?;
    if !is_munchkin_id(&marketo.munchkin_id) {
        let why = "a Munchkin id is called like 123-ABC-456: Admin, Integration, Munchkin";
        return Err(settings.problem("munchkin_id", ProblemCode::BadValue, why));
    }
    let is_name = |name: &String| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !marketo.user_id.as_ref().is_none_or(is_name) {
        let why = "write a field by its REST name: letters, digits and _";
        return Err(settings.problem("user_id", ProblemCode::BadValue, why));
    }
    Ok(Box::new(marketo))
}

/// Three digits, three letters, three digits: it becomes a part of the host.
fn is_munchkin_id(id: &str) -> bool {
    let parts: Vec<&str> = id.split('-').collect();
    let [first, second, third] = parts.as_slice() else { return false };
    let are = |part: &str, is: fn(&u8) -> bool| part.len() == 3 && part.as_bytes().iter().all(is);
    are(first, u8::is_ascii_digit)
        && are(second, u8::is_ascii_uppercase)
        && are(third, u8::is_ascii_digit)
}

impl Reader for Marketo {
    fn request(&self, turn: &Turn<'_>) -> Result<Option<Outgoing>, MissingSecret> {
        let missing = || MissingSecret(self.client_secret.secret.clone());
        let token = &turn.access.token.ok_or_else(missing)?.access;
        let state: State = state(turn.state);
        let url = if !state.waiting.is_empty() {
            let ids: Vec<_> = state.leads();
            let fields = self
                .user_id
                .as_ref()
                .map_or("id,email".to_owned(), |name| format!("id,email,{name}"));
            let pairs =
                [("filterType", "id"), ("filterValues", &ids.join(",")), ("fields", &fields)];
            format!("{}/leads.json?{}", self.base(), query(&pairs))
        } else if let Some(next) = &state.token {
            let kinds: Vec<_> = ACTS.iter().map(|(kind, _)| kind.to_string()).collect();
            let pairs = [("nextPageToken", next.as_str()), ("activityTypeIds", &kinds.join(","))];
            format!("{}/activities.json?{}", self.base(), query(&pairs))
        } else {
            let since =
                state.since.unwrap_or_else(|| days_before(turn.now, HISTORY_DAYS)).to_string();
            format!(
                "{}/activities/pagingtoken.json?{}",
                self.base(),
                query(&[("sinceDatetime", &since)])
            )
        };
        Ok(Some(get(url, token)))
    }

    fn read(&self, turn: &Turn<'_>, response: &Response) -> Result<Page, Refusal> {
        let mut state: State = state(turn.state);
        let is_paging = state.waiting.is_empty() && state.token.is_some();
        let answer = match answer(response, turn.now) {
            Err(Refusal::Wrong(_)) if is_paging && !state.is_new => {
                // A token may be too old. A new one begins at the newest activity, and what comes again is known.
                (state.token, state.is_new) = (None, true);
                return Ok(Page { state: kept(&state), ..Page::default() });
            }
            answer => answer?,
        };
        let mut page = Page::default();
        if !state.waiting.is_empty() {
            self.read_people(&answer, &mut state, &mut page);
            page.is_done = !state.more;
        } else if is_paging {
            state.read_activities(&answer, &mut page)?;
            page.is_done = state.waiting.is_empty() && !state.more;
        } else {
            let Some(token) = text(&answer, "nextPageToken") else {
                return Err(later(None, "the answer has no nextPageToken".to_owned()));
            };
            state.token = Some(token);
        }
        page.state = kept(&state);
        Ok(page)
    }

    fn oauth(&self) -> Option<OAuth> {
        Some(OAuth {
            token_url: format!("https://{}/identity/oauth/token", self.host()),
            authorize_url: None,
            flow: Flow::Client { id: self.client_id.clone(), secret: self.client_secret.clone() },
            client: ClientAuth::Query,
            host_member: None,
            hosts: &[],
            life_s: 3_600,
        })
    }
}

impl State {
    /// The people of the waiting activities, each once.
    fn leads(&self) -> Vec<String> {
        let mut leads: Vec<String> = self.waiting.iter().map(|one| one.lead.clone()).collect();
        leads.sort_unstable();
        leads.dedup();
        leads
    }

    fn read_activities(&mut self, answer: &Value, page: &mut Page) -> Result<(), Refusal> {
        // Without the next token nobody knows where to go on.
        let Some(next) = text(answer, "nextPageToken") else {
            return Err(later(None, "the answer has no nextPageToken".to_owned()));
        };
        for activity in list(answer, "result") {
            match of_activity(activity) {
                Some(activity) => {
                    self.since = self.since.max(activity.at);
                    self.waiting.push(activity);
                }
                None => page.odd += 1,
            }
        }
        self.more = at(answer, "moreResult") == Some(&Value::Bool(true));
        (self.token, self.is_new) = (Some(next), false);
        Ok(())
    }
}

impl Marketo {
    fn host(&self) -> String {
        format!("{}.mktorest.com", self.munchkin_id.to_ascii_lowercase())
    }

    fn base(&self) -> String {
        format!("https://{}/rest/v1", self.host())
    }

    /// Makes reports of the waiting activities. Activities of somebody whom Marketo does not name are left out.
    fn read_people(&self, answer: &Value, state: &mut State, page: &mut Page) {
        let mut people = BTreeMap::new();
        for lead in list(answer, "result") {
            let who = Who {
                user_id: self.user_id.as_ref().and_then(|name| id(lead, name)),
                email: text(lead, "email"),
                ..Who::default()
            };
            people.extend(id(lead, "id").filter(|_| is_somebody(&who)).map(|id| (id, who)));
        }
        for activity in std::mem::take(&mut state.waiting) {
            let Some(who) = people.get(&activity.lead) else {
                page.odd += 1;
                continue;
            };
            let by = (who, activity.at);
            let name =
                ACTS.iter().find(|(kind, _)| *kind == activity.kind).map_or("", |(_, name)| name);
            if activity.kind == UNSUBSCRIBED {
                page.reports.push(opt_out(format!("{}:out", activity.id), "email", by));
            }
            page.reports.push(act(activity.id.clone(), name, "email", by, activity.properties()));
        }
    }
}

impl Activity {
    fn properties(&self) -> Map<String, Value> {
        let attribute = |name: &str| self.attributes.get(name).map(String::as_str);
        members([
            ("email_id", self.asset.as_deref().map(Value::from)),
            ("email_name", self.asset_name.as_deref().map(Value::from)),
            ("campaign_id", self.campaign.as_deref().map(Value::from)),
            ("link_url", attribute("Link").map(Value::from)),
            ("reason", attribute("Category").map(Value::from)),
            ("is_soft", (self.kind == SOFT).then_some(Value::Bool(true))),
            (
                "is_machine",
                (attribute("Is Bot Activity") == Some("true")).then_some(Value::Bool(true)),
            ),
        ])
    }
}

fn of_activity(activity: &Value) -> Option<Activity> {
    let kind = at(activity, "activityTypeId")?.as_i64()?;
    ACTS.iter().find(|(known, _)| *known == kind)?;
    let attributes = list(activity, "attributes").iter().filter_map(|one| {
        let name = text(one, "name").filter(|name| ATTRIBUTES.contains(&name.as_str()))?;
        let value = at(one, "value")?;
        let value = value.as_bool().map(|is| is.to_string()).or_else(|| id(one, "value"))?;
        // It is kept between two pages, so it must name nobody there either.
        let value = if name == "Link" { nobodys(&value) } else { value };
        Some((name, value))
    });
    Some(Activity {
        id: text(activity, "marketoGUID").or_else(|| id(activity, "id"))?,
        lead: id(activity, "leadId")?,
        kind,
        at: time(activity, "activityDate"),
        asset: id(activity, "primaryAttributeValueId"),
        asset_name: text(activity, "primaryAttributeValue"),
        campaign: id(activity, "campaignId"),
        attributes: attributes.collect(),
    })
}

/// The body of a success. Marketo tells nearly every refusal with 200.
fn answer(response: &Response, now: Timestamp) -> Result<Value, Refusal> {
    let answer = opened(response, now)?;
    if at(&answer, "success") == Some(&Value::Bool(true)) {
        return Ok(answer);
    }
    let word = code(&answer, "errors.0.code");
    Err(match word.as_str() {
        "601" | "602" => Refusal::Unauthorized(word),
        "606" => later(Some(20), word),
        // The instance's calls of the day are used up.
        "607" => later(Some(3_600), word),
        "500" | "502" | "604" | "608" | "611" | "614" | "615" | "713" | "719" => later(None, word),
        "" => by_status(response, "without a result", now),
        _ => Refusal::Wrong(word),
    })
}
