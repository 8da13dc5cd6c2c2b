//! The outbox: what still has to be delivered, when, and what became of it.
//!
//! A row ends only by the destination's word (`delivered`, `dead`), by a withdrawal or by an opt-out. Which delay follows a failure is
//! decided in `forward/delivery.rs` and arrives here as a number. Leases live in memory only: a restarted object has
//! forgotten them and sends again at once, which is what one wants after a crash.

use std::collections::BTreeMap;

use hilo_core::consent::{OptInChannel, Purpose};
use jiff::Timestamp;

use super::pages::raw;
use super::{Volatile, consent, millis, optin};
use crate::calls::{Confirmation, Delivery, DeliveryResult};
use crate::platform::{Failure, Sql, SqlRow, SqlValue};

/// How long an attempt may be under way before it counts as lost.
const LEASE_MS: i64 = 60_000;
/// How far ahead an alarm is set at most while something is pending: a crash forgets leases, so the alarm has to come
/// long before they end.
const ALARM_MS_MAX: i64 = 5_000;
/// Rows looked at in one go.
const DUE_ROWS_MAX: i64 = 500;
/// Deliveries handed out in one go; the next alarm takes the rest.
const DUE_DELIVERIES_MAX: usize = 200;

/// Why a row ended when its person had said no to a purpose since.
const CONSENT_DENIED: &str = "consent_denied";
/// Why a row ended when its person had left the channel since.
const NOT_SUBSCRIBED: &str = "not_subscribed";

/// Attempts under way, by event and destination.
#[derive(Debug, Default)]
pub(super) struct Leases(BTreeMap<(String, String), Lease>);

#[derive(Debug)]
struct Lease {
    /// When the attempt counts as lost.
    until_ms: i64,
    /// The row's own time when it was given out: once the row has changed, the attempt is over.
    row_ms: i64,
}

impl Leases {
    fn holds(&self, key: &(String, String), row_ms: i64) -> bool {
        self.0.get(key).is_some_and(|lease| lease.row_ms == row_ms)
    }
}

/// Takes what is due and not leased, leases it, and gives it out.
///
/// # Errors
/// Whatever the storage answers.
pub fn due(
    sql: &impl Sql,
    volatile: &mut Volatile,
    now: Timestamp,
) -> Result<Vec<Delivery>, Failure> {
    if !super::is_ready(sql, volatile, false)? {
        return Ok(Vec::new());
    }
    let now_ms = millis(now);
    let leases = &mut volatile.leases;
    leases.0.retain(|_, lease| lease.until_ms > now_ms);
    let standing = consent::standing(sql)?;
    let subscriptions = optin::subscriptions(sql)?;
    let rows = sql.exec(
        "SELECT message_id, destination, purposes, channel, attempts, updated_ms,
           (SELECT value FROM meta WHERE key = 'name') AS profile FROM outbox
         WHERE state = 'pending' AND next_ms <= ? ORDER BY next_ms, seq LIMIT ?",
        &[SqlValue::int(now_ms)?, SqlValue::Int(DUE_ROWS_MAX)],
    )?;
    let mut deliveries = Vec::new();
    for row in &rows {
        let key = (row.text("message_id")?.to_owned(), row.text("destination")?.to_owned());
        let row_ms = row.int("updated_ms")?;
        if leases.holds(&key, row_ms) {
            continue;
        }
        // Asked again at forward time: the person may have said no since. No revision is later than a withdrawal here,
        // because the row was made before.
        if standing.denies(&purposes(row)?, 0) {
            end(sql, &key, "dead", Some(CONSENT_DENIED), now_ms)?;
            continue;
        }
        let channel = row.text_opt("channel").and_then(OptInChannel::from_name);
        if !subscriptions.allow(channel) {
            end(sql, &key, "dead", Some(NOT_SUBSCRIBED), now_ms)?;
            continue;
        }
        if deliveries.len() >= DUE_DELIVERIES_MAX {
            break;
        }
        deliveries.extend(delivery(sql, row, &key)?);
        leases.0.insert(key, Lease { until_ms: now_ms + LEASE_MS, row_ms });
    }
    Ok(deliveries)
}

fn purposes(row: &SqlRow) -> Result<Vec<Purpose>, Failure> {
    Ok(row.text("purposes")?.split(',').filter_map(Purpose::from_name).collect())
}

fn delivery(
    sql: &impl Sql,
    row: &SqlRow,
    key: &(String, String),
) -> Result<Option<Delivery>, Failure> {
    let (message_id, destination) = key;
    let events = sql.exec(
        "SELECT body FROM events WHERE message_id = ?",
        &[SqlValue::from(message_id.as_str())],
    )?;
    let Some(event) = events.first() else { return Ok(None) };
    Ok(Some(Delivery {
        profile: row.text("profile")?.to_owned(),
        message_id: message_id.clone(),
        destination: destination.clone(),
        attempt: u32::try_from(row.int("attempts")?).unwrap_or(u32::MAX),
        event: raw(event.text("body")?)?,
    }))
}

/// Gives leases back when the queue did not take the deliveries: the next alarm tries again.
pub fn release(volatile: &mut Volatile, deliveries: &[Delivery]) {
    for delivery in deliveries {
        volatile.leases.0.remove(&(delivery.message_id.clone(), delivery.destination.clone()));
    }
}

/// When to look again, if anything is pending.
///
/// # Errors
/// Whatever the storage answers.
pub fn next_alarm(sql: &impl Sql, now: Timestamp) -> Result<Option<Timestamp>, Failure> {
    let rows = sql
        .exec("SELECT next_ms FROM outbox WHERE state = 'pending' ORDER BY next_ms LIMIT 1", &[])?;
    let Some(row) = rows.first() else { return Ok(None) };
    let next_ms = row.int("next_ms")?;
    // What is due already is either leased or about to be: look again soon, but never in a tight loop.
    let at = if next_ms <= millis(now) { millis(now) + ALARM_MS_MAX } else { next_ms };
    Timestamp::from_millisecond(at).map(Some).map_err(|error| Failure::Fatal(error.to_string()))
}

/// Writes down what became of attempts. Confirming twice changes nothing.
pub(super) fn confirm(
    sql: &impl Sql,
    confirmations: &[Confirmation],
    now: Timestamp,
) -> Result<(), Failure> {
    let now_ms = millis(now);
    for confirmation in confirmations {
        let key = (confirmation.message_id.clone(), confirmation.destination.clone());
        match &confirmation.result {
            DeliveryResult::Delivered => end(sql, &key, "delivered", None, now_ms)?,
            DeliveryResult::Dead { reason } => end(sql, &key, "dead", Some(reason), now_ms)?,
            DeliveryResult::Retry { after_s, reason } => {
                sql.exec(
                    "UPDATE outbox SET attempts = attempts + 1, next_ms = ?, reason = ?, updated_ms = ?
                     WHERE message_id = ? AND destination = ? AND state = 'pending'",
                    &[
                        SqlValue::int(now_ms + i64::from(*after_s) * 1_000)?,
                        SqlValue::from(reason.as_str()),
                        SqlValue::int(now_ms)?,
                        SqlValue::Text(key.0),
                        SqlValue::Text(key.1),
                    ],
                )?;
            }
        }
    }
    Ok(())
}

fn end(
    sql: &impl Sql,
    (message_id, destination): &(String, String),
    state: &str,
    reason: Option<&str>,
    now_ms: i64,
) -> Result<(), Failure> {
    sql.exec(
        "UPDATE outbox SET state = ?, reason = ?, updated_ms = ?
         WHERE message_id = ? AND destination = ? AND state = 'pending'",
        &[
            SqlValue::from(state),
            SqlValue::text_or_null(reason),
            SqlValue::int(now_ms)?,
            SqlValue::from(message_id.as_str()),
            SqlValue::from(destination.as_str()),
        ],
    )?;
    Ok(())
}

/// Makes dead rows pending again, from the first attempt on; answers how many. What died of a withdrawal or an opt-out
/// stays dead.
pub(super) fn replay(
    sql: &impl Sql,
    destination: Option<&str>,
    message_id: Option<&str>,
    now: Timestamp,
) -> Result<u32, Failure> {
    let now_ms = SqlValue::int(millis(now))?;
    let rows = sql.exec(
        "UPDATE outbox SET state = 'pending', attempts = 0, next_ms = ?, updated_ms = ?
         WHERE state = 'dead' AND reason IS NOT ?5 AND reason IS NOT ?6
           AND (?3 IS NULL OR destination = ?3) AND (?4 IS NULL OR message_id = ?4)
         RETURNING seq",
        &[
            now_ms.clone(),
            now_ms,
            SqlValue::text_or_null(destination),
            SqlValue::text_or_null(message_id),
            SqlValue::from(CONSENT_DENIED),
            SqlValue::from(NOT_SUBSCRIBED),
        ],
    )?;
    Ok(u32::try_from(rows.len()).unwrap_or(u32::MAX))
}
