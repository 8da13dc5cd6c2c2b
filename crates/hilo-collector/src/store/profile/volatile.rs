//! What an object keeps in memory only, and may lose at any moment: leases, deliveries that wait for a message, values read from
//! the storage.
//!
//! Shapes, and the check that the storage has the newest schema. A restarted object begins with the default and loses nothing.

use super::known::Known;
use super::leases::Leases;
use crate::calls::Delivery;
use crate::platform::{Failure, Sql};
use crate::store::schema;

/// See the module.
#[derive(Debug, Default)]
pub struct Volatile {
    pub(super) leases: Leases,
    /// Deliveries of events that were just stored: leased already, and nothing of them has to be read again.
    pub(super) fresh: Vec<Delivery>,
    pub(super) known: Option<Known>,
    /// Whether the schema was brought up to date in this life of the object.
    is_current: bool,
    /// Whether the object has stored its name.
    pub(super) is_named: bool,
}

impl Volatile {
    /// Whether there is a storage, of the newest schema. Only a call that writes makes one. A storage of an older schema is
    /// brought up to date by whichever call comes first.
    pub(super) fn has_storage(&mut self, sql: &impl Sql, makes: bool) -> Result<bool, Failure> {
        if !self.is_current && (makes || schema::is_present(sql)?) {
            schema::apply(sql, schema::PROFILE)?;
            self.is_current = true;
        }
        Ok(self.is_current)
    }

    /// Does something with what is known, which is read first if memory has lost it.
    ///
    /// A failure forgets everything known, because `work` may have changed it without storing the change.
    pub(super) fn with_known<S: Sql, T>(
        &mut self,
        sql: &S,
        work: impl FnOnce(&mut Known) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut known = match self.known.take() {
            Some(known) => known,
            None => Known::read(sql)?,
        };
        let made = work(&mut known)?;
        self.known = Some(known);
        Ok(made)
    }
}
