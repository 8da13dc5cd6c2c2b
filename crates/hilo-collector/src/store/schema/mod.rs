//! Numbered migrations, applied once per object. The object's `meta` table has the number of the last one, and the oldest
//! number that a version of the code must know to run on the schema.
//! An object's storage and its [`Schema`] → the newest schema. A second run changes nothing.
//!
//! Migrations only add, so that the version before runs on the newest schema (`tests.rs` refuses others). What no code uses
//! any more is dropped one version later, with a higher [`Schema::oldest`].

#[cfg(test)]
mod tests;

use crate::platform::{Failure, Sql, SqlValue};

/// The schema of one kind of object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schema {
    migrations: &'static [&'static str],
    /// The tables as the first migrations leave them, and the number of these migrations. A new object is made of it:
    /// running each migration costs ten times the rows.
    whole: Option<(&'static str, usize)>,
    /// The number of migrations that a version of the code must know at least. An older version would lose or break
    /// something, so it refuses the storage.
    oldest: usize,
}

/// A profile object's schema.
pub(super) const PROFILE: Schema =
    Schema { migrations: OF_PROFILE, whole: Some(PROFILE_WHOLE), oldest: 11 };
/// A cart object's schema.
pub(super) const CART: Schema = Schema { migrations: OF_CART, whole: None, oldest: 2 };
/// The schema of the journal's head.
pub(super) const JOURNAL: Schema = Schema { migrations: OF_JOURNAL, whole: None, oldest: 3 };
/// The schema of the journal's shards.
pub(super) const REJECTS: Schema = Schema { migrations: OF_REJECTS, whole: None, oldest: 1 };
/// The schema of the inbox's objects.
pub(super) const INBOX: Schema = Schema { migrations: OF_INBOX, whole: None, oldest: 1 };
/// The schema of the object that knows what was imported.
pub(super) const IMPORTS: Schema = Schema { migrations: OF_IMPORTS, whole: None, oldest: 1 };
/// The schema of a feed.
pub(super) const FEED: Schema = Schema { migrations: OF_FEED, whole: None, oldest: 1 };
/// The schema of a destination's tokens.
pub(super) const TOKENS: Schema = Schema { migrations: OF_TOKENS, whole: None, oldest: 1 };

/// The schema of a shard of the index.
pub(super) const INDEX: Schema = Schema { migrations: OF_INDEX, whole: None, oldest: 1 };

const OF_PROFILE: &[&str] = &[
    include_str!("0001_profile.sql"),
    include_str!("0002_optins.sql"),
    include_str!("0003_folded.sql"),
    include_str!("0004_outbox.sql"),
    include_str!("0005_destinations.sql"),
    include_str!("0006_consent.sql"),
    include_str!("0007_batches.sql"),
    include_str!("0009_since.sql"),
    include_str!("0010_links.sql"),
    include_str!("0011_linking.sql"),
    include_str!("0012_sealed.sql"),
    include_str!("0013_marks.sql"),
    include_str!("0014_denials.sql"),
    include_str!("0015_facts.sql"),
];
const OF_JOURNAL: &[&str] = &[
    include_str!("journal_0001.sql"),
    include_str!("journal_0002.sql"),
    include_str!("journal_0003.sql"),
    include_str!("journal_0004.sql"),
    include_str!("journal_0005.sql"),
    include_str!("journal_0006.sql"),
];
const OF_REJECTS: &[&str] = &[include_str!("rejects_0001.sql")];
const OF_INBOX: &[&str] = &[include_str!("inbox_0001.sql")];
const OF_IMPORTS: &[&str] = &[include_str!("imports_0001.sql")];
const OF_FEED: &[&str] = &[
    include_str!("feed_0001.sql"),
    include_str!("feed_0002.sql"),
    include_str!("feed_0003.sql"),
    include_str!("feed_0004.sql"),
];
const OF_TOKENS: &[&str] = &[include_str!("tokens_0001.sql"), include_str!("tokens_0002.sql")];
const OF_INDEX: &[&str] = &[include_str!("index_0001.sql")];
const PROFILE_WHOLE: (&str, usize) = (include_str!("profile_whole.sql"), 14);
const OF_CART: &[&str] = &[include_str!("cart_0001.sql"), include_str!("cart_0002.sql")];

/// The number of migrations that are done, and the number that a version of the code must know at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Done {
    count: usize,
    oldest: usize,
}

impl Done {
    /// Reads the numbers. An object that was only just made has none.
    fn read(sql: &impl Sql) -> Result<Done, Failure> {
        let rows = sql.exec("SELECT value FROM meta WHERE key = 'schema'", &[])?;
        let Some(row) = rows.first() else { return Ok(Done { count: 0, oldest: 0 }) };
        let text = row.text("value")?;
        // A storage of a version that knew no oldest number needs a version that is at least as new.
        let (count, oldest) = text.split_once(' ').unwrap_or((text, text));
        let number = |text: &str| {
            text.parse().map_err(|_| Failure::Fatal("the schema's number is unreadable".to_owned()))
        };
        Ok(Done { count: number(count)?, oldest: number(oldest)? })
    }

    fn write(self, sql: &impl Sql) -> Result<(), Failure> {
        let text = SqlValue::Text(format!("{} {}", self.count, self.oldest));
        sql.run("INSERT OR REPLACE INTO meta (key, value) VALUES ('schema', ?)", &[text])
    }
}

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
pub(super) fn create(sql: &impl Sql, schema: Schema) -> Result<(), Failure> {
    sql.exec(META, &[])?;
    if let Some((text, count)) = schema.whole {
        sql.transaction(&mut || schema.step(sql, text, count))?;
    }
    apply(sql, schema)
}

/// The table of an object's own values. `WITHOUT ROWID` saves the row of an index.
const META: &str =
    "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID";

/// Updates the storage to the newest schema. A storage that a newer version has updated stays as it is.
///
/// # Errors
/// `SchemaNewer` where this version cannot run on the storage. Else the error of the storage; nothing of a failed
/// migration is kept.
pub(super) fn apply(sql: &impl Sql, schema: Schema) -> Result<(), Failure> {
    sql.exec(META, &[])?;
    let done = Done::read(sql)?;
    if done.oldest > schema.migrations.len() {
        return Err(Failure::SchemaNewer);
    }
    for (index, migration) in schema.migrations.iter().enumerate().skip(done.count) {
        sql.transaction(&mut || schema.step(sql, migration, index + 1))?;
    }
    Ok(())
}

/// Whether the schema was updated in this life of an object. The object keeps the value in memory.
#[derive(Debug, Default)]
pub struct Updated {
    is_done: bool,
}

impl Updated {
    /// Whether it was.
    pub(super) const fn is_done(&self) -> bool {
        self.is_done
    }

    /// Updates the storage, unless that was done. Returns whether this call did it.
    ///
    /// # Errors
    /// As [`apply`].
    pub(super) fn once(&mut self, sql: &impl Sql, schema: Schema) -> Result<bool, Failure> {
        if self.is_done {
            return Ok(false);
        }
        apply(sql, schema)?;
        self.is_done = true;
        Ok(true)
    }
}

impl Schema {
    /// Runs the statements of one step, and notes that `count` migrations are done.
    fn step(self, sql: &impl Sql, text: &str, count: usize) -> Result<(), Failure> {
        for statement in statements(text) {
            sql.exec(&statement, &[])?;
        }
        Done { count, oldest: self.oldest.min(count) }.write(sql)
    }

    /// The schema as a version knew it that had only the first migrations.
    #[cfg(test)]
    pub(super) fn first(self, count: usize) -> Schema {
        Schema {
            migrations: &self.migrations[..count],
            whole: None,
            oldest: self.oldest.min(count),
        }
    }
}

/// Returns the statements of a migration, without its comments. No statement of ours contains a semicolon.
fn statements(migration: &str) -> Vec<String> {
    let code: Vec<&str> =
        migration.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
    let code = code.join("\n");
    let statements = code.split(';').map(str::trim).filter(|text| !text.is_empty());
    statements.map(str::to_owned).collect()
}
