//! SQLite of a Durable Object: statements and values → rows. It makes few calls into JavaScript, because each event
//! batch runs several statements. This file has no schema.

use wasm_bindgen::{JsCast, JsValue};
use worker::State;
use worker::js_sys::{Array, Uint8Array};

use super::bindings::{self, Cursor, Sqlite, Storage, word};
use crate::platform::{Failure, Sql, SqlRow, SqlValue};
use crate::seal::NONCE_BYTES;

/// SQLite of a Durable Object.
pub(super) struct ObjectSql {
    sql: Sqlite,
    storage: Storage,
    at_rest: Result<[u8; 32], Failure>,
}

impl ObjectSql {
    /// Returns the storage of the object with this state. It keeps nothing personal.
    pub(super) fn of(state: &State) -> ObjectSql {
        let (storage, sql) = (state.storage(), state.storage().sql());
        let raw: &JsValue = storage.as_raw().as_ref();
        let sql: &JsValue = sql.as_ref();
        let at_rest = Err(Failure::Fatal("this object seals nothing".to_owned()));
        let (sql, storage) = (sql.clone().unchecked_into(), raw.clone().unchecked_into());
        ObjectSql { sql, storage, at_rest }
    }

    /// The same storage, which seals what is personal under this key.
    pub(super) fn sealing(self, at_rest: Result<[u8; 32], Failure>) -> ObjectSql {
        ObjectSql { at_rest, ..self }
    }

    fn start(&self, query: &str, bindings: &[SqlValue]) -> Result<Cursor, Failure> {
        let values = Array::new();
        for value in bindings {
            values.push(&match value {
                SqlValue::Null => JsValue::NULL,
                SqlValue::Int(whole) => JsValue::from_f64(number(*whole)),
                SqlValue::Text(text) => JsValue::from_str(text),
                SqlValue::Bytes(bytes) => Uint8Array::from(bytes.as_slice()).into(),
            });
        }
        self.sql.exec(&word(query), &values).map_err(|error| failed(&error))
    }

    /// Sets the alarm. This write is atomic with the rows that were written before it in this turn.
    pub(super) fn set_alarm(&self, at_ms: i64) -> Result<(), Failure> {
        // The promise is not awaited: if the write fails, the output gate never opens and the caller gets no answer.
        self.storage.set_alarm(number(at_ms)).map(drop).map_err(|error| failed(&error))
    }
}

fn failed(error: &JsValue) -> Failure {
    let text = worker::js_sys::Error::from(error.clone()).message();
    Failure::Retriable(String::from(text))
}

impl Sql for ObjectSql {
    fn exec(&self, query: &str, bindings: &[SqlValue]) -> Result<Vec<SqlRow>, Failure> {
        let cursor = self.start(query, bindings)?;
        let found = cursor.raw().to_array().map_err(|error| failed(&error))?;
        if found.length() == 0 {
            return Ok(Vec::new());
        }
        let names: Vec<String> =
            cursor.column_names().iter().map(|name| name.as_string().unwrap_or_default()).collect();
        let row = |row: JsValue| {
            let values = row.unchecked_into::<Array>();
            SqlRow(names.iter().cloned().zip(values.iter().map(|one| value(&one))).collect())
        };
        Ok(found.iter().map(row).collect())
    }

    fn run(&self, query: &str, bindings: &[SqlValue]) -> Result<(), Failure> {
        self.start(query, bindings).map(drop)
    }

    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), Failure>) -> Result<(), Failure> {
        let mut why = None;
        let done = bindings::transaction_sync(&self.storage, &mut || {
            work().map(|()| JsValue::UNDEFINED).map_err(|failure| {
                let text = JsValue::from_str(failure.message());
                why = Some(failure);
                text
            })
        });
        done.map_err(|error| why.take().unwrap_or_else(|| failed(&error)))
    }

    fn wipe(&self) -> Result<(), Failure> {
        // The promise is not awaited: the storage is empty at once, and what is written in this turn is committed together with
        // the deletion (workerd, src/workerd/io/actor-sqlite.c++, `deleteAll`).
        self.storage.delete_all().map(drop).map_err(|error| failed(&error))
    }

    fn at_rest(&self) -> Result<[u8; 32], Failure> {
        self.at_rest.clone()
    }

    fn nonce(&self) -> [u8; NONCE_BYTES] {
        let mut nonce = [0; NONCE_BYTES];
        bindings::fill_random(&mut nonce);
        nonce
    }
}

#[expect(clippy::cast_precision_loss, reason = "SqlValue::int keeps it within 2^53")]
const fn number(whole: i64) -> f64 {
    whole as f64
}

#[expect(clippy::cast_possible_truncation, reason = "the schemas have whole numbers only")]
fn value(value: &JsValue) -> SqlValue {
    match (value.as_string(), value.as_f64()) {
        (Some(text), _) => SqlValue::Text(text),
        (None, Some(number)) => SqlValue::Int(number as i64),
        // The runtime returns bytes as an ArrayBuffer.
        (None, None) if value.is_object() => SqlValue::Bytes(Uint8Array::new(value).to_vec()),
        (None, None) => SqlValue::Null,
    }
}
