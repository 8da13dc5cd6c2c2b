//! SQLite inside one object: positional `?` parameters, synchronous, one transaction at a time.
//! A statement and values → rows by column name. This file has no schema.

use super::Failure;
use crate::seal::NONCE_BYTES;

/// The largest whole number that a JavaScript number represents exactly.
const INT_MAX: i64 = (1 << 53) - 1;

/// A value of SQL. Floats are missing on purpose: ids and money never pass through them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SqlValue {
    /// NULL.
    Null,
    /// A whole number within ±(2^53 − 1). [`SqlValue::int`] makes it.
    Int(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl SqlValue {
    /// Makes a number that can be bound.
    ///
    /// # Errors
    /// `Fatal` outside ±(2^53 − 1): workerd binds numbers as doubles, so bind such values as text.
    pub fn int(value: i64) -> Result<SqlValue, Failure> {
        if (-INT_MAX..=INT_MAX).contains(&value) {
            Ok(SqlValue::Int(value))
        } else {
            Err(Failure::Fatal("a number is too large to bind".to_owned()))
        }
    }

    /// Text or NULL.
    pub fn text_or_null(value: Option<&str>) -> SqlValue {
        value.map_or(SqlValue::Null, SqlValue::from)
    }
}

impl From<&str> for SqlValue {
    fn from(value: &str) -> SqlValue {
        SqlValue::Text(value.to_owned())
    }
}

impl From<String> for SqlValue {
    fn from(value: String) -> SqlValue {
        SqlValue::Text(value)
    }
}

impl From<u32> for SqlValue {
    fn from(value: u32) -> SqlValue {
        SqlValue::Int(i64::from(value))
    }
}

/// One row: values by column name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SqlRow(pub Vec<(String, SqlValue)>);

impl SqlRow {
    /// Returns the value of a column; `Null` if the row has no such column.
    pub fn get(&self, column: &str) -> &SqlValue {
        self.0.iter().find(|(name, _)| name == column).map_or(&SqlValue::Null, |(_, value)| value)
    }

    /// Reads a column that is text.
    ///
    /// # Errors
    /// `Fatal` if the column is not text: then schema and code disagree.
    pub fn text(&self, column: &str) -> Result<&str, Failure> {
        match self.get(column) {
            SqlValue::Text(text) => Ok(text),
            SqlValue::Null | SqlValue::Int(_) | SqlValue::Bytes(_) => {
                Err(Failure::Fatal(format!("column {column} is not text")))
            }
        }
    }

    /// Reads a column that is text or NULL.
    pub fn text_opt(&self, column: &str) -> Option<&str> {
        match self.get(column) {
            SqlValue::Text(text) => Some(text),
            SqlValue::Null | SqlValue::Int(_) | SqlValue::Bytes(_) => None,
        }
    }

    /// Reads a column that is bytes.
    ///
    /// # Errors
    /// `Fatal` if the column is not bytes.
    pub fn bytes(&self, column: &str) -> Result<&[u8], Failure> {
        match self.get(column) {
            SqlValue::Bytes(bytes) => Ok(bytes),
            SqlValue::Null | SqlValue::Text(_) | SqlValue::Int(_) => {
                Err(Failure::Fatal(format!("column {column} is not bytes")))
            }
        }
    }

    /// Takes the bytes of a column out of the row.
    ///
    /// # Errors
    /// `Fatal` if the column is not bytes.
    pub fn take_bytes(&mut self, column: &str) -> Result<Vec<u8>, Failure> {
        let value = self.0.iter_mut().find(|(name, _)| name == column);
        match value.map(|(_, value)| std::mem::replace(value, SqlValue::Null)) {
            Some(SqlValue::Bytes(bytes)) => Ok(bytes),
            Some(SqlValue::Null | SqlValue::Text(_) | SqlValue::Int(_)) | None => {
                Err(Failure::Fatal(format!("column {column} is not bytes")))
            }
        }
    }

    /// Reads a column that is a number.
    ///
    /// # Errors
    /// `Fatal` if the column is not a number.
    pub fn int(&self, column: &str) -> Result<i64, Failure> {
        match self.get(column) {
            SqlValue::Int(value) => Ok(*value),
            SqlValue::Null | SqlValue::Text(_) | SqlValue::Bytes(_) => {
                Err(Failure::Fatal(format!("column {column} is not a number")))
            }
        }
    }
}

/// The storage of one object.
pub trait Sql {
    /// Runs one statement.
    ///
    /// # Errors
    /// `Retriable` when the storage refuses (disk full), `Fatal` when the statement is wrong.
    fn exec(&self, query: &str, bindings: &[SqlValue]) -> Result<Vec<SqlRow>, Failure>;

    /// Runs one statement and drops its rows.
    ///
    /// # Errors
    /// The errors of [`Sql::exec`]. A row that breaks the schema is an error too. Then none of the statement's rows is kept.
    fn run(&self, query: &str, bindings: &[SqlValue]) -> Result<(), Failure> {
        self.exec(query, bindings).map(drop)
    }

    /// Runs `work` in a transaction. All of its writes are kept, or none if it fails or panics.
    ///
    /// # Errors
    /// The error that `work` returns, or the storage's own.
    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), Failure>) -> Result<(), Failure>;

    /// Deletes everything that is stored, the alarm included, and leaves no byte of it: SQLite keeps the bytes of rows that were
    /// deleted until something else needs their place. What the same turn writes afterwards is stored together with this. Do not
    /// call it inside a transaction.
    ///
    /// # Errors
    /// The error of the storage.
    fn wipe(&self) -> Result<(), Failure>;

    /// Returns the key that seals what is personal in this storage. It is not in the storage.
    ///
    /// # Errors
    /// `Retriable` where the collector's secret is not set. `Fatal` for an object that keeps nothing personal.
    fn at_rest(&self) -> Result<[u8; 32], Failure>;

    /// Draws a nonce for something that is sealed in this storage.
    fn nonce(&self) -> [u8; NONCE_BYTES];
}

/// Runs `work` in a transaction. All of its writes are kept, or none.
///
/// # Errors
/// The error of `work` or of the storage.
pub fn atomically<T>(
    sql: &impl Sql,
    mut work: impl FnMut() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut made = None;
    sql.transaction(&mut || {
        made = Some(work()?);
        Ok(())
    })?;
    made.ok_or_else(|| Failure::Fatal("a transaction did not run".to_owned()))
}
