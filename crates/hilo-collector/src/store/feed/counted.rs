//! Counters of posts: totals → their differences from the last ones. A difference may be negative: likes are taken back.
//!
//! Floats, because services send them; no id and no money is among them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::calls::feed::Counters;
use crate::calls::{decode, encode};
use crate::platform::{Failure, Sql, SqlValue};

/// The most things whose totals are kept. Posts are measured for some weeks.
const COUNTERS_MAX: u32 = 20_000;

/// Notes totals, and returns them with their differences; `None` if nothing has changed.
pub(super) fn count(
    sql: &impl Sql,
    counters: &Counters,
    now_ms: i64,
) -> Result<Option<Value>, Failure> {
    let of = SqlValue::from(counters.of.as_str());
    let rows = sql.exec("SELECT totals FROM counters WHERE of = ?", std::slice::from_ref(&of))?;
    let before: BTreeMap<String, f64> =
        rows.first().map_or_else(|| Ok(BTreeMap::new()), |row| decode(row.text("totals")?))?;
    let mut delta = Map::new();
    for (name, total) in &counters.totals {
        let change = total - before.get(name).copied().unwrap_or_default();
        if change != 0.0 {
            delta.insert(name.clone(), number(change));
        }
    }
    if delta.is_empty() {
        return Ok(None);
    }
    let row = "INSERT OR REPLACE INTO counters (of, totals, at_ms) VALUES (?, ?, ?)";
    let totals = SqlValue::Text(encode(&counters.totals)?);
    sql.run(row, &[of, totals, SqlValue::int(now_ms)?])?;
    Ok(Some(Value::Object(delta)))
}

/// A whole number without a fraction, as services write it.
fn number(change: f64) -> Value {
    let text = change.to_string();
    text.parse::<i64>().map_or_else(|_| json!(change), Value::from)
}

/// Forgets the totals that were measured longest ago.
pub(super) fn prune(sql: &impl Sql) -> Result<(), Failure> {
    let oldest = "DELETE FROM counters WHERE of IN (SELECT of FROM counters ORDER BY at_ms DESC LIMIT -1 OFFSET ?)";
    sql.run(oldest, &[COUNTERS_MAX.into()])
}
