//! A row of the timeline: the events that came together, one right after another, a head that tells where each is, and the facts of
//! their touchpoints.
//!
//! Events → row, row → events. This file has no SQL.

use hilo_core::journey::{Session, Touchpoint};
use serde::{Deserialize, Serialize};

use crate::calls::{decode, encode};
use crate::platform::{Failure, Sql, SqlRow, SqlValue};
use crate::signature::sha256;
use crate::store::at_rest;

/// The bytes of an id's hash.
pub(super) const HASH_BYTES: usize = 8;

/// The first 64 bits of the id's SHA-256.
///
/// Two of n different ids have the same hash with a probability of n² / 2^65: for a person with 100,000 events that is one in
/// three thousand million. Whoever searches for such ids on purpose loses an event of their own.
pub(in super::super) fn hash(message_id: &str) -> u64 {
    let digest = sha256(message_id.as_bytes());
    digest.iter().take(HASH_BYTES).fold(0, |hash, byte| (hash << 8) | u64::from(*byte))
}

/// One event of a row.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Entry<'r> {
    /// Its number.
    pub(in super::super) number: i64,
    /// When it happened.
    pub(in super::super) occurred_ms: i64,
    /// The hash of its id.
    pub(in super::super) hash: u64,
    /// The source that sent it, where it is known.
    pub(in super::super) source: Option<&'r str>,
    /// The event as JSON.
    pub(in super::super) body: &'r str,
    /// The facts of its touchpoint. Events that were stored without them have none.
    pub(in super::super) touchpoint: Option<&'r Touchpoint>,
}

/// Where an event is: its number minus that of the row, its time, its bytes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Mark(i64, i64, usize);

/// A destination, and the events that were planned for it: runs of the first number (minus that of the row) and a count.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct To(String, Vec<(i64, i64)>);

impl To {
    /// Adds an event. Events are added in order.
    fn add(&mut self, place: i64) {
        match self.1.last_mut() {
            Some((first, count)) if *first + *count == place => *count += 1,
            Some(_) | None => self.1.push((place, 1)),
        }
    }

    fn has(&self, place: i64) -> bool {
        self.1.iter().any(|(first, count)| (*first..*first + *count).contains(&place))
    }
}

/// What stands before the bodies.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Head {
    marks: Vec<Mark>,
    /// The sources, each with the number of its events in a row.
    sources: Vec<(Option<String>, usize)>,
    to: Vec<To>,
}

/// A row of the timeline.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in super::super) struct Row {
    /// The number that is the row's key: that of its first event, when the row was made.
    pub(in super::super) seq: i64,
    /// When the row was stored.
    pub(in super::super) at_ms: i64,
    /// The sessions that its events opened.
    pub(in super::super) opened: Vec<Session>,
    hashes: Vec<u64>,
    head: Head,
    bodies: String,
    /// The facts of the touchpoints, in order. Shorter where the last events have none.
    #[serde(default)]
    touchpoints: Vec<Option<Touchpoint>>,
}

impl Row {
    /// Begins a row without events.
    pub(in super::super) fn new(seq: i64, at_ms: i64) -> Row {
        let (opened, hashes, head, bodies, touchpoints) = Default::default();
        Row { seq, at_ms, opened, hashes, head, bodies, touchpoints }
    }

    /// Adds an event with a larger number than all before it, and the names of its destinations.
    pub(in super::super) fn add<'d>(
        &mut self,
        entry: Entry<'_>,
        to: impl IntoIterator<Item = &'d str>,
    ) {
        let Entry { number, occurred_ms, hash, source, body, touchpoint } = entry;
        let place = number - self.seq;
        self.head.marks.push(Mark(place, occurred_ms, body.len()));
        match self.head.sources.last_mut() {
            Some((last, count)) if last.as_deref() == source => *count += 1,
            Some(_) | None => self.head.sources.push((source.map(str::to_owned), 1)),
        }
        for name in to {
            match self.head.to.iter_mut().find(|To(known, _)| known == name) {
                Some(known) => known.add(place),
                None => self.head.to.push(To(name.to_owned(), vec![(place, 1)])),
            }
        }
        // Events before it may have been stored without facts.
        if let Some(touchpoint) = touchpoint {
            self.touchpoints.resize(self.hashes.len(), None);
            self.touchpoints.push(Some(touchpoint.clone()));
        }
        self.hashes.push(hash);
        self.bodies.push_str(body);
    }

    /// Adds the events of a later row, and its sessions.
    pub(in super::super) fn append(&mut self, later: &Row) {
        for entry in later.entries() {
            self.add(entry, later.destinations(entry.number).map(|(_, name)| name));
        }
        self.opened.extend_from_slice(&later.opened);
    }

    /// Lists the events in order.
    pub(in super::super) fn entries(&self) -> impl DoubleEndedIterator<Item = Entry<'_>> {
        let sources = self.head.sources.iter();
        let mut sources =
            sources.flat_map(|(name, count)| std::iter::repeat_n(name.as_deref(), *count));
        let mut touchpoints = self.touchpoints.iter();
        let mut at = 0;
        let entry = |(Mark(place, occurred_ms, bytes), hash): (&Mark, &u64)| {
            let body = self.bodies.get(at..at + bytes).unwrap_or_default();
            at += bytes;
            let (number, source) = (self.seq + place, sources.next().flatten());
            let touchpoint = touchpoints.next().and_then(Option::as_ref);
            Entry { number, occurred_ms: *occurred_ms, hash: *hash, source, body, touchpoint }
        };
        let entries: Vec<_> = self.head.marks.iter().zip(&self.hashes).map(entry).collect();
        entries.into_iter()
    }

    /// Lists the destinations that an event was planned for, each with its index in this row.
    pub(in super::super) fn destinations(
        &self,
        number: i64,
    ) -> impl DoubleEndedIterator<Item = (usize, &str)> {
        let place = number - self.seq;
        let to = self.head.to.iter().enumerate();
        to.filter(move |(_, to)| to.has(place)).map(|(at, To(name, _))| (at, name.as_str()))
    }

    /// Whether it has no event.
    pub(in super::super) const fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// The bytes of the events.
    pub(in super::super) const fn bytes(&self) -> usize {
        self.bodies.len()
    }

    /// The values of the columns, in the order of [`COLUMNS`]. The bodies and the facts are sealed: the name of an act may be personal.
    pub(super) fn values(self, sql: &impl Sql) -> Result<Vec<SqlValue>, Failure> {
        let marks = self.head.marks.iter();
        let times = || marks.clone().map(|Mark(_, occurred_ms, _)| *occurred_ms);
        let last = marks.clone().next_back().map_or(0, |Mark(place, ..)| *place);
        let opened = match self.opened.as_slice() {
            [] => SqlValue::Null,
            opened => SqlValue::Text(encode(opened)?),
        };
        let touchpoints = match self.touchpoints.as_slice() {
            [] => SqlValue::Null,
            some => {
                let written = encode(some)?;
                SqlValue::Bytes(at_rest::seal(sql, &facts(self.seq), written.as_bytes())?)
            }
        };
        Ok(vec![
            SqlValue::int(self.seq)?,
            SqlValue::int(self.seq + last)?,
            SqlValue::int(self.at_ms)?,
            SqlValue::int(times().min().unwrap_or(self.at_ms))?,
            SqlValue::int(times().max().unwrap_or(self.at_ms))?,
            SqlValue::Bytes(self.hashes.iter().flat_map(|hash| hash.to_be_bytes()).collect()),
            opened,
            SqlValue::Text(encode(&self.head)?),
            SqlValue::Bytes(at_rest::seal(sql, &place(self.seq), self.bodies.as_bytes())?),
            touchpoints,
        ])
    }

    /// Reads a row with all of its columns.
    pub(super) fn read(sql: &impl Sql, mut row: SqlRow) -> Result<Row, Failure> {
        let bodies = open(sql, row.int("seq")?, row.take_bytes("bodies")?)?;
        let bodies = String::from_utf8(bodies);
        let bodies = bodies.map_err(|error| Failure::Fatal(error.to_string()))?;
        let head: Head = decode(row.text("head")?)?;
        let touchpoints = touchpoints(sql, &mut row)?;
        if head.marks.iter().map(|Mark(.., bytes)| bytes).sum::<usize>() != bodies.len() {
            return Err(Failure::Fatal("a row of the timeline is cut short".to_owned()));
        }
        Ok(Row {
            seq: row.int("seq")?,
            at_ms: row.int("at_ms")?,
            opened: row.text_opt("opened").map_or_else(|| Ok(Vec::new()), decode)?,
            hashes: hashes(row.bytes("ids")?).collect(),
            head,
            bodies,
            touchpoints,
        })
    }
}

/// The columns of a row.
pub(super) const COLUMNS: &str =
    "seq, last, at_ms, first_ms, last_ms, ids, opened, head, bodies, facts";

/// Opens the bodies of the row with this key.
pub(super) fn open(sql: &impl Sql, seq: i64, bodies: Vec<u8>) -> Result<Vec<u8>, Failure> {
    at_rest::open(sql, &place(seq), bodies)
}

/// The place of a row's bodies: they open in no other row.
fn place(seq: i64) -> String {
    format!("events {seq}")
}

/// The place of the facts of a row's touchpoints.
fn facts(seq: i64) -> String {
    format!("facts {seq}")
}

/// Opens the facts of a row's touchpoints. Facts that cannot be read are found anew where somebody asks for them.
fn touchpoints(sql: &impl Sql, row: &mut SqlRow) -> Result<Vec<Option<Touchpoint>>, Failure> {
    if *row.get("facts") == SqlValue::Null {
        return Ok(Vec::new());
    }
    let opened = at_rest::open(sql, &facts(row.int("seq")?), row.take_bytes("facts")?)?;
    Ok(serde_json::from_slice(&opened).unwrap_or_default())
}

/// Reads the hashes of a row.
fn hashes(ids: &[u8]) -> impl Iterator<Item = u64> {
    let whole = ids.chunks_exact(HASH_BYTES);
    whole.map(|bytes| bytes.iter().fold(0, |hash, byte| (hash << 8) | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_are_joined_keep_numbers_sources_and_destinations_of_their_events() {
        let entry = |number, source, body| {
            let (occurred_ms, hash) = (number * 10, hash(body));
            Entry { number, occurred_ms, hash, source, body, touchpoint: None }
        };
        let mut first = Row::new(5, 1);
        first.add(entry(5, Some("shop"), "ñ"), ["w", "x"]);
        first.add(entry(7, None, "{}"), ["w"]);
        let mut later = Row::new(8, 2);
        later.add(entry(8, Some("app"), "[1]"), ["x", "w"]);
        first.append(&later);
        let seen: Vec<_> = first.entries().map(|one| (one.number, one.source, one.body)).collect();
        assert_eq!(seen, [(5, Some("shop"), "ñ"), (7, None, "{}"), (8, Some("app"), "[1]")]);
        let to = |number| first.destinations(number).map(|(_, name)| name).collect::<Vec<_>>();
        assert_eq!(
            [to(5), to(6), to(7), to(8)],
            [vec!["w", "x"], vec![], vec!["w"], vec!["w", "x"]]
        );
    }
}
