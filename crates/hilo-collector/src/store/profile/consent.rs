//! The consent record: the recorded state of each purpose, and the chain of receipts that proves it.
//!
//! A change → a receipt and the next revision. A denial of the visitor always counts. A grant lifts a recorded denial only if it
//! is newer: the page knew the denial's revision, or the time says so. The report of another system's client is ordered by its
//! time. A repeated change returns the same receipt.

use std::collections::BTreeMap;

use hilo_core::consent::{ChoiceChange, Notice, Purpose, Receipt};
use jiff::Timestamp;

use super::standing::{Choice, Standing, word};
use super::{claim, erasure, stored_profile};
use crate::calls::link::LinkTo;
use crate::calls::{
    ConsentChange, ConsentRecorded, ConsentStanding, ReportTaken, decode, encode, map_of,
};
use crate::platform::{Failure, Sql, SqlValue};
use crate::signature::sha256_hex;

/// Records a change. Run it inside a transaction.
///
/// A report under the key of a page changes nothing in a profile that is bound to a proof, because anybody can send it.
pub(super) fn record(
    sql: &impl Sql,
    change: &ConsentChange,
    now: Timestamp,
) -> Result<ConsentRecorded, Failure> {
    let mut standing = Standing::read(sql)?;
    if erasure::tombstone(sql)?.is_some_and(|erased| erased.refuses(change.chosen_at)) {
        return Ok(ConsentRecorded { is_erased: true, ..recorded(None, &standing, change) });
    }
    let fingerprint = fingerprint(change)?;
    let told = sql.exec(
        "SELECT body FROM receipts WHERE fingerprint = ?",
        &[SqlValue::from(fingerprint.as_str())],
    )?;
    if let Some(row) = told.first() {
        return Ok(recorded(Some(decode(row.text("body")?)?), &standing, change));
    }
    let is_anybodys = change.report.as_ref().is_some_and(|report| !report.is_vouched);
    if is_anybodys && claim::is_bound(sql)? {
        return Ok(ConsentRecorded { is_refused: true, ..recorded(None, &standing, change) });
    }
    // The collector numbers revisions: a claim of the highest number would leave none to the visitor.
    let revision = standing.revision().saturating_add(1);
    let mut counting = Vec::new();
    for one in &change.changes {
        let Some(purpose) = Purpose::from_name(&one.purpose) else { continue };
        let choice = Choice {
            granted: one.state == "granted",
            revision,
            chosen_ms: change.chosen_at.min(now).as_millisecond(),
            with_gpc: change.signals.get("gpc").is_some_and(|gpc| gpc == "1") && !is_anybodys,
            by_report: change.report.is_some(),
            denied_ms: 0,
        };
        let choice = choice.after(standing.0.get(&purpose));
        let counts = standing.yields(purpose, choice, change);
        if counts {
            standing.0.insert(purpose, choice);
            write(sql, purpose, choice)?;
        }
        // The receipt of a report shows what it said, because its time may prove later that it counted.
        if counts || change.report.is_some() {
            counting.push(one.clone());
        }
    }
    if counting.is_empty() {
        return Ok(recorded(None, &standing, change));
    }
    if counting.iter().any(|one| one.state != "granted") {
        stored_profile::remove_withdrawn_ids(sql)?;
    }
    let receipt = seal(change, counting, revision, last_hash(sql)?, now);
    append(sql, fingerprint, &receipt)?;
    Ok(recorded(Some(receipt), &standing, change))
}

fn append(sql: &impl Sql, fingerprint: String, receipt: &Receipt) -> Result<(), Failure> {
    sql.run(
        "INSERT INTO receipts (fingerprint, hash, body) VALUES (?, ?, ?)",
        &[
            SqlValue::Text(fingerprint),
            SqlValue::from(receipt.hash.as_str()),
            SqlValue::Text(encode(receipt)?),
        ],
    )
}

/// A profile whose record is joined.
pub(super) struct Joining<'j> {
    /// Its object.
    pub(super) from: &'j str,
    /// The hash of the newest receipt in its chain.
    pub(super) head: &'j str,
    /// This profile's user.
    pub(super) to: &'j LinkTo,
}

/// Joins the record of a profile that moves into this one: a denial on either side wins, otherwise the newer choice. A receipt in
/// this profile's chain proves the result, and names the last hash of the other chain. Run it inside a transaction.
pub(super) fn join(
    sql: &impl Sql,
    theirs: &Standing,
    by: &Joining<'_>,
    now: Timestamp,
) -> Result<(), Failure> {
    let mut joined = Standing::read(sql)?;
    let base = joined.revision();
    let revision = base.max(theirs.revision()).saturating_add(1);
    let mut changes = Vec::new();
    for purpose in Purpose::ALL {
        let (my, their) = (joined.0.get(&purpose), theirs.0.get(&purpose));
        let wins = their.filter(|their| my.is_none_or(|my| their.outweighs(*my)));
        let Some(choice) = wins.or(my).copied() else { continue };
        let mut choice = [my, their].into_iter().fold(choice, Choice::after);
        if my.is_none_or(|my| my.granted != choice.granted) {
            changes.push(choice.told(purpose)?);
        }
        // A page knows the revisions of its own device only. It must not seem to have known the other device's denial.
        if !choice.granted {
            choice.revision = revision;
        }
        if my != Some(&choice) {
            write(sql, purpose, choice)?;
            joined.0.insert(purpose, choice);
        }
    }
    let fingerprint = sha256_hex(format!("link:{}:{}", by.from, by.head).as_bytes());
    let query = "SELECT seq FROM receipts WHERE fingerprint = ?";
    let is_told = !sql.exec(query, &[SqlValue::from(fingerprint.as_str())])?.is_empty();
    if is_told || (changes.is_empty() && by.head.is_empty()) {
        return Ok(());
    }
    let mut random = [0; 16];
    random.iter_mut().zip(fingerprint.bytes()).for_each(|(to, from)| *to = from);
    let change = ConsentChange {
        subject: by.to.subject.clone(),
        controller: by.to.controller.clone(),
        base,
        chosen_at: now,
        is_found: false,
        changes: Vec::new(),
        notice: Notice::default(),
        signals: map_of([("link".to_owned(), by.head.to_owned())].into_iter()),
        random,
        report: None,
    };
    let receipt = seal(&change, changes, joined.revision(), last_hash(sql)?, now);
    append(sql, fingerprint, &receipt)
}

/// Puts another record in the place of this one. Run it inside a transaction.
pub(super) fn replace(sql: &impl Sql, by: &Standing) -> Result<(), Failure> {
    sql.run("DELETE FROM consent", &[])?;
    by.0.iter().try_for_each(|(purpose, choice)| write(sql, *purpose, *choice))
}

/// Records the changes that events report, in their order. Run it inside a transaction.
pub(super) fn record_reports(
    sql: &impl Sql,
    changes: &[ConsentChange],
    now: Timestamp,
) -> Result<Vec<ReportTaken>, Failure> {
    let taken = |told: ConsentRecorded| match (told.is_erased, told.is_refused) {
        (true, _) => ReportTaken::Erased,
        (false, true) => ReportTaken::NotYours,
        (false, false) => ReportTaken::Taken,
    };
    changes.iter().map(|change| record(sql, change, now).map(taken)).collect()
}

/// Writes the result of a change.
fn recorded(
    receipt: Option<Receipt>,
    standing: &Standing,
    change: &ConsentChange,
) -> ConsentRecorded {
    let is_outdated = |one: &&ChoiceChange| {
        let purpose = Purpose::from_name(&one.purpose);
        one.state == "granted" && purpose.is_some_and(|purpose| standing.denies(&[purpose]))
    };
    let outdated = change.changes.iter().filter(is_outdated).map(|one| one.purpose.clone());
    let outdated = outdated.collect();
    ConsentRecorded { receipt, consent: told(standing), outdated, ..ConsentRecorded::default() }
}

/// What a page has to know of the record.
pub(super) fn told(standing: &Standing) -> ConsentStanding {
    ConsentStanding { revision: standing.revision(), state: words(standing) }
}

fn write(sql: &impl Sql, purpose: Purpose, choice: Choice) -> Result<(), Failure> {
    sql.run(
        "INSERT OR REPLACE INTO consent (purpose, state, revision, chosen_ms, with_gpc, by_report, denied_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
        &[
            SqlValue::from(purpose.name()),
            SqlValue::from(word(choice.granted)),
            SqlValue::from(choice.revision),
            SqlValue::int(choice.chosen_ms)?,
            SqlValue::from(u32::from(choice.with_gpc)),
            SqlValue::from(u32::from(choice.by_report)),
            SqlValue::int(choice.denied_ms)?,
        ],
    )
}

/// Makes the fingerprint of a change. Two requests with the same fingerprint are the same change. A report is known by its id,
/// and a choice without its corrected time, because that time differs at each attempt.
fn fingerprint(change: &ConsentChange) -> Result<String, Failure> {
    if let Some(report) = &change.report {
        return Ok(sha256_hex(format!("report:{}", report.message_id).as_bytes()));
    }
    let same = (change.base, &change.changes, &change.notice, &change.signals);
    Ok(sha256_hex(encode(&same)?.as_bytes()))
}

/// The hash of the newest receipt in the person's own chain.
pub(super) fn last_hash(sql: &impl Sql) -> Result<String, Failure> {
    let query = "SELECT hash FROM receipts WHERE chain = '' ORDER BY seq DESC LIMIT 1";
    let rows = sql.exec(query, &[])?;
    rows.first().map_or(Ok(String::new()), |row| row.text("hash").map(str::to_owned))
}

fn seal(
    change: &ConsentChange,
    changes: Vec<ChoiceChange>,
    revision: u32,
    prev_hash: String,
    now: Timestamp,
) -> Receipt {
    let mut receipt = Receipt {
        id: hilo_core::identity::uuid_v4(change.random),
        at: now.to_string(),
        subject: change.subject.clone(),
        controller: change.controller.clone(),
        revision,
        changes,
        notice: change.notice.clone(),
        signals: change.signals.clone(),
        prev_hash,
        hash: String::new(),
    };
    receipt.hash = sha256_hex(receipt.chain_text().as_bytes());
    receipt
}

/// Writes the state of each purpose as the wire's text.
pub(super) fn words(standing: &Standing) -> BTreeMap<String, String> {
    let told = |(purpose, one): (&Purpose, &Choice)| {
        (purpose.name().to_owned(), word(one.granted).to_owned())
    };
    map_of(standing.0.iter().map(told))
}
