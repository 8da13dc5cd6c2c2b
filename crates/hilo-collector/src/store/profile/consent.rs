//! The consent record: the recorded state of each purpose, and the chain of receipts that proves it.
//!
//! A change → a receipt. A revision older than the recorded one changes nothing. Of two choices with the same revision,
//! the denial wins. A repeated change returns the same receipt.

use std::collections::BTreeMap;

use hilo_core::consent::{ChoiceChange, Purpose, Receipt};
use jiff::Timestamp;

use crate::calls::{ConsentChange, ConsentCopy, ConsentRecorded, decode, encode, map_of};
use crate::platform::{Failure, Sql, SqlValue};
use crate::signature::sha256_hex;

/// The recorded state of each purpose.
#[derive(Debug, Default)]
pub(super) struct Standing(BTreeMap<Purpose, (bool, u32)>);

impl Standing {
    /// Whether a purpose of `required` is denied at `revision` or later.
    ///
    /// An event of a later revision was made after a newer choice. The record of that choice may still be on its way.
    pub(super) fn denies(&self, required: &[Purpose], revision: u32) -> bool {
        required.iter().any(|purpose| {
            self.0.get(purpose).is_some_and(|(granted, since)| !granted && *since >= revision)
        })
    }

    /// Whether `purpose` may use data that an event brought at `revision`, given the purposes that the event itself
    /// `granted`.
    ///
    /// Any recorded denial forbids it. Otherwise the event's own consent allows it, or a recorded grant that is newer
    /// than the event. Silence never allows it.
    pub(super) fn permits(&self, purpose: Purpose, granted: &[Purpose], revision: u32) -> bool {
        match self.0.get(&purpose) {
            Some((false, _)) => false,
            Some((true, since)) if *since > revision => true,
            Some((true, _)) | None => granted.contains(&purpose),
        }
    }

    fn yields(&self, purpose: Purpose, granted: bool, revision: u32) -> bool {
        match self.0.get(&purpose) {
            None => true,
            Some((stands, since)) => {
                revision > *since || (revision == *since && *stands && !granted)
            }
        }
    }
}

/// Reads the recorded state of each purpose.
pub(super) fn standing(sql: &impl Sql) -> Result<Standing, Failure> {
    let mut standing = Standing::default();
    for row in sql.exec("SELECT purpose, state, revision FROM consent", &[])? {
        if let Some(purpose) = Purpose::from_name(row.text("purpose")?) {
            let revision = u32::try_from(row.int("revision")?).unwrap_or(u32::MAX);
            standing.0.insert(purpose, (row.text("state")? == "granted", revision));
        }
    }
    Ok(standing)
}

/// Records a change. Returns its receipt and the state of each purpose. Run it inside a transaction.
pub(super) fn record(
    sql: &impl Sql,
    change: &ConsentChange,
    now: Timestamp,
) -> Result<ConsentRecorded, Failure> {
    let fingerprint = fingerprint(change)?;
    let told = sql.exec(
        "SELECT body FROM receipts WHERE fingerprint = ?",
        &[SqlValue::from(fingerprint.as_str())],
    )?;
    let mut standing = standing(sql)?;
    if let Some(row) = told.first() {
        return Ok(ConsentRecorded {
            receipt: decode(row.text("body")?)?,
            state: words(&standing),
        });
    }
    for ChoiceChange { purpose, state, .. } in &change.changes {
        let granted = state == "granted";
        let Some(purpose) = Purpose::from_name(purpose) else { continue };
        if !standing.yields(purpose, granted, change.revision) {
            continue;
        }
        standing.0.insert(purpose, (granted, change.revision));
        sql.exec(
            "INSERT OR REPLACE INTO consent (purpose, state, revision) VALUES (?, ?, ?)",
            &[
                SqlValue::from(purpose.name()),
                SqlValue::from(if granted { "granted" } else { "denied" }),
                SqlValue::from(change.revision),
            ],
        )?;
    }
    let receipt = seal(change, last_hash(sql)?, now);
    sql.exec(
        "INSERT INTO receipts (fingerprint, hash, body) VALUES (?, ?, ?)",
        &[
            SqlValue::from(fingerprint.as_str()),
            SqlValue::from(receipt.hash.as_str()),
            SqlValue::Text(encode(&receipt)?),
        ],
    )?;
    Ok(ConsentRecorded { receipt, state: words(&standing) })
}

/// Makes the fingerprint of a change. Two requests with the same fingerprint are the same change. All fields count but
/// the random bytes.
fn fingerprint(change: &ConsentChange) -> Result<String, Failure> {
    let same = (&change.revision, &change.changes, &change.notice, &change.signals);
    Ok(sha256_hex(encode(&same)?.as_bytes()))
}

fn last_hash(sql: &impl Sql) -> Result<String, Failure> {
    let rows = sql.exec("SELECT hash FROM receipts ORDER BY seq DESC LIMIT 1", &[])?;
    rows.first().map_or(Ok(String::new()), |row| row.text("hash").map(str::to_owned))
}

fn seal(change: &ConsentChange, prev_hash: String, now: Timestamp) -> Receipt {
    let mut receipt = Receipt {
        id: hilo_core::identity::uuid_v4(change.random),
        at: now.to_string(),
        subject: change.subject.clone(),
        controller: change.controller.clone(),
        revision: change.revision,
        changes: change.changes.clone(),
        notice: change.notice.clone(),
        signals: change.signals.clone(),
        prev_hash,
        hash: String::new(),
    };
    receipt.hash = sha256_hex(receipt.chain_text().as_bytes());
    receipt
}

/// Reads the person's copy.
pub(super) fn copy(sql: &impl Sql) -> Result<ConsentCopy, Failure> {
    let standing = standing(sql)?;
    let mut receipts = Vec::new();
    for row in sql.exec("SELECT body FROM receipts ORDER BY seq", &[])? {
        receipts.push(decode(row.text("body")?)?);
    }
    Ok(ConsentCopy {
        revision: standing.0.values().map(|(_, revision)| *revision).max().unwrap_or(0),
        state: words(&standing),
        receipts,
    })
}

/// Writes the state of each purpose as the wire's text.
pub(super) fn words(standing: &Standing) -> BTreeMap<String, String> {
    let word = |granted: bool| if granted { "granted" } else { "denied" }.to_owned();
    map_of(
        standing
            .0
            .iter()
            .map(|(purpose, (granted, _))| (purpose.name().to_owned(), word(*granted))),
    )
}
