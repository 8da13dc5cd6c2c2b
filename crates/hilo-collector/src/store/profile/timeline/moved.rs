//! Takes over the timeline of earlier versions, which had a row for each event and each session.
//!
//! The first call after an update moves all of it in one transaction and drops the old tables, so each later call finds one
//! layout only. Events keep their numbers.

use std::collections::BTreeMap;

use super::row::hash;
use super::{Entry, Row, insert};
use crate::calls::decode;
use crate::platform::{Failure, Sql, SqlRow, SqlValue};

/// The events of one moved row. An event has up to 32 KB, so a row stays within the bound of a value.
const PAGE_EVENTS: u32 = 32;

/// Moves the rows of `events` and `sessions` into `batches`, and drops both tables. Run it inside a transaction.
pub(in super::super) fn move_events(sql: &impl Sql) -> Result<(), Failure> {
    let planned = planned(sql)?;
    let mut moved = 0;
    loop {
        let rows = sql.exec(
            "SELECT seq, message_id, occurred_ms, body, source FROM events WHERE seq > ? ORDER BY seq LIMIT ?",
            &[SqlValue::int(moved)?, SqlValue::from(PAGE_EVENTS)],
        )?;
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { break };
        moved = last.int("seq")?;
        let mut row = Row::new(first.int("seq")?, last.int("occurred_ms")?);
        for event in &rows {
            let entry = entry(event)?;
            row.add(entry, planned.get(&entry.hash).into_iter().flatten().map(String::as_str));
        }
        insert(sql, row)?;
    }
    // Sessions had no event of their own. They stay as long as the newest events.
    sql.run(
        "UPDATE batches SET opened =
           (SELECT json_group_array(json_object('id', id, 'touch', json(touch))) FROM sessions)
         WHERE seq = (SELECT max(seq) FROM batches)",
        &[],
    )?;
    sql.run("DROP TABLE events", &[])?;
    sql.run("DROP TABLE sessions", &[])?;
    // A delivery that is done has no row, unless an attempt failed before.
    sql.run("DELETE FROM outbox WHERE state = 'delivered' AND attempts = 0", &[])
}

fn entry(row: &SqlRow) -> Result<Entry<'_>, Failure> {
    Ok(Entry {
        number: row.int("seq")?,
        occurred_ms: row.int("occurred_ms")?,
        hash: hash(row.text("message_id")?),
        source: row.text_opt("source"),
        body: row.text("body")?,
        touchpoint: None,
    })
}

/// Reads the destinations of each event from the outbox, which had a row for every delivery.
fn planned(sql: &impl Sql) -> Result<BTreeMap<u64, Vec<String>>, Failure> {
    let mut planned: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for row in sql.exec("SELECT message_ids, destination FROM outbox", &[])? {
        for id in decode::<Vec<String>>(row.text("message_ids")?)? {
            planned.entry(hash(&id)).or_default().push(row.text("destination")?.to_owned());
        }
    }
    Ok(planned)
}
