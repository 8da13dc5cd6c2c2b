//! Whose the profile is: it is bound once to the hash of a proof, and nothing changes that.
//!
//! Hashes of proofs → [`Whose`]. Only a claim that finds no storage binds a new proof: a profile that has events without a proof
//! belongs to whoever sent them, and anybody may know its id. A proof that is shown is another matter: the collector signed it for
//! a binding of this very id, which an object without anything else to keep has forgotten. A proof that the page made itself opens what
//! it was bound to, and binds like any new one: an answer may be lost, and the same page comes again.

use super::erasure::{self, Tombstone};
use crate::calls::{Proof, Whose};
use crate::platform::{Failure, Sql, SqlValue};
use crate::signature::equal;

/// Judges a claim. `is_new` says that this call has just made the storage. Run it inside a transaction.
pub(super) fn whose(sql: &impl Sql, proof: &Proof, is_new: bool) -> Result<Whose, Failure> {
    if erasure::tombstone(sql)?.is_some_and(Tombstone::is_for_ever) {
        return Ok(Whose::Erased);
    }
    match (bound(sql)?, &proof.shown, &proof.fresh) {
        (Some(bound), Some(shown), _) if equal(&bound, shown) || is_vouched(sql, shown)? => {
            Ok(Whose::Yours)
        }
        (None, Some(shown), _) => bind(sql, shown).map(|()| Whose::Yours),
        (Some(bound), ..) if proof.offered.as_ref().is_some_and(|one| equal(&bound, one)) => {
            Ok(Whose::New)
        }
        (None, None, Some(fresh)) if is_new => bind(sql, fresh).map(|()| Whose::New),
        _ => Ok(Whose::Anothers),
    }
}

fn bind(sql: &impl Sql, hash: &str) -> Result<(), Failure> {
    sql.run("INSERT INTO meta (key, value) VALUES ('proof', ?)", &[SqlValue::from(hash)])
}

/// Opens a bound profile to a second proof: a server vouches for whoever shows it.
pub(super) fn vouch(sql: &impl Sql, hash: &str) -> Result<(), Failure> {
    let hash = [SqlValue::from(hash)];
    sql.run("INSERT OR REPLACE INTO meta (key, value) VALUES ('vouched', ?)", &hash)
}

fn is_vouched(sql: &impl Sql, shown: &str) -> Result<bool, Failure> {
    let rows = sql.exec("SELECT value FROM meta WHERE key = 'vouched'", &[])?;
    rows.first().map_or(Ok(false), |row| Ok(equal(row.text("value")?, shown)))
}

/// Whether the profile is bound to a proof.
pub(super) fn is_bound(sql: &impl Sql) -> Result<bool, Failure> {
    Ok(bound(sql)?.is_some())
}

fn bound(sql: &impl Sql) -> Result<Option<String>, Failure> {
    let rows = sql.exec("SELECT value FROM meta WHERE key = 'proof'", &[])?;
    rows.first().map(|row| row.text("value").map(str::to_owned)).transpose()
}
