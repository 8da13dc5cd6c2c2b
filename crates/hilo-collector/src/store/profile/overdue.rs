//! Attempts without a result: a message or its consumer was lost, or the object lost its memory.
//!
//! Each such attempt counts, so that a delivery that brings its consumer down is not sent for ever. A row that is sent for
//! the first time is not written again: its lease in memory is enough. A row that is sent from the storage counts its
//! attempt beforehand, with the time of the next one. A restarted object keeps that time.

use hilo_core::delivery::after_loss_s;

use super::leases::Leases;
use crate::calls::encode;
use crate::platform::{Failure, Sql, SqlValue};

/// The reason of a delivery whose last attempt had no result.
const LOST: &str = "lost: no result of the attempt came within the time of its lease";

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
