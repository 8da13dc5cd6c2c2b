//! The one row of a feed's object: state, run, success and failure; and the calls of the service by hour.
//!
//! Read, changed and written inside the transaction of a call.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::calls::feed::{FeedStanding, RunEnd};
use crate::calls::{decode, encode};
use crate::platform::{Failure, Sql, SqlValue};

/// The seconds after the first failure, doubled by each further one.
const AGAIN_S: u32 = 60;
/// The longest wait after a failure, where the service asks for no longer one.
const AGAIN_S_MAX: u32 = 3_600;
/// The longest wait that a service may ask for.
const ASKED_S_MAX: u32 = 86_400;
/// An hour.
const HOUR_MS: i64 = 3_600_000;
/// The hours for which calls count.
const HOURS: i64 = 24;
/// Why nothing is read when the calls of a day are used up.
const SPENT: &str = "the calls of 24 hours are used up: raise daily_calls, or every_minutes";

/// A run under way.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Run {
    id: String,
    /// The end of its lease.
    pub(super) until_ms: i64,
}

/// What is kept.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Kept {
    /// What the pages so far have left.
    pub(super) state: Value,
    /// The run under way.
    pub(super) run: Option<Run>,
    /// When the first run began.
    pub(super) first_ms: Option<i64>,
    /// When everything was read last.
    done_ms: Option<i64>,
    /// When the next run is due.
    pub(super) next_ms: Option<i64>,
    /// Since when runs fail.
    pub(super) failing_ms: Option<i64>,
    /// How many runs have failed in a row.
    times: u32,
    reason: Option<String>,
    must_mend: bool,
    pub(super) reports: u64,
    pub(super) odd: u64,
}

impl Kept {
    /// Reads the row.
    pub(super) fn read(sql: &impl Sql) -> Result<Kept, Failure> {
        let rows = sql.exec("SELECT kept FROM feed", &[])?;
        rows.first().map_or_else(|| Ok(Kept::default()), |row| decode(row.text("kept")?))
    }

    /// Writes the row.
    pub(super) fn write(&self, sql: &impl Sql) -> Result<(), Failure> {
        let row = "INSERT OR REPLACE INTO feed (one, kept) VALUES (1, ?)";
        sql.run(row, &[SqlValue::Text(encode(self)?)])
    }

    /// Whether a run is the one under way.
    pub(super) fn is_of(&self, run: &str) -> bool {
        self.run.as_ref().is_some_and(|one| one.id == run)
    }

    /// Begins a run, or gives it more time.
    pub(super) fn begin(&mut self, run: &str, until_ms: i64) {
        self.run = Some(Run { id: run.to_owned(), until_ms });
    }

    /// Ends the run under way.
    pub(super) fn end(&mut self, end: &RunEnd, every_s: u32, now_ms: i64) {
        self.run = None;
        let in_s = |seconds: u32| Some(now_ms + i64::from(seconds) * 1_000);
        match end {
            RunEnd::Done => {
                (self.done_ms, self.next_ms) = (Some(now_ms), in_s(every_s));
                self.succeed();
            }
            RunEnd::More => {
                self.next_ms = Some(now_ms);
                self.succeed();
            }
            RunEnd::Spent => self.spent(now_ms),
            RunEnd::Failed { after_s, reason, must_mend } => {
                let own_s = AGAIN_S.saturating_mul(1 << self.times.min(10)).min(AGAIN_S_MAX);
                self.times = self.times.saturating_add(1);
                let asked_s = after_s.unwrap_or(0).min(ASKED_S_MAX);
                self.next_ms = in_s(own_s.max(asked_s));
                self.failing_ms.get_or_insert(now_ms);
                (self.reason, self.must_mend) = (Some(reason.clone()), *must_mend);
            }
        }
    }

    /// Waits for an hour whose calls count no more.
    pub(super) fn spent(&mut self, now_ms: i64) {
        self.run = None;
        self.next_ms = Some((now_ms / HOUR_MS + 1) * HOUR_MS);
        self.failing_ms.get_or_insert(now_ms);
        (self.reason, self.must_mend) = (Some(SPENT.to_owned()), false);
    }

    fn succeed(&mut self) {
        (self.failing_ms, self.times) = (None, 0);
        (self.reason, self.must_mend) = (None, false);
    }

    /// How things stand, as far as the row tells.
    pub(super) fn standing(&self) -> FeedStanding {
        FeedStanding {
            first_ms: self.first_ms,
            done_ms: self.done_ms,
            next_ms: self.next_ms,
            failing_ms: self.failing_ms,
            reason: self.reason.clone(),
            must_mend: self.must_mend,
            reports: self.reports,
            odd: self.odd,
            ..FeedStanding::default()
        }
    }
}

/// Counts a call of the service, unless it would be one too many. It is counted before it is made, so a kill cannot make it free.
pub(super) fn count_call(sql: &impl Sql, calls_max: u32, now: Timestamp) -> Result<bool, Failure> {
    if calls(sql, now)? >= calls_max {
        return Ok(false);
    }
    let hour = SqlValue::int(hour(now))?;
    let row = "INSERT INTO calls (hour, count) VALUES (?, 1) ON CONFLICT (hour) DO UPDATE SET count = count + 1";
    sql.run(row, &[hour])?;
    sql.run("DELETE FROM calls WHERE hour <= ?", &[SqlValue::int(self::hour(now) - HOURS)?])?;
    Ok(true)
}

/// The calls of the last 24 hours.
pub(super) fn calls(sql: &impl Sql, now: Timestamp) -> Result<u32, Failure> {
    let since = SqlValue::int(hour(now) - HOURS)?;
    let rows =
        sql.exec("SELECT coalesce(sum(count), 0) AS n FROM calls WHERE hour > ?", &[since])?;
    let count = rows.first().map_or(Ok(0), |row| row.int("n"))?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

fn hour(now: Timestamp) -> i64 {
    now.as_millisecond().div_euclid(HOUR_MS)
}
