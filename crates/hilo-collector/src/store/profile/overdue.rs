//! Attempts without a result: a message or its consumer was lost, or the object lost its memory.
//!
//! Each such attempt counts, so that a delivery that brings its consumer down is not sent for ever. A row that is sent for
//! the first time is not written again: its lease in memory is enough. A row that is sent from the storage counts its
//! attempt beforehand, with the time of the next one. A restarted object keeps that time.
//!
//! A row that is `sending` is not sent again: its destination would count a repeat twice. It counts as sent.

use hilo_core::delivery::after_loss_s;

use super::leases::Leases;
use crate::calls::journal::lines::{Attempt, AttemptEnd};
use crate::calls::{decode, encode};
use crate::platform::{Failure, Sql, SqlRow, SqlValue};
use crate::signature::message_hash;

/// The reason of a delivery whose last attempt had no result.
const LOST: &str = "lost: no result of the attempt came within the time of its lease";

/// The reason of a delivery that counts as sent because its result never came.
const ASSUMED: &str = "assumed_sent: no result of the attempt came, and a repeat would count twice";

/// Ends the rows that were marked before a request and got no result in time. Returns their deliveries for the journal.
pub(super) fn end_sending(sql: &impl Sql, now_ms: i64) -> Result<Vec<Attempt>, Failure> {
    let rows = sql.exec(
        "UPDATE outbox SET state = 'delivered', reason = ?1, updated_ms = ?2
         WHERE state = 'sending' AND next_ms <= ?2 RETURNING destination, message_ids",
        &[SqlValue::from(ASSUMED), SqlValue::int(now_ms)?],
    )?;
    let mut ended = Vec::new();
    for row in &rows {
        ended.extend(ended_here(row, AttemptEnd::Assumed, "assumed_sent")?);
    }
    Ok(ended)
}

/// The lines for the journal of a row that ended without the consumer. The destination is not at fault, so no reason is told.
pub(super) fn ended_here(
    row: &SqlRow,
    end: AttemptEnd,
    code: &str,
) -> Result<Vec<Attempt>, Failure> {
    let destination = row.text("destination")?;
    let line = |id: String| Attempt {
        destination: destination.to_owned(),
        profile: String::new(),
        message_hash: message_hash(&id),
        end,
        code: code.to_owned(),
        reason: None,
        shown: None,
    };
    Ok(decode::<Vec<String>>(row.text("message_ids")?)?.into_iter().map(line).collect())
}

/// Counts the attempts whose leases have run out.
pub(super) fn count_lost(sql: &impl Sql, leases: &mut Leases, now_ms: i64) -> Result<(), Failure> {
    let lost = leases.take_lost(now_ms);
    if lost.is_empty() {
        return Ok(());
    }
    let line = |(row, lease): &(i64, super::leases::Lease)| {
        (*row, lease.row_ms, lease.attempt.saturating_add(1), next_ms(lease.attempt, now_ms))
    };
    let lines: Vec<_> = lost.iter().map(line).collect();
    sql.run(
        "UPDATE outbox SET attempts = value ->> 2, next_ms = value ->> 3, reason = ?1, updated_ms = ?2
         FROM json_each(?3)
         WHERE seq = value ->> 0 AND updated_ms = value ->> 1 AND state = 'pending'",
        &[SqlValue::from(LOST), SqlValue::int(now_ms)?, SqlValue::Text(encode(&lines)?)],
    )
}

/// Returns the time of the attempt that follows a lost one.
pub(super) fn next_ms(attempt: u32, now_ms: i64) -> i64 {
    now_ms + i64::from(after_loss_s(attempt)) * 1_000
}

/// Counts attempts that begin: rows, the attempts' numbers, and the times of the next ones if no result comes.
pub(super) fn begin(sql: &impl Sql, rows: &[(i64, u32, i64)]) -> Result<(), Failure> {
    if rows.is_empty() {
        return Ok(());
    }
    sql.run(
        "UPDATE outbox SET attempts = (value ->> 1) + 1, next_ms = value ->> 2
         FROM json_each(?) WHERE seq = value ->> 0",
        &[SqlValue::Text(encode(&rows)?)],
    )
}
