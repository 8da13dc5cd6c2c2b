//! Buffer: posts that were sent and their counters, and the counters of each channel by day (GraphQL).
//!
//! A page of posts of the last days → touchpoints of posts. Then one request for all channels → a touchpoint of each channel and
//! day. Buffer counts once a day and knows nothing of single people. The text of a post is not read.

use hilo_core::config::{Problem, ProblemCode, Settings};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::shape::{Kind, Page, Reader, Refusal, Turn};
use super::social::{self, FAILED, PUBLISHED, counted};
use super::words::{
    address, at, body, by_status, code, days_before, id, kept, later, list, members, opened, post,
    state, text, time,
};
use crate::access::{Access, MissingSecret, OAuth, Refused, SecretName, buffer};
use crate::calls::feed::Touch;
use crate::platform::{Outgoing, Response};

/// The row of the catalogue. Buffer allows 250 calls in 24 hours at the least.
pub(super) const KIND: Kind =
    Kind { name: "buffer", title: "Buffer", load, every_minutes: Some(60), daily_calls: 200 };

/// Counters of a post move for some days, so its page is read again so long.
const WINDOW_DAYS: i64 = 14;
/// The most channels: one request asks for all, and GraphQL allows thirty names beside.
const CHANNELS_MAX: usize = 25;

/// A page of posts that were sent or failed.
const POSTS: &str = "query Posts($o: OrganizationId!, $c: [ChannelId!], $from: DateTime, $after: String) { \
    posts(first: 50, after: $after, input: {organizationId: $o, sort: [{field: dueAt, direction: asc}], \
    filter: {channelIds: $c, status: [sent, error], dueAt: {start: $from}}}) { \
    edges { node { id status sentAt dueAt channelId channelService externalLink via tags { id name } \
    metrics { type value unit } metricsUpdatedAt } } pageInfo { hasNextPage endCursor } } }";

/// Buffer's settings.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// The organization's id.
    organization: String,
    /// The ids of the channels.
    channels: Vec<String>,
    /// A key of one account. Without it, a person grants access.
    api_key: Option<SecretName>,
    /// The app's id.
    client_id: Option<SecretName>,
    /// The app's secret.
    client_secret: Option<SecretName>,
    /// A refresh token that the deployer has already.
    refresh_token: Option<SecretName>,
}

/// A configured organization.
struct Buffer {
    organization: String,
    channels: Vec<String>,
    login: Login,
}

/// What opens the door.
enum Login {
    Key(SecretName),
    Grant { id: SecretName, secret: SecretName, first: Option<SecretName> },
}

/// How far a run is.
#[derive(Default, Deserialize, Serialize)]
struct State {
    /// Where the posts of this run begin.
    from: Option<Timestamp>,
    /// The page of posts that comes next.
    after: Option<String>,
    /// Whether the posts of this run are read.
    has_posts: bool,
    /// The last day of which the channels are read.
    day: Option<String>,
}

fn load(settings: &Settings) -> Result<Box<dyn Reader>, Problem> {
    let written: Written = settings.read()?;
    let is_id = |id: &String| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let wrong = |field: &str, why: &str| Err(settings.problem(field, ProblemCode::BadValue, why));
    let Written { organization, channels, .. } = written;
    if !is_id(&organization) {
        return wrong("organization", "write the id of the organization: letters and digits");
    }
    if channels.is_empty() || channels.len() > CHANNELS_MAX || !channels.iter().all(is_id) {
        return wrong("channels", "write the ids of one to 25 channels: letters and digits");
    }
    let login = match (written.api_key, written.client_id, written.client_secret) {
        (Some(key), None, None) => Login::Key(key),
        (None, Some(id), Some(secret)) => Login::Grant { id, secret, first: written.refresh_token },
        _ => return wrong("api_key", "name either `api_key`, or `client_id` and `client_secret`"),
    };
    Ok(Box::new(Buffer { organization, channels, login }))
}

impl Reader for Buffer {
    fn request(&self, turn: &Turn<'_>) -> Result<Option<Outgoing>, MissingSecret> {
        let token = self.token(&turn.access)?;
        let state: State = state(turn.state);
        let asked = if state.has_posts {
            self.of_channels(turn.now)
        } else {
            self.of_posts(&state, turn.now)
        };
        Ok(Some(post(buffer::URL.to_owned(), &token, &asked)))
    }

    fn read(&self, turn: &Turn<'_>, response: &Response) -> Result<Page, Refusal> {
        let answer = answer(response, turn.now)?;
        let mut state: State = state(turn.state);
        let mut page = Page::default();
        if state.has_posts {
            self.read_channels(&answer, turn.now, &mut page.touches);
            let day = Some(yesterday(turn.now));
            state = State { day, ..State::default() };
            page.is_done = true;
        } else {
            for edge in list(&answer, "data.posts.edges") {
                match at(edge, "node").and_then(of_post) {
                    Some(touches) => page.touches.extend(touches),
                    None => page.odd += 1,
                }
            }
            let next = text(&answer, "data.posts.pageInfo.endCursor");
            let has_next =
                at(&answer, "data.posts.pageInfo.hasNextPage") == Some(&Value::Bool(true));
            state.from.get_or_insert(days_before(turn.now, WINDOW_DAYS));
            state.after = next.filter(|_| has_next);
            if state.after.is_none() {
                state.has_posts = state.day.as_deref() != Some(&yesterday(turn.now));
                state.from = None;
                page.is_done = !state.has_posts;
            }
        }
        page.state = kept(&state);
        Ok(page)
    }

    fn oauth(&self) -> Option<OAuth> {
        let Login::Grant { id, secret, first } = &self.login else { return None };
        let scope = "posts%3Aread%20account%3Aread%20offline_access";
        Some(buffer::oauth(scope, (id, secret), first.as_ref()))
    }
}

impl Buffer {
    fn token(&self, access: &Access<'_>) -> Result<String, MissingSecret> {
        match &self.login {
            Login::Key(key) => access.secret(key),
            Login::Grant { secret, .. } => {
                let missing = || MissingSecret(secret.secret.clone());
                Ok(access.token.ok_or_else(missing)?.access.clone())
            }
        }
    }

    fn of_posts(&self, state: &State, now: Timestamp) -> Value {
        let from = state.from.unwrap_or_else(|| days_before(now, WINDOW_DAYS));
        json!({
            "query": POSTS,
            "variables": { "o": self.organization, "c": self.channels, "from": from, "after": state.after },
        })
    }

    /// One question for each channel, in one request: the names stand in the document, the ids in the variables.
    fn of_channels(&self, now: Timestamp) -> Value {
        let mut heads = String::from("$o: OrganizationId!, $from: DateTime!, $to: DateTime!");
        let mut parts = String::new();
        let mut variables = Map::new();
        for (place, channel) in self.channels.iter().enumerate() {
            heads.push_str(&format!(", $c{place}: [ChannelId!]"));
            parts.push_str(&format!(
                " c{place}: aggregatedPostMetrics(input: {{organizationId: $o, channelIds: $c{place}, \
                 startDateTime: $from, endDateTime: $to}}) {{ metrics {{ type value unit }} metricsUpdatedAt }}"
            ));
            variables.insert(format!("c{place}"), json!([channel]));
        }
        let day = yesterday(now);
        variables.insert("o".to_owned(), json!(self.organization));
        variables.insert("from".to_owned(), json!(format!("{day}T00:00:00Z")));
        variables.insert("to".to_owned(), json!(format!("{day}T23:59:59Z")));
        json!({ "query": format!("query Channels({heads}) {{{parts} }}"), "variables": variables })
    }

    fn read_channels(&self, answer: &Value, now: Timestamp, touches: &mut Vec<Touch>) {
        let day = yesterday(now);
        for (place, channel) in self.channels.iter().enumerate() {
            let totals = metrics(answer, &format!("data.c{place}.metrics"));
            touches.extend(social::of_channel(channel, &day, totals));
        }
    }
}

/// The day before, as Buffer counts: its counters are a day behind.
fn yesterday(now: Timestamp) -> String {
    let then = now.checked_sub(SignedDuration::from_hours(24)).unwrap_or(now);
    social::day(then)
}

/// What a post tells: that it was published or failed, and what was counted.
fn of_post(node: &Value) -> Option<Vec<Touch>> {
    let (post, channel) = (id(node, "id")?, id(node, "channelId")?);
    let failed = text(node, "status").as_deref() == Some("error");
    let sent_at = time(node, "sentAt").or_else(|| time(node, "dueAt"))?;
    let properties = members([
        ("post_id", Some(post.clone().into())),
        ("channel_id", Some(channel.clone().into())),
        ("network", text(node, "channelService").map(Value::from)),
        ("url", address(node, "externalLink")),
        ("via", text(node, "via").map(Value::from)),
        ("tags", tags(node)),
    ]);
    let event = if failed { FAILED } else { PUBLISHED };
    let ending = if failed { ":failed" } else { "" };
    let mut touches = vec![Touch {
        id: format!("post:{post}{ending}"),
        event: event.to_owned(),
        occurred_at: sent_at,
        channel: channel.clone(),
        properties: properties.clone(),
        counters: None,
    }];
    // Zero stands for nothing and for unknown. Before the first count both are unknown.
    if let Some(counted_at) = time(node, "metricsUpdatedAt") {
        let totals = metrics(node, "metrics");
        touches.extend(counted(&post, counted_at, (&channel, properties), totals));
    }
    Some(touches)
}

fn tags(node: &Value) -> Option<Value> {
    let names: Vec<Value> =
        list(node, "tags").iter().filter_map(|tag| text(tag, "name")).map(Value::from).collect();
    (!names.is_empty()).then_some(Value::Array(names))
}

/// Counters by their names, without shares: a share is no total.
fn metrics(value: &Value, path: &str) -> Vec<(String, f64)> {
    let counts =
        list(value, path).iter().filter(|one| text(one, "unit").as_deref() != Some("percentage"));
    counts.filter_map(|one| Some((text(one, "type")?, at(one, "value")?.as_f64()?))).collect()
}

/// The body of a success. Buffer tells most refusals with 200.
fn answer(response: &Response, now: Timestamp) -> Result<Value, Refusal> {
    let told = body(response);
    let word = code(&told, "errors.0.extensions.code");
    match (buffer::refused(&word), word.as_str()) {
        (_, "") => opened(response, now),
        (Refused::Door, _) => Err(Refusal::Unauthorized(word)),
        (_, "RATE_LIMIT_EXCEEDED") => {
            let window = text(&told, "errors.0.extensions.window");
            // A window of a day or a month does not end soon.
            let own = if window.as_deref() == Some("15m") { 900 } else { 3_600 };
            let after = match by_status(&Response { status: 429, ..response.clone() }, "", now) {
                Refusal::Later { after_s: Some(after_s), .. } => after_s,
                Refusal::Later { .. } | Refusal::Unauthorized(_) | Refusal::Wrong(_) => own,
            };
            Err(later(Some(after), word))
        }
        (Refused::Later(after_s), _) => Err(later(after_s, word)),
        (Refused::Other, _) => Err(Refusal::Wrong(word)),
    }
}
