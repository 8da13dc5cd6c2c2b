//! Whose the profile is: it is bound once to the hash of a proof, and nothing changes that.
//!
//! Hashes of proofs → [`Whose`]. Only a claim that finds no storage may bind it: a profile that has events without a proof belongs
//! to whoever sent them, and anybody may know its id.

use super::consent;
use crate::calls::{Claimed, Proof, Whose};
use crate::platform::{Failure, Sql, SqlValue};
use crate::signature::equal;

/// Judges a claim. `is_new` says that this call has just made the storage. Run it inside a transaction.
pub(super) fn claim(sql: &impl Sql, proof: &Proof, is_new: bool) -> Result<Claimed, Failure> {
    if let (true, Some(fresh)) = (is_new, &proof.fresh) {
        sql.exec(
            "INSERT INTO meta (key, value) VALUES ('proof', ?)",
            &[SqlValue::from(fresh.as_str())],
        )?;
        return Ok(Claimed { whose: Whose::New, ..Claimed::default() });
    }
    let bound = bound(sql)?;
    let is_proved = bound.zip(proof.shown.as_ref()).is_some_and(|(one, other)| equal(&one, other));
    if !is_proved {
        return Ok(Claimed { whose: Whose::Anothers, ..Claimed::default() });
    }
    let consent = consent::told(&consent::standing(sql)?);
    Ok(Claimed { whose: Whose::Yours, consent })
}

/// Whether the profile is bound to a proof.
pub(super) fn is_bound(sql: &impl Sql) -> Result<bool, Failure> {
    Ok(bound(sql)?.is_some())
}

fn bound(sql: &impl Sql) -> Result<Option<String>, Failure> {
    let rows = sql.exec("SELECT value FROM meta WHERE key = 'proof'", &[])?;
    rows.first().map(|row| row.text("value").map(str::to_owned)).transpose()
}
