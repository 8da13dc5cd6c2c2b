//! Hootsuite: messages that were sent or failed, the counters of posts, and those of profiles by day (REST API and analytics 1.0).
//!
//! Messages of which a call told, pages of messages of the last days, then pages of posts and of profiles of each network →
//! touchpoints. A call has ids only and no signature, so each message is read before it counts. The text of a message is not kept.

use std::collections::BTreeMap;

use hilo_core::config::{Problem, ProblemCode, Settings};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::shape::{Called, Kind, Page, Proof, Reader, Refusal, Turn};
use super::social::{self, FAILED, PUBLISHED, counted, day};
use super::words::{
    address, at, body, by_status, code, days_before, get, id, kept, later, list, members, opened,
    post, query, state, text, time,
};
use crate::access::{ClientAuth, Flow, MissingSecret, OAuth, SecretName};
use crate::calls::feed::Touch;
use crate::platform::{Outgoing, Response};

/// The row of the catalogue. An account may make 100,000 calls a day.
pub(super) const KIND: Kind = Kind {
    name: "hootsuite",
    title: "Hootsuite",
    load,
    every_minutes: Some(60),
    daily_calls: 5_000,
};

const URL: &str = "https://platform.hootsuite.com/v1";
/// Messages are read again for so long: one that waits for an approval is sent late.
const WINDOW_DAYS: i64 = 14;
/// Days whose posts and profiles are read again, because networks correct their counters.
const MODIFIED_DAYS: i64 = 2;
/// The networks that have analytics.
const NETWORKS: [&str; 7] = [
    "FACEBOOKPAGE",
    "TWITTER",
    "INSTAGRAMBUSINESS",
    "TIKTOKBUSINESS",
    "YOUTUBECHANNEL",
    "PINTEREST",
    "THREADS",
];
/// The most profiles of one network: so many a filter may have.
const PROFILES_MAX: usize = 10;

/// Hootsuite's settings.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hootsuite {
    /// Network → the ids of its profiles.
    profiles: BTreeMap<String, Vec<String>>,
    /// The app's id.
    client_id: SecretName,
    /// The app's secret.
    client_secret: SecretName,
    /// A refresh token that the deployer has already.
    refresh_token: Option<SecretName>,
    /// What stands behind `?key=` in the address that Hootsuite calls.
    webhook_key: Option<SecretName>,
}

/// How far a run is.
#[derive(Default, Deserialize, Serialize)]
struct State {
    /// The part that comes next: 0 for messages, then posts and profiles of each network in turn.
    part: usize,
    /// The page of that part.
    cursor: Option<String>,
    /// The end of the messages' window, which must stay while its pages are read.
    to: Option<Timestamp>,
}

fn load(settings: &Settings) -> Result<Box<dyn Reader>, Problem> {
    let hootsuite: Hootsuite = settings.read()?;
    let is_id = |id: &String| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    let is_right = |(network, ids): (&String, &Vec<String>)| {
        NETWORKS.contains(&network.as_str())
            && (1..=PROFILES_MAX).contains(&ids.len())
            && ids.iter().all(is_id)
    };
    if hootsuite.profiles.is_empty() || !hootsuite.profiles.iter().all(is_right) {
        let why = format!(
            "write the ids of one to ten profiles for each network, such as FACEBOOKPAGE = [\"115185509\"]; there are {}",
            NETWORKS.join(", ")
        );
        return Err(settings.problem("profiles", ProblemCode::BadValue, why));
    }
    Ok(Box::new(hootsuite))
}

impl Reader for Hootsuite {
    fn request(&self, turn: &Turn<'_>) -> Result<Option<Outgoing>, MissingSecret> {
        let missing = || MissingSecret(self.client_secret.secret.clone());
        let token = &turn.access.token.ok_or_else(missing)?.access;
        if let Some(told) = turn.told.first() {
            return Ok(Some(get(format!("{URL}/messages/{told}"), token)));
        }
        let state: State = state(turn.state);
        let Some((path, network, ids)) = self.part(state.part) else {
            return Ok(Some(self.messages(&state, turn.now, token)));
        };
        let mut pairs = vec![("networkId", network), ("datatype", "ORGANIC"), ("limit", "100")];
        pairs.extend(state.cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let (since, until) = (day(days_before(turn.now, MODIFIED_DAYS)), day(turn.now));
        let filters = json!({
            "profileId": { "in": ids },
            "lastModified": { "timespan": { "since": since, "until": until } },
        });
        let url = format!("{URL}/analytics/{path}?{}", query(&pairs));
        Ok(Some(post(url, token, &json!({ "filters": filters }))))
    }

    fn read(&self, turn: &Turn<'_>, response: &Response) -> Result<Page, Refusal> {
        if let Some(told) = turn.told.first() {
            return of_told(told, turn, response);
        }
        let answer = answer(response, turn.now)?;
        let mut state: State = state(turn.state);
        let mut page = Page::default();
        let path = self.part(state.part).map(|(path, ..)| path);
        let taken = list(&answer, "data").iter().map(|one| match path {
            None => of_message(one),
            Some(PROFILES) => of_profile(one),
            Some(_) => of_post(one),
        });
        for touch in taken {
            match touch {
                Some(touches) => page.touches.extend(touches),
                None => page.odd += 1,
            }
        }
        let next = if path.is_none() {
            "metadata.cursor.next"
        } else {
            "metadata.collectionInfo.next.cursor"
        };
        state.cursor = text(&answer, next);
        match (&state.cursor, path) {
            (Some(_), None) => state.to = state.to.or(Some(turn.now)),
            (Some(_), Some(_)) => {}
            (None, _) => (state.part, state.to) = (state.part + 1, None),
        }
        if self.part(state.part).is_none() && state.part > 0 {
            state = State::default();
            page.is_done = true;
        }
        page.state = kept(&state);
        Ok(page)
    }

    fn oauth(&self) -> Option<OAuth> {
        let at = |path: &str| format!("https://platform.hootsuite.com/oauth2/{path}");
        let (id, secret) = (self.client_id.clone(), self.client_secret.clone());
        let first = self.refresh_token.clone();
        let scope = "offline%20analytics%3Aread";
        Some(OAuth {
            token_url: at("token"),
            authorize_url: Some(at(&format!("auth?code_challenge_method=S256&scope={scope}"))),
            flow: Flow::Refresh { id, secret, first, rotates: true },
            client: ClientAuth::Basic,
            host_member: None,
            hosts: &[],
            life_s: 3_599,
        })
    }

    fn proof(&self) -> Option<Proof<'_>> {
        self.webhook_key.as_ref().map(Proof::Query)
    }

    /// A call tells that a message has another state. One that tests the address tells nothing.
    fn called(&self, body: &Value) -> Called {
        let is_message = text(body, "type").as_deref() == Some("com.hootsuite.messages.event.v1");
        let told = id(body, "data.message.id").filter(|id| is_message && is_number(id));
        Called {
            odd: u32::from(told.is_none()),
            ids: told.into_iter().collect(),
            ..Called::default()
        }
    }
}

/// The path of the profiles' counters.
const PROFILES: &str = "profiles";

impl Hootsuite {
    /// The part of a run behind the messages: its path, and a network with its profiles.
    fn part(&self, part: usize) -> Option<(&'static str, &str, &[String])> {
        let before = part.checked_sub(1)?;
        let (network, ids) = self.profiles.iter().nth(before / 2)?;
        let path = if before.is_multiple_of(2) { "posts" } else { PROFILES };
        Some((path, network, ids))
    }

    fn messages(&self, state: &State, now: Timestamp, token: &str) -> Outgoing {
        let to = state.to.unwrap_or(now);
        let (from, to) = (days_before(to, WINDOW_DAYS).to_string(), to.to_string());
        let mut pairs =
            vec![("startTime", from.as_str()), ("endTime", to.as_str()), ("limit", "100")];
        let ids = self.profiles.values().flatten();
        pairs.extend(ids.map(|id| ("socialProfileIds", id.as_str())));
        pairs.extend(state.cursor.as_deref().map(|cursor| ("cursor", cursor)));
        get(format!("{URL}/messages?{}", query(&pairs)), token)
    }
}

fn is_number(id: &str) -> bool {
    !id.is_empty() && id.len() <= 32 && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// The answer to a question for one message. A message that is not there was forged or deleted, and is done with.
fn of_told(told: &str, turn: &Turn<'_>, response: &Response) -> Result<Page, Refusal> {
    let mut page =
        Page { state: turn.state.clone(), read: vec![told.to_owned()], ..Page::default() };
    if response.status == 404 || code(&body(response), "errors.0.code") == "4001" {
        page.odd = 1;
        return Ok(page);
    }
    let answer = answer(response, turn.now)?;
    page.touches = at(&answer, "data").and_then(of_message).unwrap_or_default();
    Ok(page)
}

/// What a message tells. One that waits tells nothing yet.
fn of_message(message: &Value) -> Option<Vec<Touch>> {
    let (of, channel) = (id(message, "id")?, id(message, "socialProfile.id")?);
    let (event, ending) = match text(message, "state")?.as_str() {
        "SENT" => (PUBLISHED, ""),
        "SEND_FAILED_PERMANENTLY" | "REJECTED" => (FAILED, ":failed"),
        _ => return Some(Vec::new()),
    };
    let tags = list(message, "tags").to_vec();
    let properties = members([
        ("message_id", Some(of.clone().into())),
        ("post_id", id(message, "postId").map(Value::from)),
        ("channel_id", Some(channel.clone().into())),
        ("url", address(message, "postUrl")),
        ("tags", (!tags.is_empty()).then_some(Value::Array(tags))),
    ]);
    Some(vec![Touch {
        id: format!("message:{of}{ending}"),
        event: event.to_owned(),
        occurred_at: time(message, "scheduledSendTime")?,
        channel,
        properties,
        counters: None,
    }])
}

/// What a post of the analytics tells: its counters.
fn of_post(post: &Value) -> Option<Vec<Touch>> {
    let (of, channel) = (id(post, "externalId")?, id(post, "profileId")?);
    let properties = members([
        ("post_id", Some(of.clone().into())),
        ("channel_id", Some(channel.clone().into())),
        ("post_type", text(post, "postType").map(Value::from)),
        ("url", address(post, "sourceLink")),
    ]);
    let counted_at = time(post, "lastRefreshed").or_else(|| time(post, "createdAt"))?;
    let metrics = at(post, "metrics").and_then(Value::as_object);
    let totals = metrics
        .into_iter()
        .flatten()
        .filter_map(|(name, total)| Some((name.clone(), total.as_f64()?)));
    let of = format!("{channel}:{of}");
    Some(counted(&of, counted_at, (&channel, properties), totals.collect()).into_iter().collect())
}

/// What a profile's day tells.
fn of_profile(entry: &Value) -> Option<Vec<Touch>> {
    let (channel, day) = (id(entry, "profileId")?, text(entry, "date")?);
    let metrics = at(entry, "metrics").and_then(Value::as_object);
    let total =
        |(name, metric): (&String, &Value)| Some((name.clone(), at(metric, "total")?.as_f64()?));
    let totals = metrics.into_iter().flatten().filter_map(total);
    Some(social::of_channel(&channel, &day, totals.collect()).into_iter().collect())
}

/// The body of a success. An answer may have both data and errors.
fn answer(response: &Response, now: Timestamp) -> Result<Value, Refusal> {
    let told = body(response);
    let word = code(&told, "errors.0.code");
    match word.as_str() {
        "" => opened(response, now),
        "1001" => Err(Refusal::Unauthorized(word)),
        "1043" | "5000" | "5001" | "5002" => Err(later(None, word)),
        "1003" | "1004" => Err(Refusal::Wrong(format!("{word}: the plan's limit"))),
        _ if response.status >= 500 || response.status == 429 => {
            Err(by_status(response, &word, now))
        }
        _ => Err(Refusal::Wrong(word)),
    }
}
