//! A token bucket: so many acts at once, and so many a second after that.
//!
//! A cost and the time → yes, or the seconds to wait. Has no clock and no storage: the caller keeps the bucket.

/// The size of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Acts a second.
    pub per_s: u32,
    /// Acts at once, after a pause.
    pub burst: u32,
}

/// The longest time that a caller is told to wait. A bucket in debt is asked again then.
const WAIT_S_MAX: i64 = 60;
/// Parts of an act that are counted: thousandths, so that a millisecond fills a whole number of them.
const PARTS: i64 = 1_000;

/// A bucket. It is full at first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    /// Thousandths of acts that were taken and are not filled up yet.
    taken: i64,
    at_ms: i64,
}

impl Bucket {
    /// Takes `cost` acts.
    ///
    /// Whatever is not empty gives any cost and goes into debt: a call that is larger than the bucket would never succeed
    /// otherwise.
    ///
    /// # Errors
    /// The seconds until the bucket is not empty any more.
    pub fn take(&mut self, rate: Rate, cost: u32, now_ms: i64) -> Result<(), u32> {
        let per_s = i64::from(rate.per_s).max(1);
        // A clock that goes back fills nothing and takes nothing.
        let passed_ms = (now_ms - self.at_ms).max(0);
        self.taken = (self.taken - passed_ms.saturating_mul(per_s)).max(0);
        self.at_ms = self.at_ms.max(now_ms);
        let over = self.taken - (i64::from(rate.burst) - 1) * PARTS;
        if over > 0 {
            let wait_s = (over + per_s * PARTS - 1) / (per_s * PARTS);
            return Err(u32::try_from(wait_s.min(WAIT_S_MAX)).unwrap_or(1));
        }
        self.taken += i64::from(cost) * PARTS;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { per_s: 10, burst: 100 };

    #[test]
    fn a_full_bucket_gives_its_burst_at_once_and_its_rate_after_that() {
        let (mut bucket, now_ms) = (Bucket::default(), 1_800_000_000_000);
        assert!((0..100).all(|_| bucket.take(RATE, 1, now_ms).is_ok()));
        assert_eq!(bucket.take(RATE, 1, now_ms), Err(1));
        assert_eq!(bucket.take(RATE, 1, now_ms + 99), Err(1));
        assert_eq!(bucket.take(RATE, 1, now_ms + 100), Ok(()));
        assert_eq!(bucket.take(RATE, 1, now_ms + 100), Err(1));
        let hour = now_ms + 3_600_000;
        assert_eq!((0..200).filter(|_| bucket.take(RATE, 1, hour).is_ok()).count(), 100);
    }

    #[test]
    fn a_call_larger_than_the_bucket_succeeds_once_and_its_debt_is_waited_for() {
        let mut bucket = Bucket::default();
        assert_eq!(bucket.take(RATE, 250, 0), Ok(()));
        assert_eq!(bucket.take(RATE, 1, 0), Err(16), "151 acts at 10 a second");
        assert_eq!(bucket.take(RATE, 1, 15_000), Err(1));
        assert_eq!(bucket.take(RATE, 1, 15_100), Ok(()));
        assert_eq!(bucket.take(RATE, 100_000, 60_000), Ok(()));
        assert_eq!(bucket.take(RATE, 1, 60_000), Err(60), "nobody waits longer than a minute");
    }

    #[test]
    fn a_clock_that_goes_back_fills_nothing() {
        let mut bucket = Bucket::default();
        assert_eq!(bucket.take(RATE, 100, 10_000), Ok(()));
        assert_eq!(bucket.take(RATE, 1, 5_000), Err(1));
        assert_eq!(bucket.take(RATE, 1, 10_050), Err(1));
        assert_eq!(bucket.take(RATE, 1, 10_100), Ok(()));
    }
}
