//! Deliveries under way → whether they may still be attempted, and the mark of those that must not be sent twice.
//!
//! The consumer asks about a delivery that was in the queue for long; nothing is written then. It marks a delivery that its destination
//! would count twice, right before the request: the row is `sending` until the result comes. A row without a result ends in
//! `overdue.rs`.

use hilo_core::consent::{OptInChannel, Purpose};
use jiff::Timestamp;

use super::known::Known;
use super::leases::Leases;
use super::outbox::purposes;
use super::sent_person::Wants;
use super::standing::Standing;
use super::volatile::Volatile;
use super::{optin, settled};
use crate::calls::{LEASE_MS, UnderWay, decode, encode};
use crate::platform::{Failure, Sql, SqlRow, SqlValue, atomically};

/// A pending row whose deliveries may be attempted.
struct Open {
    seq: i64,
    destination: String,
    ids: Vec<String>,
    attempts: i64,
    /// Whose attempt has marked it last.
    mark: Option<String>,
    /// The purposes that the record denies by now. A delivery that was sent before a denial does not have it, and is not wanted: its
    /// row is sent again with it when the lease has ended.
    denied: Vec<Purpose>,
}

impl Open {
    fn of(row: &SqlRow, denied: &[Purpose]) -> Result<Open, Failure> {
        Ok(Open {
            seq: row.int("seq")?,
            destination: row.text("destination")?.to_owned(),
            ids: decode(row.text("message_ids")?)?,
            attempts: row.int("attempts")?,
            mark: row.text_opt("mark").map(str::to_owned),
            denied: denied.to_vec(),
        })
    }

    /// Whether the delivery is this row's, with every denial. Numbers of rows that ended come back.
    fn has(&self, one: &UnderWay) -> bool {
        one.row == self.seq
            && one.destination == self.destination
            && self.ids.contains(&one.message_id)
            && self.denied.iter().all(|purpose| one.denied.contains(purpose))
    }

    /// Whether the delivery is this row's, and of its newest attempt. An attempt that has marked it before is over.
    fn begins_with(&self, one: &UnderWay) -> bool {
        let is_over = one.mark.is_some() && one.mark == self.mark;
        self.has(one) && !is_over && !settled::is_late(one.attempt, self.attempts)
    }
}

/// Reads the rows of deliveries, as far as they are pending and neither a withdrawal nor an opt-out forbids them by now.
fn open(sql: &impl Sql, asked: &[UnderWay]) -> Result<Vec<Open>, Failure> {
    let seqs: Vec<i64> = asked.iter().map(|one| one.row).collect();
    let rows = sql.exec(
        "SELECT seq, message_ids, destination, purposes, channel, attempts, wants_person, mark FROM outbox
         WHERE state = 'pending' AND seq IN (SELECT value FROM json_each(?))",
        &[SqlValue::Text(encode(&seqs)?)],
    )?;
    let (standing, subscriptions) = (Standing::read(sql)?, optin::subscriptions(sql)?);
    let denied = standing.denied();
    let mut open = Vec::with_capacity(rows.len());
    for row in &rows {
        let channel = row.text_opt("channel").and_then(OptInChannel::from_name);
        let is_free = Wants::read(row)?.is_owed || !standing.denies(&purposes(row)?);
        if is_free && subscriptions.allow(channel) {
            open.push(Open::of(row, &denied)?);
        }
    }
    Ok(open)
}

/// Tells of each delivery that is under way whether it may still be attempted.
pub(super) fn wanted(sql: &impl Sql, asked: &[UnderWay]) -> Result<Vec<bool>, Failure> {
    let open = open(sql, asked)?;
    Ok(asked.iter().map(|one| open.iter().any(|row| row.has(one))).collect())
}

/// Marks deliveries that are about to be sent. Returns for each the row that has it from now on; `None` if it must not be sent: it is
/// not wanted any more, or it is marked already, because the queue has brought its message twice.
///
/// The row keeps the id of the attempt that asks. Where the answer is lost, the attempt sends nothing and hands its deliveries back
/// under its id, which ends the mark (`settled.rs`).
///
/// Events of a row that are not marked keep it, with its lease. The marked ones get a row of their own then.
pub(super) fn sending(
    sql: &impl Sql,
    volatile: &mut Volatile,
    asked: &[UnderWay],
    now: Timestamp,
) -> Result<Vec<Option<i64>>, Failure> {
    let rows = atomically(sql, || mark(sql, &mut volatile.leases, asked, now))?;
    volatile.known.iter_mut().for_each(Known::forget_rows);
    Ok(rows)
}

fn mark(
    sql: &impl Sql,
    leases: &mut Leases,
    asked: &[UnderWay],
    now: Timestamp,
) -> Result<Vec<Option<i64>>, Failure> {
    let mut answer = vec![None; asked.len()];
    let mut marked = Vec::new();
    for row in open(sql, asked)? {
        let is_its = |one: &&UnderWay| row.begins_with(one);
        let is_asked = |id: &String| asked.iter().filter(is_its).any(|one| one.message_id == *id);
        let (ids, others): (Vec<String>, Vec<String>) = row.ids.iter().cloned().partition(is_asked);
        if ids.is_empty() {
            continue;
        }
        let mut seq = row.seq;
        if others.is_empty() {
            leases.end(seq);
        } else {
            seq = settled::part(sql, row.seq, &ids)?;
            settled::keep_only(sql, row.seq, &others)?;
        }
        marked.push(seq);
        for id in &row.ids {
            let is_first = |one: &UnderWay| one.message_id == *id && row.begins_with(one);
            let first = asked.iter().position(is_first);
            if let Some(place) = first.and_then(|at| answer.get_mut(at)) {
                *place = Some(seq);
            }
        }
    }
    if !marked.is_empty() {
        let now_ms = now.as_millisecond();
        // One attempt asks for all of them.
        let mark = asked.iter().find_map(|one| one.mark.as_deref());
        sql.run(
            "UPDATE outbox SET state = 'sending', next_ms = ?1, updated_ms = ?2, mark = ?4
             WHERE seq IN (SELECT value FROM json_each(?3))",
            &[
                SqlValue::int(now_ms + LEASE_MS)?,
                SqlValue::int(now_ms)?,
                SqlValue::Text(encode(&marked)?),
                SqlValue::text_or_null(mark),
            ],
        )?;
    }
    Ok(answer)
}
