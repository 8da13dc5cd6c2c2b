//! SQLite of one object in memory, by rusqlite: statements and values → rows. This file has no schema.

use rusqlite::limits::Limit;
use rusqlite::types::{ToSqlOutput, Value};
use rusqlite::{Connection, ToSql, params_from_iter};

use crate::platform::{Failure, Sql, SqlRow, SqlValue};
use crate::seal::NONCE_BYTES;

/// SQLite of one object.
pub struct MemorySql {
    connection: Connection,
    at_rest: [u8; 32],
}

/// Sets the limits of workerd (`src/workerd/util/sqlite.c++`), so that a statement that fails there fails here too.
fn limited(connection: Connection) -> rusqlite::Result<MemorySql> {
    for (limit, most) in [
        (Limit::SQLITE_LIMIT_SQL_LENGTH, 100_000),
        (Limit::SQLITE_LIMIT_COLUMN, 100),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 100),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 5),
        (Limit::SQLITE_LIMIT_FUNCTION_ARG, 127),
        (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 100),
    ] {
        connection.set_limit(limit, most)?;
    }
    Ok(MemorySql { connection, at_rest: [7; 32] })
}

impl MemorySql {
    /// Makes an empty storage.
    ///
    /// # Errors
    /// The error of SQLite.
    pub fn new() -> Result<MemorySql, Failure> {
        Connection::open_in_memory().and_then(limited).map_err(|error| failed(&error))
    }

    /// The same storage of an object with this name, which seals under a key of its own.
    #[must_use]
    pub fn of(self, name: &str) -> MemorySql {
        MemorySql { at_rest: crate::signature::sign(b"in memory", name.as_bytes()), ..self }
    }
}

#[cfg(test)]
impl MemorySql {
    /// Makes an empty storage in a file, for tests that look at its bytes.
    ///
    /// # Errors
    /// The error of SQLite.
    pub fn at(path: &std::path::Path) -> Result<MemorySql, Failure> {
        Connection::open(path).and_then(limited).map_err(|error| failed(&error))
    }
}

fn failed(error: &rusqlite::Error) -> Failure {
    Failure::Fatal(error.to_string())
}

impl ToSql for SqlValue {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            SqlValue::Null => ToSqlOutput::Owned(Value::Null),
            SqlValue::Int(number) => ToSqlOutput::Owned(Value::Integer(*number)),
            SqlValue::Text(text) => ToSqlOutput::from(text.as_str()),
            SqlValue::Bytes(bytes) => ToSqlOutput::from(bytes.as_slice()),
        })
    }
}

impl Sql for MemorySql {
    fn exec(&self, query: &str, bindings: &[SqlValue]) -> Result<Vec<SqlRow>, Failure> {
        let mut statement = self.connection.prepare(query).map_err(|error| failed(&error))?;
        let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
        let mut rows =
            statement.query(params_from_iter(bindings)).map_err(|error| failed(&error))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(|error| failed(&error))? {
            let mut columns = Vec::with_capacity(names.len());
            for (index, name) in names.iter().enumerate() {
                let value = match row.get(index).map_err(|error| failed(&error))? {
                    Value::Integer(number) => SqlValue::int(number)?,
                    Value::Text(text) => SqlValue::Text(text),
                    Value::Blob(bytes) => SqlValue::Bytes(bytes),
                    Value::Null | Value::Real(_) => SqlValue::Null,
                };
                columns.push((name.clone(), value));
            }
            found.push(SqlRow(columns));
        }
        Ok(found)
    }

    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), Failure>) -> Result<(), Failure> {
        // The transaction rolls back when it goes out of scope before the commit.
        let transaction =
            self.connection.unchecked_transaction().map_err(|error| failed(&error))?;
        work()?;
        transaction.commit().map_err(|error| failed(&error))
    }

    fn wipe(&self) -> Result<(), Failure> {
        let tables =
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
        for table in self.exec(tables, &[])? {
            self.run(&format!("DROP TABLE {}", table.text("name")?), &[])?;
        }
        self.run("VACUUM", &[])
    }

    fn at_rest(&self) -> Result<[u8; 32], Failure> {
        Ok(self.at_rest)
    }

    fn nonce(&self) -> [u8; NONCE_BYTES] {
        let drawn = self.connection.query_one("SELECT randomblob(12)", (), |row| row.get(0));
        drawn.unwrap_or_default()
    }
}
