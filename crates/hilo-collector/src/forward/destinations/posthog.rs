//! PostHog: its capture API in batches, and its persons API for an erasure (<https://posthog.com/docs/api/capture>).
//!
//! Events → `POST <host>/batch/`. PostHog knows a repeat by `uuid`, together with name, time and person. Its 200 tells nothing about
//! an event. Without a vouched user an event makes no person profile, and nothing links a device to a user but an identify event.

use hilo_core::config::{DestinationEntry, Problem, ProblemCode};
use hilo_core::consent::Purpose;
use hilo_core::event::{Event, EventKind, Properties};
use hilo_core::profile::Person;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::{by_status, post, retry};
use super::target;
use super::whole::is_uuid;
use crate::forward::destination::{
    Access, Batch, BatchEvent, Destination, Kind, LeftOut, Limits, MappedRequest, Mapping,
    MissingSecret, OptIns, Reception, SecretName,
};
use crate::forward::reason;
use crate::platform::{Outgoing, Response};
use crate::signature;

/// The row of the catalogue.
pub(super) const KIND: Kind = Kind {
    name: "posthog",
    title: "PostHog",
    is_silent: true,
    optins: OptIns::Read,
    load,
    purposes: &[Purpose::Analytics],
    limits: Limits {
        // PostHog has no limit of events, and takes 20 MB. A batch this small is cheap to repeat.
        events: 500,
        bytes: 1_000_000,
        age_s_max: None,
        is_ordered: false,
        mixes_people: true,
        wants_person: false,
        pace: None,
    },
};

/// Older events go in with `historical_migration`, so that they do not look like a sudden rise.
const HISTORICAL: SignedDuration = SignedDuration::from_hours(48);
/// The most ids of one call that deletes persons.
const DELETED_MAX: usize = 1_000;

/// The settings of a destination.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PostHog {
    /// The ingestion host: `https://eu.i.posthog.com`, `https://us.i.posthog.com`, or an instance of one's own.
    host: String,
    /// The project's key, which begins with `phc_`. It is no secret: PostHog's own pages send it.
    project_key: String,
    /// What a group is called there.
    #[serde(default = "company")]
    group_type: String,
    /// The project's number; with it and `personal_key` an erasure reaches PostHog.
    project_id: Option<u64>,
    /// A personal key with the scope `person:write`.
    personal_key: Option<SecretName>,
}

fn company() -> String {
    "company".to_owned()
}

fn load(entry: &DestinationEntry) -> Result<Box<dyn Destination>, Problem> {
    let posthog: PostHog = entry.read_settings()?;
    let wrong = |field, why| Err(entry.problem(field, ProblemCode::BadValue, why));
    if let Err(why) = target::check(&posthog.host, false) {
        return wrong("host", why);
    }
    if posthog.host.trim_start_matches("https://").contains(['/', '?', '#']) {
        return wrong("host", "only scheme and host, such as \"https://eu.i.posthog.com\"");
    }
    if ["https://eu.posthog.com", "https://us.posthog.com", "https://app.posthog.com"]
        .contains(&posthog.host.as_str())
    {
        return wrong(
            "host",
            "events go to \"https://eu.i.posthog.com\" or \"https://us.i.posthog.com\"",
        );
    }
    if !posthog.project_key.starts_with("phc_") {
        return wrong("project_key", "the project's public key, which begins with phc_");
    }
    if posthog.project_id.is_some() != posthog.personal_key.is_some() {
        return wrong("project_id", "an erasure needs both project_id and personal_key");
    }
    Ok(Box::new(posthog))
}

/// An event, in PostHog's words.
#[derive(Serialize)]
struct Captured<'e> {
    uuid: String,
    event: &'e str,
    distinct_id: &'e str,
    timestamp: Timestamp,
    properties: Properties,
}

impl Destination for PostHog {
    /// A changed consent is no event of a product. The links of a request to confirm a subscription are for its carrier only.
    fn wants(&self, event: &Event) -> bool {
        !event.is_optin_request() && !event.kind.is_consent_change()
    }

    fn requests(&self, batch: &Batch<'_>) -> Result<Mapping, MissingSecret> {
        let mut mapping = Mapping::default();
        let (mut recent, mut historical) = (Vec::new(), Vec::new());
        for (at, one) in batch.events.iter().enumerate() {
            let is_old = batch.now.duration_since(one.event.occurred_at) > HISTORICAL;
            match self.captured(one) {
                Ok(captured) if is_old => historical.push((at, captured)),
                Ok(captured) => recent.push((at, captured)),
                Err(why) => mapping.left_out.push((at, why)),
            }
        }
        for (events, is_historical) in [(recent, false), (historical, true)] {
            if events.is_empty() {
                continue;
            }
            let (events, batch): (Vec<_>, Vec<_>) = events.into_iter().unzip();
            let body =
                Body { api_key: &self.project_key, historical_migration: is_historical, batch };
            let outgoing = post(format!("{}/batch/", self.host), &[], &body);
            mapping.requests.push(MappedRequest { outgoing, events, step: 0 });
        }
        Ok(mapping)
    }

    /// A success is `{"status": 1}` or `{"status": "Ok"}`. `quota_limited` beside it means that PostHog has dropped the events. A repeat
    /// costs nothing, so any other text of a success is repeated.
    fn classify(&self, _: &MappedRequest, response: &Response) -> Reception {
        if !(200..=299).contains(&response.status) || response.status == 204 {
            return by_status(response);
        }
        let answer: Answer = serde_json::from_str(&response.body).unwrap_or_default();
        let is_kept = (answer.status == json!(1) || answer.status == json!("Ok"))
            && !answer.quota_limited.iter().any(|what| what == "events");
        // The answer to a deletion names counts.
        let is_deleted = answer.persons_deleted.is_some() && answer.deletion_errors.is_empty();
        if is_kept || is_deleted { by_status(response) } else { Reception::All(retry(response)) }
    }

    fn deletion(
        &self,
        person: &Person,
        access: &Access<'_>,
    ) -> Option<Result<Outgoing, MissingSecret>> {
        let (project, key) = (self.project_id?, self.personal_key.as_ref()?);
        let mut ids: Vec<&String> = person.user_id.iter().chain(&person.anonymous_ids).collect();
        ids.truncate(DELETED_MAX);
        let host = self.host.replace(".i.posthog.com", ".posthog.com");
        let url = format!("{host}/api/projects/{project}/persons/bulk_delete/");
        let body = json!({ "distinct_ids": ids, "delete_events": true, "delete_recordings": true });
        Some(
            access
                .secret(key)
                .map(|key| post(url, &[("authorization", format!("Bearer {key}"))], &body)),
        )
    }
}

/// The body of `/batch/`.
#[derive(Serialize)]
struct Body<'b> {
    api_key: &'b str,
    historical_migration: bool,
    batch: Vec<Captured<'b>>,
}

/// What an answer may have.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    status: Value,
    quota_limited: Vec<String>,
    persons_deleted: Option<u64>,
    deletion_errors: Vec<Value>,
}

impl PostHog {
    fn captured<'e>(&self, one: &BatchEvent<'e>) -> Result<Captured<'e>, LeftOut> {
        let event = one.event;
        let (user, device) = (event.user_id.as_deref(), event.anonymous_id.as_deref());
        let needs_user = matches!(event.kind, EventKind::Alias { .. } | EventKind::Identify { .. });
        let Some(distinct_id) = user.or(device.filter(|_| !needs_user)) else {
            let what = if needs_user { "a user id" } else { "a user id or a device's id" };
            return Err(LeftOut::Skipped(reason::missing_identifier(what)));
        };
        let (name, mut properties) = self.named(event)?;
        circumstances(event, &mut properties);
        if user.is_none() {
            properties.insert("$process_person_profile".to_owned(), false.into());
        }
        properties.extend(one.mapped.fields.clone());
        Ok(Captured {
            uuid: uuid(&event.message_id),
            event: one.mapped.name.as_deref().unwrap_or(name),
            distinct_id,
            timestamp: event.occurred_at,
            properties,
        })
    }

    /// PostHog's name for an event, and its properties. Traits go into the person's own.
    ///
    /// # Errors
    /// The name is one of PostHog's own: such an event joins persons there, and a page vouches for nobody.
    fn named<'e>(&self, event: &'e Event) -> Result<(&'e str, Properties), LeftOut> {
        let mut properties = event.kind.details().cloned().unwrap_or_default();
        let is_identify =
            matches!(event.kind, EventKind::Identify { .. } | EventKind::Group { .. });
        let traits = if is_identify { std::mem::take(&mut properties) } else { Properties::new() };
        properties.retain(|name, _| !name.starts_with('$'));
        let mut set = |name: &str, value: Value| properties.insert(name.to_owned(), value);
        let name = match &event.kind {
            EventKind::Track { event, .. } if event.starts_with('$') => {
                let why = "PostHog keeps names that begin with $ for itself";
                return Err(LeftOut::Refused(reason::invalid(why)));
            }
            EventKind::Track { event, .. } => event,
            EventKind::Page { name, category, .. } => {
                let title = event.context.page.as_ref().and_then(|page| page.title.as_ref());
                for (key, label) in
                    [("name", name.as_ref()), ("category", category.as_ref()), ("title", title)]
                {
                    label.map(|label| set(key, label.as_str().into()));
                }
                "$pageview"
            }
            EventKind::Screen { name, category, .. } => {
                set("$screen_name", name.as_deref().unwrap_or_default().into());
                category.as_ref().map(|category| set("category", category.as_str().into()));
                "$screen"
            }
            EventKind::Identify { .. } => {
                set("$set", Value::Object(traits));
                let device = event.anonymous_id.as_deref();
                device.map(|device| set("$anon_distinct_id", device.into()));
                "$identify"
            }
            EventKind::Group { group_id, .. } => {
                set("$group_type", self.group_type.as_str().into());
                set("$group_key", group_id.as_str().into());
                set("$group_set", Value::Object(traits));
                "$groupidentify"
            }
            EventKind::Alias { previous_id } => {
                set("alias", previous_id.as_str().into());
                "$create_alias"
            }
        };
        Ok((name, properties))
    }
}

/// Adds where an event happened, under PostHog's own names. PostHog must not take the collector's address for the visitor's.
fn circumstances(event: &Event, properties: &mut Properties) {
    let context = &event.context;
    let page = context.page.as_ref();
    let campaign = context.campaign.as_ref();
    let place = context.location.as_ref();
    let texts = [
        ("$current_url", page.and_then(|page| page.url.as_deref())),
        ("$pathname", page.and_then(|page| page.path.as_deref())),
        ("$referrer", page.and_then(|page| page.referrer.as_deref())),
        ("utm_source", campaign.and_then(|campaign| campaign.source.as_deref())),
        ("utm_medium", campaign.and_then(|campaign| campaign.medium.as_deref())),
        ("utm_campaign", campaign.and_then(|campaign| campaign.name.as_deref())),
        ("utm_term", campaign.and_then(|campaign| campaign.term.as_deref())),
        ("utm_content", campaign.and_then(|campaign| campaign.content.as_deref())),
        (
            "$geoip_country_code",
            place.and_then(|place| place.country.as_deref()).filter(|code| is_country(code)),
        ),
        ("$geoip_city_name", place.and_then(|place| place.city.as_deref())),
        ("$browser_language", context.locale.as_deref()),
        ("$timezone", context.timezone.as_deref()),
        ("$os", context.os.as_ref().and_then(|os| os.name.as_deref())),
        ("$ip", context.ip.as_deref()),
        ("$lib", Some("hilo")),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            properties.entry(name).or_insert_with(|| text.into());
        }
    }
    properties.insert("$geoip_disable".to_owned(), true.into());
}

/// Whether a sender's word is a country's code (ISO 3166-1 alpha-2), as PostHog has it.
fn is_country(code: &str) -> bool {
    code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// The event's own id if it is a UUID, else one that is made from it.
fn uuid(message_id: &str) -> String {
    if is_uuid(message_id) {
        return message_id.to_ascii_lowercase();
    }
    let hash = signature::sha256_hex(message_id.as_bytes());
    let part = |from: usize, to: usize| hash.get(from..to).unwrap_or_default();
    // Version 8 and variant a: a UUID by its maker's own rule (RFC 9562, 5.8).
    format!("{}-{}-8{}-a{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::destinations::testing::problem;

    #[track_caller]
    fn check_refused(settings: &str, expected: &str) {
        let problem = problem("posthog", settings);
        assert!(problem.contains(expected), "{problem}");
    }

    #[test]
    fn a_host_that_takes_no_events_is_refused() {
        check_refused(
            "project_key = 'phc_1'\nhost = 'https://eu.posthog.com'",
            "https://eu.i.posthog.com",
        );
        check_refused(
            "project_key = 'phc_1'\nhost = 'https://eu.i.posthog.com/batch/'",
            "only scheme and host",
        );
        check_refused("project_key = 'phc_1'\nhost = 'https://10.0.0.7'", "a host name");
    }

    #[test]
    fn a_personal_key_in_place_of_the_projects_is_refused() {
        check_refused("project_key = 'phx_1'\nhost = 'https://eu.i.posthog.com'", "phc_");
    }

    #[test]
    fn an_erasure_needs_both_of_its_settings() {
        check_refused(
            "project_key = 'phc_1'\nhost = 'https://eu.i.posthog.com'\nproject_id = 7",
            "personal_key",
        );
    }

    #[test]
    fn an_id_that_is_no_uuid_becomes_the_same_uuid_each_time() {
        assert_eq!(
            uuid("5F0C1D52-8F3E-4A3B-9A57-3F2F6F0C9A11"),
            "5f0c1d52-8f3e-4a3b-9a57-3f2f6f0c9a11"
        );
        let made = uuid("order-1");
        assert_eq!(made, uuid("order-1"));
        assert_ne!(made, uuid("order-2"));
        assert_eq!(made.len(), 36);
        assert_eq!(uuid(&made), made);
    }
}
