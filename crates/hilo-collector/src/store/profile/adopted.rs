//! The tokens that have handed the profile's id over. Each opens once, also for two that come at the same time and after a restart.
//!
//! One value of `meta`: random number → when the token ends. A number is kept until then, because nobody refuses a copy of its token
//! before. The object's own clock decides when a token has ended, so that no number is forgotten too early.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::claim;
use crate::calls::{Adopt, Proof, Whose, decode, encode};
use crate::platform::{Failure, Sql, SqlValue};

/// The most tokens that have not ended. A visitor follows a few links in a minute.
const ADOPTED_MAX: usize = 32;
/// When somebody may try again who met that bound.
const RETRY_S: u32 = 10;

/// Judges a claim by a token; `None` for a token that was used or has ended. Run it inside a transaction.
pub(super) fn adopt(
    sql: &impl Sql,
    adopt: &Adopt,
    is_new: bool,
    now: Timestamp,
) -> Result<Option<Whose>, Failure> {
    let now_ms = now.as_millisecond();
    let mut used = used(sql, now_ms)?;
    if adopt.until_ms <= now_ms || used.contains_key(&adopt.number) {
        return Ok(None);
    }
    if used.len() >= ADOPTED_MAX {
        return Err(Failure::Busy { after_s: RETRY_S });
    }
    let proof = Proof { shown: Some(adopt.proof.clone()), ..Proof::default() };
    let mut whose = claim::whose(sql, &proof, is_new)?;
    if whose == Whose::Anothers && adopt.is_vouched {
        claim::vouch(sql, &adopt.proof)?;
        whose = Whose::Yours;
    }
    if whose.is_senders() {
        used.insert(adopt.number.clone(), adopt.until_ms);
        write(sql, &used)?;
    }
    Ok(Some(whose))
}

/// Forgets the tokens that have ended. Returns when the last of the others ends.
pub(super) fn forget(sql: &impl Sql, now: Timestamp) -> Result<Option<Timestamp>, Failure> {
    let last_ms = used(sql, now.as_millisecond())?.into_values().max();
    if last_ms.is_none() {
        sql.run("DELETE FROM meta WHERE key = 'adopted'", &[])?;
    }
    let last = last_ms.map(Timestamp::from_millisecond).transpose();
    last.map_err(|error| Failure::Fatal(error.to_string()))
}

/// Reads the tokens that were used and have not ended.
fn used(sql: &impl Sql, now_ms: i64) -> Result<BTreeMap<String, i64>, Failure> {
    let rows = sql.exec("SELECT value FROM meta WHERE key = 'adopted'", &[])?;
    let mut used: BTreeMap<String, i64> =
        rows.first().map(|row| decode(row.text("value")?)).transpose()?.unwrap_or_default();
    used.retain(|_, until_ms| *until_ms > now_ms);
    Ok(used)
}

fn write(sql: &impl Sql, used: &BTreeMap<String, i64>) -> Result<(), Failure> {
    sql.run(
        "INSERT OR REPLACE INTO meta (key, value) VALUES ('adopted', ?)",
        &[SqlValue::Text(encode(used)?)],
    )
}
