//! Deliveries that were in the queue for long: deliveries under way → whether they may still be attempted.
//!
//! The consumer asks. Nothing is written: a row whose delivery is not attempted is looked at again when its lease has ended.

use hilo_core::consent::OptInChannel;

use super::outbox::purposes;
use super::{consent, optin};
use crate::calls::{UnderWay, decode, encode};
use crate::platform::{Failure, Sql, SqlValue};

/// Tells of each delivery that is under way whether it may still be attempted: its row is pending, and neither a withdrawal nor an
/// opt-out forbids it by now.
pub(super) fn wanted(sql: &impl Sql, asked: &[UnderWay]) -> Result<Vec<bool>, Failure> {
    let seqs: Vec<i64> = asked.iter().map(|one| one.row).collect();
    let rows = sql.exec(
        "SELECT seq, message_ids, destination, purposes, channel FROM outbox
         WHERE state = 'pending' AND seq IN (SELECT value FROM json_each(?))",
        &[SqlValue::Text(encode(&seqs)?)],
    )?;
    let (standing, subscriptions) = (consent::standing(sql)?, optin::subscriptions(sql)?);
    let mut wanted = vec![false; asked.len()];
    for row in &rows {
        let channel = row.text_opt("channel").and_then(OptInChannel::from_name);
        if standing.denies(&purposes(row)?) || !subscriptions.allow(channel) {
            continue;
        }
        let (seq, destination) = (row.int("seq")?, row.text("destination")?);
        let ids: Vec<String> = decode(row.text("message_ids")?)?;
        for (one, wanted) in asked.iter().zip(&mut wanted) {
            // Numbers of rows that ended come back.
            *wanted |=
                one.row == seq && one.destination == destination && ids.contains(&one.message_id);
        }
    }
    Ok(wanted)
}
