//! SQLite inside one object: positional `?` parameters, synchronous, one transaction at a time.
//! In: a statement and values. Out: rows by column name. Knows no schema.

use super::Failure;

/// The largest whole number that survives the way through a JavaScript number.
const INT_MAX: i64 = (1 << 53) - 1;

/// A value that SQL holds. No floats: ids and money never pass through them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SqlValue {
    /// NULL.
    Null,
    /// A whole number within ±(2^53 − 1); make it with [`SqlValue::int`].
    Int(i64),
    /// Text.
    Text(String),
    /// Bytes, to be taken apart by a statement; no column holds any.
    Bytes(Vec<u8>),
}

impl SqlValue {
    /// A number that can be bound.
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
    /// The value of a column; `Null` where there is none.
    pub fn get(&self, column: &str) -> &SqlValue {
        self.0.iter().find(|(name, _)| name == column).map_or(&SqlValue::Null, |(_, value)| value)
    }

    /// A column that is text.
    ///
    /// # Errors
    /// `Fatal` when it is not: schema and code disagree.
    pub fn text(&self, column: &str) -> Result<&str, Failure> {
        match self.get(column) {
            SqlValue::Text(text) => Ok(text),
            SqlValue::Null | SqlValue::Int(_) | SqlValue::Bytes(_) => {
                Err(Failure::Fatal(format!("column {column} is not text")))
            }
        }
    }

    /// A column that is text or NULL.
    pub fn text_opt(&self, column: &str) -> Option<&str> {
        match self.get(column) {
            SqlValue::Text(text) => Some(text),
            SqlValue::Null | SqlValue::Int(_) | SqlValue::Bytes(_) => None,
        }
    }

    /// A column that is a number.
    ///
    /// # Errors
    /// `Fatal` when it is not.
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
    /// As [`Sql::exec`]; also when a row breaks the schema, and then none of the statement's rows is kept.
    fn run(&self, query: &str, bindings: &[SqlValue]) -> Result<(), Failure> {
        self.exec(query, bindings).map(drop)
    }

    /// Runs `work` so that all of its writes are kept, or none: also when it fails half-way or panics.
    ///
    /// # Errors
    /// Whatever `work` answers.
    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), Failure>) -> Result<(), Failure>;
}
