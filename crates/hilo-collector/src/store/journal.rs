//! The journal: rejects, the live stream's ring, delivery counters, dead letters. A deployment has one journal.
//!
//! A [`JournalCall`] as JSON → its answer, and the lines for the watchers. Every table is bounded by number, and rejects
//! also by age. The journal stores no event, only outcomes and results.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::schema;
use crate::calls::journal::{Attempt, DeadLetter, Health, JournalCall, LiveEvent, Reject, Rejects};
use crate::calls::{decode, encode};
use crate::platform::{Failure, Sql, SqlRow, SqlValue};

/// The most rejects that are kept.
const REJECTS_MAX: i64 = 10_000;
/// The most lines of the ring: a watcher who connects later still gets them.
const LIVE_MAX: i64 = 200;
/// The most dead letters that are listed. The rows themselves stay in their profiles.
const DEAD_LETTERS_MAX: i64 = 50_000;
/// The most rows of one answer.
const ROWS_MAX: u32 = 500;
/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// The answer of the journal, and the lines for its watchers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalAnswer {
    /// JSON for the caller.
    pub reply: String,
    /// JSON lines for the live stream, oldest first.
    pub live: Vec<String>,
}

/// The value that the object keeps in memory: whether the schema was updated in this life of the object.
#[derive(Debug, Default)]
pub struct Volatile {
    is_current: bool,
}

impl Volatile {
    fn apply_schema(&mut self, sql: &impl Sql) -> Result<(), Failure> {
        if !self.is_current {
            schema::apply(sql, schema::JOURNAL)?;
            self.is_current = true;
        }
        Ok(())
    }
}

/// Answers one call.
///
/// # Errors
/// The error of the storage; nothing of a failed call is stored.
pub fn answer(
    sql: &impl Sql,
    volatile: &mut Volatile,
    call: &str,
    now: Timestamp,
) -> Result<JournalAnswer, Failure> {
    volatile.apply_schema(sql)?;
    let mut live = Vec::new();
    let reply = match decode(call)? {
        JournalCall::Judged(judged) => {
            live = store_live(sql, &judged.live)?;
            note_rejects(sql, &judged.rejects, judged.rejects_days, now)?;
            encode(&())
        }
        JournalCall::Attempted { attempts } => {
            note_attempts(sql, &attempts, now)?;
            encode(&())
        }
        JournalCall::Rejects { since_ms, limit } => encode(&rejects(sql, since_ms, limit)?),
        JournalCall::Deliveries => encode(&health(sql)?),
        JournalCall::DeadLetters { destination, since_ms, message_ids, limit } => {
            let mut letters = dead_letters(sql, destination.as_deref(), since_ms, limit)?;
            letters.retain(|l| message_ids.is_empty() || message_ids.contains(&l.message_id));
            encode(&letters)
        }
        JournalCall::Replayed { letters } => {
            letters.iter().try_for_each(|letter| forget(sql, letter))?;
            encode(&())
        }
    }?;
    Ok(JournalAnswer { reply, live })
}

/// Returns the lines after number `after` that the ring still has, oldest first.
///
/// # Errors
/// The error of the storage.
pub fn ring(sql: &impl Sql, volatile: &mut Volatile, after: i64) -> Result<Vec<String>, Failure> {
    volatile.apply_schema(sql)?;
    let rows =
        sql.exec("SELECT line FROM live WHERE seq > ? ORDER BY seq", &[SqlValue::int(after)?])?;
    rows.iter().map(|row| row.text("line").map(str::to_owned)).collect()
}

fn store_live(sql: &impl Sql, events: &[LiveEvent]) -> Result<Vec<String>, Failure> {
    #[derive(Serialize)]
    struct Line<'e> {
        seq: i64,
        #[serde(flatten)]
        event: &'e LiveEvent,
    }
    let mut lines = Vec::new();
    for event in events {
        // The row gets its number when it is inserted, and the line itself contains the number.
        let rows = sql.exec("INSERT INTO live (line) VALUES ('') RETURNING seq", &[])?;
        let seq = first(&rows)?.int("seq")?;
        let line = encode(&Line { seq, event })?;
        sql.exec(
            "UPDATE live SET line = ? WHERE seq = ?",
            &[line.clone().into(), SqlValue::int(seq)?],
        )?;
        sql.exec("DELETE FROM live WHERE seq <= ?", &[SqlValue::int(seq - LIVE_MAX)?])?;
        lines.push(line);
    }
    Ok(lines)
}

fn note_rejects(
    sql: &impl Sql,
    rejects: &[Reject],
    days: u32,
    now: Timestamp,
) -> Result<(), Failure> {
    if rejects.is_empty() {
        return Ok(());
    }
    let now_ms = now.as_millisecond();
    for reject in rejects {
        sql.exec(
            "INSERT INTO rejects (at_ms, code, reject) VALUES (?, ?, ?)",
            &[SqlValue::int(now_ms)?, reject.code.as_str().into(), encode(reject)?.into()],
        )?;
    }
    let oldest = SqlValue::int(now_ms - i64::from(days) * DAY_MS)?;
    sql.exec("DELETE FROM rejects WHERE at_ms < ?", &[oldest])?;
    sql.exec(
        "DELETE FROM rejects WHERE seq <= (SELECT max(seq) FROM rejects) - ?",
        &[SqlValue::int(REJECTS_MAX)?],
    )?;
    Ok(())
}

/// Counts attempts by destination and result, with one statement for each pair. Mostly hundreds were delivered to one
/// destination.
fn note_attempts(sql: &impl Sql, attempts: &[Attempt], now: Timestamp) -> Result<(), Failure> {
    let mut counts: BTreeMap<(&str, &str), (u32, &Attempt)> = BTreeMap::new();
    for attempt in attempts {
        let key = (attempt.destination.as_str(), attempt.result.as_str());
        let (count, latest) = counts.entry(key).or_insert((0, attempt));
        *count += 1;
        *latest = attempt;
        if attempt.result == "dead" {
            note_dead(sql, attempt, now)?;
        }
    }
    for ((destination, result), (count, latest)) in counts {
        let name = SqlValue::from(destination);
        sql.exec(
            "INSERT OR IGNORE INTO destinations (name) VALUES (?)",
            std::slice::from_ref(&name),
        )?;
        let (count, at) = (SqlValue::from(count), SqlValue::from(now.to_string()));
        let reason = SqlValue::text_or_null(latest.reason.as_deref());
        if latest.is_failure() {
            sql.exec(
                "UPDATE destinations SET failing_since = coalesce(failing_since, ?) WHERE name = ?",
                &[at.clone(), name.clone()],
            )?;
        }
        match result {
            "delivered" => sql.exec(
                "UPDATE destinations SET delivered = delivered + ?, last_delivered_at = ?, failing_since = NULL WHERE name = ?",
                &[count, at, name],
            )?,
            "retry" => sql.exec(
                "UPDATE destinations SET retried = retried + ?, last_error = ?, last_error_at = ? WHERE name = ?",
                &[count, reason, at, name],
            )?,
            _ => sql.exec(
                "UPDATE destinations SET dead = dead + ?, last_error = ?, last_error_at = ? WHERE name = ?",
                &[count, reason, at, name],
            )?,
        };
    }
    Ok(())
}

fn note_dead(sql: &impl Sql, attempt: &Attempt, now: Timestamp) -> Result<(), Failure> {
    sql.exec(
        "INSERT OR REPLACE INTO dead_letters (profile, message_id, destination, reason, at_ms, at)
         VALUES (?, ?, ?, ?, ?, ?)",
        &[
            attempt.profile.as_str().into(),
            attempt.message_id.as_str().into(),
            attempt.destination.as_str().into(),
            attempt.reason.as_deref().unwrap_or_default().into(),
            SqlValue::int(now.as_millisecond())?,
            now.to_string().into(),
        ],
    )?;
    sql.exec(
        "DELETE FROM dead_letters WHERE rowid <= (SELECT max(rowid) FROM dead_letters) - ?",
        &[SqlValue::int(DEAD_LETTERS_MAX)?],
    )?;
    Ok(())
}

fn rejects(sql: &impl Sql, since_ms: i64, limit: u32) -> Result<Rejects, Failure> {
    let since = SqlValue::int(since_ms)?;
    let mut answer = Rejects::default();
    let counts = "SELECT code, count(*) AS n FROM rejects WHERE at_ms >= ? GROUP BY code";
    for row in sql.exec(counts, std::slice::from_ref(&since))? {
        let count = u32::try_from(row.int("n")?).unwrap_or(u32::MAX);
        answer.counts.insert(row.text("code")?.to_owned(), count);
    }
    let newest = "SELECT reject FROM rejects WHERE at_ms >= ? ORDER BY seq DESC LIMIT ?";
    for row in sql.exec(newest, &[since, limit.min(ROWS_MAX).into()])? {
        answer.rejects.push(decode(row.text("reject")?)?);
    }
    Ok(answer)
}

fn health(sql: &impl Sql) -> Result<Vec<Health>, Failure> {
    let count =
        |row: &SqlRow, name: &str| row.int(name).map(|n| u32::try_from(n).unwrap_or(u32::MAX));
    let rows = sql.exec("SELECT * FROM destinations ORDER BY name", &[])?;
    rows.iter()
        .map(|row| {
            Ok(Health {
                destination: row.text("name")?.to_owned(),
                delivered: count(row, "delivered")?,
                retried: count(row, "retried")?,
                dead: count(row, "dead")?,
                last_delivered_at: row.text("last_delivered_at").ok().map(str::to_owned),
                last_error: row.text("last_error").ok().map(str::to_owned),
                last_error_at: row.text("last_error_at").ok().map(str::to_owned),
                failing_since: row.text("failing_since").ok().map(str::to_owned),
            })
        })
        .collect()
}

fn dead_letters(
    sql: &impl Sql,
    destination: Option<&str>,
    since_ms: i64,
    limit: u32,
) -> Result<Vec<DeadLetter>, Failure> {
    let rows = sql.exec(
        "SELECT * FROM dead_letters WHERE at_ms >= ? AND (?2 IS NULL OR destination = ?2)
         ORDER BY at_ms DESC LIMIT ?3",
        &[
            SqlValue::int(since_ms)?,
            SqlValue::text_or_null(destination),
            limit.min(ROWS_MAX).into(),
        ],
    )?;
    rows.iter()
        .map(|row| {
            Ok(DeadLetter {
                profile: row.text("profile")?.to_owned(),
                message_id: row.text("message_id")?.to_owned(),
                destination: row.text("destination")?.to_owned(),
                reason: row.text("reason")?.to_owned(),
                at: row.text("at")?.to_owned(),
            })
        })
        .collect()
}

fn forget(sql: &impl Sql, letter: &DeadLetter) -> Result<(), Failure> {
    sql.exec(
        "DELETE FROM dead_letters WHERE profile = ? AND message_id = ? AND destination = ?",
        &[
            letter.profile.as_str().into(),
            letter.message_id.as_str().into(),
            letter.destination.as_str().into(),
        ],
    )?;
    Ok(())
}

fn first(rows: &[SqlRow]) -> Result<&SqlRow, Failure> {
    rows.first()
        .ok_or_else(|| Failure::Fatal("a row that was just written is not there".to_owned()))
}
