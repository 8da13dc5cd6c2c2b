//! Deliveries of touchpoints: taken by a run, confirmed by the consumer that also delivers for profiles, given up, replayed.
//!
//! A delivery that is taken is due again after its lease, so a kill repeats it and never loses it. A touchpoint is about no person, so
//! consent cannot have changed meanwhile.

use jiff::Timestamp;

use crate::calls::feed::DueTouch;
use crate::calls::{Confirmation, DeliveryResult, LEASE_MS, UnderWay};
use crate::platform::{Failure, Sql, SqlRow, SqlValue};
use crate::signature::message_hash;

/// The most deliveries of one run.
const DUE_MAX: u32 = 200;

/// Takes deliveries that are due, and holds them for the time of a lease.
pub(super) fn take(sql: &impl Sql, limit: u32, now: Timestamp) -> Result<Vec<DueTouch>, Failure> {
    let now_ms = now.as_millisecond();
    let query = "SELECT row, message_id, destination, attempts, since_ms, steps, body FROM due \
        JOIN touches ON seq = touch WHERE next_ms <= ? ORDER BY row LIMIT ?";
    let rows = sql.exec(query, &[SqlValue::int(now_ms)?, limit.min(DUE_MAX).into()])?;
    let until_ms = now_ms + LEASE_MS;
    let mut taken = Vec::with_capacity(rows.len());
    for row in &rows {
        let number = SqlValue::int(row.int("row")?)?;
        // If the result is lost, this attempt counts as one that failed.
        let hold = "UPDATE due SET next_ms = ?, attempts = attempts + 1 WHERE row = ?";
        sql.run(hold, &[SqlValue::int(until_ms)?, number])?;
        taken.push(DueTouch {
            row: row.int("row")?,
            message_id: row.text("message_id")?.to_owned(),
            destination: row.text("destination")?.to_owned(),
            attempt: number_of(row, "attempts")?,
            since_ms: row.int("since_ms")?,
            until_ms,
            steps: number_of(row, "steps")?,
            event: row.text("body")?.to_owned(),
        });
    }
    Ok(taken)
}

fn number_of(row: &SqlRow, column: &str) -> Result<u32, Failure> {
    Ok(u32::try_from(row.int(column)?).unwrap_or_default())
}

/// Writes the results of deliveries. A late result of another row changes nothing.
pub(super) fn confirm(
    sql: &impl Sql,
    confirmations: &[Confirmation],
    now: Timestamp,
) -> Result<(), Failure> {
    let now_ms = now.as_millisecond();
    for Confirmation { row, message_id, destination, attempt, result, .. } in confirmations {
        let of = [
            SqlValue::int(*row)?,
            SqlValue::from(message_id.as_str()),
            SqlValue::from(destination.as_str()),
        ];
        let (next_ms, attempts, steps, reason) = match result {
            DeliveryResult::Delivered
            | DeliveryResult::Skipped { .. }
            | DeliveryResult::Assumed { .. } => {
                sql.run(
                    "DELETE FROM due WHERE row = ? AND message_id = ? AND destination = ?",
                    &of,
                )?;
                continue;
            }
            DeliveryResult::Retry { after_s, reason, steps } => {
                (Some(now_ms + i64::from(*after_s) * 1_000), attempt + 1, steps, reason)
            }
            DeliveryResult::Wait { after_s, reason, steps } => {
                (Some(now_ms + i64::from(*after_s) * 1_000), *attempt, steps, reason)
            }
            DeliveryResult::Dead { reason, steps } => (None, attempt + 1, steps, reason),
        };
        let [row, message_id, destination] = of;
        let bindings = [
            next_ms.map_or(Ok(SqlValue::Null), SqlValue::int)?,
            attempts.into(),
            (*steps).into(),
            SqlValue::from(reason.as_str()),
            row,
            message_id,
            destination,
        ];
        let change = "UPDATE due SET next_ms = ?, attempts = ?, steps = ?, reason = ? \
            WHERE row = ? AND message_id = ? AND destination = ?";
        sql.run(change, &bindings)?;
    }
    Ok(())
}

fn is_there(sql: &impl Sql, one: &UnderWay) -> Result<bool, Failure> {
    let of = [
        SqlValue::int(one.row)?,
        SqlValue::from(one.message_id.as_str()),
        SqlValue::from(one.destination.as_str()),
    ];
    let query = "SELECT row FROM due WHERE row = ? AND message_id = ? AND destination = ? AND next_ms IS NOT NULL";
    Ok(!sql.exec(query, &of)?.is_empty())
}

/// Whether deliveries may still be attempted.
pub(super) fn wanted(sql: &impl Sql, asked: &[UnderWay]) -> Result<Vec<bool>, Failure> {
    asked.iter().map(|one| is_there(sql, one)).collect()
}

/// Marks deliveries that are about to be sent and must not be sent twice: they are done, whatever becomes of them.
pub(super) fn sending(sql: &impl Sql, asked: &[UnderWay]) -> Result<Vec<Option<i64>>, Failure> {
    let mark = |one: &UnderWay| {
        let is_there = is_there(sql, one)?;
        if is_there {
            sql.run("DELETE FROM due WHERE row = ?", &[SqlValue::int(one.row)?])?;
        }
        Ok(is_there.then_some(one.row))
    };
    asked.iter().map(mark).collect()
}

/// Makes dead deliveries pending again. Returns their number.
pub(super) fn replay(
    sql: &impl Sql,
    destination: Option<&str>,
    message: Option<&str>,
    now: Timestamp,
) -> Result<u32, Failure> {
    let rows =
        sql.exec("SELECT row, message_id, destination FROM due WHERE next_ms IS NULL", &[])?;
    let at = SqlValue::int(now.as_millisecond())?;
    let mut count = 0;
    for row in &rows {
        let (id, to) = (row.text("message_id")?, row.text("destination")?);
        let is_named = message.is_none_or(|message| message == id || message == message_hash(id));
        if is_named && destination.is_none_or(|destination| destination == to) {
            let again = "UPDATE due SET next_ms = ?, since_ms = ?, attempts = 0 WHERE row = ?";
            sql.run(again, &[at.clone(), at.clone(), SqlValue::int(row.int("row")?)?])?;
            count += 1;
        }
    }
    Ok(count)
}
