//! The visitor's choices as the page keeps them, and how long they hold.
//!
//! In: a choice with its time and notice, what the collector tells about choices, stored text. Out: the choices that still count.
//! Holds no identifier. Touches no storage.

use hilo_core::consent::{ConsentState, PurposeSet};
use hilo_core::text::{parts, put};

use crate::json::{read_number, write_number};

/// The mean month of the Gregorian calendar.
const MONTH_MS: i64 = 2_629_746_000;

/// Times a set: the same purposes in both bytes of a report.
pub(super) const BOTH: u32 = 0x101;

/// The visitor's choices, and what decides how long they hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// The choices.
    pub said: ConsentState,
    /// Whether the browser sent a signal such as Global Privacy Control when they were made: then the grants are answers to it.
    pub has_signal: bool,
    /// When the first of them was made; 0 where there is none. A choice without a time is older than every other one.
    pub at_ms: i64,
    /// Months that a choice holds, as the collector told; 0 where it has not.
    pub months: i64,
    /// When the collector told; 0 for never.
    pub told_ms: i64,
    /// The notice that they were made under, as [`notice`] writes it.
    pub notice: i64,
    /// The last answers of the page's consent tools, in the bits of a report. They date choices of the tools: what a tool only repeats is
    /// older than a denial since then, and grants nothing when that denial ends.
    pub told: u32,
}

impl Kept {
    /// Dates choices that were made now, under this notice. The first answer dates the later ones too: no choice may hold longer
    /// because the visitor made another one.
    pub const fn date(&mut self, now_ms: i64, notice: i64) {
        if self.at_ms == 0 {
            self.at_ms = now_ms;
        }
        self.notice = notice;
    }

    /// Ends the choices if they are too old, or were made under another notice than the present one (consent.md, in the page, rule
    /// 10). The first notice that anybody names is the one of earlier choices. Returns whether there was a choice to end.
    pub fn expire(&mut self, now_ms: i64, notice: i64) -> bool {
        if self.notice == 0 {
            self.notice = notice;
        }
        // A time to come is no better than an old one: the clock was wrong then, or is wrong now.
        let age = (now_ms - self.at_ms) / MONTH_MS;
        let is_old = self.months > 0 && !(0..self.months).contains(&age);
        let is_other = notice > 0 && notice != self.notice;
        if !(is_old || is_other) {
            return false;
        }
        self.at_ms = 0;
        // The tools may confirm a grant that ended. What they told before a denial stays old when the denial ends.
        self.told &= !(u32::from(self.said.granted().bits()) * BOTH);
        let mut nothing = ConsentState::default();
        // The revision only grows.
        nothing.revision = self.said.revision;
        std::mem::replace(&mut self.said, nothing) != nothing
    }

    /// The stored form, numbers: revision, choices as [`ConsentState::bits`], the browser's signal, times and months, notice, what
    /// tools told.
    pub fn to_stored(&self) -> String {
        let mut text = String::new();
        let (revision, said) = (i64::from(self.said.revision), i64::from(self.said.bits()));
        let (signal, told) = (i64::from(self.has_signal), i64::from(self.told));
        let (at, months, told_ms) = (self.at_ms, self.months, self.told_ms);
        for number in [revision, said, signal, at, months, told_ms, self.notice, told] {
            write_number(&mut text, number);
            put(&mut text, "|");
        }
        text
    }

    /// Reads [`Kept::to_stored`]. Unreadable text counts as silence, and so does a grant that the browser's signal has overtaken: the
    /// browser sends it now, `denies` these purposes, and did not send it when the visitor chose.
    pub fn from_stored(text: &str, denies: PurposeSet) -> Kept {
        let mut fields = parts(text, b'|');
        let revision = fields.next().and_then(read_number).unwrap_or(0) as u32;
        let mut kept = Kept { said: ConsentState::from_bits(0, revision), ..Kept::default() };
        // Other versions wrote names here. Nothing of them counts but the revision, which only grows.
        let Some(bits) = fields.next().and_then(read_number) else { return kept };
        let mut number = || fields.next().and_then(read_number).unwrap_or(0);
        kept = Kept {
            said: ConsentState::from_bits(bits as u32, revision),
            has_signal: number() > 0,
            at_ms: number(),
            months: number(),
            told_ms: number(),
            notice: number(),
            told: number() as u32,
        };
        if !kept.has_signal {
            kept.said.take_back(denies);
        }
        kept
    }
}

/// A number that stands for a version of a notice: whether it is another one is all that counts. 0 for no version.
pub fn notice(version: &str) -> i64 {
    // FNV-1a, 32 bits.
    let hash = |sum: u32, byte: u8| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    if version.is_empty() { 0 } else { i64::from(version.bytes().fold(0x811c_9dc5, hash)) }
}

#[cfg(test)]
mod tests {
    use hilo_core::consent::{Choice, Purpose};

    use super::*;

    /// 2026-11-18T11:06:40Z.
    const BEGAN_MS: i64 = 1_795_000_000_000;

    /// A visitor who granted analytics then, under notice 1, where a choice holds for six months.
    fn granted() -> Kept {
        let mut kept = Kept { months: 6, ..Kept::default() };
        kept.said.set(Purpose::Analytics, Choice::Granted);
        kept.said.revision = 1;
        kept.date(BEGAN_MS, 1);
        kept
    }

    #[test]
    fn a_choice_ends_after_the_months_that_the_collector_tells() {
        let ends_ms = BEGAN_MS + 6 * MONTH_MS;
        let mut kept = granted();
        assert!(!kept.expire(ends_ms - 1, 1));
        assert!(kept.expire(ends_ms, 1));
        assert_eq!((kept.said.choice(Purpose::Analytics), kept.said.revision), (Choice::Unset, 1));
        assert!(!kept.expire(ends_ms + 1, 1), "nothing is left to end");
        let mut untold = Kept { months: 0, ..granted() };
        assert!(!untold.expire(i64::MAX, 1), "the collector has not told how long a choice holds");
    }

    #[test]
    fn a_choice_from_the_future_or_without_a_time_is_old() {
        assert!(granted().expire(BEGAN_MS - MONTH_MS, 1));
        assert!(!granted().expire(BEGAN_MS - 60_000, 1), "a clock that was set back a little");
        let mut timeless = Kept::from_stored("3|4|", PurposeSet::default());
        timeless.months = 24;
        assert!(timeless.expire(BEGAN_MS, 0));
    }

    #[test]
    fn a_choice_ends_with_another_notice() {
        assert!(granted().expire(BEGAN_MS, 2));
        assert!(!granted().expire(BEGAN_MS, 1));
        assert!(!granted().expire(BEGAN_MS, 0), "no notice is not another one");
        let mut unnamed = Kept { notice: 0, ..granted() };
        assert!(!unnamed.expire(BEGAN_MS, 2), "the first notice that is named is the choice's own");
        assert!(unnamed.expire(BEGAN_MS, 3));
    }

    #[test]
    fn a_later_choice_prolongs_no_earlier_one() {
        let mut kept = granted();
        kept.date(BEGAN_MS + 5, 1);
        assert_eq!(kept.at_ms, BEGAN_MS);
        assert!(kept.expire(BEGAN_MS + 6 * MONTH_MS, 1));
        kept.date(BEGAN_MS + 6 * MONTH_MS, 1);
        assert_eq!(kept.at_ms, BEGAN_MS + 6 * MONTH_MS, "the visitor was asked again");
    }

    #[test]
    fn the_stored_choices_read_back_and_unreadable_text_is_silence() {
        let mut kept = granted();
        kept.said.set(Purpose::SaleShare, Choice::Denied);
        (kept.at_ms, kept.told_ms, kept.told) = (7, 8, 9);
        for denies in [PurposeSet::default(), PurposeSet::of(&Purpose::GPC_DENIES)] {
            kept.has_signal = !denies.is_empty();
            assert_eq!(Kept::from_stored(&kept.to_stored(), denies), kept);
            let said = Kept::from_stored("\u{0}x|y|z|analytics", denies).said;
            assert_eq!(said, ConsentState::default());
            let earlier = "3|analytics |sale_share |1|1795000000000|6|1795000000000|2166136261";
            let mut silence = Kept::default();
            silence.said.revision = 3;
            assert_eq!(Kept::from_stored(earlier, denies), silence, "names are of another version");
        }
    }

    #[test]
    fn versions_of_a_notice_are_told_from_each_other_and_from_none() {
        assert_eq!(notice(""), 0);
        for (one, other) in [("1", "2"), ("2026-01", "2026-10"), ("a|b", "a|c"), ("0", "")] {
            assert_ne!(notice(one), notice(other));
        }
    }
}
