//! Which rows a call of an import may store: each row belongs to the call that brought it first.
//!
//! Rows → verdicts, and a claim on the rows that are to be stored.

use std::collections::BTreeMap;

use crate::calls::encode;
use crate::calls::imports::Verdict;
use crate::platform::{Failure, Sql, SqlValue};

/// A call of an import.
pub(super) struct Call {
    pub(super) import: i64,
    pub(super) seq: u32,
    /// Whether changed rows become updates.
    pub(super) updates: bool,
}

/// What is known of a row.
struct Known {
    digest: String,
    import: i64,
    seq: i64,
    is_update: bool,
    /// Whether the call that claimed it is done.
    is_done: bool,
}

impl Call {
    /// Judges rows, each by keyed hash and digest, and claims those that are to be stored.
    pub(super) fn claim(
        &self,
        sql: &impl Sql,
        rows: &[(String, String)],
    ) -> Result<Vec<Verdict>, Failure> {
        let known = known(sql, rows)?;
        let mut here: BTreeMap<&str, &str> = BTreeMap::new();
        let mut verdicts = Vec::with_capacity(rows.len());
        let mut claimed = Vec::new();
        for (key, digest) in rows {
            let verdict = match here.get(key.as_str()) {
                Some(first) if first == digest => Verdict::Duplicate,
                Some(_) => Verdict::Conflict,
                None => self.judge(known.get(key), digest),
            };
            here.entry(key).or_insert(digest);
            if matches!(verdict, Verdict::New | Verdict::Update) {
                claimed.push((key, digest, u8::from(verdict == Verdict::Update)));
            }
            verdicts.push(verdict);
        }
        if !claimed.is_empty() {
            sql.run(
                "INSERT OR REPLACE INTO keys (key, digest, import, seq, is_update)
                 SELECT value ->> 0, value ->> 1, ?, ?, value ->> 2 FROM json_each(?)",
                &[SqlValue::int(self.import)?, self.seq.into(), encode(&claimed)?.into()],
            )?;
        }
        Ok(verdicts)
    }

    fn judge(&self, known: Option<&Known>, digest: &str) -> Verdict {
        let Some(known) = known else { return Verdict::New };
        let is_same = known.digest == digest;
        let own = (known.import, known.seq) == (self.import, i64::from(self.seq));
        // A call that was cut. The one of another import may never be sent again, so its row is stored once more: the profile knows
        // the event's id.
        if is_same && (own || (!known.is_done && known.import != self.import)) {
            return if known.is_update { Verdict::Update } else { Verdict::New };
        }
        match (is_same, self.updates) {
            (true, _) => Verdict::Duplicate,
            (false, true) => Verdict::Update,
            (false, false) => Verdict::Conflict,
        }
    }
}

fn known(sql: &impl Sql, rows: &[(String, String)]) -> Result<BTreeMap<String, Known>, Failure> {
    let keys: Vec<&String> = rows.iter().map(|(key, _)| key).collect();
    let found = sql.exec(
        "SELECT keys.*, calls.seq IS NOT NULL AS is_done FROM json_each(?) AS asked
         JOIN keys ON keys.key = asked.value
         LEFT JOIN calls ON calls.import = keys.import AND calls.seq = keys.seq",
        &[encode(&keys)?.into()],
    )?;
    let mut known = BTreeMap::new();
    for row in found {
        let one = Known {
            digest: row.text("digest")?.to_owned(),
            import: row.int("import")?,
            seq: row.int("seq")?,
            is_update: row.int("is_update")? == 1,
            is_done: row.int("is_done")? == 1,
        };
        known.insert(row.text("key")?.to_owned(), one);
    }
    Ok(known)
}

/// Gives claims of a call back: these rows are not stored.
pub(super) fn release(
    sql: &impl Sql,
    (import, seq): (i64, u32),
    keys: &[String],
) -> Result<(), Failure> {
    if keys.is_empty() {
        return Ok(());
    }
    sql.run(
        "DELETE FROM keys WHERE key IN (SELECT value FROM json_each(?)) AND import = ? AND seq = ?",
        &[encode(keys)?.into(), SqlValue::int(import)?, seq.into()],
    )
}
