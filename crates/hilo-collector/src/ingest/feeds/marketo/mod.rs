//! Marketo: activities of people with messages, and changes of their fields, by their time (REST, lead database).
//!
//! A token for a time, pages of activities, then pages of changes, and the people of each page → reports: what was sent, delivered, opened,
//! clicked, bounced, who wants no more, and traits. Marketo counts calls by day for all programs together.

mod activity;
mod changes;

use std::collections::BTreeMap;

use hilo_core::config::{Problem, ProblemCode, Settings};
use hilo_core::inbound::Who;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::activity::{ACTS, Activity, UNSUBSCRIBED};
use super::shape::{Kind, Page, Reader, Refusal, Turn};
use super::words::{
    HISTORY_DAYS, act, at, by_status, code, days_before, get, id, is_somebody, kept, later, list,
    opened, opt_out, query, state, text,
};
use crate::access::{MissingSecret, OAuth, Refused, SecretName, marketo};
use crate::platform::{Outgoing, Response};

/// The row of the catalogue. An instance may make 10,000 calls a day at the least, for all programs together.
pub(super) const KIND: Kind = Kind {
    name: "marketo",
    title: "Adobe Marketo Engage",
    load,
    every_minutes: Some(15),
    daily_calls: 5_000,
};

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
    /// Traits, and the lead's fields that they come from.
    #[serde(default = "fields")]
    fields: BTreeMap<String, String>,
}

fn fields() -> BTreeMap<String, String> {
    let usual = [("firstName", "firstName"), ("lastName", "lastName"), ("phone", "phone")];
    usual.map(|(of, from)| (of.to_owned(), from.to_owned())).into()
}

/// How far a run is.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct State {
    /// The activities with messages.
    activities: Pages,
    /// The changes of people's fields.
    changes: Pages,
    /// Whether the run reads the changes now, behind the activities.
    has_activities: bool,
    /// Activities whose people are not read yet.
    waiting: Vec<Activity>,
}

/// How far pages are read.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct Pages {
    /// The time of the newest activity that was read: a new token begins there.
    since: Option<Timestamp>,
    /// The token of the next page.
    token: Option<String>,
    /// Whether there are more pages.
    more: bool,
    /// Whether the token is a new one, because Marketo did not know the one before.
    is_new: bool,
}

fn load(settings: &Settings) -> Result<Box<dyn Reader>, Problem> {
    let written: Marketo = settings.read()?;
    if !marketo::is_munchkin_id(&written.munchkin_id) {
        return Err(settings.problem("munchkin_id", ProblemCode::BadValue, marketo::WRONG_ID));
    }
    let is_name = |name: &String| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    for (field, is_right) in [
        ("user_id", written.user_id.as_ref().is_none_or(is_name)),
        ("fields", written.fields.values().all(is_name)),
    ] {
        if !is_right {
            let why = "write a field by its REST name: letters, digits and _";
            return Err(settings.problem(field, ProblemCode::BadValue, why));
        }
    }
    Ok(Box::new(written))
}

impl Reader for Marketo {
    fn request(&self, turn: &Turn<'_>) -> Result<Option<Outgoing>, MissingSecret> {
        let missing = || MissingSecret(self.client_secret.secret.clone());
        let token = &turn.access.token.ok_or_else(missing)?.access;
        let state: State = state(turn.state);
        let url = if !state.waiting.is_empty() {
            let ids = state.leads().join(",");
            let fields = match state.has_activities {
                false => self.names(["id", "email"], false),
                true => self.names(["id", "email", changes::ENDED], true),
            };
            let pairs = [("filterType", "id"), ("filterValues", ids.as_str()), ("fields", &fields)];
            format!("{}/leads.json?{}", self.base(), query(&pairs))
        } else if let Some(next) = &state.pages().token {
            let kinds: Vec<_> = ACTS.iter().map(|(kind, _)| kind.to_string()).collect();
            let (path, name, value) = match state.has_activities {
                false => ("activities", "activityTypeIds", kinds.join(",")),
                true => (
                    "activities/leadchanges",
                    "fields",
                    self.names(["email", changes::ENDED], true),
                ),
            };
            let pairs = [("nextPageToken", next.as_str()), (name, value.as_str())];
            format!("{}/{path}.json?{}", self.base(), query(&pairs))
        } else {
            let since = state.pages().since.unwrap_or_else(|| days_before(turn.now, HISTORY_DAYS));
            let since = query(&[("sinceDatetime", &since.to_string())]);
            format!("{}/activities/pagingtoken.json?{since}", self.base())
        };
        Ok(Some(get(url, token)))
    }

    fn read(&self, turn: &Turn<'_>, response: &Response) -> Result<Page, Refusal> {
        let mut state: State = state(turn.state);
        let is_paging = state.waiting.is_empty() && state.pages().token.is_some();
        let answer = match answer(response, turn.now) {
            Err(Refusal::Wrong(_)) if is_paging && !state.pages().is_new => {
                // A token may be too old. A new one begins at the newest activity, and what comes again is known.
                let pages = state.pages_mut();
                (pages.token, pages.is_new) = (None, true);
                return Ok(Page { state: kept(&state), ..Page::default() });
            }
            answer => answer?,
        };
        let mut page = Page::default();
        if !state.waiting.is_empty() {
            self.read_people(&answer, &mut state, &mut page);
            page.is_done = state.go_on();
        } else if is_paging {
            state.read_activities(&answer, &mut page)?;
            page.is_done = state.waiting.is_empty() && state.go_on();
        } else {
            let Some(token) = text(&answer, "nextPageToken") else {
                return Err(later(None, "the answer has no nextPageToken".to_owned()));
            };
            state.pages_mut().token = Some(token);
        }
        page.state = kept(&state);
        Ok(page)
    }

    fn oauth(&self) -> Option<OAuth> {
        Some(marketo::oauth(&self.munchkin_id, &self.client_id, &self.client_secret))
    }
}

impl State {
    /// The pages that the run reads now.
    const fn pages(&self) -> &Pages {
        if self.has_activities { &self.changes } else { &self.activities }
    }

    const fn pages_mut(&mut self) -> &mut Pages {
        if self.has_activities { &mut self.changes } else { &mut self.activities }
    }

    /// Goes on behind a page whose people are read: to the next one, to the changes, or to the end. Returns whether it is the end.
    const fn go_on(&mut self) -> bool {
        if self.pages().more {
            return false;
        }
        self.has_activities = !self.has_activities;
        !self.has_activities
    }

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
            let read =
                if self.has_activities { changes::of(activity) } else { activity::of(activity) };
            match read {
                Some(activity) => {
                    let pages = self.pages_mut();
                    pages.since = pages.since.max(activity.at);
                    self.waiting.push(activity);
                }
                None => page.odd += 1,
            }
        }
        let pages = self.pages_mut();
        pages.more = at(answer, "moreResult") == Some(&Value::Bool(true));
        (pages.token, pages.is_new) = (Some(next), false);
        Ok(())
    }
}

impl Marketo {
    fn base(&self) -> String {
        format!("https://{}/rest/v1", marketo::host(&self.munchkin_id))
    }

    /// The names of the fields that are asked for: these, the user id's, and those of traits where traits are read.
    fn names<const N: usize>(&self, first: [&str; N], reads_traits: bool) -> String {
        let mut names: Vec<&str> = first.into();
        let traits = self.fields.values().filter(|_| reads_traits);
        for name in self.user_id.iter().chain(traits) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names.join(",")
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
            let of = id(lead, "id").filter(|_| is_somebody(&who));
            people.extend(of.map(|id| (id, (who, lead))));
        }
        let waiting = std::mem::take(&mut state.waiting);
        if state.has_activities {
            page.odd += changes::read(&waiting, &people, &self.fields, page);
            return;
        }
        for activity in waiting {
            let Some((who, _)) = people.get(&activity.lead) else {
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

/// The body of a success. Marketo tells nearly every refusal with 200.
fn answer(response: &Response, now: Timestamp) -> Result<Value, Refusal> {
    let answer = opened(response, now)?;
    if at(&answer, "success") == Some(&Value::Bool(true)) {
        return Ok(answer);
    }
    let word = code(&answer, "errors.0.code");
    Err(match marketo::refused(&word) {
        Refused::Door => Refusal::Unauthorized(word),
        Refused::Later(after_s) => later(after_s, word),
        Refused::Other if word.is_empty() => by_status(response, "without a result", now),
        Refused::Other => Refusal::Wrong(word),
    })
}
