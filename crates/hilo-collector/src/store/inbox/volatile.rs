//! What an object of the inbox keeps in memory. A restarted object has none of it.

use crate::platform::{Failure, Sql};
use crate::store::schema::{self, Updated};

/// The value that the object keeps in memory.
#[derive(Debug, Default)]
pub struct Volatile {
    updated: Updated,
}

impl Volatile {
    /// Updates the schema. An object that has stored nothing gets no storage by a call that only reads: then it returns false.
    pub(super) fn open(&mut self, sql: &impl Sql, is_new: bool) -> Result<bool, Failure> {
        if !self.updated.is_done() && !is_new && !schema::is_present(sql)? {
            return Ok(false);
        }
        self.updated.once(sql, schema::INBOX)?;
        Ok(true)
    }

    /// Forgets that there is a storage, because it is deleted.
    pub fn forget(&mut self) {
        self.updated = Updated::default();
    }
}
