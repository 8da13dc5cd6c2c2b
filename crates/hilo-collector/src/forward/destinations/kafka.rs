//! Kafka over HTTP: a record for each event, by Confluent's REST Proxy v3, as Confluent Cloud has it, or v2
//! (<https://docs.confluent.io/platform/current/kafka-rest/api.html>).
//!
//! A batch → one request per topic, with the events in order. The record's key is a hash of the person, so one person's events stay
//! in order in one partition. Kafka over HTTP detects no repeats: consumers know a repeated record by its `messageId`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hilo_core::config::{DestinationEntry, Problem, ProblemCode};
use hilo_core::consent::Purpose;
use hilo_core::event::{Event, EventKind};
use serde::Deserialize;

use super::answer::{by_status, retry};
use super::{target, whole};
use crate::forward::destination::{
    Acceptance, Access, Batch, BatchEvent, Destination, Kind, LeftOut, Limits, MappedRequest,
    Mapping, MissingSecret, OptIns, Reception, SecretName,
};
use crate::forward::reason;
use crate::platform::{Headers, Outgoing, Response};

/// The row of the catalogue.
pub(super) const KIND: Kind = Kind {
    name: "kafka",
    title: "Apache Kafka",
    is_silent: false,
    optins: OptIns::Carried,
    load,
    purposes: &[Purpose::Analytics],
    limits: Limits {
        // The answer has about 250 bytes for each record, or 500 with an error, and 64 KB of an answer are read.
        events: 100,
        // A broker takes 1 MB for a record (`message.max.bytes`), and a proxy gathers the records of a request.
        bytes: 768 * 1024,
        age_s_max: None,
        is_ordered: true,
        mixes_people: true,
        wants_person: false,
        pace: None,
    },
};

/// The most characters of a topic's name (Kafka's own limit).
const TOPIC_CHARS_MAX: usize = 249;

/// Kafka's settings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kafka {
    /// The URL of the proxy; with `/kafka` at Confluent Cloud.
    url: String,
    #[serde(default)]
    version: Version,
    /// The cluster's id. v3 needs it, and v2 does not name it.
    cluster: Option<String>,
    #[serde(default)]
    topics: Topics,
    /// Name and password of `Authorization: Basic`.
    api_key: Option<SecretName>,
    api_secret: Option<SecretName>,
}

/// The version of the proxy's API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Version {
    /// Self-hosted proxies, and bridges that are made like them.
    V2,
    /// Confluent Cloud, and newer proxies.
    #[default]
    V3,
}

/// The topic of each family of events.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Topics {
    /// What people do.
    touchpoints: String,
    /// Who people are: identify, group, alias.
    identities: String,
    /// What people allow.
    consents: String,
}

impl Default for Topics {
    fn default() -> Topics {
        let name = |family: &str| format!("{family}.v1");
        Topics {
            touchpoints: name("touchpoints"),
            identities: name("identities"),
            consents: name("consents"),
        }
    }
}

impl Topics {
    fn of(&self, event: &Event) -> &str {
        match &event.kind {
            EventKind::Identify { .. } | EventKind::Group { .. } | EventKind::Alias { .. } => {
                &self.identities
            }
            EventKind::Track { event: name, .. }
                if event.kind.is_consent_change() || name.starts_with("Opt-In ") =>
            {
                &self.consents
            }
            EventKind::Track { .. } | EventKind::Page { .. } | EventKind::Screen { .. } => {
                &self.touchpoints
            }
        }
    }
}

fn load(entry: &DestinationEntry) -> Result<Box<dyn Destination>, Problem> {
    let settings: Kafka = entry.read_settings()?;
    let problem = |field, why| Err(entry.problem(field, ProblemCode::BadValue, why));
    if let Err(why) = target::check_base(&settings.url) {
        return problem("url", why);
    }
    let topics = &settings.topics;
    for name in [&topics.touchpoints, &topics.identities, &topics.consents] {
        if !is_name(name) || name.len() > TOPIC_CHARS_MAX {
            return problem("topics", "letters, digits, dots, _ and -, 249 at most");
        }
    }
    if settings.version == Version::V3 && !settings.cluster.as_deref().is_some_and(is_name) {
        return problem("cluster", "v3 needs the id of the cluster, such as lkc-abc123");
    }
    if settings.api_key.is_some() != settings.api_secret.is_some() {
        return problem("api_key", "api_key and api_secret together, or neither");
    }
    Ok(Box::new(settings))
}

fn is_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    !name.is_empty() && name.chars().all(is_plain)
}

impl Destination for Kafka {
    fn requests(&self, batch: &Batch<'_>) -> Result<Mapping, MissingSecret> {
        let authorization = self.authorization(&batch.access)?;
        let mut mapping = Mapping::default();
        let mut records: Vec<(&str, Vec<usize>, String)> = Vec::new();
        for (at, one) in batch.events.iter().enumerate() {
            let record = match self.record(one) {
                Ok(record) => record,
                Err(why) => {
                    mapping.left_out.push((at, why));
                    continue;
                }
            };
            let topic = self.topics.of(one.event);
            match records.iter_mut().find(|(known, ..)| *known == topic) {
                Some((_, events, text)) => {
                    events.push(at);
                    text.push_str(self.between());
                    text.push_str(&record);
                }
                None => records.push((topic, vec![at], record)),
            }
        }
        for (topic, events, records) in records {
            let outgoing = self.outgoing(topic, records, authorization.as_deref());
            mapping.requests.push(MappedRequest { outgoing, events, step: 0 });
        }
        Ok(mapping)
    }

    /// The answer has a report for each record, in the order of the request. A record without a report is sent again.
    fn classify(&self, _: &MappedRequest, response: &Response) -> Reception {
        let reports = self.reports(response);
        if !reports.is_empty() {
            return Reception::Each(reports.iter().map(Report::acceptance).collect());
        }
        match response.status {
            200..=299 => Reception::All(retry(response)),
            // The deployer may still make the topic.
            404 => Reception::All(retry(response)),
            _ => by_status(response),
        }
    }
}

impl Kafka {
    fn authorization(&self, access: &Access<'_>) -> Result<Option<String>, MissingSecret> {
        let (Some(key), Some(secret)) = (&self.api_key, &self.api_secret) else { return Ok(None) };
        let pair = format!("{}:{}", access.secret(key)?, access.secret(secret)?);
        Ok(Some(format!("Basic {}", STANDARD.encode(pair))))
    }

    /// Writes a record. It has no time of its own: a topic's retention counts from it, and an event that was imported may be years
    /// old. v2 has no headers.
    fn record(&self, one: &BatchEvent<'_>) -> Result<String, LeftOut> {
        let value = whole::document(one)?;
        let key = whole::person_hash(one.event);
        Ok(match self.version {
            Version::V2 => {
                let key = key.map(|key| format!("\"key\":\"{key}\",")).unwrap_or_default();
                format!("{{{key}\"value\":{value}}}")
            }
            Version::V3 => {
                let key =
                    key.map(|key| format!("\"key\":{{\"type\":\"STRING\",\"data\":\"{key}\"}},"));
                let id = STANDARD.encode(&one.event.message_id);
                format!(
                    "{{{}\"value\":{{\"type\":\"JSON\",\"data\":{value}}},\"headers\":[{{\"name\":\"event_id\",\"value\":\"{id}\"}}]}}",
                    key.unwrap_or_default()
                )
            }
        })
    }

    /// What stands between two records. v3 reads JSON texts one after another.
    const fn between(&self) -> &'static str {
        match self.version {
            Version::V2 => ",",
            Version::V3 => "\n",
        }
    }

    fn outgoing(&self, topic: &str, records: String, authorization: Option<&str>) -> Outgoing {
        let base = self.url.trim_end_matches('/');
        let cluster = self.cluster.as_deref().unwrap_or_default();
        let mut headers = Headers::default();
        let (url, body) = match self.version {
            Version::V2 => {
                headers.push("content-type", "application/vnd.kafka.json.v2+json");
                headers.push("accept", "application/vnd.kafka.v2+json");
                (format!("{base}/topics/{topic}"), format!("{{\"records\":[{records}]}}"))
            }
            Version::V3 => {
                headers.push("content-type", "application/json");
                (format!("{base}/v3/clusters/{cluster}/topics/{topic}/records"), records)
            }
        };
        if let Some(authorization) = authorization {
            headers.push("authorization", authorization);
        }
        Outgoing { method: "POST".to_owned(), url, headers, body }
    }

    /// Reads the reports of an answer, as far as it has any.
    fn reports(&self, response: &Response) -> Vec<Report> {
        match self.version {
            Version::V2 => serde_json::from_str(&response.body)
                .map_or_else(|_| Vec::new(), |Offsets { offsets }| offsets),
            Version::V3 if matches!(response.status, 200..=299) => {
                let texts = serde_json::Deserializer::from_str(&response.body).into_iter();
                texts.map_while(Result::ok).collect()
            }
            Version::V3 => Vec::new(),
        }
    }
}

/// v2's answer.
#[derive(Deserialize)]
struct Offsets {
    offsets: Vec<Report>,
}

/// What became of one record.
#[derive(Deserialize)]
struct Report {
    /// v2 has `null` for a record that is stored, v3 has 200.
    error_code: Option<u32>,
    /// Where a stored record is.
    offset: Option<i64>,
    /// The reason: `error` in v2, `message` in v3.
    #[serde(alias = "error")]
    message: Option<String>,
}

impl Report {
    fn acceptance(&self) -> Acceptance {
        let is_stored =
            self.error_code == Some(200) || (self.error_code.is_none() && self.offset.is_some());
        if is_stored {
            return Acceptance::Delivered;
        }
        let code = self.error_code.unwrap_or(0);
        let reason = format!("error {code}: {}", self.message.as_deref().unwrap_or_default());
        match code {
            // A report of no form that Kafka has.
            0 => Acceptance::Retry { after: None, reason },
            401 | 403 | 40_101 | 40_301 => Acceptance::Unauthorized { reason },
            // v2 has 2 for an error that passes. 404xx is a topic that the deployer may still make.
            2 | 404 | 408 | 429 | 500..=599 | 40_401..=40_403 | 50_001..=50_399 => {
                Acceptance::Retry { after: None, reason }
            }
            _ => Acceptance::Rejected { reason: reason::refused(&reason) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::destinations::testing::problem;

    #[test]
    fn settings_that_make_no_request_are_refused_with_their_remedy() {
        let url = "url = 'https://kafka.example'";
        assert_eq!(problem("kafka", &format!("{url}\nversion = 'v2'")), "");
        assert!(problem("kafka", url).contains("lkc-"), "{}", problem("kafka", url));
        for (settings, field) in [
            ("url = 'https://kafka.example/?x=1'\nversion = 'v2'", "destination.url"),
            ("url = 'http://kafka.shop.example'\nversion = 'v2'", "destination.url"),
            ("url = 'https://kafka.example'\ncluster = 'a/b'", "destination.cluster"),
            (
                "url = 'https://kafka.example'\nversion = 'v2'\ntopics = { consents = 'a b' }",
                "destination.topics",
            ),
            (
                "url = 'https://kafka.example'\nversion = 'v2'\napi_key = { secret = 'KEY' }",
                "destination.api_key",
            ),
        ] {
            assert!(problem("kafka", settings).contains(field), "{}", problem("kafka", settings));
        }
    }

    #[test]
    fn each_code_of_a_report_has_one_meaning() {
        let of = |error_code| {
            let (offset, message) = (None, None);
            Report { error_code, offset, message }.acceptance()
        };
        let stored = Report { error_code: None, offset: Some(0), message: None };
        assert_eq!(stored.acceptance(), Acceptance::Delivered);
        assert!(matches!(of(None), Acceptance::Retry { .. }));
        assert_eq!(of(Some(200)), Acceptance::Delivered);
        for code in [2, 404, 429, 500, 503, 40_401, 40_403, 50_002, 50_003, 50_302] {
            assert!(matches!(of(Some(code)), Acceptance::Retry { .. }), "{code}");
        }
        for code in [401, 403, 40_101, 40_301] {
            assert!(matches!(of(Some(code)), Acceptance::Unauthorized { .. }), "{code}");
        }
        for code in [1, 400, 413, 422, 40_002, 42_203, 42_208] {
            assert!(matches!(of(Some(code)), Acceptance::Rejected { .. }), "{code}");
        }
    }
}
