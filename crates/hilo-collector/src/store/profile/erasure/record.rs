//! The record of an erasure: what it refuses from then on, and which steps are left.
//!
//! One value of `meta` ⇄ [`Record`]. It stays for as long as receipts do, because it proves the erasure.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::remains::Remains;
use crate::calls::erasure::{
    CartClaim, CartToErase, Erase, Erased, ErasureStanding, ErasureStatus, Step,
};
use crate::calls::{LAST_ATTEMPT_MS, decode, encode};
use crate::platform::{Failure, Sql, SqlValue};

/// An erasure.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in super::super) struct Record {
    /// When it was asked for.
    pub(super) at_ms: i64,
    pub(super) is_device: bool,
    /// The object of the user's profile that the device's had begun to move into.
    pub(super) linked_to: Option<String>,
    /// Whether that profile has forgotten the device.
    pub(super) has_left: bool,
    /// The objects of linked devices, until their erasure begins.
    pub(super) devices: Vec<String>,
    /// Those of them whose erasure has begun, until it is done.
    pub(super) begun: Vec<String>,
    /// The carts that are left.
    pub(super) carts: Vec<CartToErase>,
    /// When no delivery is under way any more; 0 if none was.
    pub(super) quiet_ms: i64,
    /// The keys of the person's addresses, until the index has forgotten them.
    pub(super) keys: Vec<String>,
    pub(super) has_journal_forgotten: bool,
    /// The destinations that are left.
    pub(super) destinations: Vec<String>,
    pub(super) refused_by: Vec<String>,
    /// The attempts of the present step that failed.
    pub(super) attempts: u32,
    /// When the next attempt is due.
    pub(super) next_ms: i64,
    pub(super) done_ms: Option<i64>,
}

impl Record {
    /// Begins an erasure.
    pub(super) fn new(erase: &Erase, remains: &Remains, now: Timestamp) -> Record {
        let now_ms = now.as_millisecond();
        let mut devices = remains.device_hashes.clone();
        devices.extend(erase.device.clone());
        let mut record = Record {
            at_ms: now_ms,
            is_device: erase.is_device || (erase.by_link && remains.customer.is_none()),
            // A user's profile that is erased itself need not forget anything.
            linked_to: remains.linked_to.clone().filter(|_| !erase.by_link),
            devices: remains.linked.clone(),
            quiet_ms: if remains.has_deliveries { now_ms + LAST_ATTEMPT_MS } else { 0 },
            // Destinations know the person behind a pointer, and nobody here.
            destinations: if remains.has_moved { Vec::new() } else { erase.destinations.clone() },
            keys: remains.keys.clone(),
            next_ms: now_ms,
            ..Record::default()
        };
        record.add_carts(&erase.carts);
        record.add_carts(remains.customer.as_slice());
        for label in &remains.carts {
            record.add_cart(label, CartClaim::OfDevice(devices.clone()));
        }
        record
    }

    /// Adds carts that a caller has proved to be the person's.
    pub(super) fn add_carts(&mut self, labels: &[String]) {
        labels.iter().for_each(|label| self.add_cart(label, CartClaim::Proved));
    }

    /// Adds a cart. What is proved outweighs every other claim.
    pub(super) fn add_cart(&mut self, label: &str, claim: CartClaim) {
        match self.carts.iter_mut().find(|cart| cart.label == label) {
            Some(cart) if claim == CartClaim::Proved => cart.claim = claim,
            Some(_) => {}
            None => {
                let (label, asked_ms) = (label.to_owned(), self.at_ms);
                self.carts.push(CartToErase { label, claim, asked_ms });
            }
        }
    }

    /// Takes over what an earlier erasure has left to do, and what has to be known of it for ever.
    pub(super) fn go_on_from(&mut self, before: Record) {
        self.is_device |= before.is_device;
        if self.linked_to.is_none() {
            (self.linked_to, self.has_left) = (before.linked_to.clone(), before.has_left);
        }
        if !before.is_under_way() {
            return;
        }
        for name in before.devices.into_iter().chain(before.begun) {
            add(&mut self.devices, name);
        }
        before.carts.into_iter().for_each(|cart| self.add_cart(&cart.label, cart.claim));
        before.keys.into_iter().for_each(|key| add(&mut self.keys, key));
        self.quiet_ms = self.quiet_ms.max(before.quiet_ms);
        before.destinations.into_iter().for_each(|name| add(&mut self.destinations, name));
        self.refused_by = before.refused_by;
    }

    /// Whether any step is left.
    pub(super) const fn is_under_way(&self) -> bool {
        self.done_ms.is_none()
    }

    /// The step that is next; `None` if none is left.
    pub(super) fn step(&self) -> Option<Step> {
        if !self.devices.is_empty() {
            Some(Step::Devices)
        } else if !self.carts.is_empty() {
            Some(Step::Carts)
        } else if self.quiet_ms > 0 {
            Some(Step::Deliveries)
        } else if !self.keys.is_empty() {
            Some(Step::Addresses)
        } else if !self.has_journal_forgotten {
            Some(Step::Journal)
        } else if !self.begun.is_empty() || self.leaves().is_some() {
            Some(Step::Links)
        } else if !self.destinations.is_empty() {
            Some(Step::Destinations)
        } else {
            None
        }
    }

    /// The object of the user's profile that still knows the device.
    pub(super) fn leaves(&self) -> Option<&str> {
        self.linked_to.as_deref().filter(|_| !self.has_left)
    }

    /// The answer to the call that began it, in the object called `name`.
    pub(super) fn erased(&self, name: &str) -> Result<Erased, Failure> {
        let (name, linked_to) = (name.to_owned(), self.linked_to.clone());
        Ok(Erased { name, standing: self.standing()?, linked_to })
    }

    /// How far it is.
    pub(super) fn standing(&self) -> Result<ErasureStanding, Failure> {
        let step = self.step().filter(|_| self.is_under_way());
        let status = if self.is_under_way() { ErasureStatus::Erasing } else { ErasureStatus::Done };
        let done_at = self.done_ms.map(text).transpose()?;
        let refused_by = self.refused_by.clone();
        Ok(ErasureStanding { status, since: text(self.at_ms)?, done_at, step, refused_by })
    }

    pub(super) fn read(sql: &impl Sql) -> Result<Option<Record>, Failure> {
        let rows = sql.exec("SELECT value FROM meta WHERE key = 'erasure'", &[])?;
        rows.first().map(|row| decode(row.text("value")?)).transpose()
    }

    pub(super) fn write(&self, sql: &impl Sql) -> Result<(), Failure> {
        sql.run(
            "INSERT OR REPLACE INTO meta (key, value) VALUES ('erasure', ?)",
            &[SqlValue::Text(encode(self)?)],
        )
    }
}

/// Adds a name that the list does not have.
fn add(names: &mut Vec<String>, name: String) {
    if !names.contains(&name) {
        names.push(name);
    }
}

fn text(ms: i64) -> Result<String, Failure> {
    let time = Timestamp::from_millisecond(ms);
    time.map(|time| time.to_string()).map_err(|error| Failure::Fatal(error.to_string()))
}

/// What an erasure refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Tombstone {
    at_ms: i64,
    is_device: bool,
}

impl Tombstone {
    /// Whether something of this time is refused: a device's id is never used again, and a user may come back.
    pub(in super::super) fn refuses(self, at: Timestamp) -> bool {
        self.is_device || at.as_millisecond() <= self.at_ms
    }

    /// Whether nothing is taken any more.
    pub(in super::super) const fn is_for_ever(self) -> bool {
        self.is_device
    }
}

/// Reads what the erasure refuses; `None` where nothing was erased.
pub(in super::super) fn tombstone(sql: &impl Sql) -> Result<Option<Tombstone>, Failure> {
    let record = Record::read(sql)?;
    Ok(record.map(|Record { at_ms, is_device, .. }| Tombstone { at_ms, is_device }))
}

/// Reads which object the erased device had moved into, or was on its way to.
pub(in super::super) fn linked_to(sql: &impl Sql) -> Result<Option<String>, Failure> {
    Ok(Record::read(sql)?.and_then(|record| record.linked_to))
}

/// Reads how far the erasure is; `None` where nothing was erased.
pub(in super::super) fn standing(sql: &impl Sql) -> Result<Option<ErasureStanding>, Failure> {
    Record::read(sql)?.as_ref().map(Record::standing).transpose()
}

/// Returns when the next step is due, if any is left.
pub(in super::super) fn next_ms(sql: &impl Sql) -> Result<Option<i64>, Failure> {
    Ok(Record::read(sql)?.filter(Record::is_under_way).map(|record| record.next_ms))
}

/// Removes the record of an erasure that was done before this time. Returns the time of a record that stays.
pub(in super::super) fn remove_before(
    sql: &impl Sql,
    before_ms: i64,
) -> Result<Option<i64>, Failure> {
    let Some(record) = Record::read(sql)? else { return Ok(None) };
    if record.is_under_way() || record.at_ms >= before_ms {
        return Ok(Some(record.at_ms));
    }
    sql.run("DELETE FROM meta WHERE key = 'erasure'", &[])?;
    Ok(None)
}
