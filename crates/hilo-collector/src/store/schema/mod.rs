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
    include_str!("0009_since.sql"),
];
/// The journal object's migrations, in order.
pub(super) const JOURNAL: &[&str] = &[include_str!("journal_0001.sql")];

/// A cart object's migrations, in order.
pub(super) const CART: &[&str] = &[include_str!("cart_0001.sql")];

/// Whether the object has ever stored anything. A call that only reads must not create storage for an unknown person.
pub(super) fn is_present(sql: &impl Sql) -> Result<bool, Failure> {
    let rows =
        sql.exec("SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'meta'", &[])?;
    Ok(!rows.is_empty())
}

/// Updates the storage to the newest schema.
///
/// # Errors
/// The error of the storage; nothing of a failed migration is kept.
pub(super) fn apply(sql: &impl Sql, migrations: &[&str]) -> Result<(), Failure> {
    sql.exec("CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)", &[])?;
    let rows = sql.exec("SELECT value FROM meta WHERE key = 'schema'", &[])?;
    let done: usize = match rows.first() {
        Some(row) => row.text("value")?.parse().unwrap_or(0),
        None => 0,
    };
    for (index, migration) in migrations.iter().enumerate().skip(done) {
        sql.transaction(&mut || {
            for statement in statements(migration) {
                sql.exec(&statement, &[])?;
            }
            let version = SqlValue::Text((index + 1).to_string());
            sql.exec("INSERT OR REPLACE INTO meta (key, value) VALUES ('schema', ?)", &[version])?;
            Ok(())
        })?;
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
