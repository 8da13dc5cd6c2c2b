//! Numbered migrations, applied once per object. The object's `meta` table has the number of the last one.
//! An object's storage and its list of migrations → the newest schema. A second run changes nothing.

use crate::platform::{Failure, Sql, SqlValue};

/// A profile object's migrations, in order.
pub(super) const PROFILE: &[&str] = &[
    include_str!("0001_profile.sql"),
    include_str!("0002_optins.sql"),
    include_str!("0003_folded.sql"),
    include_str!("0004_outbox.sql"),
    include_str!("0005_destinations.sql"),
    include_str!("0006_consent.sql"),
    include_str!("0007_batches.sql"),
    include_str!("0009_since.sql"),
    include_str!("0010_links.sql"),
];
/// The migrations of the journal's head, in order.
pub(super) const JOURNAL: &[&str] = &[
    include_str!("journal_0001.sql"),
    include_str!("journal_0002.sql"),
    include_str!("journal_0003.sql"),
];
/// The migrations of the journal's shards, in order.
pub(super) const REJECTS: &[&str] = &[include_str!("rejects_0001.sql")];
/// A profile object's tables as its first migrations leave them, and the number of these migrations.
pub(super) const PROFILE_WHOLE: (&str, usize) = (include_str!("profile_whole.sql"), 9);

/// A cart object's migrations, in order.
pub(super) const CART: &[&str] = &[include_str!("cart_0001.sql"), include_str!("cart_0002.sql")];

/// Whether the object has ever stored anything. A call that only reads must not create storage for an unknown person.
pub(super) fn is_present(sql: &impl Sql) -> Result<bool, Failure> {
    has_table(sql, "meta")
}

/// Whether the object has a table of this name.
pub(super) fn has_table(sql: &impl Sql, name: &str) -> Result<bool, Failure> {
    let rows = sql.exec(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name = ?",
        &[SqlValue::from(name)],
    )?;
    Ok(!rows.is_empty())
}

/// Makes the newest schema in an object without storage: the `whole` of the first migrations, then the others.
///
/// # Errors
/// The error of the storage; nothing of a failed step is kept.
pub(super) fn create(
    sql: &impl Sql,
    whole: (&str, usize),
    migrations: &[&str],
) -> Result<(), Failure> {
    let (text, count) = whole;
    sql.exec(META, &[])?;
    sql.transaction(&mut || step(sql, text, count))?;
    apply(sql, migrations)
}

/// The table of an object's own values. `WITHOUT ROWID` saves the row of an index.
const META: &str =
    "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID";

/// Runs the statements of one step, and notes that `count` migrations are done.
fn step(sql: &impl Sql, text: &str, count: usize) -> Result<(), Failure> {
    for statement in statements(text) {
        sql.exec(&statement, &[])?;
    }
    let version = SqlValue::Text(count.to_string());
    sql.exec("INSERT OR REPLACE INTO meta (key, value) VALUES ('schema', ?)", &[version])?;
    Ok(())
}

/// Updates the storage to the newest schema.
///
/// # Errors
/// The error of the storage; nothing of a failed migration is kept.
pub(super) fn apply(sql: &impl Sql, migrations: &[&str]) -> Result<(), Failure> {
    sql.exec(META, &[])?;
    let rows = sql.exec("SELECT value FROM meta WHERE key = 'schema'", &[])?;
    let done: usize = match rows.first() {
        Some(row) => row.text("value")?.parse().unwrap_or(0),
        None => 0,
    };
    for (index, migration) in migrations.iter().enumerate().skip(done) {
        sql.transaction(&mut || step(sql, migration, index + 1))?;
    }
    Ok(())
}

/// Returns the statements of a migration, without its comments. No statement of ours contains a semicolon.
fn statements(migration: &str) -> Vec<String> {
    let code: Vec<&str> =
        migration.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
    let code = code.join("\n");
    let statements = code.split(';').map(str::trim).filter(|text| !text.is_empty());
    statements.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::memory::MemorySql;

    /// Describes every column and every index.
    fn shape(sql: &MemorySql) -> Vec<Vec<(String, SqlValue)>> {
        let columns = "SELECT m.name AS held_by, c.name, c.type, c.\"notnull\", c.dflt_value, c.pk
            FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY 1, 2";
        let indexes =
            "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index' ORDER BY name";
        let rows = [columns, indexes].map(|query| sql.exec(query, &[]).unwrap());
        rows.into_iter().flatten().map(|row| row.0).collect()
    }

    #[test]
    fn a_new_profile_has_the_tables_that_all_migrations_make() {
        let (migrated, made) = (MemorySql::new().unwrap(), MemorySql::new().unwrap());
        apply(&migrated, PROFILE).unwrap();
        // The first call after an update drops these two, see `timeline/moved.rs`.
        migrated.run("DROP TABLE events", &[]).unwrap();
        migrated.run("DROP TABLE sessions", &[]).unwrap();
        create(&made, PROFILE_WHOLE, PROFILE).unwrap();
        assert_eq!(shape(&made), shape(&migrated));
    }
}
