//! The outbox: what still has to be delivered, when, and what became of it.
//!
//! A row ends only by the destination's word (`delivered`, `dead`), by a withdrawal or by an opt-out. Which delay follows a failure is
//! decided in `forward/delivery.rs` and arrives here as a number. Leases live in memory only: a restarted object has
//! forgotten them and sends again at once, which is what one wants after a crash.

use std::collections::BTreeMap;

use hilo_core::consent::{OptInChannel, Purpose};
use jiff::Timestamp;

use super::known::Known;
use super::{Volatile, consent, millis, optin};
use crate::calls::{Confirmation, Delivery, DeliveryResult, Planned, encode};
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
/// Rows that one statement writes: a value of a Durable Object may have 2 MB, and an id and a name some hundred bytes.
const STATEMENT_ROWS_MAX: usize = 2_000;

/// Why a row ended when its person had said no to a purpose since.
const CONSENT_DENIED: &str = "consent_denied";
/// Why a row ended when its person had left the channel since.
const NOT_SUBSCRIBED: &str = "not_subscribed";

/// Attempts under way, by event and destination.
#[derive(Debug)]
pub(super) struct Leases {
    held: BTreeMap<(String, String), Lease>,
    /// Whether the rows may say more than what is held. So it is at first: an earlier life may have left some.
    is_behind: bool,
}

impl Default for Leases {
    fn default() -> Leases {
        Leases { held: BTreeMap::new(), is_behind: true }
    }
}

#[derive(Debug)]
struct Lease {
    /// When the attempt counts as lost.
    until_ms: i64,
    /// The row's own time when it was given out: once the row has changed, the attempt is over.
    row_ms: i64,
}

impl Leases {
    fn holds(&self, key: &(String, String), row_ms: i64) -> bool {
        self.held.get(key).is_some_and(|lease| lease.row_ms == row_ms)
    }

    fn hold(&mut self, key: (String, String), row_ms: i64, now_ms: i64) {
        self.held.insert(key, Lease { until_ms: now_ms + LEASE_MS, row_ms });
    }

    /// Whether the rows have to be asked.
    pub(super) const fn is_behind(&self) -> bool {
        self.is_behind
    }

    /// Forgets attempts that were answered.
    pub(super) fn end(&mut self, confirmations: &[Confirmation]) {
        for one in confirmations {
            self.held.remove(&(one.message_id.clone(), one.destination.clone()));
        }
    }
}

/// Leases deliveries that a record just made and keeps them until they are [`ready`]; what is too much for one go is left
/// in the rows.
pub(super) fn lease(volatile: &mut Volatile, mut made: Vec<Delivery>, now: Timestamp) {
    let Volatile { leases, fresh, .. } = volatile;
    let room = DUE_DELIVERIES_MAX.saturating_sub(fresh.len());
    leases.is_behind |= made.len() > room;
    made.truncate(room);
    let now_ms = millis(now);
    for delivery in &made {
        leases.hold((delivery.message_id.clone(), delivery.destination.clone()), now_ms, now_ms);
    }
    fresh.append(&mut made);
}

/// Takes back what waits in memory, so that the rows are asked again; whether anything did.
pub(super) fn recall(volatile: &mut Volatile) -> bool {
    let waiting = std::mem::take(&mut volatile.fresh);
    release(volatile, &waiting);
    !waiting.is_empty()
}

/// Gives out what was just kept, and what is [`due`] unless memory knows that nothing else is.
///
/// # Errors
/// Whatever the storage answers.
pub fn ready(
    sql: &impl Sql,
    volatile: &mut Volatile,
    now: Timestamp,
) -> Result<Vec<Delivery>, Failure> {
    let is_behind = volatile.leases.is_behind;
    let mut deliveries = if is_behind { due(sql, volatile, now)? } else { Vec::new() };
    deliveries.append(&mut volatile.fresh);
    Ok(deliveries)
}

/// A row of the outbox to be.
pub(super) struct Row<'r> {
    /// The event's id.
    pub(super) message_id: &'r str,
    /// The event as stored.
    pub(super) body: &'r str,
    /// Where to.
    pub(super) planned: &'r Planned,
}

impl Row<'_> {
    /// Event, destination, purposes, channel.
    fn columns(&self) -> (&str, &str, String, Option<&'static str>) {
        let Planned { name, purposes, channel } = self.planned;
        let purposes: Vec<&str> = purposes.iter().map(|purpose| purpose.name()).collect();
        (self.message_id, name, purposes.join(","), channel.map(OptInChannel::name))
    }
}

/// Writes one row per event and destination, and answers what may go out at once.
///
/// A row that the recorded consent denies by now is for [`due`] to end: an event may know a newer choice than the record.
pub(super) fn queue_up(
    sql: &impl Sql,
    rows: &[Row<'_>],
    known: &Known,
    profile: &str,
    now: Timestamp,
) -> Result<Vec<Delivery>, Failure> {
    for rows in rows.chunks(STATEMENT_ROWS_MAX) {
        let lines: Vec<_> = rows.iter().map(Row::columns).collect();
        // One value for all rows: sixty of them cost more on their way through JavaScript than SQLite's reading of a list.
        sql.run(
            "INSERT OR IGNORE INTO outbox (message_id, destination, purposes, channel, next_ms, updated_ms)
             SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, ?1, ?1 FROM json_each(?2)",
            &[SqlValue::int(millis(now))?, SqlValue::Text(encode(&lines)?)],
        )?;
    }
    let may_go = rows.iter().filter(|row| known.allows(row.planned, 0));
    let fresh = may_go.map(|row| Delivery {
        profile: profile.to_owned(),
        message_id: row.message_id.to_owned(),
        destination: row.planned.name.clone(),
        attempt: 0,
        event: row.body.to_owned(),
    });
    Ok(fresh.collect())
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
    leases.held.retain(|_, lease| lease.until_ms > now_ms);
    leases.is_behind = false;
    // The usual case: all is under way. What is leased is due, so the numbers say it without reading a row.
    if count_due(sql, now_ms)? <= leases.held.len() {
        return Ok(Vec::new());
    }
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
            leases.is_behind = true;
            break;
        }
        deliveries.extend(delivery(sql, row, &key)?);
        leases.hold(key, row_ms, now_ms);
    }
    Ok(deliveries)
}

fn count_due(sql: &impl Sql, now_ms: i64) -> Result<usize, Failure> {
    let rows = sql.exec(
        "SELECT count(*) AS n FROM outbox WHERE state = 'pending' AND next_ms <= ?",
        &[SqlValue::int(now_ms)?],
    )?;
    let count = rows.first().map_or(Ok(0), |row| row.int("n"))?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
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
        event: event.text("body")?.to_owned(),
    }))
}

/// Gives leases back when the queue did not take the deliveries: the next alarm tries again.
pub fn release(volatile: &mut Volatile, deliveries: &[Delivery]) {
    volatile.leases.is_behind = true;
    for delivery in deliveries {
        volatile.leases.held.remove(&(delivery.message_id.clone(), delivery.destination.clone()));
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
    if next_ms <= millis(now) {
        return soon(now).map(Some);
    }
    let at = Timestamp::from_millisecond(next_ms);
    at.map(Some).map_err(|error| Failure::Fatal(error.to_string()))
}

/// When to look again at what is under way.
pub(super) fn soon(now: Timestamp) -> Result<Timestamp, Failure> {
    now.checked_add(jiff::SignedDuration::from_millis(ALARM_MS_MAX))
        .map_err(|error| Failure::Fatal(error.to_string()))
}

/// Writes down what became of attempts. Confirming twice changes nothing.
pub(super) fn confirm(
    sql: &impl Sql,
    confirmations: &[Confirmation],
    now: Timestamp,
) -> Result<(), Failure> {
    let now_ms = millis(now);
    let mut delivered: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for confirmation in confirmations {
        let Confirmation { message_id, destination, result } = confirmation;
        match result {
            DeliveryResult::Delivered => {
                delivered.entry(destination).or_default().push(message_id);
            }
            DeliveryResult::Dead { reason } => {
                let key = (message_id.clone(), destination.clone());
                end(sql, &key, "dead", Some(reason), now_ms)?;
            }
            DeliveryResult::Retry { after_s, reason } => {
                sql.run(
                    "UPDATE outbox SET attempts = attempts + 1, next_ms = ?, reason = ?, updated_ms = ?
                     WHERE message_id = ? AND destination = ? AND state = 'pending'",
                    &[
                        SqlValue::int(now_ms + i64::from(*after_s) * 1_000)?,
                        SqlValue::from(reason.as_str()),
                        SqlValue::int(now_ms)?,
                        SqlValue::from(message_id.as_str()),
                        SqlValue::from(destination.as_str()),
                    ],
                )?;
            }
        }
    }
    for (destination, ids) in delivered {
        deliver(sql, destination, &ids, now_ms)?;
    }
    Ok(())
}

/// Ends what a destination has taken: the common case, so many in one statement.
fn deliver(sql: &impl Sql, destination: &str, ids: &[&str], now_ms: i64) -> Result<(), Failure> {
    sql.run(
        "UPDATE outbox SET state = 'delivered', reason = NULL, updated_ms = ?
         WHERE destination = ? AND state = 'pending'
           AND message_id IN (SELECT value FROM json_each(?))",
        &[SqlValue::int(now_ms)?, SqlValue::from(destination), SqlValue::Text(encode(ids)?)],
    )
}

fn end(
    sql: &impl Sql,
    (message_id, destination): &(String, String),
    state: &str,
    reason: Option<&str>,
    now_ms: i64,
) -> Result<(), Failure> {
    sql.run(
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
