//! Hootsuite: a message in social profiles at a time, where a rule of the deployer asks for one (REST API 1.0).
//!
//! Event → a request that looks for the message, and one that schedules it for all profiles if it is not there. Hootsuite knows no
//! repeat by itself, so an attempt that follows a failed one looks again. Nothing about people goes there. Uploads no image:
//! Hootsuite fetches it from its address.

use hilo_core::config::{DestinationEntry, Problem, ProblemCode};
use hilo_core::consent::Purpose;
use hilo_core::event::Event;
use hilo_core::rate::Rate;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{by_status, quoted, retry};
use super::publish::{self, MISSING, Post, Rule, THERE, Written};
use crate::forward::destination::{
    Acceptance, Batch, ClientAuth, Destination, Flow, Kind, Limits, MappedRequest, Mapping,
    MissingSecret, OAuth, OptIns, Reception, SecretName,
};
use crate::forward::reason;
use crate::platform::{Headers, Outgoing, Response};

/// The row of the catalogue.
pub(super) const KIND: Kind = Kind {
    name: "hootsuite",
    title: "Hootsuite",
    is_silent: false,
    optins: OptIns::Read,
    load,
    purposes: &[Purpose::Analytics],
    limits: Limits {
        // An account may make 20 calls a second.
        pace: Some(Rate { per_s: 5, burst: 10 }),
        ..publish::LIMITS
    },
};

const URL: &str = "https://platform.hootsuite.com/v1/messages";

/// The most messages that one look lists.
const LISTED_MAX: usize = 100;

/// The most profiles: so many ids fit into an address.
const PROFILES_MAX: usize = 50;

/// The step that looks. The other one schedules.
const LOOK: u32 = 0;
/// The name of what it finds.
const MESSAGE: &str = "message";

/// Hootsuite's settings.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The ids of the social profiles.
    profiles: Vec<String>,
    /// The text, with `{name}` for details of the event.
    text: String,
    /// The https address of an image, with `{name}` too.
    image: Option<String>,
    /// Names of the events that are posted. Without any, the rules of the map decide.
    #[serde(default)]
    when: Vec<String>,
    /// Minutes between the event and the message.
    delay_minutes: Option<u32>,
    /// The app's id.
    client_id: SecretName,
    /// The app's secret.
    client_secret: SecretName,
    /// A refresh token that the deployer has already.
    refresh_token: Option<SecretName>,
}

/// Configured profiles.
struct Hootsuite {
    profiles: Vec<String>,
    rule: Rule,
    id: SecretName,
    secret: SecretName,
    first: Option<SecretName>,
}

fn load(entry: &DestinationEntry) -> Result<Box<dyn Destination>, Problem> {
    let Settings {
        profiles,
        text,
        image,
        when,
        delay_minutes,
        client_id,
        client_secret,
        refresh_token,
    } = entry.read_settings()?;
    let is_id = |id: &String| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    if profiles.is_empty() || profiles.len() > PROFILES_MAX || !profiles.iter().all(is_id) {
        let why = "write the ids of one to fifty social profiles, which are numbers in quotes";
        return Err(entry.problem("profiles", ProblemCode::BadValue, why));
    }
    let rule = Rule::of(entry, Written { text, image, when, delay_minutes })?;
    let (id, secret, first) = (client_id, client_secret, refresh_token);
    Ok(Box::new(Hootsuite { profiles, rule, id, secret, first }))
}

impl Destination for Hootsuite {
    fn wants(&self, event: &Event) -> bool {
        self.rule.wants(event)
    }

    fn requests(&self, batch: &Batch<'_>) -> Result<Mapping, MissingSecret> {
        let missing = || MissingSecret(self.secret.secret.clone());
        let bearer = format!("Bearer {}", batch.access.token.ok_or_else(missing)?.access);
        let mut mapping = Mapping::default();
        for (at, one) in batch.events.iter().enumerate() {
            match self.rule.post(one, batch.now) {
                Ok(post) => {
                    let mut push = |outgoing, step| {
                        mapping.requests.push(MappedRequest { outgoing, events: vec![at], step });
                    };
                    push(self.look(&post, &bearer), LOOK);
                    if batch.found(MESSAGE) != Some(THERE) {
                        push(self.create(&post, &bearer), LOOK + 1);
                    }
                }
                Err(why) => mapping.left_out.push((at, why)),
            }
        }
        Ok(mapping)
    }

    fn classify(&self, request: &MappedRequest, response: &Response) -> Reception {
        let body = publish::body(response);
        let error = body.as_ref().and_then(|body| body.get("errors")?.as_array()?.first());
        let messages = body.as_ref().and_then(|body| body.get("data")?.as_array());
        let is_made = request.step != LOOK && messages.is_some_and(|made| !made.is_empty());
        if error.is_some() && is_made {
            // A further look would find the text, and take the rest of the profiles for done.
            let reason = reason::refused(&quoted(response));
            return Reception::All(Acceptance::Rejected { reason });
        }
        if let Some(error) = error.filter(|_| response.status < 500) {
            return Reception::All(refused(error, response));
        }
        match (response.status, messages) {
            (200..=299, Some(messages)) if request.step == LOOK => {
                Reception::All(looked(messages, request))
            }
            (200..=299, Some(messages)) if !messages.is_empty() => {
                Reception::All(Acceptance::Delivered)
            }
            // A success names its messages, so nobody knows whether they were made: the next attempt looks.
            (200..=299, _) => Reception::All(retry(response)),
            _ => by_status(response),
        }
    }

    /// Whether the message is there.
    fn found(&self, request: &MappedRequest, response: &Response) -> Vec<(String, String)> {
        let body = publish::body(response).filter(|_| request.step == LOOK);
        let messages = body.as_ref().and_then(|body| body.get("data")?.as_array());
        let word =
            messages.map(|messages| if is_there(messages, request) { THERE } else { MISSING });
        word.map(|word| (MESSAGE.to_owned(), word.to_owned())).into_iter().collect()
    }

    fn oauth(&self) -> Option<OAuth> {
        let (id, secret, first) = (self.id.clone(), self.secret.clone(), self.first.clone());
        let at = |path: &str| format!("https://platform.hootsuite.com/oauth2/{path}");
        Some(OAuth {
            token_url: at("token"),
            authorize_url: Some(at("auth?code_challenge_method=S256&scope=offline")),
            flow: Flow::Refresh { id, secret, first, rotates: true },
            client: ClientAuth::Basic,
            host_member: None,
            hosts: &[],
            life_s: 3_599,
        })
    }
}

impl Hootsuite {
    fn look(&self, post: &Post, bearer: &str) -> Outgoing {
        let (from, to) = post.window();
        let escaped = |at: Timestamp| at.to_string().replace(':', "%3A");
        let mut url =
            format!("{URL}?startTime={}&endTime={}&limit={LISTED_MAX}", escaped(from), escaped(to));
        for profile in &self.profiles {
            url.push_str("&socialProfileIds=");
            url.push_str(profile);
        }
        let mut headers = Headers::default();
        headers.push("authorization", bearer);
        headers.push(publish::MARK, post.mark.clone());
        Outgoing { method: "GET".to_owned(), url, headers, body: String::new() }
    }

    fn create(&self, post: &Post, bearer: &str) -> Outgoing {
        let mut message = json!({
            "text": post.text, "socialProfileIds": self.profiles, "scheduledSendTime": post.due,
            "emailNotification": false,
        });
        if let (Value::Object(message), Some(image)) = (&mut message, &post.image) {
            message.insert("mediaUrls".to_owned(), json!([{ "url": image }]));
        }
        let mut headers = Headers::default();
        headers.push("content-type", "application/json;charset=utf-8");
        headers.push("authorization", bearer);
        let body = message.to_string();
        Outgoing { method: "POST".to_owned(), url: URL.to_owned(), headers, body }
    }
}

/// Whether the message is among those of its time.
fn is_there(messages: &[Value], request: &MappedRequest) -> bool {
    let texts = messages.iter().filter_map(|message| message.get("text")?.as_str());
    publish::is_there(&request.outgoing.headers, texts)
}

/// What the answer to a look means.
fn looked(messages: &[Value], request: &MappedRequest) -> Acceptance {
    if messages.len() < LISTED_MAX || is_there(messages, request) {
        return Acceptance::Delivered;
    }
    let why = "more messages are due at this second than a look lists, so nobody knows whether it is there";
    Acceptance::Rejected { reason: reason::refused(why) }
}

/// What an error means, by Hootsuite's own number, where no message was made.
fn refused(error: &Value, response: &Response) -> Acceptance {
    let reason = quoted(response);
    match error.get("code").and_then(Value::as_u64) {
        // The token, and the plan of the account or of the app.
        Some(1001 | 1003 | 1004) => Acceptance::Unauthorized { reason },
        // Too many calls; a medium that is not ready; the server.
        Some(1043 | 40_021 | 5_000..=5_002) => retry(response),
        _ if matches!(response.status, 401 | 403) => Acceptance::Unauthorized { reason },
        _ if response.status == 429 => retry(response),
        _ => Acceptance::Rejected { reason: reason::refused(&reason) },
    }
}

#[cfg(test)]
mod tests {
    use crate::forward::destinations::testing::problem;

    #[test]
    fn a_wrong_setting_is_named() {
        let login = "text = 'x'\nclient_id = { secret = 'ID' }\nclient_secret = { secret = 'S' }\n";
        for (settings, words) in [
            ("profiles = []", "destination.profiles: write the ids"),
            ("profiles = ['1&x=2']", "destination.profiles: write the ids"),
        ] {
            let problem = problem("hootsuite", &format!("{login}{settings}"));
            assert!(problem.contains(words), "{problem}");
        }
        assert_eq!(problem("hootsuite", &format!("{login}profiles = ['1']")), "");
    }
}
