//! The user's profile takes a part of one that moves. Each part counts once.

use std::collections::BTreeSet;

use hilo_core::journey::Session;
use hilo_core::profile::{Profile, join};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::to_raw_value;

use super::super::bond::Bond;
use super::super::consent::Joining;
use super::super::erasure::Tombstone;
use super::super::known::Known;
use super::super::standing::Standing;
use super::super::timeline::{self, Entry, Row};
use super::super::volatile::Volatile;
use super::super::{addresses, consent, erasure, index_keys, link, optin, outbox, stored_profile};
use super::begin::{cancel, remember_customer};
use super::cargo::{self, Cargo, InForce, StoredDelivery, StoredLink, StoredReceipt};
use crate::calls::link::{Earlier, LinkTo, Seen, Take, Taken};
use crate::calls::{decode, encode};
use crate::platform::{Failure, Sql, SqlValue};

/// Takes a part into the profile in the object called `name`. Also returns whether deliveries wait that have to be judged anew.
pub(in super::super) fn take(
    sql: &impl Sql,
    volatile: &mut Volatile,
    name: &str,
    take: &Take,
    now: Timestamp,
) -> Result<(Taken, bool), Failure> {
    let refused = Taken { name: name.to_owned(), is_refused: true, ..Taken::default() };
    if take.from == name {
        return Ok((refused, false));
    }
    if matches!(&volatile.bond, Bond::Moving(to) if to.name == take.from) {
        // Each would move into the other. Both objects decide alike, and neither has taken anything of the other yet.
        if name > take.from.as_str() {
            return Ok((refused, false));
        }
        cancel(sql, volatile)?;
    }
    if let Some(to) = &take.to
        && let Some(erase) = erasure::since(sql, to.at_ms)?
    {
        return Ok((Taken { erase: Some(Box::new(erase)), ..Taken::default() }, false));
    }
    if take.to.is_none() && is_bare(sql)? {
        // Nothing is left that the pointer could lead to, so both ends of the link go.
        leave(sql, &take.from)?;
        return Ok((Taken::default(), false));
    }
    let cargo: Cargo = decode(take.cargo.get())?;
    let is_judged_anew = cargo.consent.is_some() || !cargo.optins.is_empty();
    let (mut cargo, mut seen) = (Some(cargo), Seen::default());
    volatile.with_known(sql, |known| {
        sql.transaction(&mut || {
            seen = match (&take.to, cargo.take()) {
                (Some(to), Some(cargo)) => {
                    if let Some(cart) = to.cart.as_ref().filter(|_| to.name == name) {
                        remember_customer(sql, cart)?;
                    }
                    Part { sql, name, from: &take.from, to, now }.take(known, cargo)?
                }
                (None, Some(Cargo { outbox: Some(rows), .. })) => {
                    deliveries(sql, &take.from, &rows)?;
                    cargo::seen(sql, &take.from)?
                }
                (_, _) => cargo::seen(sql, &take.from)?,
            };
            Ok(())
        })
    })?;
    // The next call reads everything again.
    volatile.known = None;
    let is_recalled = is_judged_anew && outbox::recall(volatile);
    let in_force = InForce { consent: Standing::read(sql)?, optins: optin::subscriptions(sql)? };
    let in_force = to_raw_value(&in_force).map_err(|error| Failure::Fatal(error.to_string()))?;
    let in_force = Some(in_force);
    let is_elsewhere = take.to.as_ref().is_some_and(|to| to.name != name);
    let user = if is_elsewhere { addresses::user(sql, volatile)? } else { None };
    let taken = Taken { name: name.to_owned(), user, seen, in_force, ..Taken::default() };
    Ok((taken, is_recalled))
}

/// Whether the profile has nothing but links.
fn is_bare(sql: &impl Sql) -> Result<bool, Failure> {
    let is_stored =
        "SELECT 1 FROM batches UNION ALL SELECT 1 FROM receipts UNION ALL SELECT 1 FROM optins
        UNION ALL SELECT 1 FROM outbox LIMIT 1";
    let is_empty = sql.exec(is_stored, &[])?.is_empty();
    Ok(is_empty && stored_profile::read(sql)?.profile.last_seen.is_none())
}

/// Forgets the link of the profile in the object called `from`. What that profile would have sent is sent by nobody any more.
pub(in super::super) fn leave(sql: &impl Sql, from: &str) -> Result<(), Failure> {
    sql.run("DELETE FROM links WHERE name = ?", &[SqlValue::from(from)])?;
    let keys = [cargo::key(from), link::device_key(from)].map(SqlValue::Text);
    sql.run("DELETE FROM meta WHERE key IN (?, ?)", &keys)?;
    let elsewhere = "DELETE FROM outbox WHERE link = ? AND state = 'elsewhere'";
    sql.run(elsewhere, &[SqlValue::from(from)])
}

/// The time of a receipt.
#[derive(Deserialize)]
struct Dated {
    at: String,
}

/// Whether the person was erased after something of this time. A text that is no time counts as older.
fn is_erased(erased: Option<Tombstone>, at: &str) -> bool {
    erased.is_some_and(|erased| at.parse().map_or(true, |at| erased.refuses(at)))
}

/// Returns the sessions of a row that one of its events names.
fn named_by(row: &Row) -> Result<Vec<Session>, Failure> {
    let mut named = BTreeSet::new();
    for entry in row.entries() {
        named.extend(stored_profile::gist(entry)?.session);
    }
    Ok(row.opened.iter().filter(|session| named.contains(&session.id)).cloned().collect())
}

/// A part that is being taken. All of it runs inside a transaction.
struct Part<'p, S> {
    sql: &'p S,
    /// The object's own name.
    name: &'p str,
    from: &'p str,
    to: &'p LinkTo,
    now: Timestamp,
}

impl<S: Sql> Part<'_, S> {
    fn take(&self, known: &mut Known, cargo: Cargo) -> Result<Seen, Failure> {
        let Part { sql, from, to, now, .. } = *self;
        let before = cargo::seen(sql, from)?;
        let mut seen = before;
        sql.run(
            "INSERT OR IGNORE INTO links (name, at) VALUES (?, ?)",
            &[SqlValue::from(from), SqlValue::int(now.as_millisecond())?],
        )?;
        if let Earlier::Device(hash) = &to.earlier {
            device(sql, from, hash)?;
        }
        cargo.links.iter().try_for_each(|one| self.link(one))?;
        cargo.keys.iter().try_for_each(|key| index_keys::note(sql, key, now))?;
        if let Some(consent) = cargo.consent.filter(|one| one.revision() > seen.revision) {
            consent::join(sql, &consent, &Joining { from, head: &cargo.head, to }, now)?;
            seen.revision = consent.revision();
        }
        let erased = known.erased;
        for one in cargo.receipts.iter().filter(|one| one.seq > before.receipts) {
            if !is_erased(erased, &decode::<Dated>(&one.body)?.at) {
                self.receipt(one)?;
            }
            seen.receipts = one.seq;
        }
        for (seq, entry) in cargo.optins.iter().filter(|(seq, _)| *seq > before.optins) {
            if !is_erased(erased, &entry.at) {
                optin::join(sql, entry)?;
            }
            seen.optins = *seq;
        }
        for row in cargo.rows {
            seen.events = self.events(known, row, seen.events)?;
        }
        if let Some(remainder) = cargo.remainder.filter(|_| !seen.has_remainder) {
            // What was removed is older than the erasure.
            self.remainder(if erased.is_some() { Profile::default() } else { remainder })?;
            seen.has_remainder = true;
        } else if seen.events > before.events {
            // Many events may come, so the stored profile follows part by part.
            let stored_profile::Completed { profile, last, .. } = stored_profile::read(sql)?;
            stored_profile::write(sql, &profile, last)?;
        }
        if seen != before {
            cargo::see(sql, from, &seen)?;
        }
        Ok(seen)
    }

    /// Adds the events of a row after number `after` that this timeline lacks. Returns the number of the last one.
    fn events(&self, known: &mut Known, mut row: Row, after: i64) -> Result<i64, Failure> {
        let mut last = after;
        let mut new = Row::new(known.next_event, row.at_ms);
        new.opened = std::mem::take(&mut row.opened);
        let mut is_whole = true;
        for entry in row.entries().filter(|entry| entry.number > after) {
            last = entry.number;
            let at = Timestamp::from_millisecond(entry.occurred_ms).unwrap_or(Timestamp::MIN);
            if known.erased.is_some_and(|erased| erased.refuses(at)) {
                is_whole = false;
                continue;
            }
            // Nobody asked the person before the event of a contact was stored.
            if self.to.earlier == Earlier::Contact
                && known.standing.denies(&stored_profile::gist(entry)?.purposes)
            {
                is_whole = false;
                continue;
            }
            if known.ids.insert(entry.hash) {
                let to = row.destinations(entry.number).map(|(_, name)| name);
                new.add(Entry { number: known.next_event, ..entry }, to);
                known.next_event += 1;
            }
        }
        if !is_whole {
            new.opened = named_by(&new)?;
        }
        if !new.is_empty() {
            timeline::insert(self.sql, new)?;
        }
        Ok(last)
    }

    /// Adds a receipt to the chain of its object.
    fn receipt(&self, one: &StoredReceipt) -> Result<(), Failure> {
        let chain = if one.chain.is_empty() { self.from } else { one.chain.as_str() };
        // The same choice may have a receipt in the person's own chain.
        self.sql.run(
            "INSERT INTO receipts (fingerprint, hash, body, chain)
             SELECT CASE WHEN EXISTS (SELECT 1 FROM receipts WHERE fingerprint = ?1) THEN ?4 || '/' || ?1 ELSE ?1 END,
               ?2, ?3, ?4
             WHERE NOT EXISTS (SELECT 1 FROM receipts WHERE chain = ?4 AND hash = ?2)",
            &[
                SqlValue::from(one.fingerprint.as_str()),
                SqlValue::from(one.hash.as_str()),
                SqlValue::from(one.body.as_str()),
                SqlValue::from(chain),
            ],
        )
    }

    /// Joins the folds of the events that were removed. The profile gets the user's id, which the events of a device do not have.
    fn remainder(&self, theirs: Profile) -> Result<(), Failure> {
        let mut whole = stored_profile::read(self.sql)?;
        let mut mine = stored_profile::remainder(self.sql)?;
        mine.user_id = mine.user_id.or_else(|| self.to.user.clone());
        stored_profile::write_remainder(self.sql, join(mine, theirs.clone()))?;
        // A fold of the timeline that is under way began without it.
        stored_profile::forget_refold(self.sql)?;
        whole.profile = join(whole.profile, theirs);
        let user = whole.profile.user_id.take();
        whole.profile.user_id = user.or_else(|| self.to.user.clone());
        stored_profile::write(self.sql, &whole.profile, whole.last)
    }

    /// Takes over a profile that had moved into the one that moves.
    fn link(&self, one: &StoredLink) -> Result<(), Failure> {
        if one.name == self.name {
            // It had begun to move there, before the way led back.
            return Ok(());
        }
        self.sql.run(
            "INSERT OR IGNORE INTO links (name, at) VALUES (?, ?)",
            &[SqlValue::from(one.name.as_str()), SqlValue::int(one.at)?],
        )?;
        one.device.iter().try_for_each(|hash| device(self.sql, &one.name, hash))?;
        let seen = cargo::seen(self.sql, &one.name)?;
        cargo::see(self.sql, &one.name, &seen.or(one.seen))
    }
}

/// Keeps the hash of the id of the device in the object called `from`: it proves whose carts are the user's.
fn device(sql: &impl Sql, from: &str, hash: &str) -> Result<(), Failure> {
    sql.run(
        "INSERT OR IGNORE INTO meta (key, value) VALUES (?, ?)",
        &[SqlValue::Text(link::device_key(from)), SqlValue::from(hash)],
    )
}

/// Shows the deliveries of a profile that has moved. Those that are pending there are not sent from here.
fn deliveries(sql: &impl Sql, from: &str, rows: &[StoredDelivery]) -> Result<(), Failure> {
    let told = encode(rows)?;
    // An event has one row for each destination there, and the numbers of rows come back.
    sql.run(
        "DELETE FROM outbox WHERE link = ?1 AND (state = 'elsewhere' OR EXISTS (
           SELECT 1 FROM json_each(?2) AS told, json_each(told.value ->> 'message_ids') AS theirs
           WHERE told.value ->> 'destination' = outbox.destination
             AND theirs.value IN (SELECT value FROM json_each(outbox.message_ids))))",
        &[SqlValue::from(from), SqlValue::from(told.as_str())],
    )?;
    if rows.is_empty() {
        return Ok(());
    }
    // The events have other numbers here, so a replay looks for them from the beginning.
    sql.run(
        "INSERT INTO outbox (message_ids, destination, purposes, channel, state, attempts, next_ms, reason, updated_ms,
           steps, wants_person, since_ms, event, link)
         SELECT value ->> 'message_ids', value ->> 'destination', value ->> 'purposes', value ->> 'channel',
           CASE value ->> 'state' WHEN 'pending' THEN 'elsewhere' ELSE value ->> 'state' END, value ->> 'attempts',
           value ->> 'next_ms', value ->> 'reason', value ->> 'updated_ms', value ->> 'steps', value ->> 'wants_person',
           value ->> 'since_ms', 1, ?
         FROM json_each(?)",
        &[SqlValue::from(from), SqlValue::Text(told)],
    )
}
