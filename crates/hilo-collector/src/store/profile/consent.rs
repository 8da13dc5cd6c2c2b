//! The consent record: the recorded state of each purpose, and the chain of receipts that proves it.
//!
//! A change → a receipt and the next revision. A denial of the visitor always counts. A grant lifts a recorded denial only if it
//! is newer: the page knew the denial's revision, or the time says so. The report of another system's client is ordered by its
//! time. A repeated change returns the same receipt.

use std::collections::BTreeMap;

use hilo_core::consent::{ChoiceChange, Method, Notice, Purpose, Receipt};
use hilo_core::event::ConsentClaim;
use hilo_core::profile::{Profile, Trait};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{claim, erasure, stored_profile};
use crate::calls::link::LinkTo;
use crate::calls::{
    ConsentChange, ConsentRecorded, ConsentStanding, ReportTaken, decode, encode, map_of,
};
use crate::platform::{Failure, Sql, SqlValue};
use crate::signature::sha256_hex;

/// The recorded state of each purpose.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Standing(BTreeMap<Purpose, Choice>);

/// The recorded choice about one purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Choice {
    granted: bool,
    revision: u32,
    chosen_ms: i64,
    /// Whether the browser sent `Sec-GPC: 1` along with the choice.
    with_gpc: bool,
    /// Whether a report told it.
    by_report: bool,
    /// When the purpose was denied last, in milliseconds; 0 if never.
    #[serde(default)]
    denied_ms: i64,
}

impl Choice {
    /// Whether it counts beside another device's choice of the same person.
    const fn outweighs(self, other: Choice) -> bool {
        if self.granted == other.granted { self.chosen_ms > other.chosen_ms } else { other.granted }
    }

    /// The same, with the last denial of another choice about the purpose. A later grant does not bring back what a denial removed.
    fn after(self, earlier: Option<&Choice>) -> Choice {
        let own = if self.granted { self.denied_ms } else { self.denied_ms.max(self.chosen_ms) };
        Choice { denied_ms: earlier.map_or(own, |earlier| earlier.denied_ms.max(own)), ..self }
    }

    /// Writes the choice for a receipt.
    fn told(self, purpose: Purpose) -> Result<ChoiceChange, Failure> {
        let at = Timestamp::from_millisecond(self.chosen_ms);
        Ok(ChoiceChange {
            purpose: purpose.name().to_owned(),
            state: word(self.granted).to_owned(),
            at: at.map_err(|error| Failure::Fatal(error.to_string()))?.to_string(),
            method: Method::Import,
        })
    }
}

/// The wire's word for a choice.
const fn word(granted: bool) -> &'static str {
    if granted { "granted" } else { "denied" }
}

impl Standing {
    /// Whether a purpose of `required` is denied. What an event claims does not matter: only a recorded grant lifts a denial,
    /// and a page sends its grant before the events that need it.
    pub(super) fn denies(&self, required: &[Purpose]) -> bool {
        required.iter().any(|purpose| self.0.get(purpose).is_some_and(|one| !one.granted))
    }

    /// The denied purposes.
    pub(super) fn denied(&self) -> Vec<Purpose> {
        let denied = self.0.iter().filter(|(_, one)| !one.granted);
        denied.map(|(purpose, _)| *purpose).collect()
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

    /// Removes the ids of other services that are older than a denial of what they are for. Returns whether there were any.
    pub(super) fn remove_withdrawn_ids(&self, profile: &mut Profile) -> bool {
        let before = profile.ids.len();
        let is_withdrawn = |one: &Trait, purpose: &Purpose| {
            let denied_ms = self.0.get(purpose).map_or(0, |choice| choice.denied_ms);
            denied_ms >= one.at.as_millisecond()
        };
        profile.ids.retain(|_, one| !one.purposes.iter().any(|purpose| is_withdrawn(one, purpose)));
        profile.ids.len() < before
    }

    /// The record as an event claims consent.
    pub(super) fn claim(&self) -> ConsentClaim {
        let mut claim = ConsentClaim { revision: self.revision(), ..ConsentClaim::default() };
        for (purpose, one) in &self.0 {
            claim.category_preferences.insert(purpose.name().to_owned(), one.granted);
        }
        claim
    }

    /// Whether the record lifts Global Privacy Control for `purpose`.
    ///
    /// Only a grant does that the visitor gave to this site while the browser sent `Sec-GPC: 1`. An older grant is older
    /// than the signal, and the newer word counts.
    pub(super) fn lifts_gpc(&self, purpose: Purpose) -> bool {
        self.0.get(&purpose).is_some_and(|one| one.granted && one.with_gpc)
    }

    /// Whether `new` takes the place of the recorded choice.
    ///
    /// A denial of the visitor does, whatever its place in the order: a page whose storage was wiped knows no revision. A
    /// report is ordered by its time, and of two reports of the same time the denial wins. A grant that a page only found in a consent
    /// tool may be older than any denial. A report under the key of a page
    /// lifts no denial that the visitor gave to this site.
    fn yields(&self, purpose: Purpose, new: Choice, change: &ConsentChange) -> bool {
        let Some(old) = self.0.get(&purpose) else { return true };
        let lifts = new.granted && !old.granted;
        match &change.report {
            Some(report) if lifts && !old.by_report && !report.is_vouched => false,
            Some(_) => {
                new.chosen_ms > old.chosen_ms
                    || (new.chosen_ms == old.chosen_ms && old.granted && !new.granted)
            }
            None => {
                let is_newer = change.base >= old.revision || new.chosen_ms > old.chosen_ms;
                !lifts || (is_newer && !change.is_found)
            }
        }
    }

    /// The highest revision recorded.
    pub(super) fn revision(&self) -> u32 {
        self.0.values().map(|one| one.revision).max().unwrap_or(0)
    }
}

/// Reads the recorded state of each purpose.
pub(super) fn standing(sql: &impl Sql) -> Result<Standing, Failure> {
    let mut standing = Standing::default();
    let query =
        "SELECT purpose, state, revision, chosen_ms, with_gpc, by_report, denied_ms FROM consent";
    for row in sql.exec(query, &[])? {
        if let Some(purpose) = Purpose::from_name(row.text("purpose")?) {
            let choice = Choice {
                granted: row.text("state")? == "granted",
                revision: u32::try_from(row.int("revision")?).unwrap_or(u32::MAX),
                chosen_ms: row.int("chosen_ms")?,
                with_gpc: row.int("with_gpc")? != 0,
                by_report: row.int("by_report")? != 0,
                denied_ms: row.int("denied_ms")?,
            };
            // An earlier version did not write the time of a denial.
            standing.0.insert(purpose, choice.after(None));
        }
    }
    Ok(standing)
}

/// Records a change. Run it inside a transaction.
///
/// A report under the key of a page changes nothing in a profile that is bound to a proof, because anybody can send it.
pub(super) fn record(
    sql: &impl Sql,
    change: &ConsentChange,
    now: Timestamp,
) -> Result<ConsentRecorded, Failure> {
    let mut standing = standing(sql)?;
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
    let mut joined = standing(sql)?;
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
