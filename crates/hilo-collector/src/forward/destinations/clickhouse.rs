//! ClickHouse: a row for each event, by `INSERT … FORMAT JSONEachRow` over HTTP
//! (<https://clickhouse.com/docs/interfaces/http>).
//!
//! A batch → one insert. Its deduplication token is a hash of the batch's ids, so a table with a deduplication window drops a batch
//! that is repeated. A batch that is cut differently at its repeat has another token: the table of
//! `docs/destinations/clickhouse.md` also merges rows with one id. This file does not make the table.

use hilo_core::config::{DestinationEntry, Problem, ProblemCode};
use hilo_core::consent::Purpose;
use serde::Deserialize;
use serde_json::Value;

use super::answer::{by_status, quoted, retry};
use super::{target, whole};
use crate::forward::destination::{
    Acceptance, Batch, Destination, Kind, Limits, MappedRequest, Mapping, MissingSecret, OptIns,
    Reception, SecretName,
};
use crate::forward::reason;
use crate::platform::{Headers, Outgoing, Response};

/// The row of the catalogue.
pub(super) const KIND: Kind = Kind {
    name: "clickhouse",
    title: "ClickHouse",
    is_silent: false,
    optins: OptIns::Read,
    load,
    purposes: &[Purpose::Analytics],
    limits: Limits {
        // ClickHouse likes large inserts. The consumer never has more events than this at once.
        events: 500,
        bytes: 8 * 1024 * 1024,
        age_s_max: None,
        is_ordered: false,
        mixes_people: true,
        wants_person: false,
        pace: None,
    },
};

/// `INSERT INTO {database:Identifier}.{table:Identifier} FORMAT JSONEachRow`: the server itself quotes the names.
const INSERT: &str =
    "INSERT%20INTO%20%7Bdatabase%3AIdentifier%7D.%7Btable%3AIdentifier%7D%20FORMAT%20JSONEachRow";
/// A column that the table lacks is left out, times are text, and the answer comes when the rows are stored.
const SETTINGS: &str =
    "input_format_skip_unknown_fields=1&date_time_input_format=best_effort&wait_end_of_query=1";

/// ClickHouse's settings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClickHouse {
    /// The URL of the server, without path.
    url: String,
    #[serde(default = "default_database")]
    database: String,
    #[serde(default = "default_table")]
    table: String,
    /// The user who inserts.
    user: String,
    password: SecretName,
    /// Whether the server gathers small inserts of several senders. It answers when they are stored all the same.
    #[serde(default = "gathers")]
    async_insert: bool,
}

fn default_database() -> String {
    "default".to_owned()
}

fn default_table() -> String {
    "events".to_owned()
}

const fn gathers() -> bool {
    true
}

fn load(entry: &DestinationEntry) -> Result<Box<dyn Destination>, Problem> {
    let settings: ClickHouse = entry.read_settings()?;
    target::check_base(&settings.url)
        .map_err(|why| entry.problem("url", ProblemCode::BadValue, why))?;
    for (field, name) in [("database", &settings.database), ("table", &settings.table)] {
        if !is_identifier(name) {
            let why = "letters, digits and _, and no digit first";
            return Err(entry.problem(field, ProblemCode::BadValue, why));
        }
    }
    if settings.user.is_empty() || settings.user.contains(|c: char| c.is_control()) {
        return Err(entry.problem("user", ProblemCode::BadValue, "the name of a user"));
    }
    Ok(Box::new(settings))
}

fn is_identifier(name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(is_word)
}

impl Destination for ClickHouse {
    fn requests(&self, batch: &Batch<'_>) -> Result<Mapping, MissingSecret> {
        let password = batch.access.secret(&self.password)?;
        let mut mapping = Mapping::default();
        let (mut body, mut events) = (String::new(), Vec::new());
        for (at, one) in batch.events.iter().enumerate() {
            match whole::row(one) {
                Ok(row) => {
                    body.push_str(&Value::Object(row).to_string());
                    body.push('\n');
                    events.push(at);
                }
                Err(why) => mapping.left_out.push((at, why)),
            }
        }
        if events.is_empty() {
            return Ok(mapping);
        }
        let of = |at: &usize| batch.events.get(*at).map(|one| one.event);
        let url = self.insert_url(&whole::batch_hash(events.iter().filter_map(of)));
        let mut headers = Headers::default();
        headers.push("content-type", "application/x-ndjson");
        headers.push("x-clickhouse-user", self.user.as_str());
        headers.push("x-clickhouse-key", password);
        let outgoing = Outgoing { method: "POST".to_owned(), url, headers, body };
        mapping.requests.push(MappedRequest { outgoing, events, step: 0 });
        Ok(mapping)
    }

    /// A success has no body. The number of the exception decides before the status, because the status of an exception differs
    /// between versions and may even be 200.
    fn classify(&self, _: &MappedRequest, response: &Response) -> Reception {
        match exception(response) {
            Some(code) => meaning(code, response),
            None if response.status == 404 => Reception::All(retry(response)),
            None if matches!(response.status, 200..=299) && !response.body.trim().is_empty() => {
                Reception::All(retry(response))
            }
            None => by_status(response),
        }
    }
}

impl ClickHouse {
    /// The URL of an insert with this deduplication token.
    fn insert_url(&self, token: &str) -> String {
        // Without `wait_for_async_insert` the server would confirm rows that it has not stored.
        let gathering = match self.async_insert {
            true => "async_insert=1&wait_for_async_insert=1&async_insert_deduplicate=1",
            false => "async_insert=0",
        };
        format!(
            "{}/?query={INSERT}&param_database={}&param_table={}&{SETTINGS}&{gathering}&insert_deduplication_token={token}",
            self.url.trim_end_matches('/'),
            self.database,
            self.table,
        )
    }
}

/// Reads the number of the exception, from the header or from a body such as `Code: 27. DB::Exception: …`.
fn exception(response: &Response) -> Option<u32> {
    let header = response.headers.get("x-clickhouse-exception-code");
    let body = response.body.split("Code: ").nth(1).and_then(|rest| rest.split('.').next());
    header.and_then(|code| code.parse().ok()).or_else(|| body?.parse().ok())
}

/// What an exception means (`src/Common/ErrorCodes.cpp` of ClickHouse).
fn meaning(code: u32, response: &Response) -> Reception {
    let why = quoted(response);
    match code {
        // CANNOT_PARSE_TEXT, CANNOT_PARSE_ESCAPE_SEQUENCE, CANNOT_PARSE_QUOTED_STRING, CANNOT_PARSE_INPUT_ASSERTION_FAILED,
        // CANNOT_READ_ALL_DATA, CANNOT_PARSE_DATE, CANNOT_PARSE_DATETIME, TYPE_MISMATCH, ARGUMENT_OUT_OF_BOUND,
        // CANNOT_PARSE_NUMBER, INCORRECT_DATA, CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN: one of the rows.
        6 | 25 | 26 | 27 | 33 | 38 | 41 | 53 | 69 | 72 | 117 | 349 => {
            Reception::Poison { reason: reason::refused(&why) }
        }
        // UNKNOWN_USER, WRONG_PASSWORD, REQUIRED_PASSWORD, ACCESS_DENIED, AUTHENTICATION_FAILED.
        192 | 193 | 194 | 497 | 516 => Reception::All(Acceptance::Unauthorized { reason: why }),
        // Everything else passes, or the deployer mends it: TOO_MANY_PARTS, MEMORY_LIMIT_EXCEEDED, UNKNOWN_TABLE and so on.
        _ => Reception::All(retry(response)),
    }
}
