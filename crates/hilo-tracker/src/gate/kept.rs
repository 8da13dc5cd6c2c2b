//! The visitor's choices as the page keeps them, and how long they hold.
//!
//! In: a choice with its time and notice, what the collector tells about choices, stored text. Out: the choices that still count.
//! Holds no identifier. Touches no storage.

use hilo_core::consent::{Choice, ConsentState, Purpose};
use hilo_core::text::parts;

use crate::json::{read_number, write_number};

/// The mean month of the Gregorian calendar.
const MONTH_MS: i64 = 2_629_746_000;

/// The visitor's choices, and what decides how long they hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// The choices.
    pub said: ConsentState,
    /// Whether the browser sent Global Privacy Control when they were made: then the grants are answers to that signal.
    pub has_gpc: bool,
    /// When the first of them was made; 0 where there is none. A choice without a time is older than every other one.
    pub at_ms: i64,
    /// Months that a choice holds, as the collector told; 0 where it has not.
    pub months: i64,
    /// When the collector told; 0 for never.
    pub told_ms: i64,
    /// The notice that they were made under, as [`notice`] writes it.
    pub notice: i64,
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
        let mut nothing = ConsentState::default();
        // The revision only grows.
        nothing.revision = self.said.revision;
        std::mem::replace(&mut self.said, nothing) != nothing
    }

    /// The stored form: revision, granted, denied, Global Privacy Control, times and months, notice.
    pub fn to_stored(&self) -> String {
        let mut text = String::new();
        write_number(&mut text, i64::from(self.said.revision));
        for choice in [Choice::Granted, Choice::Denied] {
            text.push('|');
            for purpose in Purpose::ASKED.into_iter().filter(|p| self.said.choice(*p) == choice) {
                text.push_str(purpose.name());
                text.push(' ');
            }
        }
        for number in [i64::from(self.has_gpc), self.at_ms, self.months, self.told_ms, self.notice]
        {
            text.push('|');
            write_number(&mut text, number);
        }
        text
    }

    /// Reads [`Kept::to_stored`]. Unreadable text counts as silence, and so does a grant that Global Privacy Control has overtaken:
    /// the browser sends the signal now and did not when the visitor chose.
    pub fn from_stored(text: &str, gpc: bool) -> Kept {
        let mut fields = parts(text, b'|');
        let mut kept = Kept::default();
        let revision = fields.next().and_then(read_number);
        kept.said.revision = revision.and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
        for choice in [Choice::Granted, Choice::Denied] {
            let names = parts(fields.next().unwrap_or_default(), b' ');
            for purpose in names.filter_map(Purpose::from_name) {
                kept.said.set(purpose, choice);
            }
        }
        let mut has_gpc = 0;
        let Kept { at_ms, months, told_ms, notice, .. } = &mut kept;
        for number in [&mut has_gpc, at_ms, months, told_ms, notice] {
            *number = fields.next().and_then(read_number).unwrap_or(0);
        }
        kept.has_gpc = has_gpc > 0;
        if gpc && !kept.has_gpc {
            for purpose in Purpose::GPC_DENIES {
                if kept.said.is_granted(purpose) {
                    kept.said.set(purpose, Choice::Unset);
                }
            }
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
        let mut timeless = Kept::from_stored("3|analytics |", false);
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
        (kept.at_ms, kept.told_ms) = (7, 8);
        for gpc in [false, true] {
            kept.has_gpc = gpc;
            assert_eq!(Kept::from_stored(&kept.to_stored(), gpc), kept);
            let said = Kept::from_stored("\u{0}x|y|z|analytics", gpc).said;
            assert_eq!(said, ConsentState::default());
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
