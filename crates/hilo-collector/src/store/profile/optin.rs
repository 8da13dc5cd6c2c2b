//! The ledger of opt-ins: append-only, and the newest entry of a channel is in force.
//!
//! An opt-in → the opt-in in force. An opt-in that repeats the one in force adds no entry, so a repeated request is
//! harmless.

use std::collections::BTreeMap;

use hilo_core::consent::{OptInChannel, OptInState};

use crate::calls::optin::OptIn;
use crate::calls::{decode, encode, map_of};
use crate::platform::{Failure, Sql, SqlValue};

/// The recorded state of each channel.
#[derive(Debug, Default)]
pub(super) struct Subscriptions(BTreeMap<OptInChannel, OptInState>);

impl Subscriptions {
    /// Whether a delivery that needs `channel` may be sent. A delivery that needs no channel always may.
    pub(super) fn allow(&self, channel: Option<OptInChannel>) -> bool {
        channel.is_none_or(|channel| self.0.get(&channel) == Some(&OptInState::Subscribed))
    }

    /// Returns the state of each channel that has an entry.
    pub(super) const fn states(&self) -> &BTreeMap<OptInChannel, OptInState> {
        &self.0
    }

    /// Returns the states as the wire's text.
    pub(super) fn words(&self) -> BTreeMap<String, String> {
        map_of(
            self.0
                .iter()
                .map(|(channel, state)| (channel.name().to_owned(), state.name().to_owned())),
        )
    }
}

/// Reads the recorded state of each channel.
pub(super) fn subscriptions(sql: &impl Sql) -> Result<Subscriptions, Failure> {
    let mut subscriptions = Subscriptions::default();
    // SQLite takes the other columns from the row that has the maximum (<https://sqlite.org/lang_select.html#bareagg>).
    for row in sql.exec("SELECT channel, state, max(seq) FROM optins GROUP BY channel", &[])? {
        let channel = OptInChannel::from_name(row.text("channel")?);
        let state = OptInState::from_name(row.text("state")?);
        if let (Some(channel), Some(state)) = (channel, state) {
            subscriptions.0.insert(channel, state);
        }
    }
    Ok(subscriptions)
}

/// Adds an entry, and returns the one in force. Run it inside a transaction.
pub(super) fn record(sql: &impl Sql, said: &OptIn) -> Result<OptIn, Failure> {
    let channel = SqlValue::from(said.channel.name());
    let rows = sql.exec(
        "SELECT body FROM optins WHERE channel = ? ORDER BY seq DESC LIMIT 1",
        std::slice::from_ref(&channel),
    )?;
    if let Some(row) = rows.first() {
        let stands: OptIn = decode(row.text("body")?)?;
        if said.repeats(&stands) {
            return Ok(stands);
        }
    }
    sql.exec(
        "INSERT INTO optins (channel, state, body) VALUES (?, ?, ?)",
        &[channel, SqlValue::from(said.state.name()), SqlValue::Text(encode(said)?)],
    )?;
    Ok(said.clone())
}
