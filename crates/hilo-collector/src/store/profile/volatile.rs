//! The values that an object keeps only in memory, and may lose at any time: leases, deliveries that wait for a message,
//! values read from the storage.
//!
//! This file has shapes, and the check that the storage has the newest schema. A restarted object begins with the
//! default and loses nothing. An object that slept gets its leases back from the isolate.

use jiff::Timestamp;

use super::bond::{Bond, Giving};
use super::known::Known;
use super::leases::{Attempts, Leases};
use super::rates::Rates;
use super::{stored_profile, timeline};
use crate::calls::Delivery;
use crate::calls::journal::lines::Attempt;
use crate::platform::{Failure, Sql, SqlValue};
use crate::store::schema;

/// The values that an object keeps only in memory.
#[derive(Debug, Default)]
pub struct Volatile {
    pub(super) leases: Leases,
    pub(super) rates: Rates,
    /// The deliveries of events that were just stored. They are leased already, and none of them has to be read again.
    pub(super) fresh: Vec<Delivery>,
    pub(super) known: Option<Known>,
    /// The ids of events that were not found for their deliveries. The shell logs them.
    pub(super) missing: Vec<String>,
    /// The deliveries that ended without the consumer. The shell counts them in the journal.
    pub(super) ended: Vec<Attempt>,
    /// Whether the schema was updated in this life of the object.
    is_current: bool,
    /// Whether the storage was made or updated, and the alarm does not know it yet.
    pub(super) is_new: bool,
    /// Whether the stored profile was of another version when somebody looked last.
    is_behind: bool,
    /// Whether the object has stored its name.
    is_named: bool,
    /// Whether the profile moves into a user's, as it is stored.
    pub(super) bond: Bond,
    /// How far that has got.
    pub(super) giving: Giving,
}

impl Volatile {
    /// Begins a new life of the object with this id, with the attempts that the isolate remembers.
    pub fn of(object: String, attempts: &mut Attempts, now: Timestamp) -> Volatile {
        let leases = attempts.of(object, now.as_millisecond());
        Volatile { leases, ..Volatile::default() }
    }

    /// Whether the object has a storage that this version can run on. Only a call that writes makes a storage. Any call
    /// updates a storage that has an older schema.
    pub(super) fn has_storage(&mut self, sql: &impl Sql, makes: bool) -> Result<bool, Failure> {
        if self.is_current {
            return Ok(true);
        }
        if schema::is_present(sql)? {
            schema::apply(sql, schema::PROFILE)?;
            if schema::has_table(sql, "events")? {
                sql.transaction(&mut || timeline::move_events(sql))?;
                self.is_new = true;
            }
            self.bond = Bond::read(sql)?;
            self.is_behind = stored_profile::is_behind(sql)?;
            self.is_current = true;
        } else if makes {
            schema::create(sql, schema::PROFILE)?;
            (self.is_current, self.is_new) = (true, true);
        }
        Ok(self.is_current)
    }

    /// Lets the alarm fold the stored profile again.
    pub(super) const fn refold(&mut self) {
        self.is_behind = true;
    }

    /// Whether the stored profile is of another version, and the alarm has to fold it again.
    pub(super) fn needs_refold(&mut self, sql: &impl Sql) -> Result<bool, Failure> {
        if self.is_behind {
            self.is_behind = stored_profile::is_behind(sql)?;
        }
        Ok(self.is_behind)
    }

    /// Stores the object's own name. Deliveries need it, and an alarm does not bring it.
    pub(super) fn remember_name(&mut self, sql: &impl Sql, name: &str) -> Result<(), Failure> {
        if !self.is_named {
            let name = [SqlValue::from(name)];
            sql.exec("INSERT OR IGNORE INTO meta (key, value) VALUES ('name', ?)", &name)?;
            self.is_named = true;
        }
        Ok(())
    }

    /// Forgets all but the rates, because the storage is wiped or deleted.
    pub fn forget(&mut self) {
        let (rates, mut leases) =
            (std::mem::take(&mut self.rates), std::mem::take(&mut self.leases));
        leases.clear();
        leases.is_behind = true;
        *self = Volatile { rates, leases, ..Volatile::default() };
    }

    /// Takes the ids of events that were not found for their deliveries.
    pub fn take_missing(&mut self) -> Vec<String> {
        std::mem::take(&mut self.missing)
    }

    /// Takes the deliveries that ended without the consumer.
    pub fn take_ended(&mut self) -> Vec<Attempt> {
        std::mem::take(&mut self.ended)
    }

    /// Whether the storage waits for its first alarm.
    pub const fn needs_alarm(&self) -> bool {
        self.is_new
    }

    /// Runs `work` on the known values, which are read first if memory has lost them.
    ///
    /// A failure drops all known values, because `work` may have changed them without storing the change.
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
