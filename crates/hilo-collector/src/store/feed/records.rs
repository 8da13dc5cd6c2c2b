//! Records of people and where they lead, so that the deletion of a record reaches its person.
//!
//! A record → the hashes of its person. Who is deleted at the service can no longer be asked there.

use crate::calls::feed::RecordOf;
use crate::calls::{decode, encode};
use crate::platform::{Failure, Sql, SqlValue};

/// The most records that are kept. The deletion of one that is forgotten reaches nobody.
const RECORDS_MAX: u32 = 500_000;

/// Keeps records as they are now.
pub(super) fn keep(sql: &impl Sql, records: &[RecordOf]) -> Result<(), Failure> {
    for record in records {
        sql.run(
            "INSERT INTO records (of, leads) VALUES (?, ?) \
             ON CONFLICT (of) DO UPDATE SET leads = excluded.leads WHERE leads <> excluded.leads",
            &[SqlValue::from(record.of.as_str()), SqlValue::Text(encode(record)?)],
        )?;
    }
    let oldest = "DELETE FROM records WHERE seq <= (SELECT max(seq) FROM records) - ?";
    sql.run(oldest, &[RECORDS_MAX.into()])
}

/// Reads where a record leads.
pub(super) fn find(sql: &impl Sql, of: &str) -> Result<Option<RecordOf>, Failure> {
    let rows = sql.exec("SELECT leads FROM records WHERE of = ?", &[SqlValue::from(of)])?;
    rows.first().map(|row| decode(row.text("leads")?)).transpose()
}

/// Forgets a record, and that it was told to be deleted.
pub(super) fn forget(sql: &impl Sql, told: &str, of: &str) -> Result<(), Failure> {
    sql.run("DELETE FROM records WHERE of = ?", &[SqlValue::from(of)])?;
    sql.run("DELETE FROM told WHERE id = ?", &[SqlValue::from(told)])
}
