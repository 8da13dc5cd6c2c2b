//! Buffer: a post in a channel at a time, where a rule of the deployer asks for one (GraphQL API).
//!
//! Event → for each channel a query that looks for the post, and a mutation that makes it if it is not there. Buffer knows no
//! repeat by itself, so an attempt that follows a failed one looks again. Nothing about people goes there. Uploads no image: Buffer
//! fetches it from its address.

use hilo_core::config::{DestinationEntry, Problem, ProblemCode};
use hilo_core::consent::Purpose;
use hilo_core::event::Event;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{by_status, post, quoted, retry};
use super::publish::{self, MISSING, Post, Rule, THERE, Written};
use crate::access::{Refused, buffer};
use crate::forward::destination::{
    Acceptance, Access, Batch, Destination, Kind, MappedRequest, Mapping, MissingSecret, OAuth,
    OptIns, Reception, STEPS_MAX, SecretName,
};
use crate::forward::reason;
use crate::platform::{Headers, Outgoing, Response};

/// The row of the catalogue.
pub(super) const KIND: Kind = Kind {
    name: "buffer",
    title: "Buffer",
    is_silent: false,
    optins: OptIns::Read,
    load,
    purposes: &[Purpose::Analytics],
    limits: publish::LIMITS,
};

/// The most channels: each takes two steps.
const CHANNELS_MAX: usize = STEPS_MAX as usize / 2;

/// Looks for posts of one channel and of one time.
const LOOK: &str = "query Look($o: OrganizationId!, $c: [ChannelId!], $from: DateTime, $to: DateTime) { \
    posts(first: 50, input: {organizationId: $o, filter: {channelIds: $c, dueAt: {start: $from, end: $to}}}) { \
    edges { node { text } } pageInfo { hasNextPage } } }";

/// Makes a post.
const CREATE: &str = "mutation Create($i: CreatePostInput!) { createPost(input: $i) { __typename \
    ... on PostActionSuccess { post { id status dueAt } } ... on MutationError { message } \
    ... on RestProxyError { code } } }";

/// Buffer's settings.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The organization's id.
    organization: String,
    /// The ids of the channels that get the post.
    channels: Vec<String>,
    /// The text, with `{name}` for details of the event.
    text: String,
    /// The https address of an image, with `{name}` too.
    image: Option<String>,
    /// Names of the events that are posted. Without any, the rules of the map decide.
    #[serde(default)]
    when: Vec<String>,
    /// Minutes between the event and the post.
    delay_minutes: Option<u32>,
    /// Whether the post is a draft that somebody approves.
    #[serde(default)]
    draft: bool,
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
    draft: bool,
    rule: Rule,
    login: Login,
}

/// What opens the door.
enum Login {
    Key(SecretName),
    Grant { id: SecretName, secret: SecretName, first: Option<SecretName> },
}

fn load(entry: &DestinationEntry) -> Result<Box<dyn Destination>, Problem> {
    let settings: Settings = entry.read_settings()?;
    let is_id = |id: &String| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let wrong = |field: &str, why: &str| Err(entry.problem(field, ProblemCode::BadValue, why));
    let Settings { organization, channels, text, image, when, delay_minutes, draft, .. } = settings;
    if !is_id(&organization) {
        return wrong("organization", "write the id of the organization: letters and digits");
    }
    if channels.is_empty() || channels.len() > CHANNELS_MAX || !channels.iter().all(is_id) {
        return wrong("channels", "write the ids of one to four channels: letters and digits");
    }
    let rule = Rule::of(entry, Written { text, image, when, delay_minutes })?;
    let login = match (settings.api_key, settings.client_id, settings.client_secret) {
        (Some(key), None, None) => Login::Key(key),
        (None, Some(id), Some(secret)) => {
            Login::Grant { id, secret, first: settings.refresh_token }
        }
        _ => return wrong("api_key", "name either `api_key`, or `client_id` and `client_secret`"),
    };
    Ok(Box::new(Buffer { organization, channels, draft, rule, login }))
}

impl Destination for Buffer {
    fn wants(&self, event: &Event) -> bool {
        self.rule.wants(event)
    }

    fn requests(&self, batch: &Batch<'_>) -> Result<Mapping, MissingSecret> {
        let bearer = self.bearer(&batch.access)?;
        let mut mapping = Mapping::default();
        for (at, one) in batch.events.iter().enumerate() {
            let post = match self.rule.post(one, batch.now) {
                Ok(post) => post,
                Err(why) => {
                    mapping.left_out.push((at, why));
                    continue;
                }
            };
            for (step, channel) in (0..).step_by(2).zip(&self.channels) {
                let (look, events) = (self.look(&post, channel, &bearer), vec![at]);
                mapping.requests.push(MappedRequest { outgoing: look, events, step });
                if batch.found(channel) != Some(THERE) {
                    let (create, events) = (self.create(&post, channel, &bearer), vec![at]);
                    mapping.requests.push(MappedRequest {
                        outgoing: create,
                        events,
                        step: step + 1,
                    });
                }
            }
        }
        Ok(mapping)
    }

    fn classify(&self, request: &MappedRequest, response: &Response) -> Reception {
        let Some(body) = publish::body(response).filter(|_| (200..500).contains(&response.status))
        else {
            return unreadable(response);
        };
        if let Some(acceptance) = refused(&body, response) {
            return Reception::All(acceptance);
        }
        if response.status != 200 {
            return by_status(response);
        }
        Reception::All(match looks(request.step) {
            true => looked(&body, request, response),
            false => made(&body, response),
        })
    }

    /// Whether the post is there, by the channel.
    fn found(&self, request: &MappedRequest, response: &Response) -> Vec<(String, String)> {
        let at = usize::try_from(request.step / 2).unwrap_or_default();
        let channel = self.channels.get(at).filter(|_| looks(request.step));
        let body = publish::body(response);
        let is_there = body.as_ref().and_then(|body| posts(body, &request.outgoing.headers));
        let word = is_there.map(|found| if found.is_there { THERE } else { MISSING });
        channel
            .zip(word)
            .map(|(channel, word)| (channel.clone(), word.to_owned()))
            .into_iter()
            .collect()
    }

    fn oauth(&self) -> Option<OAuth> {
        let Login::Grant { id, secret, first } = &self.login else { return None };
        let scope = "posts%3Aread%20posts%3Awrite%20offline_access";
        Some(buffer::oauth(scope, (id, secret), first.as_ref()))
    }
}

const fn looks(step: u32) -> bool {
    step.is_multiple_of(2)
}

impl Buffer {
    fn bearer(&self, access: &Access<'_>) -> Result<String, MissingSecret> {
        let token = match &self.login {
            Login::Key(key) => access.secret(key)?,
            Login::Grant { secret, .. } => {
                let missing = || MissingSecret(secret.secret.clone());
                access.token.ok_or_else(missing)?.access.clone()
            }
        };
        Ok(format!("Bearer {token}"))
    }

    fn look(&self, post: &Post, channel: &str, bearer: &str) -> Outgoing {
        let (from, to) = post.window();
        let variables = json!({ "o": self.organization, "c": [channel], "from": from, "to": to });
        let headers = [("authorization", bearer.to_owned()), (publish::MARK, post.mark.clone())];
        call(&headers, LOOK, variables)
    }

    fn create(&self, post: &Post, channel: &str, bearer: &str) -> Outgoing {
        let image = |url: &String| json!({ "image": { "url": url } });
        let assets: Vec<Value> = post.image.iter().map(image).collect();
        let input = json!({
            "channelId": channel, "text": post.text, "mode": "customScheduled", "schedulingType": "automatic",
            "dueAt": post.due, "assets": assets, "saveToDraft": self.draft,
        });
        call(&[("authorization", bearer.to_owned())], CREATE, json!({ "i": input }))
    }
}

fn call(headers: &[(&str, String)], query: &str, variables: Value) -> Outgoing {
    post(buffer::URL.to_owned(), headers, &json!({ "query": query, "variables": variables }))
}

/// What an answer means that is no JSON. A success is JSON, so nobody knows whether the post was made: the next attempt looks.
fn unreadable(response: &Response) -> Reception {
    match response.status {
        200..=299 => Reception::All(retry(response)),
        _ => by_status(response),
    }
}

/// What GraphQL's own errors mean; `None` if there are none.
fn refused(body: &Value, response: &Response) -> Option<Acceptance> {
    let error = body.get("errors")?.as_array()?.first()?;
    let code = error.get("extensions").and_then(|more| more.get("code")).and_then(Value::as_str);
    let reason = quoted(response);
    let Some(code) = code else { return Some(retry(response)) };
    Some(match buffer::refused(code) {
        Refused::Door => Acceptance::Unauthorized { reason },
        Refused::Later(_) => retry(response),
        Refused::Other => Acceptance::Rejected { reason: reason::refused(&reason) },
    })
}

/// What a look has found.
struct Found {
    /// Whether the post is among the posts of its time.
    is_there: bool,
    /// Whether there are more posts than one look lists.
    has_more: bool,
}

/// Reads the answer to a look; `None` for another answer.
fn posts(body: &Value, headers: &Headers) -> Option<Found> {
    let posts = body.get("data")?.get("posts").filter(|posts| posts.is_object())?;
    // Buffer answers `edges: null` where there are none.
    let edges = posts.get("edges").and_then(Value::as_array).into_iter().flatten();
    let texts = edges.filter_map(|edge| edge.get("node")?.get("text")?.as_str());
    let is_there = publish::is_there(headers, texts);
    let has_more = posts.get("pageInfo").and_then(|page| page.get("hasNextPage"));
    Some(Found { is_there, has_more: has_more.and_then(Value::as_bool).unwrap_or_default() })
}

/// What the answer to a look means.
fn looked(body: &Value, request: &MappedRequest, response: &Response) -> Acceptance {
    match posts(body, &request.outgoing.headers) {
        Some(Found { is_there: false, has_more: true }) => {
            let why =
                "more than 50 posts are due at this second, so nobody knows whether it is there";
            Acceptance::Rejected { reason: reason::refused(why) }
        }
        Some(_) => Acceptance::Delivered,
        None => retry(response),
    }
}

/// What became of the post.
fn made(body: &Value, response: &Response) -> Acceptance {
    let payload = body.get("data").and_then(|data| data.get("createPost"));
    let kind = payload.and_then(|payload| payload.get("__typename")).and_then(Value::as_str);
    let code = payload.and_then(|payload| payload.get("code")).and_then(Value::as_u64);
    let reason = quoted(response);
    match kind {
        Some("PostActionSuccess") => Acceptance::Delivered,
        Some("UnauthorizedError") => Acceptance::Unauthorized { reason },
        Some("RestProxyError") if code.is_none_or(|code| code >= 500) => retry(response),
        Some("UnexpectedError") | None => retry(response),
        Some(_) => Acceptance::Rejected { reason: reason::refused(&reason) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::destinations::testing::{loaded, problem};

    const KEY: &str = "organization = 'a1'\ntext = 'x'\napi_key = { secret = 'KEY' }\n";

    #[test]
    fn a_wrong_setting_is_named() {
        for (settings, words) in [
            ("channels = []", "destination.channels: write the ids"),
            ("channels = ['a', 'b', 'c', 'd', 'e']", "destination.channels: write the ids"),
            ("channels = ['a']\ndelay_minutes = 1", "destination.delay_minutes: write between"),
            (
                "channels = ['a']\nimage = 'https://shop.example/{email}'",
                "destination.image: a post is public",
            ),
            ("channels = ['a']\nclient_id = { secret = 'ID' }", "destination.api_key: name either"),
        ] {
            let problem = problem("buffer", &format!("{KEY}{settings}"));
            assert!(problem.contains(words), "{problem}");
        }
        assert_eq!(problem("buffer", &format!("{KEY}channels = ['a']")), "");
    }

    #[test]
    fn a_key_needs_no_grant_and_stands_in_the_header_alone() {
        let settings = format!("{KEY}channels = ['a']\nwhen = ['New']");
        let buffer = loaded("buffer", &settings).unwrap();
        assert!(buffer.oauth().is_none());
        let event: Event = serde_json::from_value(json!({
            "messageId": "m1", "type": "track", "event": "New", "properties": {}, "context": {},
            "timestamp": "2026-11-24T10:00:00Z", "receivedAt": "2026-11-24T10:00:01Z",
        }))
        .unwrap();
        let mapped = crate::forward::destination::Mapped::default();
        let one = crate::forward::destination::BatchEvent {
            event: &event,
            source: None,
            person: None,
            mapped: &mapped,
        };
        let batch = |is_set: &'static dyn Fn(&str) -> Option<String>| Batch {
            events: vec![one],
            access: Access { secrets: is_set, token: None },
            found: &[],
            now: "2026-11-24T10:00:05Z".parse().unwrap(),
        };
        let missing = buffer.requests(&batch(&|_| None));
        assert_eq!(missing, Err(MissingSecret("KEY".to_owned())));
        let made = buffer.requests(&batch(&|_| Some("k-1".to_owned()))).unwrap();
        let outgoing = &made.requests[1].outgoing;
        assert_eq!(outgoing.headers.get("authorization"), Some("Bearer k-1"));
        assert!(!outgoing.body.contains("k-1") && !outgoing.url.contains("k-1"));
    }
}
