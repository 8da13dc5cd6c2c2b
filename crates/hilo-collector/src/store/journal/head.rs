//! The journal's head: delivery counters, dead letters, and the index of the shards.
//!
//! A [`JournalCall`] → its answer. Every table is bounded by number. The refusals of the version before, which had no
//! shards, are shown until their days are over.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::answer::{AfterAlarm, DAY_MS, JournalAnswer, ROWS_MAX};
use super::{held, watch};
use crate::calls::journal::gathered::{HOUR_MS, Shard};
use crate::calls::journal::held::HeldEvent;
use crate::calls::journal::lines::{DeadLetter, Health, RejectCount, RejectKind};
use crate::calls::journal::watch::{Change, Remembered};
use crate::calls::journal::{JournalCall, KeptRejects, RejectIndex};
use crate::calls::{decode, encode};
use crate::platform::{Failure, Sql, SqlRow, SqlValue};
use crate::store::at_rest;
use crate::store::schema;
pub use crate::store::schema::Updated as Volatile;

/// The place of what a dead letter shows, for its seal.
const SHOWN: &str = "dead letter";
/// The most dead letters that are listed. The rows themselves stay in their profiles.
const DEAD_LETTERS_MAX: i64 = 50_000;

/// Forgets what is older than `rejects_days`, when the alarm fires.
///
/// # Errors
/// The error of the storage.
pub(super) fn on_alarm(
    sql: &impl Sql,
    volatile: &mut Volatile,
    rejects_days: u32,
    now_ms: i64,
) -> Result<AfterAlarm, Failure> {
    volatile.once(sql, schema::JOURNAL)?;
    forget_old(sql, now_ms - i64::from(rejects_days) * DAY_MS)?;
    Ok(next_alarm(sql, now_ms)?.map_or(AfterAlarm::Rest, AfterAlarm::Again))
}

/// Answers one call. A call that only reads creates no storage.
///
/// # Errors
/// The error of the storage.
pub(super) fn answer(
    sql: &impl Sql,
    volatile: &mut Volatile,
    call: JournalCall,
    now: Timestamp,
) -> Result<JournalAnswer, Failure> {
    if !is_writing(&call) && !schema::is_present(sql)? {
        return nothing_yet(&call);
    }
    // The first call in this life of the object sets the alarm.
    let mut is_alarm_due = volatile.once(sql, schema::JOURNAL)?;
    let reply = match call {
        JournalCall::Counted { shard, attempts } => {
            is_alarm_due |= shard.is_some();
            if let Some(shard) = shard {
                list_shard(sql, shard)?;
            }
            attempts.iter().try_for_each(|health| add_attempts(sql, health))?;
            encode(&())
        }
        JournalCall::Dead { letters } => {
            note_dead(sql, &letters, now)?;
            encode(&())
        }
        JournalCall::RejectIndex { since_ms, limit } => {
            let own = older_rejects(sql, since_ms, limit)?;
            encode(&RejectIndex { shards: shards(sql, since_ms)?, own })
        }
        JournalCall::Deliveries => encode(&health(sql)?),
        JournalCall::DeadLetters { destination, since_ms, until_ms, code, messages, limit } => {
            let (destination, code) = (destination.as_deref(), code.as_deref());
            let wanted = Wanted { destination, since_ms, until_ms, code, messages: &messages };
            encode(&dead_letters(sql, &wanted, limit)?)
        }
        JournalCall::Forget { profile } => {
            held::forget(sql, &profile)?;
            sql.run("DELETE FROM dead_letters WHERE profile = ?", &[profile.into()])?;
            encode(&())
        }
        JournalCall::Hold { events } => {
            is_alarm_due = true;
            let now_ms = now.as_millisecond();
            sql.transaction(&mut || held::keep(sql, &events, now_ms))?;
            encode(&())
        }
        JournalCall::Held(wanted) => encode(&held::read(sql, &wanted)?),
        JournalCall::Released { events } => {
            held::release(sql, &events)?;
            encode(&())
        }
        JournalCall::Replayed { letters } => {
            letters.iter().try_for_each(|letter| forget(sql, letter))?;
            encode(&())
        }
        JournalCall::Watch { faults, probed_ms } => {
            watch::note_probe(sql, watch::SENT, probed_ms)?;
            encode(&watch::check(sql, &faults, now.as_millisecond())?)
        }
        JournalCall::Probed { sent_ms } => {
            encode(&watch::note_probe(sql, watch::ARRIVED, sent_ms)?)
        }
        JournalCall::Told { change } => encode(&watch::told(sql, &change)?),
        JournalCall::Faults => encode(&watch::remembered(sql)?),
    }?;
    let alarm_ms = if is_alarm_due { next_alarm(sql, now.as_millisecond())? } else { None };
    Ok(JournalAnswer { reply, alarm_ms })
}

/// Whether the call makes a storage.
const fn is_writing(call: &JournalCall) -> bool {
    match call {
        JournalCall::Counted { .. }
        | JournalCall::Dead { .. }
        | JournalCall::Hold { .. }
        | JournalCall::Watch { .. }
        | JournalCall::Probed { .. } => true,
        JournalCall::RejectIndex { .. }
        | JournalCall::Deliveries
        | JournalCall::DeadLetters { .. }
        | JournalCall::Forget { .. }
        | JournalCall::Replayed { .. }
        | JournalCall::Held(_)
        | JournalCall::Released { .. }
        | JournalCall::Told { .. }
        | JournalCall::Faults => false,
    }
}

/// Answers a call that reads from a head that has stored nothing yet.
fn nothing_yet(call: &JournalCall) -> Result<JournalAnswer, Failure> {
    let reply = match call {
        JournalCall::RejectIndex { .. } => encode(&RejectIndex::default()),
        JournalCall::Deliveries => encode::<[Health; 0]>(&[]),
        JournalCall::DeadLetters { .. } => encode::<[DeadLetter; 0]>(&[]),
        JournalCall::Watch { .. } => encode(&Change::default()),
        JournalCall::Faults => encode(&Remembered::default()),
        JournalCall::Held(_) => encode::<[HeldEvent; 0]>(&[]),
        JournalCall::Told { .. }
        | JournalCall::Probed { .. }
        | JournalCall::Counted { .. }
        | JournalCall::Dead { .. }
        | JournalCall::Hold { .. }
        | JournalCall::Released { .. }
        | JournalCall::Forget { .. }
        | JournalCall::Replayed { .. } => encode(&()),
    }?;
    Ok(JournalAnswer { reply, alarm_ms: None })
}

fn list_shard(sql: &impl Sql, shard: Shard) -> Result<(), Failure> {
    let (hour, number) = (SqlValue::int(shard.hour)?, SqlValue::int(shard.number)?);
    sql.run("INSERT OR IGNORE INTO shards (hour, number) VALUES (?, ?)", &[hour, number])
}

/// Lists the shards of a time range, newest hour first.
fn shards(sql: &impl Sql, since_ms: i64) -> Result<Vec<Shard>, Failure> {
    let rows = sql.exec(
        "SELECT hour, number FROM shards WHERE hour >= ? ORDER BY hour DESC, number",
        &[SqlValue::int(since_ms.div_euclid(HOUR_MS))?],
    )?;
    let shard = |row: &SqlRow| Ok(Shard { hour: row.int("hour")?, number: row.int("number")? });
    rows.iter().map(shard).collect()
}

/// Forgets the shards and the refusals from before this time. The shards delete themselves.
fn forget_old(sql: &impl Sql, oldest_ms: i64) -> Result<(), Failure> {
    let hour = SqlValue::int(oldest_ms.div_euclid(HOUR_MS))?;
    sql.run("DELETE FROM shards WHERE hour < ?", &[hour])?;
    held::forget_old(sql, oldest_ms)?;
    sql.run("DELETE FROM rejects WHERE at_ms < ?", &[SqlValue::int(oldest_ms)?])
}

/// Returns the time of the head's next alarm: at the end of the day, if the head has anything that grows too old.
fn next_alarm(sql: &impl Sql, now_ms: i64) -> Result<Option<i64>, Failure> {
    let old =
        "SELECT 1 AS found WHERE EXISTS (SELECT 1 FROM shards) OR EXISTS (SELECT 1 FROM rejects)
               OR EXISTS (SELECT 1 FROM held)";
    let has_any = !sql.exec(old, &[])?.is_empty();
    Ok(has_any.then(|| (now_ms.div_euclid(DAY_MS) + 1) * DAY_MS))
}

/// Adds the attempts that an isolate has counted for one destination.
fn add_attempts(sql: &impl Sql, counted: &Health) -> Result<(), Failure> {
    sql.run(
        "INSERT INTO destinations
           (name, delivered, retried, dead, assumed, last_delivered_at, last_error, last_error_at, failing_since)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET
           delivered = delivered + excluded.delivered,
           retried = retried + excluded.retried,
           dead = dead + excluded.dead,
           assumed = assumed + excluded.assumed,
           last_delivered_at = coalesce(excluded.last_delivered_at, last_delivered_at),
           last_error = CASE WHEN excluded.last_error_at IS NULL THEN last_error ELSE excluded.last_error END,
           last_error_at = coalesce(excluded.last_error_at, last_error_at),
           failing_since = CASE WHEN excluded.last_delivered_at IS NULL
             THEN coalesce(failing_since, excluded.failing_since) ELSE excluded.failing_since END",
        &[
            counted.destination.as_str().into(),
            counted.delivered.into(),
            counted.retried.into(),
            counted.dead.into(),
            counted.assumed.into(),
            SqlValue::text_or_null(counted.last_delivered_at.as_deref()),
            SqlValue::text_or_null(counted.last_error.as_deref()),
            SqlValue::text_or_null(counted.last_error_at.as_deref()),
            SqlValue::text_or_null(counted.failing_since.as_deref()),
        ],
    )?;
    counted.skipped.iter().try_for_each(|(code, events)| {
        sql.run(
            "INSERT INTO skipped (destination, code, events) VALUES (?, ?, ?)
             ON CONFLICT (destination, code) DO UPDATE SET events = events + excluded.events",
            &[counted.destination.as_str().into(), code.as_str().into(), (*events).into()],
        )
    })
}

/// What a dead letter shows, sealed: SQLite keeps the bytes of rows that are deleted, and an erasure must leave none.
fn sealed_or_null(
    sql: &impl Sql,
    value: Option<&impl serde::Serialize>,
) -> Result<SqlValue, Failure> {
    let seal = |value| Ok(SqlValue::Text(at_rest::seal_text(sql, SHOWN, &encode(value)?)?));
    value.map_or(Ok(SqlValue::Null), seal)
}

fn opened<T: serde::de::DeserializeOwned>(
    sql: &impl Sql,
    stored: Option<&str>,
) -> Result<Option<T>, Failure> {
    stored.map(|stored| decode(&at_rest::open_text(sql, SHOWN, stored)?)).transpose()
}

fn note_dead(sql: &impl Sql, letters: &[DeadLetter], now: Timestamp) -> Result<(), Failure> {
    for letter in letters {
        sql.run(
            "INSERT OR REPLACE INTO dead_letters
               (profile, message_id, destination, reason, at_ms, at, code, request, answer)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            &[
                letter.profile.as_str().into(),
                letter.message_hash.as_str().into(),
                letter.destination.as_str().into(),
                letter.reason.as_str().into(),
                SqlValue::int(now.as_millisecond())?,
                letter.at.as_str().into(),
                letter.code.as_str().into(),
                sealed_or_null(sql, letter.request.as_ref())?,
                sealed_or_null(sql, letter.answer.as_ref())?,
            ],
        )?;
    }
    sql.run(
        "DELETE FROM dead_letters WHERE rowid <= (SELECT max(rowid) FROM dead_letters) - ?",
        &[SqlValue::int(DEAD_LETTERS_MAX)?],
    )
}

/// Reads the refusals that the head itself keeps, newest first.
fn older_rejects(sql: &impl Sql, since_ms: i64, limit: u32) -> Result<KeptRejects, Failure> {
    let since = SqlValue::int(since_ms)?;
    let mut answer = KeptRejects::default();
    let counts = "SELECT code, count(*) AS n FROM rejects WHERE at_ms >= ? GROUP BY code";
    for row in sql.exec(counts, std::slice::from_ref(&since))? {
        let seen = u32::try_from(row.int("n")?).unwrap_or(u32::MAX);
        let kind = RejectKind { code: row.text("code")?.to_owned(), ..RejectKind::default() };
        answer.counts.push(RejectCount { kind, seen, kept: seen });
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
    let mut skipped: BTreeMap<String, BTreeMap<String, u32>> = BTreeMap::new();
    for row in &sql.exec("SELECT * FROM skipped", &[])? {
        let of_one = skipped.entry(row.text("destination")?.to_owned()).or_default();
        of_one.insert(row.text("code")?.to_owned(), count(row, "events")?);
    }
    let rows = sql.exec("SELECT * FROM destinations ORDER BY name", &[])?;
    rows.iter()
        .map(|row| {
            Ok(Health {
                destination: row.text("name")?.to_owned(),
                delivered: count(row, "delivered")?,
                retried: count(row, "retried")?,
                dead: count(row, "dead")?,
                assumed: count(row, "assumed")?,
                skipped: skipped.remove(row.text("name")?).unwrap_or_default(),
                last_delivered_at: row.text("last_delivered_at").ok().map(str::to_owned),
                last_error: row.text("last_error").ok().map(str::to_owned),
                last_error_at: row.text("last_error_at").ok().map(str::to_owned),
                failing_since: row.text("failing_since").ok().map(str::to_owned),
            })
        })
        .collect()
}

/// Which dead letters are wanted.
struct Wanted<'w> {
    destination: Option<&'w str>,
    since_ms: i64,
    until_ms: Option<i64>,
    code: Option<&'w str>,
    /// The hashes of ids; empty means all.
    messages: &'w [String],
}

fn dead_letters(
    sql: &impl Sql,
    wanted: &Wanted<'_>,
    limit: u32,
) -> Result<Vec<DeadLetter>, Failure> {
    let Wanted { destination, since_ms, until_ms, code, messages } = *wanted;
    // The hashes are one value, because a statement may have a hundred values only.
    let messages = if messages.is_empty() { None } else { Some(encode(messages)?) };
    let rows = sql.exec(
        "SELECT * FROM dead_letters
         WHERE at_ms >= ?1 AND (?2 IS NULL OR destination = ?2)
           AND (?3 IS NULL OR message_id IN (SELECT value FROM json_each(?3)))
           AND (?4 IS NULL OR at_ms < ?4) AND (?5 IS NULL OR code = ?5)
         ORDER BY at_ms DESC LIMIT ?6",
        &[
            SqlValue::int(since_ms)?,
            SqlValue::text_or_null(destination),
            SqlValue::text_or_null(messages.as_deref()),
            until_ms.map_or(Ok(SqlValue::Null), SqlValue::int)?,
            SqlValue::text_or_null(code),
            limit.min(ROWS_MAX).into(),
        ],
    )?;
    rows.iter()
        .map(|row| {
            Ok(DeadLetter {
                profile: row.text("profile")?.to_owned(),
                message_hash: row.text("message_id")?.to_owned(),
                destination: row.text("destination")?.to_owned(),
                code: row.text("code")?.to_owned(),
                reason: row.text("reason")?.to_owned(),
                at: row.text("at")?.to_owned(),
                request: opened(sql, row.text_opt("request"))?,
                answer: opened(sql, row.text_opt("answer"))?,
            })
        })
        .collect()
}

fn forget(sql: &impl Sql, letter: &DeadLetter) -> Result<(), Failure> {
    sql.exec(
        "DELETE FROM dead_letters WHERE profile = ? AND message_id = ? AND destination = ?",
        &[
            letter.profile.as_str().into(),
            letter.message_hash.as_str().into(),
            letter.destination.as_str().into(),
        ],
    )?;
    Ok(())
}
