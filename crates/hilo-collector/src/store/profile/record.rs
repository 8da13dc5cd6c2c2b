//! Keeps events: one synchronous block for timeline, session, profile and outbox.
//!
//! Records of one profile in, one [`Recorded`] each out, in order. The recorded consent is the authority here, not the
//! event's own claim: a page may be old, forged or late.

use std::collections::BTreeMap;

use hilo_core::consent::Purpose;
use hilo_core::event::Event;
use hilo_core::journey::{Session, attribute};
use crate::standin::profile::{Profile, fold};
use jiff::Timestamp;

use super::consent::Standing;
use super::{consent, millis};
use crate::calls::{Planned, Record, Recorded, decode, encode};
use crate::platform::{Failure, Sql, SqlValue};

/// Keeps `records`. Run it inside a transaction.
pub(super) fn record(
    sql: &impl Sql,
    records: Vec<Record>,
    now: Timestamp,
) -> Result<Vec<Recorded>, Failure> {
    let standing = consent::standing(sql)?;
    let mut sessions = Sessions::default();
    let mut profile = load_profile(sql)?;
    let mut recorded = Vec::with_capacity(records.len());
    let mut changed = false;
    for Record { mut event, destinations } in records {
        let revision = event.context.consent.as_ref().map_or(0, |claim| claim.revision);
        if standing.denies(event.purposes(), revision) {
            recorded.push(Recorded::ConsentDenied);
            continue;
        }
        let opened = sessions.attribute(sql, &mut event)?;
        if !insert(sql, &event)? {
            recorded.push(Recorded::Duplicate);
            continue;
        }
        if let Some(session) = opened {
            sessions.keep(sql, session)?;
        }
        let destinations = queue_up(sql, &event, &destinations, &standing, now)?;
        recorded.push(Recorded::Stored { channel: event.context.hilo.channel, destinations });
        profile = fold(profile, &event);
        changed = true;
    }
    if changed {
        let profile = SqlValue::Text(encode(&profile)?);
        sql.exec("INSERT OR REPLACE INTO meta (key, value) VALUES ('profile', ?)", &[profile])?;
    }
    Ok(recorded)
}

fn load_profile(sql: &impl Sql) -> Result<Profile, Failure> {
    match sql.exec("SELECT value FROM meta WHERE key = 'profile'", &[])?.first() {
        Some(row) => decode(row.text("value")?),
        None => Ok(Profile::default()),
    }
}

/// Whether the event is new.
fn insert(sql: &impl Sql, event: &Event) -> Result<bool, Failure> {
    let rows = sql.exec(
        "INSERT INTO events (message_id, occurred_ms, body) VALUES (?, ?, ?)
         ON CONFLICT (message_id) DO NOTHING RETURNING seq",
        &[
            SqlValue::from(event.message_id.as_str()),
            SqlValue::int(millis(event.occurred_at))?,
            SqlValue::Text(encode(event)?),
        ],
    )?;
    Ok(!rows.is_empty())
}

/// One outbox row per destination that the recorded consent does not rule out.
fn queue_up(
    sql: &impl Sql,
    event: &Event,
    destinations: &[Planned],
    standing: &Standing,
    now: Timestamp,
) -> Result<Vec<String>, Failure> {
    let revision = event.context.consent.as_ref().map_or(0, |claim| claim.revision);
    let mut names = Vec::with_capacity(destinations.len());
    for planned in destinations {
        if standing.denies(&planned.purposes, revision) {
            continue;
        }
        let purposes: Vec<&str> = planned.purposes.iter().map(|p: &Purpose| p.name()).collect();
        let now = SqlValue::int(millis(now))?;
        sql.exec(
            "INSERT OR IGNORE INTO outbox (message_id, destination, purposes, next_ms, updated_ms)
             VALUES (?, ?, ?, ?, ?)",
            &[
                SqlValue::from(event.message_id.as_str()),
                SqlValue::from(planned.name.as_str()),
                SqlValue::Text(purposes.join(",")),
                now.clone(),
                now,
            ],
        )?;
        names.push(planned.name.clone());
    }
    Ok(names)
}

/// The sessions that this batch has met: a batch is mostly one session, so each is read once.
#[derive(Default)]
struct Sessions(BTreeMap<String, Option<Session>>);

impl Sessions {
    fn attribute(&mut self, sql: &impl Sql, event: &mut Event) -> Result<Option<Session>, Failure> {
        let Some(id) = event.context.hilo.session.as_ref().map(|hint| hint.id.clone()) else {
            return Ok(None);
        };
        if !self.0.contains_key(&id) {
            let known = read_session(sql, &id)?;
            self.0.insert(id.clone(), known);
        }
        Ok(attribute(event, self.0.get(&id).and_then(Option::as_ref)))
    }

    fn keep(&mut self, sql: &impl Sql, session: Session) -> Result<(), Failure> {
        sql.exec(
            "INSERT OR IGNORE INTO sessions (id, touch) VALUES (?, ?)",
            &[SqlValue::from(session.id.as_str()), SqlValue::Text(encode(&session.touch)?)],
        )?;
        self.0.insert(session.id.clone(), Some(session));
        Ok(())
    }
}

fn read_session(sql: &impl Sql, id: &str) -> Result<Option<Session>, Failure> {
    let rows = sql.exec("SELECT touch FROM sessions WHERE id = ?", &[SqlValue::from(id)])?;
    match rows.first() {
        Some(row) => Ok(Some(Session { id: id.to_owned(), touch: decode(row.text("touch")?)? })),
        None => Ok(None),
    }
}
