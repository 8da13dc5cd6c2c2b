//! The results of deliveries. A row ends only by the destination's answer (`delivered`, `dead`), by a withdrawal or by
//! an opt-out, and a row that counts as sent without an answer. A row that is done at its first attempt is deleted.
//!
//! The events of a row share their fate. If a confirmation gives them different fates, each fate gets a row of its own,
//! with the steps that are done. Events in progress keep the old row. `hilo_core::delivery` decides the delay after
//! a failure; here it is only a number.

use hilo_core::outcome::Code;
use jiff::Timestamp;

use crate::calls::{Confirmation, DeliveryResult, decode, encode};
use crate::platform::{Failure, Sql, SqlValue};
use crate::signature::message_hash;

/// The reason of a row that ended because the person has denied a purpose.
pub(super) const CONSENT_DENIED: &str = Code::ConsentDenied.name();
/// The reason of a row that ended because the person has unsubscribed from the channel.
pub(super) const NOT_SUBSCRIBED: &str = "not_subscribed";

/// The reason of a delivery whose event is not in the timeline.
pub(super) const EVENT_MISSING: &str = "event_missing";

/// The next state of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fate {
    state: &'static str,
    /// The number of attempts that have failed; `None` leaves the row's number unchanged.
    attempts: Option<u32>,
    /// The time of the next attempt; `None` leaves the row's time unchanged.
    next_ms: Option<i64>,
    /// The number of steps that are done. A smaller number than the row's leaves the row's unchanged.
    steps: u32,
    reason: Option<String>,
}

impl Fate {
    /// The destination accepted the events at attempt number `attempt`. The attempts before it have failed.
    const fn delivered(attempt: u32) -> Fate {
        let attempts = Some(attempt);
        Fate { state: "delivered", attempts, next_ms: None, steps: 0, reason: None }
    }

    /// The events are given up.
    pub(super) fn dead(reason: &str) -> Fate {
        let reason = Some(reason.to_owned());
        Fate { state: "dead", attempts: None, next_ms: None, steps: 0, reason }
    }

    fn of(attempt: u32, result: &DeliveryResult, now_ms: i64) -> Fate {
        let pending = |attempts, after_s: u32, reason: &str, steps| Fate {
            state: "pending",
            attempts: Some(attempts),
            next_ms: Some(now_ms + i64::from(after_s) * 1_000),
            steps,
            reason: Some(reason.to_owned()),
        };
        match result {
            DeliveryResult::Delivered | DeliveryResult::Skipped { .. } => Fate::delivered(attempt),
            DeliveryResult::Assumed { reason } => {
                Fate { reason: Some(reason.clone()), ..Fate::delivered(attempt) }
            }
            DeliveryResult::Dead { reason, steps } => Fate { steps: *steps, ..Fate::dead(reason) },
            DeliveryResult::Retry { after_s, reason, steps } => {
                pending(attempt.saturating_add(1), *after_s, reason, *steps)
            }
            DeliveryResult::Wait { after_s, reason, steps } => {
                pending(attempt, *after_s, reason, *steps)
            }
        }
    }
}

/// Whether a newer attempt than this one has begun: the row has counted `attempts` attempts.
pub(super) fn is_late(attempt: u32, attempts: i64) -> bool {
    i64::from(attempt) + 1 < attempts
}

/// Whether the confirmation brings no end, because a newer attempt has begun, or because another one has marked the row and may have
/// sent its events.
fn ends_nothing(one: &Confirmation, attempts: i64, marked_by: Option<Option<&str>>) -> bool {
    match one.result {
        DeliveryResult::Delivered
        | DeliveryResult::Skipped { .. }
        | DeliveryResult::Assumed { .. }
        | DeliveryResult::Dead { .. } => false,
        DeliveryResult::Retry { .. } | DeliveryResult::Wait { .. } => {
            is_late(one.attempt, attempts)
                || marked_by.is_some_and(|mark| mark != one.mark.as_deref())
        }
    }
}

/// Stores the results of attempts, and returns the rows whose attempt is over. A repeated confirmation changes nothing.
pub(super) fn confirm(
    sql: &impl Sql,
    confirmations: &[Confirmation],
    now: Timestamp,
) -> Result<Vec<i64>, Failure> {
    let now_ms = now.as_millisecond();
    let mut rows: Vec<i64> = confirmations.iter().map(|one| one.row).collect();
    rows.append(&mut marked_by(sql, confirmations)?);
    let rows = sql.exec(
        "SELECT seq, message_ids, destination, attempts, state, mark FROM outbox
         WHERE state IN ('pending', 'sending') AND seq IN (SELECT value FROM json_each(?))",
        &[SqlValue::Text(encode(&rows)?)],
    )?;
    let (mut ended, mut over) = (Vec::new(), Vec::new());
    for row in &rows {
        let (seq, attempts) = (row.int("seq")?, row.int("attempts")?);
        let destination = row.text("destination")?;
        let marked_by = (row.text("state")? == "sending").then(|| row.text_opt("mark"));
        // The last of two confirmations of one event counts. An event without a confirmation is still in progress.
        let parts = parts(&decode::<Vec<String>>(row.text("message_ids")?)?, |id| {
            let is_its = |one: &&Confirmation| {
                let is_marker = one.mark.is_some() && marked_by == Some(one.mark.as_deref());
                (one.row == seq || is_marker)
                    && (one.message_id.as_str(), one.destination.as_str()) == (id, destination)
                    && !ends_nothing(one, attempts, marked_by)
            };
            let answer = confirmations.iter().rfind(is_its);
            answer.map(|one| Fate::of(one.attempt, &one.result, now_ms))
        });
        // A delivery that is done at the first attempt needs no row: the timeline has its destination.
        let needs_row = |fate: &Option<Fate>| *fate != Some(Fate::delivered(0));
        // Events in progress keep the row and its lease. If there are none, the first part that needs a row keeps it.
        let in_progress = parts.iter().position(|(fate, _)| fate.is_none());
        let stays = in_progress.or_else(|| parts.iter().position(|(fate, _)| needs_row(fate)));
        if in_progress.is_none() {
            over.push(seq);
        }
        let Some(stays) = stays else {
            ended.push(seq);
            continue;
        };
        // The row is split before any fate is written, because each part copies the row's earlier state.
        let mut written = Vec::with_capacity(parts.len());
        for (at, (fate, ids)) in parts.iter().enumerate() {
            if at == stays {
                written.push((seq, fate));
            } else if needs_row(fate) {
                written.push((part(sql, seq, ids)?, fate));
            }
        }
        for (row, fate) in written {
            fate.as_ref().map_or(Ok(()), |fate| write_fate(sql, row, fate, now_ms))?;
        }
        if let Some((_, ids)) = parts.get(stays).filter(|_| parts.len() > 1) {
            keep_only(sql, seq, ids)?;
        }
    }
    // This is the common case, so one statement writes all of it.
    if !ended.is_empty() {
        sql.run(
            "DELETE FROM outbox WHERE seq IN (SELECT value FROM json_each(?))",
            &[SqlValue::Text(encode(&ended)?)],
        )?;
    }
    Ok(over)
}

/// Reads the rows that were marked by attempts that hand their deliveries back. Such an attempt has got no answer to its mark, so it does
/// not know the row that the mark may have made.
fn marked_by(sql: &impl Sql, confirmations: &[Confirmation]) -> Result<Vec<i64>, Failure> {
    let back = confirmations.iter().filter(|one| matches!(one.result, DeliveryResult::Wait { .. }));
    let marks: Vec<&str> = back.filter_map(|one| one.mark.as_deref()).collect();
    if marks.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sql.exec(
        "SELECT seq FROM outbox WHERE state = 'sending' AND mark IN (SELECT value FROM json_each(?))",
        &[SqlValue::Text(encode(&marks)?)],
    )?;
    rows.iter().map(|row| row.int("seq")).collect()
}

/// Groups the events of a row by their fates, in order.
fn parts(
    ids: &[String],
    fate: impl Fn(&String) -> Option<Fate>,
) -> Vec<(Option<Fate>, Vec<String>)> {
    let mut parts: Vec<(Option<Fate>, Vec<String>)> = Vec::new();
    for id in ids {
        let fate = fate(id);
        match parts.iter_mut().find(|(known, _)| *known == fate) {
            Some((_, ids)) => ids.push(id.clone()),
            None => parts.push((fate, vec![id.clone()])),
        }
    }
    parts
}

/// Removes all events but these from a row.
pub(super) fn keep_only(sql: &impl Sql, seq: i64, ids: &[String]) -> Result<(), Failure> {
    sql.run(
        "UPDATE outbox SET message_ids = ? WHERE seq = ?",
        &[SqlValue::Text(encode(ids)?), SqlValue::int(seq)?],
    )
}

/// Moves some of a row's events into a new row, which copies the state of the old one.
pub(super) fn part(sql: &impl Sql, seq: i64, ids: &[String]) -> Result<i64, Failure> {
    let rows = sql.exec(
        "INSERT INTO outbox
           (message_ids, destination, purposes, channel, wants_person, event, state, attempts, steps, since_ms, next_ms,
            reason, updated_ms, mark)
         SELECT ?, destination, purposes, channel, wants_person, event, state, attempts, steps, since_ms, next_ms,
           reason, updated_ms, mark
         FROM outbox WHERE seq = ? RETURNING seq",
        &[SqlValue::Text(encode(ids)?), SqlValue::int(seq)?],
    )?;
    let row = rows.first().ok_or_else(|| Failure::Fatal("a row was not parted".to_owned()))?;
    row.int("seq")
}

/// Gives up the deliveries of a row whose events were not found. The others keep the row.
pub(super) fn give_up_missing(
    sql: &impl Sql,
    seq: i64,
    found: &[String],
    missing: &[String],
    now_ms: i64,
) -> Result<(), Failure> {
    let row = if found.is_empty() { seq } else { part(sql, seq, missing)? };
    if row != seq {
        keep_only(sql, seq, found)?;
    }
    write_fate(sql, row, &Fate::dead(EVENT_MISSING), now_ms)
}

/// Writes the fate of a whole row.
pub(super) fn write_fate(
    sql: &impl Sql,
    seq: i64,
    fate: &Fate,
    now_ms: i64,
) -> Result<(), Failure> {
    let Fate { state, attempts, next_ms, steps, reason } = fate;
    sql.run(
        "UPDATE outbox SET state = ?, attempts = coalesce(?, attempts), next_ms = coalesce(?, next_ms),
           steps = max(steps, ?), reason = ?, updated_ms = ? WHERE seq = ?",
        &[
            SqlValue::from(*state),
            attempts.map_or(SqlValue::Null, SqlValue::from),
            next_ms.map_or(Ok(SqlValue::Null), SqlValue::int)?,
            SqlValue::from(*steps),
            SqlValue::text_or_null(reason.as_deref()),
            SqlValue::int(now_ms)?,
            SqlValue::int(seq)?,
        ],
    )
}

/// Whether no delivery has a row.
pub(super) fn is_empty(sql: &impl Sql) -> Result<bool, Failure> {
    Ok(sql.exec("SELECT seq FROM outbox LIMIT 1", &[])?.is_empty())
}

/// Makes dead events pending again, all or those of one message (the hash of its id, or the id itself), with a first attempt but
/// without the steps that are done. Returns their number.
/// Events that died by a withdrawal or an opt-out stay dead.
pub(super) fn replay(
    sql: &impl Sql,
    destination: Option<&str>,
    message: Option<&str>,
    now: Timestamp,
) -> Result<u32, Failure> {
    let now_ms = now.as_millisecond();
    let rows = sql.exec(
        "SELECT seq, message_ids FROM outbox
         WHERE state = 'dead' AND reason IS NOT ?1 AND reason IS NOT ?2
           AND (?3 IS NULL OR destination = ?3)",
        &[
            SqlValue::from(CONSENT_DENIED),
            SqlValue::from(NOT_SUBSCRIBED),
            SqlValue::text_or_null(destination),
        ],
    )?;
    let mut count = 0;
    for row in &rows {
        let (mut seq, ids) = (row.int("seq")?, decode::<Vec<String>>(row.text("message_ids")?)?);
        let is_wanted =
            |id: &String| message.is_none_or(|wanted| wanted == id || wanted == message_hash(id));
        let (wanted, others): (Vec<String>, Vec<String>) = ids.into_iter().partition(is_wanted);
        if wanted.is_empty() {
            continue;
        }
        if !others.is_empty() {
            keep_only(sql, seq, &others)?;
            seq = part(sql, seq, &wanted)?;
        }
        sql.run(
            "UPDATE outbox SET state = 'pending', attempts = 0, since_ms = ?1, next_ms = ?1, updated_ms = ?1
             WHERE seq = ?2",
            &[SqlValue::int(now_ms)?, SqlValue::int(seq)?],
        )?;
        count += wanted.len();
    }
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}
