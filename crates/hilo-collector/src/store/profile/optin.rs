//! The ledger of opt-ins: append-only, and the newest entry of a channel is in force.
//!
//! An opt-in, or a signed link → the opt-in in force. An opt-in that repeats the one in force adds no entry, so a repeated request
//! is harmless. A subscription that has to be confirmed is `pending`, and only the link of its own request confirms it. An
//! opt-out needs no link, and no link lifts it.

use std::collections::BTreeMap;

use hilo_core::consent::{OptInChannel, OptInState};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::optin_change::Change;
use crate::calls::optin::{Confirmed, ConfirmedBy, LinkAct, LinkStanding, OptIn, OptInLink};
use crate::calls::{decode, encode, map_of};
use crate::platform::{Failure, Sql, SqlRow, SqlValue};
use crate::store::at_rest;

/// The pause before the same request is sent again: a second click must not send a second message.
const ASK_AGAIN_S: i64 = 600;
/// The most requests of one person a day. Each sends a message to an address that nobody has proven.
const REQUESTS_A_DAY_MAX: i64 = 5;
const DAY_S: i64 = 86_400;
/// The place of a sealed address.
const ADDRESS: &str = "address";

/// The recorded state of each channel.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

/// What became of a choice.
pub(super) struct Kept {
    /// The entry in force.
    pub(super) stands: OptIn,
    /// Whether the person has to be asked to confirm it.
    pub(super) is_asked: bool,
    /// What destinations must learn of.
    pub(super) change: Option<Change>,
}

/// Adds an entry, unless it changes nothing. Run it inside a transaction.
///
/// # Errors
/// `Busy` for more requests than anybody makes, or the error of the storage.
pub(super) fn record(
    sql: &impl Sql,
    said: &OptIn,
    is_server: bool,
    now: Timestamp,
) -> Result<Kept, Failure> {
    let before = in_force(sql, said.channel)?;
    if let Some(stands) = &before {
        if said.repeats(stands) && !is_old_request(stands, now) {
            return Ok(Kept { stands: stands.clone(), is_asked: false, change: None });
        }
        // What is told late, as by an import, lifts no later opt-out.
        if stands.is_opt_out() && !said.is_opt_out() && is_older(&said.at, &stands.at) {
            return Ok(Kept { stands: stands.clone(), is_asked: false, change: None });
        }
        // The address is proven already, so its person need not confirm it again.
        if said.state == OptInState::Pending
            && stands.state == OptInState::Subscribed
            && stands.confirmed.is_some()
            && stands.shares_address(said.address_hash.as_deref())
        {
            let OptIn { state, nonce, confirmed, .. } = stands.clone();
            let proven = OptIn { state, nonce, confirmed, ..said.clone() };
            if proven.repeats(stands) {
                return Ok(Kept { stands: stands.clone(), is_asked: false, change: None });
            }
            append(sql, &proven)?;
            return Ok(Kept { stands: proven, is_asked: false, change: None });
        }
    }
    let is_asked = said.state == OptInState::Pending;
    if is_asked {
        check_requests(sql, now)?;
    }
    append(sql, said)?;
    let change = Change::of(before.as_ref(), said, newest(sql)?, is_server);
    Ok(Kept { stands: said.clone(), is_asked, change })
}

/// Whether a time is before another. A text that is no time is not.
fn is_older(at: &str, other: &str) -> bool {
    let read = |text: &str| text.parse::<Timestamp>().ok();
    read(at).zip(read(other)).is_some_and(|(at, other)| at < other)
}

/// The number of the newest entry.
fn newest(sql: &impl Sql) -> Result<i64, Failure> {
    let rows = sql.exec("SELECT max(seq) AS seq FROM optins", &[])?;
    rows.first().map_or(Ok(0), |row| row.int("seq"))
}

/// Judges a link, and does what it says if `acts`. Returns also what destinations must learn of. Run it inside a transaction.
pub(super) fn follow(
    sql: &impl Sql,
    link: &OptInLink,
    acts: bool,
    now: Timestamp,
) -> Result<(LinkStanding, Option<Change>), Failure> {
    let only = |standing| Ok((standing, None));
    let Some(stands) = in_force(sql, link.channel)? else { return only(LinkStanding::Over) };
    let is_same_address = stands.shares_address(Some(&link.address_hash));
    let is_same_request = is_same_address && stands.nonce.as_deref() == Some(link.nonce.as_str());
    let now = now.to_string();
    let next = match (link.act, stands.state) {
        (LinkAct::Confirm, OptInState::Pending) if is_same_request => {
            let requested_at = Some(stands.at.clone());
            let confirmed = Confirmed { at: now.clone(), by: ConfirmedBy::Link, requested_at };
            let (state, confirmed) = (OptInState::Subscribed, Some(confirmed));
            OptIn { state, at: now, confirmed, by_link: true, ..stands.clone() }
        }
        (LinkAct::Confirm, OptInState::Subscribed) if is_same_request => {
            return only(LinkStanding::Used);
        }
        (LinkAct::Confirm, _) => return only(LinkStanding::Over),
        (LinkAct::Unsubscribe, OptInState::Subscribed | OptInState::Pending) if is_same_address => {
            let state = OptInState::Unsubscribed;
            let (nonce, confirmed) = (None, None);
            OptIn { state, at: now, nonce, confirmed, by_link: true, ..stands.clone() }
        }
        // Another address is subscribed by now: whoever reads this one's letters may not end that subscription.
        (LinkAct::Unsubscribe, _) => return only(LinkStanding::Used),
    };
    if !acts {
        return only(LinkStanding::Open);
    }
    append(sql, &next)?;
    let change = Change::of(Some(&stands), &next, newest(sql)?, false);
    Ok((LinkStanding::Done, change))
}

/// Adds an entry of the ledger of a profile that moves into this one: in force if it is newer than the entry in force, or else just
/// below that. An entry that is there already adds nothing. Run it inside a transaction.
pub(super) fn join(sql: &impl Sql, entry: &OptIn) -> Result<(), Failure> {
    // An entry is sealed to the same text each time. Earlier versions did not seal it.
    let (body, plain) = (SqlValue::Text(sealed(sql, entry)?), SqlValue::Text(encode(entry)?));
    if !sql.exec("SELECT seq FROM optins WHERE body IN (?, ?)", &[body, plain])?.is_empty() {
        return Ok(());
    }
    let time = |entry: &OptIn| entry.at.parse::<Timestamp>().ok();
    let stands = in_force(sql, entry.channel)?.filter(|stands| time(entry) <= time(stands));
    if stands.is_some() {
        sql.run(
            "DELETE FROM optins WHERE seq = (SELECT max(seq) FROM optins WHERE channel = ?)",
            &[SqlValue::from(entry.channel.name())],
        )?;
    }
    append(sql, entry)?;
    stands.iter().try_for_each(|stands| append(sql, stands))
}

/// Puts a choice that is told late below the entry in force, if that is newer, and returns the entry in force. `None` where the
/// choice is the newest of its channel; of two at the same time that is the opt-out. Run it inside a transaction.
pub(super) fn take_late(sql: &impl Sql, said: &OptIn) -> Result<Option<OptIn>, Failure> {
    let time = |entry: &OptIn| (entry.at.parse::<Timestamp>().ok(), entry.is_opt_out());
    let stands = in_force(sql, said.channel)?.filter(|stands| time(said) <= time(stands));
    if stands.is_some() {
        join(sql, said)?;
    }
    Ok(stands)
}

/// Puts the states of channels in the place of the ledger, for deliveries that look at nothing else. Run it inside a transaction.
pub(super) fn replace(sql: &impl Sql, by: &Subscriptions) -> Result<(), Failure> {
    sql.run("DELETE FROM optins", &[])?;
    by.0.iter().try_for_each(|(channel, state)| {
        sql.run(
            "INSERT INTO optins (channel, state, body) VALUES (?, ?, '{}')",
            &[SqlValue::from(channel.name()), SqlValue::from(state.name())],
        )
    })
}

fn in_force(sql: &impl Sql, channel: OptInChannel) -> Result<Option<OptIn>, Failure> {
    let rows = sql.exec(
        "SELECT body FROM optins WHERE channel = ? ORDER BY seq DESC LIMIT 1",
        &[SqlValue::from(channel.name())],
    )?;
    rows.first().map(|row| read(sql, row.text("body")?)).transpose()
}

/// Reads the addresses of all entries.
pub(super) fn addresses(sql: &impl Sql) -> Result<Vec<String>, Failure> {
    let query =
        "SELECT body ->> 'address' AS address FROM optins WHERE body ->> 'address' IS NOT NULL";
    let rows = sql.exec(query, &[])?;
    let opened =
        |row: &SqlRow| Ok(at_rest::open_text(sql, ADDRESS, row.text("address")?)?.into_owned());
    rows.iter().map(opened).collect()
}

/// Reads an entry.
pub(super) fn read(sql: &impl Sql, body: &str) -> Result<OptIn, Failure> {
    let mut entry: OptIn = decode(body)?;
    if let Some(address) = &mut entry.address {
        *address = at_rest::open_text(sql, ADDRESS, address)?.into_owned();
    }
    Ok(entry)
}

/// Writes an entry with its address sealed.
fn sealed(sql: &impl Sql, entry: &OptIn) -> Result<String, Failure> {
    let address = entry.address.as_deref();
    let address = address.map(|address| at_rest::seal_text(sql, ADDRESS, address)).transpose()?;
    encode(&OptIn { address, ..entry.clone() })
}

fn append(sql: &impl Sql, entry: &OptIn) -> Result<(), Failure> {
    let (channel, state) = (entry.channel.name(), entry.state.name());
    sql.run(
        "INSERT INTO optins (channel, state, body) VALUES (?, ?, ?)",
        &[SqlValue::from(channel), SqlValue::from(state), SqlValue::Text(sealed(sql, entry)?)],
    )
}

/// Whether the entry is a request after which the person may be asked again: perhaps the message was lost.
fn is_old_request(entry: &OptIn, now: Timestamp) -> bool {
    let at: Option<Timestamp> = entry.at.parse().ok();
    let is_old = at.is_none_or(|at| now.duration_since(at).as_secs() >= ASK_AGAIN_S);
    entry.state == OptInState::Pending && is_old
}

/// Refuses a request where the day has had too many.
fn check_requests(sql: &impl Sql, now: Timestamp) -> Result<(), Failure> {
    let since_s = now.as_second() - DAY_S;
    let rows = sql.exec(
        "SELECT count(*) AS n, min(unixepoch(body ->> 'at')) AS first_s FROM optins
         WHERE state = 'pending' AND unixepoch(body ->> 'at') > ?",
        &[SqlValue::int(since_s)?],
    )?;
    let Some(row) = rows.first() else { return Ok(()) };
    if row.int("n")? < REQUESTS_A_DAY_MAX {
        return Ok(());
    }
    let after_s = row.int("first_s")? - since_s;
    Err(Failure::Busy { after_s: u32::try_from(after_s).unwrap_or(1).max(1) })
}
