//! What migrations make, and what they must leave as it was for the version before.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::shell::memory::MemorySql;

/// Each schema with the number of migrations of the last release, and what its code leaves unused for the next one to drop:
/// `table` or `table.column`. Write a release's numbers here in the commit after it.
///
/// Nothing was released yet, so these are the numbers of today.
const RELEASED: [(&str, Schema, usize, &[&str]); 8] = [
    ("profile", PROFILE, 11, &[]),
    ("cart", CART, 2, &[]),
    ("journal", JOURNAL, 3, &[]),
    ("rejects", REJECTS, 1, &[]),
    ("tokens", TOKENS, 1, &[]),
    ("inbox", INBOX, 1, &[]),
    ("imports", IMPORTS, 1, &[]),
    ("feed", FEED, 1, &[]),
];

/// A column as `pragma_table_info` describes it.
#[derive(Clone, Debug, PartialEq)]
struct Column {
    kind: SqlValue,
    is_required: bool,
    default: SqlValue,
    key: SqlValue,
}

/// The columns by table and name, the unique keys of tables as the names of their columns, and the text of each table and index
/// by its name: the text has the checks.
#[derive(Clone, Debug, Default, PartialEq)]
struct Shape {
    tables: BTreeMap<String, BTreeMap<String, Column>>,
    keys: BTreeSet<(String, String)>,
    texts: BTreeMap<String, String>,
}

impl Shape {
    fn keys_of(&self, table: &str) -> Vec<&str> {
        let own = self.keys.iter().filter(|(held_by, _)| held_by == table);
        own.map(|(_, columns)| columns.as_str()).collect()
    }
}

/// Describes the tables.
fn shape(sql: &MemorySql) -> Shape {
    let mut shape = Shape::default();
    let columns = "SELECT m.name AS held_by, c.name, c.type, c.\"notnull\", c.dflt_value, c.pk
        FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'";
    for row in sql.exec(columns, &[]).unwrap() {
        let column = Column {
            kind: row.get("type").clone(),
            is_required: row.int("notnull").unwrap() != 0,
            default: row.get("dflt_value").clone(),
            key: row.get("pk").clone(),
        };
        let table = shape.tables.entry(row.text("held_by").unwrap().to_owned()).or_default();
        table.insert(row.text("name").unwrap().to_owned(), column);
    }
    let keys = "SELECT m.name AS held_by, group_concat(c.name) AS columns
        FROM sqlite_master m, pragma_index_list(m.name) i, pragma_index_info(i.name) c
        WHERE m.type = 'table' AND i.\"unique\" GROUP BY m.name, i.name";
    for row in sql.exec(keys, &[]).unwrap() {
        let text = |name| row.text(name).unwrap().to_owned();
        shape.keys.insert((text("held_by"), text("columns")));
    }
    let texts = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL";
    for row in sql.exec(texts, &[]).unwrap() {
        let text = |name| row.text(name).unwrap().to_owned();
        shape.texts.insert(text("name"), text("sql"));
    }
    shape
}

/// Makes the schema step by step, with the work that Rust does for a profile's object.
fn migrated(schema: Schema) -> MemorySql {
    let sql = MemorySql::new().unwrap();
    apply(&sql, schema).unwrap();
    // The first call after an update drops these two, see `timeline/moved.rs`.
    if has_table(&sql, "batches").unwrap() {
        sql.run("DROP TABLE events", &[]).unwrap();
        sql.run("DROP TABLE sessions", &[]).unwrap();
    }
    sql
}

/// Names what code that was written for `before` would miss in `after`, or could not write there.
fn broken(before: &Shape, after: &Shape, unused: &[&str]) -> Vec<String> {
    let mut broken = Vec::new();
    for (table, columns) in &before.tables {
        if unused.contains(&table.as_str()) {
            continue;
        }
        let Some(found) = after.tables.get(table) else {
            broken.push(format!("the table {table} is gone"));
            continue;
        };
        for (column, described) in columns {
            let name = format!("{table}.{column}");
            if !unused.contains(&name.as_str()) && found.get(column) != Some(described) {
                broken.push(format!("the column {name} is gone or has changed"));
            }
        }
        for (column, described) in found {
            let is_new = !columns.contains_key(column);
            if is_new && described.is_required && described.default == SqlValue::Null {
                broken.push(format!("the new column {table}.{column} needs a default"));
            }
        }
        if before.keys_of(table) != after.keys_of(table) {
            broken.push(format!("the unique keys of the table {table} have changed"));
        }
        let checks = |shape: &Shape| shape.texts[table].matches("CHECK").count();
        if checks(after) > checks(before) {
            broken.push(format!("the table {table} has a new check"));
        }
    }
    broken
}

/// Names what the version before would miss after one more migration of the profile.
fn broken_by(migration: &str) -> Vec<String> {
    let sql = migrated(PROFILE);
    let before = shape(&sql);
    for statement in statements(migration) {
        sql.run(&statement, &[]).unwrap();
    }
    broken(&before, &shape(&sql), &[])
}

#[test]
fn a_new_profile_has_the_tables_that_all_migrations_make() {
    let made = MemorySql::new().unwrap();
    create(&made, PROFILE).unwrap();
    let (made, migrated) = (shape(&made), shape(&migrated(PROFILE)));
    assert_eq!((made.tables, made.keys), (migrated.tables, migrated.keys));
    let indexes = |texts: BTreeMap<String, String>| -> Vec<_> {
        texts.into_iter().filter(|(_, text)| text.contains(" INDEX ")).collect()
    };
    assert_eq!(indexes(made.texts), indexes(migrated.texts));
}

#[test]
fn every_migration_since_the_last_release_only_adds() {
    for (name, schema, released, unused) in RELEASED {
        let before = shape(&migrated(schema.first(released)));
        for count in released..=schema.migrations.len() {
            let after = shape(&migrated(schema.first(count)));
            let broken = broken(&before, &after, unused);
            assert_eq!(broken, Vec::<String>::new(), "migration {count} of the {name}");
        }
    }
}

#[test]
fn the_version_before_may_run_on_each_newest_schema() {
    for (name, schema, released, _) in RELEASED {
        assert!(schema.oldest <= released, "{name}: only the next version may raise `oldest`");
        assert!(released <= schema.migrations.len(), "{name}");
    }
}

#[test]
fn a_migration_that_the_version_before_cannot_run_on_is_found() {
    for (migration, expected) in [
        ("DROP TABLE optins", "the table optins is gone"),
        ("ALTER TABLE outbox DROP COLUMN reason", "the column outbox.reason is gone or has changed"),
        (
            "ALTER TABLE outbox RENAME COLUMN reason TO why",
            "the column outbox.reason is gone or has changed",
        ),
        ("ALTER TABLE receipts RENAME TO proofs", "the table receipts is gone"),
        (
            "DROP TABLE consent; CREATE TABLE consent (purpose TEXT PRIMARY KEY, state TEXT NOT NULL,
               revision INTEGER NOT NULL, chosen_ms INTEGER NOT NULL, with_gpc INTEGER NOT NULL DEFAULT 0,
               by_report INTEGER NOT NULL DEFAULT 0, denied_ms INTEGER NOT NULL DEFAULT 0)",
            "the column consent.chosen_ms is gone or has changed",
        ),
        (
            "DROP TABLE optins; CREATE TABLE optins (seq INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT NOT NULL,
               state TEXT NOT NULL, body TEXT NOT NULL, at_ms INTEGER NOT NULL)",
            "the new column optins.at_ms needs a default",
        ),
        (
            "CREATE UNIQUE INDEX outbox_once ON outbox (event, destination)",
            "the unique keys of the table outbox have changed",
        ),
        (
            "DROP TABLE optins; CREATE TABLE optins (seq INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT NOT NULL,
               state TEXT NOT NULL CHECK (state <> ''), body TEXT NOT NULL)",
            "the table optins has a new check",
        ),
    ] {
        assert_eq!(broken_by(migration), [expected], "{migration}");
    }
    let adds = "CREATE TABLE marks (name TEXT PRIMARY KEY); CREATE INDEX by_event ON outbox (event);
        ALTER TABLE outbox ADD COLUMN lane TEXT; ALTER TABLE outbox ADD COLUMN size INTEGER NOT NULL DEFAULT 0";
    assert_eq!(broken_by(adds), Vec::<String>::new());
}

#[test]
fn what_the_last_release_left_unused_may_be_dropped() {
    let sql = migrated(JOURNAL);
    let before = shape(&sql);
    sql.run("DROP TABLE live", &[]).unwrap();
    sql.run("ALTER TABLE destinations DROP COLUMN last_error", &[]).unwrap();
    let unused = ["live", "destinations.last_error"];
    assert_eq!(broken(&before, &shape(&sql), &unused), Vec::<String>::new());
    assert_eq!(broken(&before, &shape(&sql), &unused[..1]).len(), 1);
}

#[test]
fn a_storage_tells_which_versions_can_run_on_it() {
    let sql = MemorySql::new().unwrap();
    apply(&sql, Schema { oldest: 5, ..PROFILE.first(7) }).unwrap();
    assert_eq!(Done::read(&sql), Ok(Done { count: 7, oldest: 5 }));
    for known in 1..=7 {
        let expected = if known < 5 { Err(Failure::SchemaNewer) } else { Ok(()) };
        assert_eq!(apply(&sql, PROFILE.first(known)), expected, "{known}");
        assert_eq!(Done::read(&sql), Ok(Done { count: 7, oldest: 5 }), "{known} changed nothing");
    }
    apply(&sql, PROFILE).unwrap();
    let count = PROFILE.migrations.len();
    assert_eq!(Done::read(&sql), Ok(Done { count, oldest: PROFILE.oldest }));
}

#[test]
fn a_storage_without_an_oldest_number_needs_a_version_as_new() {
    let sql = migrated(PROFILE.first(7));
    sql.run("UPDATE meta SET value = '7' WHERE key = 'schema'", &[]).unwrap();
    assert_eq!(apply(&sql, PROFILE.first(6)), Err(Failure::SchemaNewer));
    assert_eq!(apply(&sql, PROFILE), Ok(()));
}
