//! Flags of people's records that are set: a service tells them again with every change of the record.
//!
//! A flag as it is now → whether it was heard so before. A flag that is not set has no row, so a later one is heard for the first time.
//! Rows are hashes that name nobody.

use crate::calls::feed::FlagRecord;
use crate::platform::{Failure, Sql, SqlValue};

/// The most flags that are kept. One that is forgotten counts again, which only ends a subscription.
const FLAGS_MAX: u32 = 500_000;

/// Whether each flag was heard before about the same person.
pub(super) fn heard(sql: &impl Sql, asked: &[FlagRecord]) -> Result<Vec<bool>, Failure> {
    let is_heard = |flag: &FlagRecord| {
        let Some(about) = flag.about.as_deref() else { return Ok(false) };
        let of = [SqlValue::from(flag.of.as_str()), SqlValue::from(about)];
        Ok(!sql.exec("SELECT seq FROM flags WHERE of = ? AND about = ?", &of)?.is_empty())
    };
    asked.iter().map(is_heard).collect()
}

/// Keeps flags as they are now.
pub(super) fn keep(sql: &impl Sql, flags: &[FlagRecord]) -> Result<(), Failure> {
    for FlagRecord { of, about } in flags {
        let of = SqlValue::from(of.as_str());
        match about.as_deref() {
            // A row that stays keeps its place.
            Some(about) => sql.run(
                "INSERT INTO flags (of, about) VALUES (?, ?) \
                 ON CONFLICT (of) DO UPDATE SET about = excluded.about WHERE about <> excluded.about",
                &[of, SqlValue::from(about)],
            )?,
            None => sql.run("DELETE FROM flags WHERE of = ?", &[of])?,
        }
    }
    let oldest = "DELETE FROM flags WHERE seq <= (SELECT max(seq) FROM flags) - ?";
    sql.run(oldest, &[FLAGS_MAX.into()])
}
