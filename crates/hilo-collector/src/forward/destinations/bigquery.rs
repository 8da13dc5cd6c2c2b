//! BigQuery: a row for each event, by `tabledata.insertAll`
//! (<https://cloud.google.com/bigquery/docs/reference/rest/v2/tabledata/insertAll>).
//!
//! A batch → one request, and one more where two events share an id. `insertId` is the event's id, so BigQuery mostly drops a row
//! that is repeated within a minute. This file does not make the table.

use hilo_core::config::{DestinationEntry, Problem, ProblemCode};
use hilo_core::consent::Purpose;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::answer::{by_status, post, quoted, retry};
use super::whole;
use crate::forward::destination::{
    Acceptance, Batch, ClientAuth, Destination, Flow, Kind, Limits, MappedRequest, Mapping,
    MissingSecret, OAuth, OptIns, Reception, SecretName,
};
use crate::forward::reason;
use crate::platform::Response;

/// The row of the catalogue.
pub(super) const KIND: Kind = Kind {
    name: "bigquery",
    title: "Google BigQuery",
    is_silent: false,
    optins: OptIns::Read,
    load,
    purposes: &[Purpose::Analytics],
    limits: Limits {
        // Google advises 500 rows, and allows 10 MB for a request with everything around the rows.
        events: 500,
        bytes: 8 * 1024 * 1024,
        age_s_max: None,
        is_ordered: false,
        mixes_people: true,
        wants_person: false,
        pace: None,
    },
};

/// Where a service account's token comes from.
const TOKEN_URL: &str = "https://oauth2.googleapis.com/token";
/// The right to insert rows, and no other.
const SCOPE: &str = "https://www.googleapis.com/auth/bigquery.insertdata";
/// How long to wait after `quotaExceeded` (Google: at least ten minutes).
const QUOTA_WAIT_S: &str = "600";

/// BigQuery's settings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BigQuery {
    project: String,
    dataset: String,
    table: String,
    /// `client_email` of the service account's key file.
    client_email: String,
    /// `private_key` of the same file.
    private_key: SecretName,
}

fn load(entry: &DestinationEntry) -> Result<Box<dyn Destination>, Problem> {
    let settings: BigQuery = entry.read_settings()?;
    let names = [
        ("project", &settings.project),
        ("dataset", &settings.dataset),
        ("table", &settings.table),
    ];
    for (field, name) in names {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-:.".contains(c);
        if name.is_empty() || !name.chars().all(is_plain) || name.starts_with('.') {
            let why = "the id as it stands in the console: letters, digits, _ and -";
            return Err(entry.problem(field, ProblemCode::BadValue, why));
        }
    }
    if !settings.client_email.ends_with(".gserviceaccount.com") {
        let why = "the client_email of a service account, which ends in .gserviceaccount.com";
        return Err(entry.problem("client_email", ProblemCode::BadValue, why));
    }
    Ok(Box::new(settings))
}

impl Destination for BigQuery {
    fn requests(&self, batch: &Batch<'_>) -> Result<Mapping, MissingSecret> {
        let missing = || MissingSecret(self.private_key.secret.clone());
        let token = batch.access.token.ok_or_else(missing)?.access.as_str();
        let mut mapping = Mapping::default();
        // A sender may use an id for two events. BigQuery would take them for one row of the batch.
        let mut inserts: Vec<Insert> = Vec::new();
        for (at, one) in batch.events.iter().enumerate() {
            let row = match whole::row(one) {
                Ok(row) => row,
                Err(why) => {
                    mapping.left_out.push((at, why));
                    continue;
                }
            };
            let id = whole::unique_id(one.event);
            match inserts
                .iter_mut()
                .find(|insert| insert.rows.iter().all(|row| row.insert_id != id))
            {
                Some(insert) => insert.add(at, id, row),
                None => {
                    let mut insert = Insert::default();
                    insert.add(at, id, row);
                    inserts.push(insert);
                }
            }
        }
        for Insert { events, rows, .. } in inserts {
            let body = Body { skip_invalid_rows: true, ignore_unknown_values: true, rows };
            let headers = [("authorization", format!("Bearer {token}"))];
            let outgoing = post(self.url(), &headers, &body);
            mapping.requests.push(MappedRequest { outgoing, events, step: 0 });
        }
        Ok(mapping)
    }

    fn classify(&self, request: &MappedRequest, response: &Response) -> Reception {
        match response.status {
            200..=299 => inserted(request, response),
            403 => forbidden(response),
            // A table that was made some minutes ago may still be unknown.
            404 => Reception::All(retry(response)),
            _ => by_status(response),
        }
    }

    fn oauth(&self) -> Option<OAuth> {
        Some(OAuth {
            token_url: TOKEN_URL.to_owned(),
            authorize_url: None,
            flow: Flow::Signed {
                key: self.private_key.clone(),
                issuer: self.client_email.clone(),
                subject: None,
                audience: TOKEN_URL.to_owned(),
                scope: Some(SCOPE.to_owned()),
            },
            client: ClientAuth::Body,
            host_member: None,
            hosts: &[],
            life_s: 3_600,
        })
    }
}

impl BigQuery {
    fn url(&self) -> String {
        let BigQuery { project, dataset, table, .. } = self;
        format!(
            "https://bigquery.googleapis.com/bigquery/v2/projects/{project}/datasets/{dataset}/tables/{table}/insertAll"
        )
    }
}

/// The rows of one request.
#[derive(Default)]
struct Insert {
    events: Vec<usize>,
    rows: Vec<Row>,
}

/// A request. One wrong row stops no other, and a column that the table lacks is left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    skip_invalid_rows: bool,
    ignore_unknown_values: bool,
    rows: Vec<Row>,
}

/// A row, with the id by which BigQuery knows a repeat.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    insert_id: String,
    json: Map<String, Value>,
}

impl Insert {
    fn add(&mut self, at: usize, id: String, row: Map<String, Value>) {
        self.events.push(at);
        self.rows.push(Row { insert_id: id, json: row });
    }
}

/// The answer to an insert, as far as it is needed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default)]
    insert_errors: Vec<RowErrors>,
}

/// What is wrong with one row.
#[derive(Deserialize)]
struct RowErrors {
    #[serde(default)]
    index: usize,
    #[serde(default)]
    errors: Vec<Fault>,
}

/// One fault of a row or of a request.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Fault {
    reason: String,
    location: String,
    message: String,
}

/// Reads which rows of a request were refused. The others are stored.
fn inserted(request: &MappedRequest, response: &Response) -> Reception {
    let Ok(answer) = serde_json::from_str::<Answer>(&response.body) else {
        // So many rows were refused that the answer was cut. Halves have shorter answers.
        return match response.body.contains("\"insertErrors\"") {
            true => Reception::Poison { reason: reason::refused(&quoted(response)) },
            false => Reception::All(retry(response)),
        };
    };
    let mut each = vec![Acceptance::Delivered; request.events.len()];
    for RowErrors { index, errors } in answer.insert_errors {
        if let Some(one) = each.get_mut(index) {
            *one = of_row(errors.first());
        }
    }
    Reception::Each(each)
}

/// What is wrong with a row. A `stopped` row was left out because of another one.
fn of_row(fault: Option<&Fault>) -> Acceptance {
    let Some(Fault { reason, location, message }) = fault else {
        return Acceptance::Rejected { reason: reason::refused("no reason was told") };
    };
    let why = format!("{reason} {location}: {message}");
    match reason.as_str() {
        "stopped" => Acceptance::Again,
        "backendError" | "internalError" | "timeout" | "rateLimitExceeded" => {
            Acceptance::Retry { after: None, reason: why }
        }
        _ => Acceptance::Rejected { reason: reason::refused(&why) },
    }
}

/// 403 has many reasons, and only some of them are the door's.
fn forbidden(response: &Response) -> Reception {
    let after = match () {
        () if response.body.contains("\"rateLimitExceeded\"") => None,
        () if response.body.contains("\"quotaExceeded\"") => Some(QUOTA_WAIT_S.to_owned()),
        () => return Reception::All(Acceptance::Unauthorized { reason: quoted(response) }),
    };
    let named = response.headers.get("retry-after").map(str::to_owned);
    Reception::All(Acceptance::Retry { after: named.or(after), reason: quoted(response) })
}

#[cfg(test)]
mod tests {
    use crate::forward::destinations::testing::problem;

    #[test]
    fn settings_that_name_no_table_or_no_service_account_are_refused() {
        let of = |table: &str, email: &str| {
            problem(
                "bigquery",
                &format!(
                    "private_key = {{ secret = 'KEY' }}\nproject = 'shop-1'\ndataset = 'hilo'\ntable = '{table}'\nclient_email = '{email}'"
                ),
            )
        };
        assert_eq!(of("events", "hilo@shop-1.iam.gserviceaccount.com"), "");
        let why = of("events/insertAll?x", "hilo@shop-1.iam.gserviceaccount.com");
        assert!(why.contains("destination.table"), "{why}");
        let why = of("events", "ana@shop.example");
        assert!(why.contains("destination.client_email"), "{why}");
    }
}
