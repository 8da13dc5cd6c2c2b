//! Whose the profile is: it is bound once to the hash of a proof, and nothing changes that.
//!
//! Hashes of proofs → [`Whose`]. Only a claim that finds no storage may bind it: a profile that has events without a proof belongs
//! to whoever sent them, and anybody may know its id.

use crate::calls::{Proof, Whose};
use crate::platform::{Failure, Sql, SqlValue};
use crate::signature::equal;

/// Judges a claim. `is_new` says that this call has just made the storage. Run it inside a transaction.
pub(super) fn whose(sql: &impl Sql, proof: &Proof, is_new: bool) -> Result<Whose, Failure> {
    if let (true, Some(fresh)) = (is_new, &proof.fresh) {
        sql.exec(
            "INSERT INTO meta (key, value) VALUES ('proof', ?)",
            &[SqlValue::from(fresh.as_str())],
        )?;
        return Ok(Whose::New);
    }
    let pair = bound(sql)?.zip(proof.shown.as_ref());
    let is_proved = pair.is_some_and(|(bound, shown)| equal(&bound, shown));
    Ok(if is_proved { Whose::Yours } else { Whose::Anothers })
}

/// Whether the profile is bound to a proof.
pub(super) fn is_bound(sql: &impl Sql) -> Result<bool, Failure> {
    Ok(bound(sql)?.is_some())
}

fn bound(sql: &impl Sql) -> Result<Option<String>, Failure> {
    let rows = sql.exec("SELECT value FROM meta WHERE key = 'proof'", &[])?;
    rows.first().map(|row| row.text("value").map(str::to_owned)).transpose()
}
