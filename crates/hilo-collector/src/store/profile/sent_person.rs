//! The person that is sent with a delivery: what consent allows of it, the key of its archive, both or neither.
//!
//! What a row of the outbox says that its destination wants → a person, or none. Consent decides in `known.rs`.

use std::rc::Rc;

use hilo_core::consent::Purpose;
use hilo_core::profile::Person;

use super::archive_key::archive_key;
use super::known::Known;
use super::volatile::Volatile;
use crate::calls::Planned;
use crate::platform::{Failure, Sql, SqlRow};

/// What a destination wants of the person, and whether it must have the events. One number of a row of the outbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wants {
    person: bool,
    key: bool,
    /// Whether the events go there whatever purposes the person allows.
    pub(super) is_owed: bool,
}

impl Wants {
    const PERSON: u8 = 1;
    const KEY: u8 = 2;
    const OWED: u8 = 4;

    pub(super) const fn of(planned: &Planned) -> Wants {
        let Planned { wants_person: person, wants_key: key, is_owed, .. } = *planned;
        Wants { person, key, is_owed }
    }

    pub(super) fn read(row: &SqlRow) -> Result<Wants, Failure> {
        let flags = row.int("wants_person")?;
        let has = |flag: u8| flags & i64::from(flag) != 0;
        let (person, key, is_owed) = (has(Wants::PERSON), has(Wants::KEY), has(Wants::OWED));
        Ok(Wants { person, key, is_owed })
    }

    pub(super) const fn flags(self) -> u8 {
        (if self.person { Wants::PERSON } else { 0 })
            | (if self.key { Wants::KEY } else { 0 })
            | (if self.is_owed { Wants::OWED } else { 0 })
    }

    /// Whether neither the person nor the key is wanted.
    const fn is_nobody(self) -> bool {
        !self.person && !self.key
    }
}

/// Returns the person for a destination that wants one, or only the key of its lines.
pub(super) fn person(
    sql: &impl Sql,
    known: &Known,
    wants: Wants,
    purposes: &[Purpose],
    profile: &str,
) -> Result<Option<Rc<Person>>, Failure> {
    if wants.is_nobody() {
        return Ok(None);
    }
    let mut person = if wants.person { known.person(purposes) } else { Person::default() };
    if wants.key {
        person.archive_key = Some(archive_key(sql, profile)?);
    }
    Ok(Some(Rc::new(person)))
}

/// The persons of rows that are sent together, by what their destinations want and the purposes that they need.
#[derive(Default)]
pub(super) struct Persons(Vec<(Wants, String, Rc<Person>)>);

impl Persons {
    /// Returns the person for a row whose destination wants one. Rows with the same purposes share a person.
    pub(super) fn of_row(
        &mut self,
        sql: &impl Sql,
        volatile: &mut Volatile,
        row: &SqlRow,
        purposes: &[Purpose],
    ) -> Result<Option<Rc<Person>>, Failure> {
        let (wants, text) = (Wants::read(row)?, row.text("purposes")?);
        if wants.is_nobody() {
            return Ok(None);
        }
        let is_same = |(known, needed, _): &&(Wants, String, _)| *known == wants && needed == text;
        if let Some((_, _, person)) = self.0.iter().find(is_same) {
            return Ok(Some(Rc::clone(person)));
        }
        let profile = row.text("profile")?;
        let person =
            volatile.with_known(sql, |known| person(sql, known, wants, purposes, profile))?;
        if let Some(person) = &person {
            self.0.push((wants, text.to_owned(), Rc::clone(person)));
        }
        Ok(person)
    }
}
