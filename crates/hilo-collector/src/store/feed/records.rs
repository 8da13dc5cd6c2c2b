//! Records of people and where they lead, so that the deletion of a record reaches its person.
//!
//! A record → the hashes of its persons: whom it names now, and whom it named before. Who is deleted at the service can no longer be asked
//! there.

use super::told;
use crate::calls::feed::{RecordOf, Told};
use crate::calls::{decode, encode};
use crate::platform::{Failure, Sql, SqlValue};

/// The most records that are kept. The deletion of one that is forgotten reaches nobody.
const RECORDS_MAX: u32 = 500_000;
/// The most persons and the most addresses that a record named before.
const BEFORE_MAX: usize = 8;

/// Keeps records as they are now, beside what they were before.
pub(super) fn keep(sql: &impl Sql, records: &[RecordOf]) -> Result<(), Failure> {
    for record in records {
        let known = find(sql, &record.of)?;
        let whole = known.as_ref().map_or_else(|| record.clone(), |known| joined(record, known));
        if known.as_ref() == Some(&whole) {
            continue;
        }
        sql.run(
            "INSERT INTO records (of, leads) VALUES (?, ?) \
             ON CONFLICT (of) DO UPDATE SET leads = excluded.leads",
            &[SqlValue::from(record.of.as_str()), SqlValue::Text(encode(&whole)?)],
        )?;
    }
    let oldest = "DELETE FROM records WHERE seq <= (SELECT max(seq) FROM records) - ?";
    sql.run(oldest, &[RECORDS_MAX.into()])
}

/// A record as it is now, with what it was before.
fn joined(now: &RecordOf, known: &RecordOf) -> RecordOf {
    let before = |all: Vec<&String>, now: &Option<String>| {
        let others = all.into_iter().filter(|one| Some(*one) != now.as_ref());
        others.take(BEFORE_MAX).cloned().collect()
    };
    RecordOf {
        objects_before: before(known.objects().collect(), &now.object),
        keys_before: before(known.keys().collect(), &now.key),
        ..now.clone()
    }
}

/// Reads where a record leads.
pub(super) fn find(sql: &impl Sql, of: &str) -> Result<Option<RecordOf>, Failure> {
    let rows = sql.exec("SELECT leads FROM records WHERE of = ?", &[SqlValue::from(of)])?;
    rows.first().map(|row| decode(row.text("leads")?)).transpose()
}

/// Forgets that a record was deleted, and the record. Both stay where the service has told it again meanwhile.
pub(super) fn forget(sql: &impl Sql, told: &Told, of: &str) -> Result<(), Failure> {
    told::take_away(sql, told)?;
    let record =
        "DELETE FROM records WHERE of = ? AND NOT EXISTS (SELECT id FROM told WHERE id = ?)";
    sql.run(record, &[of, told.id.as_str()].map(SqlValue::from))
}
