//! The archive, read back: the files of a day, their lines opened, and where a person's lines are.
//!
//! A file's name or lines → the events, each with the hash of its id. A line whose key is gone stays closed, and says so: its person was
//! erased. A line about nobody stands open, and has no subject. The keys stay inside the collector.

use std::collections::{BTreeMap, BTreeSet};

use hilo_core::identity::ProfileKey;
use hilo_core::outcome::{Code, Rejection};
use hilo_core::profile::ArchiveKey;
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;

use super::http::ok;
use super::profiles;
use crate::archive_line::{self, BINDING, Found, Line, PREFIX};
use crate::call::{Call, Trouble, secret};
use crate::calls::{PAGE_ROWS_MAX, Page, ProfileCall, ask_profile};
use crate::platform::{Failure, Platform, Reply, Upload};
use crate::signature::object_name;

/// The lines of one call. A file has no more, because a batch has no more events.
const LINES_MAX: usize = 500;
/// The objects that are asked at the same time.
const AT_ONCE: usize = 25;
/// Why a line that this version does not know is not opened.
const OTHER_FORM: &str = "another form";

/// Lists the files of a day.
pub(super) async fn files<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let query = |name| call.incoming.query_value(name);
    let day = query("day").unwrap_or_default();
    if day.parse::<jiff::civil::Date>().is_err() || day.len() != 10 {
        let message =
            "a day as 2026-11-30, in UTC: files are named by the hour in which their events came";
        return Err(Rejection::at(Code::WrongType, "day", message).into());
    }
    let prefix = format!("{}/dt={day}/", prefix(query("destination").as_deref(), call)?);
    let cursor = query("cursor");
    let page = call.platform.files(BINDING, &prefix, cursor.as_deref()).await?;
    Ok(ok(&json!({ "files": page.names, "next": page.next })))
}

/// Opens the lines of a file.
pub(super) async fn lines<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let name = call.incoming.query_value("file").unwrap_or_default();
    let is_archives = archives(call).any(|(_, prefix)| name.starts_with(&format!("{prefix}/dt=")));
    let text = if is_archives { call.platform.file(BINDING, &name).await? } else { None };
    let Some(text) = text else {
        let message =
            "the archive has no file of this name: GET /admin/v1/archive/files lists them";
        return Err(Rejection::at(Code::NotFound, "file", message).into());
    };
    opened(&text, call).await
}

/// Opens the lines of the body.
pub(super) async fn open<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let text = match &call.incoming.body {
        Upload::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
        Upload::Absent | Upload::TooLarge | Upload::Broken => None,
    };
    let text = text.filter(|text| text.lines().count() <= LINES_MAX).ok_or_else(|| {
        let message = format!("send 1 to {LINES_MAX} lines of the archive's files, as they are");
        Rejection::new(Code::MalformedBody, message)
    })?;
    opened(text, call).await
}

/// Tells where the lines of a person are: under which subjects, and in the files of which hours. The timeline is the index. Events that
/// are older than it keeps are found by reading every file of their days.
pub(super) async fn person<P: Platform>(key: &str, call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let (key, secrets) = (profiles::parse(key)?, secret(call.platform)?);
    let name = object_name(secrets.naming(), &key);
    let cursor = call.incoming.query_value("cursor");
    let question = ProfileCall::Events { cursor, limit: PAGE_ROWS_MAX };
    let page: Page = ask_profile(call.platform, name.clone(), &question).await?;
    let summary: Known = ask_profile(call.platform, name.clone(), &ProfileCall::Summary).await?;
    let devices = summary.profile.anonymous_ids.into_iter().map(ProfileKey::Anonymous);
    let subjects: BTreeSet<String> =
        devices.map(|device| object_name(secrets.naming(), &device)).chain([name]).collect();
    let hours: BTreeSet<String> = page.rows.iter().filter_map(|row| hour(row)).collect();
    Ok(ok(&json!({ "subjects": subjects, "hours": hours, "next": page.next })))
}

/// The folder of the hour in which an event came.
fn hour(event: &RawValue) -> Option<String> {
    let Came { received_at } = serde_json::from_str(event.get()).ok()?;
    Some(format!("dt={}/hour={}", received_at.get(0..10)?, received_at.get(11..13)?))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Came {
    received_at: String,
}

/// What is read of a profile's summary.
#[derive(Deserialize)]
struct Known {
    #[serde(default)]
    profile: Devices,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Devices {
    anonymous_ids: Vec<String>,
}

/// Name and prefix of each archive in the bound bucket.
fn archives<P: Platform>(call: &Call<'_, P>) -> impl Iterator<Item = (String, String)> {
    let of = |entry: &hilo_core::config::DestinationEntry| {
        let is_bound = entry.kind == "archive" && entry.text("to") == Some("r2");
        let prefix = entry.text("prefix").unwrap_or(PREFIX).trim_matches('/').to_owned();
        is_bound.then(|| (entry.name.clone(), prefix))
    };
    let found: Vec<_> = call.loaded.config.destinations.iter().filter_map(of).collect();
    found.into_iter()
}

/// The prefix of the archive called `name`, or of the only one.
fn prefix<P: Platform>(name: Option<&str>, call: &Call<'_, P>) -> Result<String, Rejection> {
    let mut fits = archives(call).filter(|(own, _)| name.is_none_or(|name| name == own));
    match (fits.next(), fits.next()) {
        (Some((_, prefix)), None) => Ok(prefix),
        (Some(_), Some(_)) => {
            let message = "there are several archives in the bound bucket: name one";
            Err(Rejection::at(Code::MissingKey, "destination", message))
        }
        (None, _) => {
            let message = "hilo.toml has no such destination of type = \"archive\" and to = \"r2\"; files of another service are opened by POST /admin/v1/archive/open";
            Err(Rejection::at(Code::NotFound, "destination", message))
        }
    }
}

/// An opened line.
#[derive(Serialize)]
struct Opened<'l> {
    id: &'l str,
    subject: &'l str,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<Box<RawValue>>,
    /// Why there is no event.
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<&'static str>,
}

async fn opened<P: Platform>(text: &str, call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let lines: Vec<Option<Found>> = text.lines().take(LINES_MAX).map(archive_line::read).collect();
    let subject = |found: &'_ Option<Found>| match found {
        Some(Found::Sealed(line)) => Some(line.subject.clone()),
        Some(Found::Plain(_)) | None => None,
    };
    let keys = keys(lines.iter().filter_map(subject).collect(), call).await?;
    let mut answer = String::new();
    for line in lines {
        let opened = match &line {
            None => Opened { id: "", subject: "", event: None, unreadable: Some(OTHER_FORM) },
            Some(Found::Sealed(line)) => open_one(line, keys.get(line.subject.as_str())),
            Some(Found::Plain(line)) => {
                let event = Some(line.event.clone());
                Opened { id: &line.id, subject: "", event, unreadable: None }
            }
        };
        let written = serde_json::to_string(&opened);
        answer.push_str(&written.map_err(|error| Failure::Fatal(error.to_string()))?);
        answer.push('\n');
    }
    let mut reply = Reply::json(200, answer);
    reply.headers.0.retain(|(name, _)| name != "content-type");
    reply.headers.push("content-type", "application/x-ndjson");
    Ok(reply)
}

fn open_one<'l>(line: &'l Line, key: Option<&ArchiveKey>) -> Opened<'l> {
    let (id, subject) = (line.id.as_str(), line.subject.as_str());
    let event = match key.map(|key| archive_line::open(line, key)) {
        None => Err("erased"),
        Some(Err(_)) => Err("sealed under a key that was erased, or damaged"),
        Some(Ok(event)) => RawValue::from_string(event).map_err(|_| "damaged"),
    };
    let unreadable = event.as_ref().err().copied();
    Opened { id, subject, event: event.ok(), unreadable }
}

/// The keys of the subjects that still have one.
async fn keys<P: Platform>(
    subjects: BTreeSet<String>,
    call: &Call<'_, P>,
) -> Result<BTreeMap<String, ArchiveKey>, Failure> {
    let subjects: Vec<String> = subjects.into_iter().collect();
    let mut keys = BTreeMap::new();
    for some in subjects.chunks(AT_ONCE) {
        let asked = some.iter().map(|subject| {
            let name = subject.clone();
            ask_profile::<_, Option<ArchiveKey>>(call.platform, name, &ProfileCall::ArchiveKey)
        });
        for (subject, key) in some.iter().zip(futures_util::future::join_all(asked).await) {
            if let Some(key) = key? {
                keys.insert(subject.clone(), key);
            }
        }
    }
    Ok(keys)
}
