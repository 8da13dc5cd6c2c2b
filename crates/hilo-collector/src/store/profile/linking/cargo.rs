//! A part of a profile that moves: what the user's profile lacks, up to a bound.

use hilo_core::profile::Profile;
use serde::{Deserialize, Serialize};

use super::super::consent;
use super::super::optin::{self, Subscriptions};
use super::super::standing::Standing;
use super::super::stored_profile;
use super::super::timeline::{self, Row};
use crate::calls::link::Seen;
use crate::calls::optin::OptIn;
use crate::calls::{decode, encode};
use crate::platform::{Failure, Sql, SqlRow, SqlValue};

/// The bytes at which a part takes no further row. A row of the timeline has up to 1 MB, and an isolate has 128 MB for all its
/// requests.
const BYTES_MAX: usize = 512 * 1024;
/// The most receipts, entries of the ledger, and rows of the outbox of one part. A receipt has up to 20 KB.
const ROWS_MAX: u32 = 25;

/// A part of a profile.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Cargo {
    /// Rows of the timeline.
    pub(super) rows: Vec<Row>,
    pub(super) receipts: Vec<StoredReceipt>,
    /// Entries of the opt-in ledger with their numbers, the oldest first.
    pub(super) optins: Vec<(i64, OptIn)>,
    /// The recorded consent, where it has changed.
    pub(super) consent: Option<Standing>,
    /// The hash of the newest receipt.
    pub(super) head: String,
    /// The fold of the events that were removed.
    pub(super) remainder: Option<Profile>,
    /// The profiles that had moved into this one.
    pub(super) links: Vec<StoredLink>,
    /// The keys under which the index has the profile that moves.
    pub(super) keys: Vec<String>,
    /// Rows of the outbox, once everything else has moved.
    pub(super) outbox: Option<Vec<StoredDelivery>>,
}

/// A receipt as it is stored.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredReceipt {
    pub(super) seq: i64,
    pub(super) fingerprint: String,
    pub(super) hash: String,
    /// The object whose chain it belongs to; empty for the profile's own.
    pub(super) chain: String,
    pub(super) body: String,
}

/// A profile that moved into another one, and how far.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredLink {
    pub(super) name: String,
    pub(super) at: i64,
    pub(super) seen: Seen,
    /// The hash of the device's id; `None` for a user.
    pub(super) device: Option<String>,
}

/// A row of the outbox.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredDelivery {
    pub(super) seq: i64,
    pub(super) message_ids: String,
    pub(super) destination: String,
    pub(super) purposes: String,
    pub(super) channel: Option<String>,
    pub(super) state: String,
    pub(super) attempts: i64,
    pub(super) next_ms: i64,
    pub(super) reason: Option<String>,
    pub(super) updated_ms: i64,
    pub(super) steps: i64,
    pub(super) wants_person: i64,
    pub(super) since_ms: i64,
}

/// What is in force in the user's profile, for the deliveries that a moved profile still has.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct InForce {
    pub(super) consent: Standing,
    pub(super) optins: Subscriptions,
}

impl Cargo {
    /// Reads the next part of what a profile has beyond `seen`.
    pub(super) fn after(sql: &impl Sql, seen: Seen) -> Result<Cargo, Failure> {
        let mut cargo = Cargo::default();
        if !seen.has_remainder {
            cargo.remainder = Some(stored_profile::remainder(sql)?);
        }
        let standing = Standing::read(sql)?;
        if standing.revision() > seen.revision {
            (cargo.consent, cargo.head) = (Some(standing), consent::last_hash(sql)?);
        }
        let (mut last, mut bytes) = (seen.events, 0);
        while bytes < BYTES_MAX
            && let Some(row) = timeline::after(sql, last)?
        {
            last = row.entries().next_back().map_or(last, |entry| entry.number);
            bytes += row.bytes();
            cargo.rows.push(row);
        }
        if bytes < BYTES_MAX {
            cargo.receipts = receipts(sql, seen.receipts)?;
            cargo.optins = optins(sql, seen.optins)?;
        }
        Ok(cargo)
    }

    /// The links and the keys, as text: whoever has told them need not tell them again. Empty where there are none.
    pub(super) fn told(&self) -> Result<String, Failure> {
        if self.links.is_empty() && self.keys.is_empty() {
            return Ok(String::new());
        }
        encode(&(&self.links, &self.keys))
    }

    /// Whether the profile has nothing more.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
            && self.receipts.is_empty()
            && self.optins.is_empty()
            && self.consent.is_none()
            && self.remainder.is_none()
            && self.links.is_empty()
            && self.keys.is_empty()
    }
}

fn receipts(sql: &impl Sql, after: i64) -> Result<Vec<StoredReceipt>, Failure> {
    let rows = sql.exec(
        "SELECT seq, fingerprint, hash, chain, body FROM receipts WHERE seq > ? ORDER BY seq LIMIT ?",
        &[SqlValue::int(after)?, SqlValue::from(ROWS_MAX)],
    )?;
    let receipt = |row: &SqlRow| {
        let text = |column| row.text(column).map(str::to_owned);
        Ok(StoredReceipt {
            seq: row.int("seq")?,
            fingerprint: text("fingerprint")?,
            hash: text("hash")?,
            chain: text("chain")?,
            body: text("body")?,
        })
    };
    rows.iter().map(receipt).collect()
}

fn optins(sql: &impl Sql, after: i64) -> Result<Vec<(i64, OptIn)>, Failure> {
    let rows = sql.exec(
        "SELECT seq, body FROM optins WHERE seq > ? ORDER BY seq LIMIT ?",
        &[SqlValue::int(after)?, SqlValue::from(ROWS_MAX)],
    )?;
    rows.iter().map(|row| Ok((row.int("seq")?, optin::read(sql, row.text("body")?)?))).collect()
}

/// Reads the links of a profile, with what it has of each.
pub(super) fn links(sql: &impl Sql) -> Result<Vec<StoredLink>, Failure> {
    let rows = sql.exec(
        "SELECT name, at, (SELECT value FROM meta WHERE key = 'take:' || name) AS seen,
           (SELECT value FROM meta WHERE key = 'device:' || name) AS device FROM links ORDER BY name",
        &[],
    )?;
    let link = |row: &SqlRow| {
        let seen = row.text_opt("seen").map_or_else(|| Ok(Seen::default()), decode)?;
        let device = row.text_opt("device").map(str::to_owned);
        Ok(StoredLink { name: row.text("name")?.to_owned(), at: row.int("at")?, seen, device })
    };
    rows.iter().map(link).collect()
}

/// The key under which that stands.
pub(super) fn key(from: &str) -> String {
    format!("take:{from}")
}

/// Returns what a profile has of the one in the object called `from`.
pub(super) fn seen(sql: &impl Sql, from: &str) -> Result<Seen, Failure> {
    let key = SqlValue::Text(key(from));
    let rows = sql.exec("SELECT value FROM meta WHERE key = ?", &[key])?;
    rows.first().map_or_else(|| Ok(Seen::default()), |row| decode(row.text("value")?))
}

/// Stores what a profile has of the one in the object called `from`.
pub(super) fn see(sql: &impl Sql, from: &str, seen: &Seen) -> Result<(), Failure> {
    sql.run(
        "INSERT INTO meta (key, value) VALUES (?, ?)
         ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        &[SqlValue::Text(key(from)), SqlValue::Text(encode(seen)?)],
    )
}

/// Reads rows of the outbox: those that have ended, and those that are pending. Rows that another profile finishes are left out.
pub(super) fn outbox(sql: &impl Sql) -> Result<Vec<StoredDelivery>, Failure> {
    let mut found = Vec::new();
    for which in ["state IN ('dead', 'delivered')", "state IN ('pending', 'sending')"] {
        let query = format!(
            "SELECT seq, message_ids, destination, purposes, channel, state, attempts, next_ms, reason, updated_ms,
               steps, wants_person, since_ms FROM outbox WHERE {which} ORDER BY seq LIMIT ?"
        );
        for row in &sql.exec(&query, &[SqlValue::from(ROWS_MAX)])? {
            found.push(delivery(row)?);
        }
    }
    Ok(found)
}

fn delivery(row: &SqlRow) -> Result<StoredDelivery, Failure> {
    let text = |column| row.text(column).map(str::to_owned);
    // The user's profile sends neither of the two.
    let state = if row.text("state")? == "sending" { "pending".to_owned() } else { text("state")? };
    Ok(StoredDelivery {
        seq: row.int("seq")?,
        message_ids: text("message_ids")?,
        destination: text("destination")?,
        purposes: text("purposes")?,
        channel: row.text_opt("channel").map(str::to_owned),
        state,
        attempts: row.int("attempts")?,
        next_ms: row.int("next_ms")?,
        reason: row.text_opt("reason").map(str::to_owned),
        updated_ms: row.int("updated_ms")?,
        steps: row.int("steps")?,
        wants_person: row.int("wants_person")?,
        since_ms: row.int("since_ms")?,
    })
}
