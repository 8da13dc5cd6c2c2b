//! `POST /admin/v1/import`: rows of a file → reports → the stages. Each row ends as accepted, duplicate, conflict or rejected.
//!
//! The rows are claimed before they are stored and counted afterwards (`calls::imports`). So the same call may be sent again at any
//! time, and each row counts once.

use hilo_core::config::{OptInRules, Source};
use hilo_core::consent::OptInChannel;
use hilo_core::import::{
    self, CALL_ROWS_MAX, FaultCode, Imported, Kind, Terms, row::ROW_BYTES_MAX,
};
use hilo_core::inbound::{Report, Told};
use hilo_core::outcome::{Code, Outcome, Rejection};
use hilo_core::strict::read_object;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};

use super::ledger::CONFIRMED_AT;
use super::reports;
use crate::call::{Call, Trouble, secret};
use crate::calls::imports::{
    Begin, Begun, Counts, ImportsCall, LineFault, Settle, Settled, Verdict, ask_imports,
};
use crate::ingest::{self, reply};
use crate::keyring::Keyring;
use crate::platform::{Incoming, Platform, Reply};
use crate::signature::{hex, sha256_hex, sign};

/// Bytes of an import's id: a UUID has 36.
const ID_BYTES: std::ops::RangeInclusive<usize> = 8..=64;
/// Hours of a month at most, for the time from which on events are kept.
const MONTH_HOURS: i64 = 31 * 24;
/// The length of the keyed hash of a row in hex digits: 128 bits.
const KEY_CHARS: usize = 32;

/// What a call says besides its rows.
struct Asked<'l> {
    source: &'l Source,
    kind: Kind,
    is_dry: bool,
    updates: bool,
    is_last: bool,
    id: String,
    seq: u32,
}

/// A row of the body.
enum Line {
    Read(Imported),
    Refused(LineFault),
}

/// The answer.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    counts: Numbers,
    rejected: &'a [LineFault],
    #[serde(skip_serializing_if = "Option::is_none")]
    next_seq: Option<u32>,
}

/// The numbers of an answer. The rejected rows are listed.
#[derive(Serialize)]
struct Numbers {
    rows: u64,
    accepted: u64,
    duplicate: u64,
    conflict: u64,
}

/// Takes the rows of one call.
pub(super) async fn take<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let asked = asked(call)?;
    let body = ingest::open(call.incoming)?;
    let lines = read_lines(&body, &asked, call)?;
    if asked.is_dry {
        return Ok(dry(lines));
    }
    let secret = secret(call.platform)?;
    let begin = ImportsCall::Begin(Begin {
        id: asked.id.clone(),
        seq: asked.seq,
        source: asked.source.name.clone(),
        kind: asked.kind.name().to_owned(),
        body: sha256_hex(&body),
        updates: asked.updates && asked.kind == Kind::Orders,
        rows: imported(&lines).map(|row| (hash_of(row, &secret), row.digest.clone())).collect(),
    });
    let verdicts = match ask_imports(call.platform, &begin).await? {
        Begun::Go(verdicts) => verdicts,
        Begun::Done(settled) => return Ok(answer(&settled)),
        Begun::Changed => {
            let message = "this Import-Id or Import-Seq was used for other rows: begin another import with another id";
            return Err(Rejection::new(Code::ImportChanged, message).into());
        }
        Begun::Ahead(next) => {
            let message = format!("calls before it are missing: send {next} first");
            return Err(Rejection::at(Code::WrongType, "Import-Seq", message).into());
        }
    };
    let settle = store(lines, &verdicts, &asked, &body, &secret, call).await?;
    let settled = ask_imports(call.platform, &ImportsCall::Settle(settle)).await?;
    Ok(answer(&settled))
}

/// Reads address and header fields.
fn asked<'l, P: Platform>(call: &Call<'l, P>) -> Result<Asked<'l>, Rejection> {
    let incoming = call.incoming;
    let name = incoming.query_value("source").unwrap_or_default();
    let source = call.loaded.config.sources.iter().find(|source| source.name == name);
    let source = source.filter(|source| source.is_server()).ok_or_else(|| {
        let message = "name a source of hilo.toml that is no page and no app: ?source=till";
        Rejection::at(Code::NotFound, "source", message)
    })?;
    if source.consent_basis.is_none() {
        let message = "rows carry no consent: declare this source's legal basis in hilo.toml, [source.consent_basis]";
        return Err(Rejection::at(Code::NoConsent, "source", message));
    }
    let kind = incoming.query_value("kind").as_deref().and_then(Kind::from_name);
    let kind = kind.ok_or_else(|| {
        let known = Kind::ALL.map(Kind::name).join(", ");
        Rejection::at(Code::WrongType, "kind", format!("one of {known}"))
    })?;
    let is_dry = flag(incoming, "dry_run");
    let id = incoming.headers.get("import-id").unwrap_or_default();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !is_dry && (!ID_BYTES.contains(&id.len()) || !id.bytes().all(fits)) {
        let message = "send a UUID, the same with every call of this import";
        return Err(Rejection::at(Code::MissingField, "Import-Id", message));
    }
    let seq = incoming.headers.get("import-seq").and_then(|text| text.parse().ok());
    let Some(seq) = seq.or(is_dry.then_some(0)) else {
        let message = "send the number of this call within the import, from 0 on";
        return Err(Rejection::at(Code::MissingField, "Import-Seq", message));
    };
    let (updates, is_last) = (flag(incoming, "update"), flag(incoming, "last"));
    Ok(Asked { source, kind, is_dry, updates, is_last, id: id.to_owned(), seq })
}

fn flag(incoming: &Incoming, name: &str) -> bool {
    matches!(incoming.query_value(name).as_deref(), Some("1" | "true"))
}

/// Reads the rows: one object a line.
fn read_lines<P: Platform>(
    body: &[u8],
    asked: &Asked<'_>,
    call: &Call<'_, P>,
) -> Result<Vec<Line>, Rejection> {
    let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let lines: Vec<&[u8]> = lines.take(CALL_ROWS_MAX + 1).collect();
    if lines.len() > CALL_ROWS_MAX {
        let message = format!("send at most {CALL_ROWS_MAX} rows in one call");
        return Err(Rejection::new(Code::TooManyEvents, message));
    }
    let now = call.platform.now();
    let terms = Terms {
        kind: asked.kind,
        source: &asked.source.name,
        now,
        oldest: oldest(now, call.loaded.config.retention.events_months),
    };
    let optin = &call.loaded.config.consent.optin;
    let read = |(line, place): (&[u8], u64)| match read_line(line, place, &terms) {
        Line::Read(row) => proven(row, optin),
        refused @ Line::Refused(_) => refused,
    };
    Ok(lines.into_iter().zip(1..).map(read).collect())
}

/// Refuses a subscription of a file that says nothing of the confirmation which `hilo.toml` wants.
fn proven(row: Imported, rules: &OptInRules) -> Line {
    let is_unconfirmed = |report: &Report| match &report.told {
        Told::OptIn { channel, is_subscribed: true, .. } => {
            OptInChannel::from_name(channel).is_some_and(|channel| rules.is_double(channel))
                && !report.context.contains_key(CONFIRMED_AT)
        }
        Told::OptIn { .. } | Told::Act { .. } | Told::Traits(_) => false,
    };
    if !row.reports.iter().any(is_unconfirmed) {
        return Line::Read(row);
    }
    let message =
        "hilo.toml wants this channel's subscriptions confirmed: say when the person confirmed it";
    Line::Refused(LineFault {
        line: row.line,
        column: Some(CONFIRMED_AT.to_owned()),
        code: Code::OptInUnconfirmable.name().to_owned(),
        message: message.to_owned(),
    })
}

/// The time from which on events are kept.
fn oldest(now: Timestamp, months: u32) -> Option<Timestamp> {
    now.saturating_sub(SignedDuration::from_hours(i64::from(months) * MONTH_HOURS)).ok()
}

fn read_line(line: &[u8], place: u64, terms: &Terms<'_>) -> Line {
    let refuse = |code: FaultCode, message: &str| {
        let (code, message) = (code.name().to_owned(), message.to_owned());
        Line::Refused(LineFault { line: place, column: None, code, message })
    };
    if line.len() > ROW_BYTES_MAX {
        return refuse(FaultCode::RowTooLarge, "a row has at most 32 KB");
    }
    let Ok(mut row) = read_object(line) else {
        return refuse(FaultCode::MalformedRow, "one JSON object a line");
    };
    let line = row.get("line").and_then(Value::as_u64).unwrap_or(place);
    // Whoever reads the file tells of the rows that were refused there.
    if let Some(fault) = row.remove("refused").and_then(|refused| told(line, &refused)) {
        return Line::Refused(fault);
    }
    row.insert("line".to_owned(), line.into());
    match import::read(&row, terms) {
        Ok(imported) => Line::Read(imported),
        Err(fault) => {
            let code = fault.code.name().to_owned();
            Line::Refused(LineFault { line, column: fault.column, code, message: fault.message })
        }
    }
}

fn told(line: u64, refused: &Value) -> Option<LineFault> {
    /// Bytes of a code, a column or a sentence.
    const WORDS_BYTES_MAX: usize = 500;
    let refused: &Map<String, Value> = refused.as_object()?;
    let text = |name: &str| {
        let text =
            refused.get(name).and_then(Value::as_str).filter(|it| it.len() <= WORDS_BYTES_MAX);
        text.map(str::to_owned)
    };
    Some(LineFault {
        line,
        column: text("column"),
        code: text("code")?,
        message: text("message").unwrap_or_default(),
    })
}

fn imported(lines: &[Line]) -> impl Iterator<Item = &Imported> {
    lines.iter().filter_map(|line| match line {
        Line::Read(row) => Some(row),
        Line::Refused(_) => None,
    })
}

/// The hash of a row's name. Only the collector can make it: a name may be made of a telephone number.
fn hash_of(row: &Imported, secret: &Keyring) -> String {
    let text = format!("import:{}", row.key);
    hex(&sign(secret.naming().as_bytes(), text.as_bytes())).chars().take(KEY_CHARS).collect()
}

/// Stores the rows that are new, and counts all of them.
async fn store<P: Platform>(
    lines: Vec<Line>,
    verdicts: &[Verdict],
    asked: &Asked<'_>,
    body: &[u8],
    secret: &Keyring,
    call: &Call<'_, P>,
) -> Result<Settle, Trouble> {
    let mut counts = Counts { rows: lines.len() as u64, ..Counts::default() };
    let (mut faults, mut released) = (Vec::new(), Vec::new());
    let (mut rows, mut all): (Vec<(Imported, usize)>, Vec<Report>) = Default::default();
    let mut verdicts = verdicts.iter();
    for line in lines {
        let mut row = match line {
            Line::Read(row) => row,
            Line::Refused(fault) => {
                faults.push(fault);
                continue;
            }
        };
        let verdict = verdicts.next().copied().unwrap_or(Verdict::Duplicate);
        match verdict {
            Verdict::New => {}
            Verdict::Update => {
                let change = |one| import::updated(one, &row.key, &row.digest);
                row.reports = row.reports.iter().filter_map(change).collect();
            }
            Verdict::Duplicate => counts.duplicate += 1,
            Verdict::Conflict => {
                counts.conflict += 1;
                faults.push(conflict(row.line, asked.kind));
            }
        }
        if matches!(verdict, Verdict::New | Verdict::Update) {
            let reports = std::mem::take(&mut row.reports);
            rows.push((row, reports.len()));
            all.extend(reports);
        }
    }
    let outcomes = reports::take(all, asked.source, call.loaded, call.platform).await?;
    let mut outcomes = outcomes.into_iter();
    for (row, count) in rows {
        let own: Vec<Outcome> = outcomes.by_ref().take(count).map(|taken| taken.outcome).collect();
        // A choice that is older than the person's last one stands in the ledger too.
        let is_lost = |why: &&Rejection| why.code != Code::ConsentOutdated;
        match own.iter().filter_map(Outcome::rejection).find(is_lost) {
            // A duplicate is this row too: an attempt before this one has stored it.
            None => counts.accepted += 1,
            Some(why) => {
                faults.push(refused(row.line, why));
                released.push(hash_of(&row, secret));
            }
        }
    }
    counts.rejected = counts.rows - counts.accepted - counts.duplicate - counts.conflict;
    faults.sort_by_key(|fault| fault.line);
    let (id, seq, is_last) = (asked.id.clone(), asked.seq, asked.is_last);
    Ok(Settle { id, seq, body: sha256_hex(body), is_last, counts, faults, released })
}

fn refused(line: u64, why: &Rejection) -> LineFault {
    let (column, message) = (why.field.clone(), why.message.clone());
    LineFault { line, column, code: why.code.name().to_owned(), message }
}

fn conflict(line: u64, kind: Kind) -> LineFault {
    let message = match kind {
        Kind::Orders => {
            "this order was imported before with other values; --update (?update=1) brings them as Order Updated"
        }
        Kind::Refunds | Kind::Calls | Kind::Visits | Kind::OptIns | Kind::Contacts => {
            "this row was imported before with other values, which stay; only orders can be updated"
        }
    };
    let code = FaultCode::Conflict.name().to_owned();
    LineFault { line, column: None, code, message: message.to_owned() }
}

/// What would become of rows that no import has brought.
fn dry(lines: Vec<Line>) -> Reply {
    let rows = lines.len() as u64;
    let accepted = imported(&lines).count() as u64;
    let rejected: Vec<LineFault> = lines
        .into_iter()
        .filter_map(|line| match line {
            Line::Read(_) => None,
            Line::Refused(fault) => Some(fault),
        })
        .collect();
    let counts = Numbers { rows, accepted, duplicate: 0, conflict: 0 };
    reply::json(200, &Answer { counts, rejected: &rejected, next_seq: None })
}

fn answer(settled: &Settled) -> Reply {
    let Counts { rows, accepted, duplicate, conflict, .. } = settled.counts;
    let counts = Numbers { rows, accepted, duplicate, conflict };
    let next_seq = Some(settled.next_seq);
    reply::json(200, &Answer { counts, rejected: &settled.faults, next_seq })
}

#[cfg(test)]
mod tests;
