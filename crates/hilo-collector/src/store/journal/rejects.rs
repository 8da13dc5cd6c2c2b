//! A shard of the journal: the refusals of one hour, as some isolates have noted them.
//!
//! A [`RejectsCall`] → kept lines and counts, or the answer. A kind of refusal has a bounded number of lines an hour, so a
//! flood of one kind costs few rows. When their days are over, the shard deletes all of its storage.

use jiff::Timestamp;

use super::answer::{AfterAlarm, DAY_MS, JournalAnswer, ROWS_MAX};
use crate::calls::journal::lines::{Reject, RejectCount, RejectKind};
use crate::calls::journal::{KeptRejects, RejectsCall};
use crate::calls::{decode, encode};
use crate::platform::{Failure, Sql, SqlRow, SqlValue};
use crate::store::schema;

/// The number of lines that a kind of refusal gets freely. After them it gets one line for each [`LINE_MS`], so that a
/// flood does not hide how it goes on.
const KIND_LINES_MAX: u32 = 200;
/// See [`KIND_LINES_MAX`].
const LINE_MS: i64 = 60_000;
/// The most lines of a shard.
const LINES_MAX: u32 = 5_000;
/// The most kinds of refusals of a shard. More kinds are counted together.
const KINDS_MAX: u32 = 1_000;

/// What a shard has counted for one kind.
#[derive(Default)]
struct Count {
    seen: u32,
    kept: u32,
    line_ms: i64,
}

/// Answers one call. A call that only reads creates no storage and moves no alarm.
pub(super) fn answer(sql: &impl Sql, call: &str, now: Timestamp) -> Result<JournalAnswer, Failure> {
    let mut alarm_ms = None;
    let reply = match decode(call)? {
        RejectsCall::Keep(kept) => {
            schema::apply(sql, schema::REJECTS)?;
            let now_ms = now.as_millisecond();
            sql.transaction(&mut || keep(sql, &kept, now_ms))?;
            alarm_ms = Some(now_ms + DAY_MS);
            encode(&())
        }
        RejectsCall::Read { .. } if !schema::is_present(sql)? => encode(&KeptRejects::default()),
        RejectsCall::Read { since_ms, limit, code } => {
            schema::apply(sql, schema::REJECTS)?;
            encode(&read(sql, since_ms, limit, code.as_deref())?)
        }
    }?;
    Ok(JournalAnswer { reply, alarm_ms })
}

fn keep(sql: &impl Sql, new: &KeptRejects, now_ms: i64) -> Result<(), Failure> {
    let totals =
        sql.exec("SELECT count(*) AS kinds, ifnull(sum(kept), 0) AS kept FROM counts", &[])?;
    let total = |name| totals.first().map_or(Ok(0), |row| number(row, name));
    let (mut kinds, mut room) = (total("kinds")?, LINES_MAX.saturating_sub(total("kept")?));
    let mut lines: Vec<&Reject> = Vec::new();
    for RejectCount { kind, seen, .. } in &new.counts {
        let mut kind = kind.clone();
        let mut found = count_of(sql, &kind)?;
        if found.is_none() && kinds >= KINDS_MAX {
            kind = RejectKind::default();
            found = count_of(sql, &kind)?;
        }
        kinds += u32::from(found.is_none());
        let mut count = found.unwrap_or_default();
        let is_line_due = now_ms - count.line_ms >= LINE_MS;
        let free = KIND_LINES_MAX.saturating_sub(count.kept).max(u32::from(is_line_due)).min(room);
        let own = new.rejects.iter().filter(|reject| RejectKind::of(reject) == kind);
        let before = lines.len();
        lines.extend(own.take(usize::try_from(free).unwrap_or(usize::MAX)));
        let kept = u32::try_from(lines.len() - before).unwrap_or(u32::MAX);
        room = room.saturating_sub(kept);
        count.seen = count.seen.saturating_add(*seen);
        count.kept = count.kept.saturating_add(kept);
        if kept > 0 {
            count.line_ms = now_ms;
        }
        store_count(sql, &kind, &count, now_ms)?;
    }
    if lines.is_empty() {
        return Ok(());
    }
    sql.run(
        "INSERT INTO bundles (at_ms, rejects) VALUES (?, ?)",
        &[SqlValue::int(now_ms)?, encode(&lines)?.into()],
    )
}

fn count_of(sql: &impl Sql, kind: &RejectKind) -> Result<Option<Count>, Failure> {
    let rows = sql.exec(
        "SELECT seen, kept, line_ms FROM counts WHERE source = ? AND outcome = ? AND code = ?",
        &[kind.source.as_str().into(), kind.outcome.as_str().into(), kind.code.as_str().into()],
    )?;
    let count = |row: &SqlRow| -> Result<Count, Failure> {
        Ok(Count {
            seen: number(row, "seen")?,
            kept: number(row, "kept")?,
            line_ms: row.int("line_ms")?,
        })
    };
    rows.first().map(count).transpose()
}

fn store_count(
    sql: &impl Sql,
    kind: &RejectKind,
    count: &Count,
    now_ms: i64,
) -> Result<(), Failure> {
    sql.run(
        "INSERT OR REPLACE INTO counts (source, outcome, code, seen, kept, last_ms, line_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
        &[
            kind.source.as_str().into(),
            kind.outcome.as_str().into(),
            kind.code.as_str().into(),
            count.seen.into(),
            count.kept.into(),
            SqlValue::int(now_ms)?,
            SqlValue::int(count.line_ms)?,
        ],
    )
}

/// Reads the newest refusals, of which `code` names the beginning of the code. Other kinds are not counted then either.
fn read(
    sql: &impl Sql,
    since_ms: i64,
    limit: u32,
    code: Option<&str>,
) -> Result<KeptRejects, Failure> {
    let is_wanted = |found: &str| code.is_none_or(|code| found.starts_with(code));
    let since = SqlValue::int(since_ms)?;
    let mut answer = KeptRejects::default();
    let counts = "SELECT source, outcome, code, seen, kept FROM counts WHERE last_ms >= ?";
    for row in sql.exec(counts, std::slice::from_ref(&since))? {
        let text = |name| row.text(name).map(str::to_owned);
        let kind =
            RejectKind { source: text("source")?, outcome: text("outcome")?, code: text("code")? };
        if !is_wanted(&kind.code) {
            continue;
        }
        let (seen, kept) = (number(&row, "seen")?, number(&row, "kept")?);
        answer.counts.push(RejectCount { kind, seen, kept });
    }
    // A bundle has at least one line, so `limit` bundles have enough, unless most of their lines have other codes.
    let limit = limit.min(ROWS_MAX);
    let bundles = if code.is_some() { LINES_MAX } else { limit };
    let newest = "SELECT rejects FROM bundles WHERE at_ms >= ? ORDER BY seq DESC LIMIT ?";
    for row in sql.exec(newest, &[since, bundles.into()])? {
        let lines: Vec<Reject> = decode(row.text("rejects")?)?;
        answer.rejects.extend(lines.into_iter().rev().filter(|line| is_wanted(&line.code)));
        if answer.rejects.len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
            break;
        }
    }
    answer.rejects.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(answer)
}

/// Decides when the alarm fires: the shard ends `rejects_days` after its last refusal. The configuration may change, so the
/// shard looks at it every day.
pub(super) fn on_alarm(
    sql: &impl Sql,
    rejects_days: u32,
    now_ms: i64,
) -> Result<AfterAlarm, Failure> {
    if !schema::is_present(sql)? {
        return Ok(AfterAlarm::Delete);
    }
    schema::apply(sql, schema::REJECTS)?;
    let rows = sql.exec("SELECT max(last_ms) AS last_ms FROM counts", &[])?;
    let last_ms = rows.first().and_then(|row| row.int("last_ms").ok()).unwrap_or_default();
    let end_ms = last_ms + i64::from(rejects_days) * DAY_MS;
    Ok(if now_ms < end_ms {
        AfterAlarm::Again(end_ms.min(now_ms + DAY_MS))
    } else {
        AfterAlarm::Delete
    })
}

fn number(row: &SqlRow, name: &str) -> Result<u32, Failure> {
    Ok(u32::try_from(row.int(name)?).unwrap_or(u32::MAX))
}
