//! How long one invocation of the consumer goes on with one destination, and when the rest has its turn.
//!
//! Times and counts → start another request, or come back later. An invocation that stays long with a slow destination
//! holds up what is behind it in the queue.

/// The longest time in which requests to one destination may start. A receiver that takes 100 ms gets a full batch.
const START_MS_MAX: i64 = 15_000;
/// The same for a slow destination.
const SLOW_START_MS_MAX: i64 = 5_000;
/// A destination is slow if a request to it takes longer than this on average.
const SLOW_MS: i64 = 500;

/// The pace of one destination in one invocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    began_ms: i64,
    /// The time that all requests together took.
    spent_ms: i64,
    /// The number of requests that ended.
    done: u32,
    /// The number of requests that were not started.
    left: u32,
}

impl Pace {
    /// Begins at this time.
    pub const fn new(now_ms: i64) -> Pace {
        Pace { began_ms: now_ms, spent_ms: 0, done: 0, left: 0 }
    }

    /// Whether another request may start.
    ///
    /// # Errors
    /// The seconds after which the request has its turn, if every invocation does as much as this one: the requests that
    /// are left return one after another, not all at once.
    pub fn permit(&mut self, now_ms: i64) -> Result<(), u32> {
        let elapsed_ms = now_ms - self.began_ms;
        let is_slow = self.spent_ms > SLOW_MS * i64::from(self.done);
        let start_ms_max = if is_slow { SLOW_START_MS_MAX } else { START_MS_MAX };
        if elapsed_ms < start_ms_max {
            return Ok(());
        }
        let turns = i64::from(1 + self.left / self.done.max(1));
        self.left += 1;
        Err(u32::try_from(elapsed_ms * turns / 1_000).unwrap_or(u32::MAX))
    }

    /// Notes a request that took this time.
    pub const fn note(&mut self, took_ms: i64) {
        self.spent_ms += took_ms;
        self.done += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pace after `done` requests that took `took_ms` each.
    fn after(done: u32, took_ms: i64) -> Pace {
        let mut pace = Pace::new(0);
        (0..done).for_each(|_| pace.note(took_ms));
        pace
    }

    #[test]
    fn a_slow_destination_holds_an_invocation_for_a_third_of_the_time() {
        assert_eq!(after(9, 2_000).permit(4_999), Ok(()));
        assert!(after(9, 2_000).permit(5_000).is_err());
        assert_eq!(after(300, 100).permit(14_999), Ok(()));
        assert!(after(300, 100).permit(15_000).is_err());
    }

    #[test]
    fn requests_that_are_left_return_one_invocation_after_another() {
        let mut pace = after(3, 2_000);
        let turns: Vec<_> = (0..7).map(|_| pace.permit(6_000)).collect();
        let expected = [6, 6, 6, 12, 12, 12, 18].map(Err);
        assert_eq!(turns, expected);
    }

    #[test]
    fn nothing_is_divided_by_no_request() {
        let mut pace = after(0, 0);
        assert_eq!([pace.permit(20_000), pace.permit(20_000)], [Err(20), Err(40)]);
    }
}
