//! Reads the timeline in pages: events by their time, deliveries by the number of their event.
//!
//! A row knows the times of its first and last event, so only rows that may have an event of the page are opened.

use std::collections::BTreeMap;

use hilo_core::journey::Touchpoint;
use serde::Deserialize;

use super::{Row, key, read};
use crate::calls::decode;
use crate::platform::{Failure, Sql, SqlValue};

/// An event of a page.
#[derive(Debug)]
pub(in super::super) struct Listed {
    /// When it happened, and its number: the order of the page.
    pub(in super::super) place: (i64, i64),
    /// The name of the source that told it, where it is known.
    pub(in super::super) source: Option<String>,
    /// The event as JSON.
    pub(in super::super) body: String,
    /// The facts of its touchpoint, if they were stored.
    pub(in super::super) touchpoint: Option<Touchpoint>,
}

/// Returns the newest `limit` events before a time and number.
pub(in super::super) fn events(
    sql: &impl Sql,
    before: (i64, i64),
    limit: usize,
) -> Result<Vec<Listed>, Failure> {
    let rows = sql.exec(
        "SELECT seq, last_ms FROM batches WHERE first_ms <= ? ORDER BY last_ms DESC",
        &[SqlValue::int(before.0)?],
    )?;
    let mut newest: BTreeMap<(i64, i64), Listed> = BTreeMap::new();
    for row in &rows {
        let is_older =
            |(place, _): (&(i64, i64), _)| place.0 > row.int("last_ms").unwrap_or(i64::MAX);
        if newest.len() >= limit && newest.first_key_value().is_some_and(is_older) {
            break;
        }
        let Some(row) = read(sql, key(row)?)? else { continue };
        for entry in row.entries().rev() {
            let place = (entry.occurred_ms, entry.number);
            let is_full = newest.len() >= limit;
            let is_older =
                is_full && newest.first_key_value().is_some_and(|(last, _)| place < *last);
            if place >= before || is_older {
                continue;
            }
            let source = entry.source.map(str::to_owned);
            let (body, touchpoint) = (entry.body.to_owned(), entry.touchpoint.cloned());
            newest.insert(place, Listed { place, source, body, touchpoint });
            if is_full {
                newest.pop_first();
            }
        }
    }
    Ok(newest.into_values().rev().collect())
}

/// One event and one of the destinations that it was planned for.
#[derive(Debug)]
pub(in super::super) struct Planned {
    /// The event's number, and the index of the destination: the order of the page.
    pub(in super::super) place: (i64, i64),
    /// The event's id.
    pub(in super::super) message_id: String,
    /// The destination's name.
    pub(in super::super) destination: String,
    /// When the event was stored.
    pub(in super::super) at_ms: i64,
}

/// Returns the newest `limit` planned deliveries before a number and an index.
pub(in super::super) fn deliveries(
    sql: &impl Sql,
    before: (i64, i64),
    limit: usize,
) -> Result<Vec<Planned>, Failure> {
    let rows = sql.exec(
        "SELECT seq FROM batches WHERE seq <= ? AND json_array_length(head, '$.to') > 0 ORDER BY seq DESC",
        &[SqlValue::int(before.0)?],
    )?;
    let mut planned = Vec::new();
    for row in &rows {
        if planned.len() >= limit {
            break;
        }
        let Some(row) = read(sql, key(row)?)? else { continue };
        of_row(&row, before, &mut planned)?;
    }
    planned.truncate(limit);
    Ok(planned)
}

/// Adds the planned deliveries of a row, newest first.
fn of_row(row: &Row, before: (i64, i64), planned: &mut Vec<Planned>) -> Result<(), Failure> {
    for entry in row.entries().rev() {
        for (at, name) in row.destinations(entry.number).rev() {
            let place = (entry.number, i64::try_from(at).unwrap_or(i64::MAX));
            if place < before {
                let Named { message_id } = decode(entry.body)?;
                let (destination, at_ms) = (name.to_owned(), row.at_ms);
                planned.push(Planned { place, message_id, destination, at_ms });
            }
        }
    }
    Ok(())
}

/// The id of a stored event.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Named {
    pub(super) message_id: String,
}
