//! The archive: files of sealed lines in a bucket, by R2's binding or by S3's HTTP.
//!
//! A batch → one file for each hour in which its events came. The file's name is a hash of the ids in it, and a file is only created,
//! never replaced: the repeat of a batch finds its file and changes nothing. `archive_line` seals each event under its person's own key,
//! `sigv4.rs` signs requests. Nothing here reads or deletes: an erasure deletes the person's key, and the lines stay unreadable.

mod sigv4;

use hilo_core::config::{DestinationEntry, Problem, ProblemCode};
use hilo_core::consent::Purpose;
use hilo_core::event::Event;
use serde::Deserialize;

use self::sigv4::{Signing, amz_date, encode_path};
use super::answer::{by_status, quoted, retry};
use super::{target, whole};
use crate::archive_line::{self, BINDING, PREFIX};
use crate::calls::told_by;
use crate::forward::destination::{
    Acceptance, Batch, BatchEvent, Destination, Kind, LeftOut, Limits, MappedRequest, Mapping,
    MissingSecret, OptIns, Reception, SecretName,
};
use crate::forward::reason;
use crate::platform::{Headers, Outgoing, Response};
use crate::signature::sha256_hex;

/// The row of the catalogue.
pub(super) const KIND: Kind = Kind {
    name: "archive",
    title: "Archive (R2, S3)",
    is_silent: false,
    optins: OptIns::Read,
    load,
    purposes: &[Purpose::Analytics],
    limits: Limits {
        events: 500,
        bytes: 4 * 1024 * 1024,
        age_s_max: None,
        is_ordered: false,
        mixes_people: true,
        wants_person: false,
        pace: None,
    },
};

/// What the files are.
const CONTENT_TYPE: &str = "application/x-ndjson";
/// The most bytes of the beginning of file names. A name has at most 1,024.
const PREFIX_BYTES_MAX: usize = 256;

/// The archive's settings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    to: To,
    /// The beginning of the files' names.
    #[serde(default = "default_prefix")]
    prefix: String,
    endpoint: Option<String>,
    bucket: Option<String>,
    region: Option<String>,
    access_key_id: Option<SecretName>,
    secret_access_key: Option<SecretName>,
}

/// Where the files go.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum To {
    /// The bucket that is bound to the collector.
    R2,
    /// A bucket of any service that speaks S3.
    S3,
}

fn default_prefix() -> String {
    PREFIX.to_owned()
}

/// An archive whose settings are complete.
struct Archive {
    prefix: String,
    /// `None` for the bound bucket.
    bucket: Option<Bucket>,
}

/// A bucket that is reached by HTTP.
struct Bucket {
    endpoint: String,
    name: String,
    region: String,
    id: SecretName,
    secret: SecretName,
}

fn load(entry: &DestinationEntry) -> Result<Box<dyn Destination>, Problem> {
    let settings: Settings = entry.read_settings()?;
    let problem = |field, why| entry.problem(field, ProblemCode::BadValue, why);
    let prefix = settings.prefix.trim_matches('/').to_owned();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/=".contains(c);
    if prefix.is_empty() || prefix.len() > PREFIX_BYTES_MAX || !prefix.chars().all(is_plain) {
        return Err(problem("prefix", "letters, digits, dots, _, -, = and /"));
    }
    let Settings { to, endpoint, bucket, region, access_key_id, secret_access_key, .. } = settings;
    let bucket = match (to, endpoint, bucket, region, access_key_id, secret_access_key) {
        (To::R2, None, None, None, None, None) => None,
        (To::R2, ..) => {
            return Err(problem(
                "to",
                "r2 is the bucket of the binding ARCHIVE: leave out all but prefix",
            ));
        }
        (To::S3, Some(endpoint), Some(name), Some(region), Some(id), Some(secret)) => {
            Some(Bucket { endpoint, name, region, id, secret })
        }
        (To::S3, ..) => {
            let all = "s3 needs endpoint, bucket, region, access_key_id and secret_access_key";
            return Err(problem("to", all));
        }
    };
    if let Some(Bucket { endpoint, name, region, .. }) = &bucket {
        target::check_base(endpoint).map_err(|why| problem("endpoint", why))?;
        let is_word = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c);
        if name.is_empty() || !name.chars().all(is_word) || name.starts_with('.') {
            return Err(problem("bucket", "the bucket's name: letters, digits, dots and -"));
        }
        if region.is_empty() || !region.chars().all(is_word) {
            return Err(problem("region", "the bucket's region; auto at R2"));
        }
    }
    Ok(Box::new(Archive { prefix, bucket }))
}

impl Destination for Archive {
    fn wants_key(&self) -> bool {
        true
    }

    fn requests(&self, batch: &Batch<'_>) -> Result<Mapping, MissingSecret> {
        let mut mapping = Mapping::default();
        let mut files: Vec<File> = Vec::new();
        for (at, one) in batch.events.iter().enumerate() {
            let line = match line(one) {
                Ok(line) => line,
                Err(why) => {
                    mapping.left_out.push((at, why));
                    continue;
                }
            };
            let folder = folder(one);
            match files.iter_mut().find(|file| file.folder == folder) {
                Some(file) => file.add(at, &line),
                None => files.push(File { folder, events: vec![at], lines: line }),
            }
        }
        for File { folder, events, lines } in files {
            let of = |at: &usize| batch.events.get(*at).map(|one| one.event);
            let name = whole::batch_hash(events.iter().filter_map(of));
            let name = name.get(..32).unwrap_or(&name);
            let path = format!("{}/{folder}/{name}.ndjson", self.prefix);
            let outgoing = match &self.bucket {
                None => bound(&path, lines),
                Some(bucket) => bucket.put(&path, lines, batch)?,
            };
            mapping.requests.push(MappedRequest { outgoing, events, step: 0 });
        }
        Ok(mapping)
    }

    /// 412 means that the file is there: an earlier attempt at the same batch wrote it. No event can be the fault of a refusal.
    fn classify(&self, _: &MappedRequest, response: &Response) -> Reception {
        match response.status {
            412 => Reception::All(Acceptance::Delivered),
            400 => Reception::All(Acceptance::Unauthorized { reason: quoted(response) }),
            // The bucket is missing, or somebody writes the same file now.
            404 | 409 => Reception::All(retry(response)),
            // A page with an error is no answer of S3, which has no body here.
            200..=299 if response.body.trim_start().starts_with('<') => {
                Reception::All(retry(response))
            }
            _ => by_status(response),
        }
    }
}

/// A file of one batch.
struct File {
    folder: String,
    events: Vec<usize>,
    lines: String,
}

impl File {
    fn add(&mut self, at: usize, line: &str) {
        self.events.push(at);
        self.lines.push_str(line);
    }
}

fn line(one: &BatchEvent<'_>) -> Result<String, LeftOut> {
    let Event { user_id, anonymous_id, claimed_id, message_id, .. } = one.event;
    let is_about_nobody = user_id.is_none() && anonymous_id.is_none() && claimed_id.is_none();
    let mut document = whole::document(one)?;
    // A field of the deployer's own wins.
    if !one.mapped.fields.contains_key("source") {
        let told = told_by(one.source, &document);
        document = told.map_err(|why| LeftOut::Refused(reason::invalid(why.message())))?;
    }
    let written = match one.person.and_then(|person| person.archive_key.as_ref()) {
        Some(owner) => archive_line::write(message_id, &document, owner),
        None if is_about_nobody => archive_line::plain(message_id, &document),
        None => {
            let why = "the profile gave no key that seals the line";
            return Err(LeftOut::Refused(reason::invalid(why)));
        }
    };
    written.map_err(|failure| LeftOut::Refused(reason::invalid(failure.message())))
}

/// The folder of the hour in which the event came: later events never come into it, so readers may take a past hour as complete.
fn folder(one: &BatchEvent<'_>) -> String {
    let at = one.event.received_at.to_string();
    let part = |place| at.get(place).unwrap_or_default();
    format!("dt={}/hour={}", part(0..10), part(11..13))
}

/// A request to the bound bucket, which the shell passes to the runtime.
fn bound(path: &str, lines: String) -> Outgoing {
    let mut headers = Headers::default();
    headers.push("content-type", CONTENT_TYPE);
    headers.push("if-none-match", "*");
    let url = format!("{}{BINDING}/{path}", Outgoing::R2);
    Outgoing { method: "PUT".to_owned(), url, headers, body: lines }
}

impl Bucket {
    /// A signed request that creates a file.
    fn put(&self, path: &str, lines: String, batch: &Batch<'_>) -> Result<Outgoing, MissingSecret> {
        let (id, secret) = (batch.access.secret(&self.id)?, batch.access.secret(&self.secret)?);
        let base = self.endpoint.trim_end_matches('/');
        let after_scheme = base.split_once("://").map_or(base, |(_, rest)| rest);
        let (host, folder) = after_scheme.split_once('/').unwrap_or((after_scheme, ""));
        let host = host.strip_suffix(":443").unwrap_or(host);
        let folder = if folder.is_empty() { String::new() } else { format!("/{folder}") };
        let path = encode_path(&format!("{folder}/{}/{path}", self.name));
        let (body_hash, date) = (sha256_hex(lines.as_bytes()), amz_date(batch.now));
        let signed = [
            ("content-type", CONTENT_TYPE),
            ("host", host),
            ("if-none-match", "*"),
            ("x-amz-content-sha256", body_hash.as_str()),
            ("x-amz-date", date.as_str()),
        ];
        let signing = Signing {
            method: "PUT",
            path: &path,
            headers: &signed,
            body_hash: &body_hash,
            region: &self.region,
            date: &date,
        };
        let mut headers = Headers::default();
        // The runtime writes `host` itself.
        for (name, value) in signed.iter().filter(|(name, _)| *name != "host") {
            headers.push(name, *value);
        }
        headers.push("authorization", signing.authorization(&id, &secret));
        let scheme = base.split_once("://").map_or("https", |(scheme, _)| scheme);
        let url = format!("{scheme}://{host}{path}");
        Ok(Outgoing { method: "PUT".to_owned(), url, headers, body: lines })
    }
}

#[cfg(test)]
mod tests {
    use hilo_core::profile::{ArchiveKey, Person};

    use super::*;
    use crate::forward::destination::{Access, Mapped};
    use crate::forward::destinations::testing::loaded;

    #[test]
    fn settings_of_another_place_or_without_a_part_are_refused() {
        assert!(loaded("archive", "to = 'r2'").is_ok());
        for settings in
            ["to = 'r2'\nbucket = 'x'", "to = 's3'\nbucket = 'x'", "to = 'r2'\nprefix = 'a b'"]
        {
            assert!(loaded("archive", settings).is_err(), "{settings}");
        }
    }

    #[test]
    fn each_hour_has_a_file_of_the_bound_bucket() {
        let archive = loaded("archive", "to = 'r2'").ok().unwrap();
        let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_owned();
        let archive_key = Some(ArchiveKey { subject: "p".to_owned(), key });
        let person = Person { archive_key, ..Person::default() };
        let mapped = Mapped::default();
        let events = ["2026-11-24T10:59:59.9Z", "2026-11-24T11:00:00Z", "2026-11-24T10:00:00Z"];
        let event = |(at, received): (usize, &&str)| -> hilo_core::event::Event {
            serde_json::from_value(serde_json::json!({
                "messageId": format!("m{at}"), "type": "page", "properties": {}, "context": {},
                "timestamp": "2026-11-20T00:00:00Z", "receivedAt": received,
            }))
            .unwrap()
        };
        let events: Vec<_> = events.iter().enumerate().map(event).collect();
        let source = Some("till");
        let one = |event| BatchEvent { event, source, person: Some(&person), mapped: &mapped };
        let access = Access { secrets: &|_| None, token: None };
        let now = "2026-11-24T11:00:01Z".parse().unwrap();
        let batch = Batch { events: events.iter().map(one).collect(), access, found: &[], now };
        let made = archive.requests(&batch).unwrap().requests;
        let seen: Vec<_> = made
            .iter()
            .map(|request| {
                let (binding, name) = request.outgoing.object().unwrap();
                (binding, &name[..26], request.events.clone())
            })
            .collect();
        assert_eq!(
            seen,
            [
                (BINDING, "hilo/dt=2026-11-24/hour=10", vec![0, 2]),
                (BINDING, "hilo/dt=2026-11-24/hour=11", vec![1])
            ]
        );
        assert_eq!(archive.requests(&batch).unwrap().requests, made);
        let lines: Vec<_> = made[0].outgoing.body.lines().collect();
        let owner = person.archive_key.as_ref().unwrap();
        let Some(archive_line::Found::Sealed(line)) = archive_line::read(lines[1]) else {
            panic!("{lines:?}");
        };
        let opened = archive_line::open(&line, owner).unwrap();
        assert!(
            opened.contains("\"messageId\":\"m2\"") && opened.starts_with("{\"source\":\"till\",")
        );
        // These events name nobody, so their lines need no key.
        let one = |event| BatchEvent { event, source: None, person: None, mapped: &mapped };
        let batch = Batch { events: events.iter().map(one).collect(), ..batch };
        let plain = archive.requests(&batch).unwrap().requests[0].outgoing.body.clone();
        assert!(plain.starts_with("{\"v\":1,\"id\":") && plain.contains("\"event\":{"), "{plain}");
    }
}
