//! What an object of the inbox keeps in memory. A restarted object has none of it.

use crate::platform::{Failure, Sql};
use crate::store::schema;

/// The value that the object keeps in memory: whether the schema was updated in this life of the object.
#[derive(Debug, Default)]
pub struct Volatile {
    is_current: bool,
}

impl Volatile {
    /// Updates the schema. An object that has stored nothing gets no storage by a call that only reads: then it returns false.
    pub(super) fn open(&mut self, sql: &impl Sql, is_new: bool) -> Result<bool, Failure> {
        if !self.is_current {
            if !is_new && !schema::is_present(sql)? {
                return Ok(false);
            }
            schema::apply(sql, schema::INBOX)?;
            self.is_current = true;
        }
        Ok(true)
    }

    /// Forgets that there is a storage, because it is deleted.
    pub fn forget(&mut self) {
        self.is_current = false;
    }
}
