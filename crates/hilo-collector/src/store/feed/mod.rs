//! The object of a feed: how far its service was read, by which run, and the touchpoints that are about no person.
//!
//! A call as JSON → an answer as JSON. A page's touchpoints and the state behind it are written together, so a kill repeats a page and
//! never loses one. The object makes no request and has no alarm: the scheduled trigger begins runs.

mod counted;
mod due;
mod flags;
mod kept;
mod records;
mod told;
mod touches;

use jiff::Timestamp;

use self::kept::Kept;
use super::schema;
pub use super::schema::Updated as Volatile;
use crate::calls::feed::{Begun, FeedCall, FeedStanding, LEASE_MS, RunEnd, Taken};
use crate::calls::{decode, encode};
use crate::platform::{Failure, Sql, atomically};

/// The most bytes of a state. A page of activities is the longest.
const STATE_BYTES_MAX: usize = 512 * 1024;

/// Answers a call.
///
/// # Errors
/// The error of the storage, or of a call that cannot be read.
pub fn answer(
    sql: &impl Sql,
    volatile: &mut Volatile,
    call: &str,
    now: Timestamp,
) -> Result<String, Failure> {
    let call: FeedCall = decode(call)?;
    if !volatile.is_done() {
        // Who only looks makes no storage.
        let is_new = !schema::is_present(sql)?;
        if is_new && matches!(call, FeedCall::Standing) {
            return encode(&FeedStanding::default());
        }
        if is_new && matches!(call, FeedCall::Due { .. }) {
            return Ok("[]".to_owned());
        }
        volatile.once(sql, schema::FEED)?;
    }
    atomically(sql, || take(sql, &call, now))
}

fn take(sql: &impl Sql, call: &FeedCall, now: Timestamp) -> Result<String, Failure> {
    match call {
        FeedCall::Begin { run, calls_max } => encode(&begin(sql, run, *calls_max, now)?),
        FeedCall::Hurry => encode(&hurry(sql, now)?),
        FeedCall::Records(all) => encode(&records::keep(sql, all)?),
        FeedCall::Record { of } => encode(&records::find(sql, of)?),
        FeedCall::Erased { id } => encode(&told::erased(sql, id)?),
        FeedCall::Forget { told, of } => encode(&records::forget(sql, told, of)?),
        FeedCall::Heard(asked) => encode(&flags::heard(sql, asked)?),
        FeedCall::Page { .. } => encode(&page(sql, call, now)?),
        FeedCall::End { run, end, every_s } => encode(&ended(sql, run, (end, *every_s), now)?),
        FeedCall::Told { ids } => encode(&told::note(sql, ids, now)?),
        FeedCall::Standing => encode(&standing(sql, now)?),
        FeedCall::Events { cursor, limit } => {
            encode(&touches::page(sql, cursor.as_deref(), *limit)?)
        }
        FeedCall::Due { limit } => encode(&due::take(sql, *limit, now)?),
        FeedCall::Confirm { confirmations } => encode(&due::confirm(sql, confirmations, now)?),
        FeedCall::Wanted(asked) => encode(&due::wanted(sql, asked)?),
        FeedCall::Sending(asked) => encode(&due::sending(sql, asked)?),
        FeedCall::Replay { destination, message } => {
            encode(&due::replay(sql, destination.as_deref(), message.as_deref(), now)?)
        }
    }
}

/// Begins a run, unless it is not due, another one runs, or the calls of 24 hours are used up.
fn begin(sql: &impl Sql, run: &str, calls_max: u32, now: Timestamp) -> Result<Begun, Failure> {
    let now_ms = now.as_millisecond();
    let mut kept = Kept::read(sql)?;
    let (told, deleted) = (told::ids(sql)?, told::deletions(sql)?);
    kept.first_ms.get_or_insert(now_ms);
    let waits_ms = kept.next_ms.filter(|at_ms| *at_ms > now_ms);
    // What a service has told is read at the next occasion, unless it asks to wait.
    let has_told = !told.is_empty() || !deleted.is_empty();
    let is_due = waits_ms.is_none() || (has_told && kept.failing_ms.is_none());
    if kept.run.as_ref().is_some_and(|run| run.until_ms > now_ms) {
        return Ok(Begun::Runs);
    }
    if let (false, Some(at_ms)) = (is_due, waits_ms) {
        return Ok(Begun::Waits { at_ms });
    }
    if !kept::count_call(sql, calls_max, now)? {
        kept.spent(now_ms);
        kept.write(sql)?;
        return Ok(Begun::Spent);
    }
    kept.begin(run, now_ms + LEASE_MS);
    kept.write(sql)?;
    Ok(Begun::Run { state: kept.state, told, deleted })
}

/// Makes a run due now.
fn hurry(sql: &impl Sql, now: Timestamp) -> Result<(), Failure> {
    let mut kept = Kept::read(sql)?;
    (kept.run, kept.next_ms) = (None, Some(now.as_millisecond()));
    kept.write(sql)
}

/// Keeps a page of the run that is under way.
fn page(sql: &impl Sql, call: &FeedCall, now: Timestamp) -> Result<Taken, Failure> {
    let FeedCall::Page { run, state, touches, flags, read, reports, odd, goes_on, calls_max } =
        call
    else {
        return Err(Failure::Fatal("no page".to_owned()));
    };
    let now_ms = now.as_millisecond();
    let mut kept = Kept::read(sql)?;
    if !kept.is_of(run) {
        return Ok(Taken::Lost);
    }
    if encode(state)?.len() > STATE_BYTES_MAX {
        return Err(Failure::Fatal("the state of a feed is too long".to_owned()));
    }
    for touch in touches {
        touches::add(sql, touch, now_ms)?;
    }
    touches::prune(sql)?;
    flags::keep(sql, flags)?;
    read.iter().try_for_each(|one| told::take_away(sql, one))?;
    kept.state = state.clone();
    kept.reports += u64::from(*reports);
    kept.odd += u64::from(*odd);
    kept.begin(run, now_ms + LEASE_MS);
    let taken = match goes_on {
        false => Taken::Stop,
        true if kept::count_call(sql, *calls_max, now)? => Taken::GoOn,
        true => Taken::Spent,
    };
    kept.write(sql)?;
    Ok(taken)
}

/// Ends a run. One that has lost its place changes nothing.
fn ended(
    sql: &impl Sql,
    run: &str,
    (end, every_s): (&RunEnd, u32),
    now: Timestamp,
) -> Result<(), Failure> {
    let mut kept = Kept::read(sql)?;
    if kept.is_of(run) {
        kept.end(end, every_s, now.as_millisecond());
        kept.write(sql)?;
    }
    Ok(())
}

fn standing(sql: &impl Sql, now: Timestamp) -> Result<FeedStanding, Failure> {
    let kept = Kept::read(sql)?;
    let count = |query: &str| -> Result<u32, Failure> {
        let rows = sql.exec(query, &[])?;
        let count = rows.first().map_or(Ok(0), |row| row.int("n"))?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    };
    Ok(FeedStanding {
        calls: kept::calls(sql, now)?,
        told: count("SELECT count(*) AS n FROM told")?,
        touches: count("SELECT count(*) AS n FROM touches")?,
        pending: count("SELECT count(*) AS n FROM due WHERE next_ms IS NOT NULL")?,
        dead: count("SELECT count(*) AS n FROM due WHERE next_ms IS NULL")?,
        ..kept.standing()
    })
}
