//! The consent record: the recorded state of each purpose, and the chain of receipts that proves it.
//!
//! A change → a receipt. A revision older than the recorded one changes nothing. Of two choices with the same revision,
//! the denial wins. The report of another system's client has no revision: its time decides in the same way. A repeated
//! change returns the same receipt.

use std::collections::BTreeMap;

use hilo_core::consent::{Purpose, Receipt};
use jiff::Timestamp;

use crate::calls::{ConsentChange, ConsentRecorded, ConsentReport, decode, encode, map_of};
use crate::platform::{Failure, Sql, SqlValue};
use crate::signature::sha256_hex;

/// The recorded state of each purpose.
#[derive(Debug, Default)]
pub(super) struct Standing(BTreeMap<Purpose, Choice>);

/// The recorded choice about one purpose.
#[derive(Clone, Copy, Debug)]
struct Choice {
    granted: bool,
    revision: u32,
    chosen_ms: i64,
    /// Whether the browser sent `Sec-GPC: 1` along with the choice.
    with_gpc: bool,
    /// Whether a report told it.
    by_report: bool,
}

impl Standing {
    /// Whether a purpose of `required` is denied at `revision` or later.
    ///
    /// An event of a later revision was made after a newer choice. The record of that choice may still be on its way.
    pub(super) fn denies(&self, required: &[Purpose], revision: u32) -> bool {
        required.iter().any(|purpose| {
            self.0.get(purpose).is_some_and(|one| !one.granted && one.revision >= revision)
        })
    }

    /// Whether `purpose` may use data that an event brought at `revision`, given the purposes that the event itself
    /// `granted`.
    ///
    /// Any recorded denial forbids it. Otherwise the event's own consent allows it, or a recorded grant that is newer
    /// than the event. Silence never allows it.
    pub(super) fn permits(&self, purpose: Purpose, granted: &[Purpose], revision: u32) -> bool {
        match self.0.get(&purpose) {
            Some(one) if !one.granted => false,
            Some(one) if one.revision > revision => true,
            Some(_) | None => granted.contains(&purpose),
        }
    }

    /// Whether the record lifts Global Privacy Control for `purpose`.
    ///
    /// Only a grant does that the visitor gave to this site while the browser sent `Sec-GPC: 1`. An older grant is older
    /// than the signal, and the newer word counts.
    pub(super) fn lifts_gpc(&self, purpose: Purpose) -> bool {
        self.0.get(&purpose).is_some_and(|one| one.granted && one.with_gpc)
    }

    /// Whether `new` takes the place of the recorded choice. A report is ordered by its time, and a grant by its revision. The
    /// visitor's own denial counts whatever its revision: a page whose storage was wiped starts again at 1.
    ///
    /// Of two reports of the same time the denial wins. A report under the key of a page lifts no denial that the visitor gave to
    /// this site.
    fn yields(&self, purpose: Purpose, new: Choice, report: Option<&ConsentReport>) -> bool {
        let Some(old) = self.0.get(&purpose) else { return true };
        let lifts = new.granted && !old.granted;
        match report {
            Some(report) if lifts && !old.by_report && !report.is_vouched => false,
            Some(_) => {
                new.chosen_ms > old.chosen_ms
                    || (new.chosen_ms == old.chosen_ms && old.granted && !new.granted)
            }
            None => !new.granted || new.revision > old.revision,
        }
    }

    pub(super) fn revision(&self) -> u32 {
        self.0.values().map(|one| one.revision).max().unwrap_or(0)
    }
}

/// Reads the recorded state of each purpose.
pub(super) fn standing(sql: &impl Sql) -> Result<Standing, Failure> {
    let mut standing = Standing::default();
    let query = "SELECT purpose, state, revision, chosen_ms, with_gpc, by_report FROM consent";
    for row in sql.exec(query, &[])? {
        if let Some(purpose) = Purpose::from_name(row.text("purpose")?) {
            let choice = Choice {
                granted: row.text("state")? == "granted",
                revision: u32::try_from(row.int("revision")?).unwrap_or(u32::MAX),
                chosen_ms: row.int("chosen_ms")?,
                with_gpc: row.int("with_gpc")? != 0,
                by_report: row.int("by_report")? != 0,
            };
            standing.0.insert(purpose, choice);
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
    let revision = revision(change, &standing);
    for one in &change.changes {
        let Some(purpose) = Purpose::from_name(&one.purpose) else { continue };
        let report = change.report.as_ref();
        let recorded = standing.0.get(&purpose).map_or(0, |old| old.revision);
        let granted = one.state == "granted";
        let choice = Choice {
            granted,
            // A denial of an old revision must not make room for claims of the revisions between.
            revision: if granted { revision } else { revision.max(recorded) },
            chosen_ms: chosen_ms(change, now),
            with_gpc: change.signals.get("gpc").is_some_and(|gpc| gpc == "1")
                && report.is_none_or(|report| report.is_vouched),
            by_report: report.is_some(),
        };
        if standing.yields(purpose, choice, report) {
            standing.0.insert(purpose, choice);
            write(sql, purpose, choice)?;
        }
    }
    let receipt = seal(change, revision, last_hash(sql)?, now);
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

/// The revision that a change gets. A report gets the next one, whatever it claims: a claim of the highest number would leave no
/// revision to the visitor.
fn revision(change: &ConsentChange, standing: &Standing) -> u32 {
    match &change.report {
        Some(_) => standing.revision().saturating_add(1),
        None => change.revision,
    }
}

/// When the visitor decided: what a report says, or the arrival of a page's own choice, whose clock may be wrong.
fn chosen_ms(change: &ConsentChange, now: Timestamp) -> i64 {
    let said = change.report.as_ref().map(|report| report.chosen_at);
    said.unwrap_or(now).min(now).as_millisecond()
}

fn write(sql: &impl Sql, purpose: Purpose, choice: Choice) -> Result<(), Failure> {
    sql.run(
        "INSERT OR REPLACE INTO consent (purpose, state, revision, chosen_ms, with_gpc, by_report) VALUES (?, ?, ?, ?, ?, ?)",
        &[
            SqlValue::from(purpose.name()),
            SqlValue::from(if choice.granted { "granted" } else { "denied" }),
            SqlValue::from(choice.revision),
            SqlValue::int(choice.chosen_ms)?,
            SqlValue::from(u32::from(choice.with_gpc)),
            SqlValue::from(u32::from(choice.by_report)),
        ],
    )
}

/// Makes the fingerprint of a change. Two requests with the same fingerprint are the same change. All fields count but
/// the random bytes. A report is known by its id, because its corrected time differs at each attempt.
fn fingerprint(change: &ConsentChange) -> Result<String, Failure> {
    if let Some(report) = &change.report {
        return Ok(sha256_hex(format!("report:{}", report.message_id).as_bytes()));
    }
    let same = (&change.revision, &change.changes, &change.notice, &change.signals);
    Ok(sha256_hex(encode(&same)?.as_bytes()))
}

fn last_hash(sql: &impl Sql) -> Result<String, Failure> {
    let rows = sql.exec("SELECT hash FROM receipts ORDER BY seq DESC LIMIT 1", &[])?;
    rows.first().map_or(Ok(String::new()), |row| row.text("hash").map(str::to_owned))
}

fn seal(change: &ConsentChange, revision: u32, prev_hash: String, now: Timestamp) -> Receipt {
    let mut receipt = Receipt {
        id: hilo_core::identity::uuid_v4(change.random),
        at: now.to_string(),
        subject: change.subject.clone(),
        controller: change.controller.clone(),
        revision,
        changes: change.changes.clone(),
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
    let word = |granted: bool| if granted { "granted" } else { "denied" }.to_owned();
    map_of(standing.0.iter().map(|(purpose, one)| (purpose.name().to_owned(), word(one.granted))))
}
