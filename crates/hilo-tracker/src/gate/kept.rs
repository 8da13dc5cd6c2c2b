//! The visitor's choices as the page keeps them, and how long they hold.
//!
//! In: a choice with its time and notice, what the collector told about choices, stored text. Out: the choices that still count.
//! Holds no identifier. Touches no storage.

use hilo_core::consent::{Choice, ConsentState, Purpose};
use hilo_core::text::{cut, parts};

use crate::json::{number, read_number};

/// The mean month of the Gregorian calendar.
const MONTH_MS: i64 = 2_629_746_000;

/// What the collector tells about choices in its answer to a hello (`[consent]` of `hilo.toml`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Months that a choice holds; 0 where the collector has not told.
    pub months: i64,
    /// The version of the notice; empty where the collector has not told. A standing choice was made under it.
    pub notice: String,
    /// When the collector told this; 0 for never.
    pub told_ms: i64,
}

/// The visitor's choices, and what decides how long they hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// The choices.
    pub said: ConsentState,
    /// Whether the browser sent Global Privacy Control when they were made: then the grants are answers to that signal.
    pub has_gpc: bool,
    /// When the oldest of them was made. A choice without a time is older than every other one.
    pub at_ms: i64,
    /// The version of the notice that the site showed with the last of them; empty where the site names none.
    pub shown: String,
    /// What the collector told.
    pub terms: Terms,
}

impl Kept {
    /// Dates choices about `changed` that were made now, under the notice that the site shows. Other choices keep the earlier date:
    /// none of them may hold longer because the visitor made another one.
    pub fn date(&mut self, changed: &[Purpose], now_ms: i64, notice: &str) {
        let has_older = Purpose::ASKED
            .into_iter()
            .any(|one| self.said.choice(one) != Choice::Unset && !changed.contains(&one));
        if !has_older {
            self.at_ms = now_ms;
        }
        version(notice).clone_into(&mut self.shown);
    }

    /// Ends the choices if they are too old, or if the site shows another notice by now (consent.md, in the page, rule 10). Returns
    /// whether there was one to end.
    pub fn expire(&mut self, now_ms: i64, notice: &str) -> bool {
        let Terms { months, .. } = self.terms;
        // A time to come is no better than an old one: the clock was wrong then, or is wrong now.
        let age_ms = (now_ms - self.at_ms).saturating_abs();
        let is_old = months > 0 && age_ms > months.saturating_mul(MONTH_MS);
        let notice = version(notice);
        let is_other = !notice.is_empty() && notice != self.shown;
        (is_old || is_other) && self.end()
    }

    /// Learns what the collector tells. A choice under another notice than the collector's ends. Returns whether there was one.
    pub fn learn(&mut self, told: Terms) -> bool {
        let Terms { months, notice, told_ms } = &mut self.terms;
        *told_ms = told.told_ms;
        if told.months > 0 {
            *months = told.months;
        }
        if told.notice.is_empty() || told.notice == *notice {
            return false;
        }
        let was_known = !std::mem::replace(notice, told.notice).is_empty();
        was_known && self.end()
    }

    /// Ends every choice. The revision stays, because it only grows.
    fn end(&mut self) -> bool {
        let mut nothing = ConsentState::default();
        nothing.revision = self.said.revision;
        std::mem::replace(&mut self.said, nothing) != nothing
    }

    /// The stored form: revision, granted, denied, Global Privacy Control, time, notice of the site, and the collector's terms.
    pub fn to_stored(&self) -> String {
        let mut text = number(i64::from(self.said.revision));
        for choice in [Choice::Granted, Choice::Denied] {
            text.push('|');
            for purpose in Purpose::ASKED.into_iter().filter(|p| self.said.choice(*p) == choice) {
                text.push_str(purpose.name());
                text.push(' ');
            }
        }
        let Terms { months, notice, told_ms } = &self.terms;
        let gpc = if self.has_gpc { "1" } else { "" };
        let (at, months, told) = (number(self.at_ms), number(*months), number(*told_ms));
        for field in [gpc, &at, &self.shown, &months, notice, &told] {
            text.push('|');
            text.push_str(field);
        }
        text
    }

    /// Reads [`Kept::to_stored`]. Unreadable text counts as silence, and so does a grant that Global Privacy Control has overtaken:
    /// the browser sends the signal now and did not when the visitor chose.
    pub fn from_stored(text: &str, gpc: bool) -> Kept {
        let mut fields = parts(text, b'|');
        let mut next = || fields.next().unwrap_or_default();
        let mut kept = Kept::default();
        let revision = read_number(next()).and_then(|n| u32::try_from(n).ok());
        kept.said.revision = revision.unwrap_or(0);
        for choice in [Choice::Granted, Choice::Denied] {
            for purpose in parts(next(), b' ').filter_map(Purpose::from_name) {
                kept.said.set(purpose, choice);
            }
        }
        kept.has_gpc = next() == "1";
        kept.at_ms = read_number(next()).unwrap_or(0);
        next().clone_into(&mut kept.shown);
        kept.terms.months = read_number(next()).unwrap_or(0);
        next().clone_into(&mut kept.terms.notice);
        kept.terms.told_ms = read_number(next()).unwrap_or(0);
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

/// A version as it is stored and compared: the bar parts stored fields.
fn version(notice: &str) -> &str {
    cut(notice, b'|').0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A visitor who granted analytics at 0 under notice 1 of the site, while the collector's notice had the version A.
    fn granted() -> Kept {
        let mut kept = Kept::default();
        kept.said.set(Purpose::Analytics, Choice::Granted);
        kept.said.revision = 1;
        kept.date(&[Purpose::Analytics], 0, "1");
        kept.terms = Terms { months: 6, notice: "A".to_owned(), told_ms: 0 };
        kept
    }

    #[test]
    fn a_choice_ends_after_the_months_that_the_collector_tells() {
        let mut kept = granted();
        assert!(!kept.expire(6 * MONTH_MS, "1"));
        assert!(kept.expire(6 * MONTH_MS + 1, "1"));
        assert_eq!((kept.said.choice(Purpose::Analytics), kept.said.revision), (Choice::Unset, 1));
        assert!(!kept.expire(6 * MONTH_MS + 2, "1"), "nothing is left to end");
        let mut untold = Kept { terms: Terms::default(), ..granted() };
        assert!(
            !untold.expire(i64::MAX, "1"),
            "the collector has not told how long a choice holds"
        );
    }

    #[test]
    fn a_choice_from_the_future_or_without_a_time_is_old() {
        let mut early = Kept { at_ms: 7 * MONTH_MS, ..granted() };
        assert!(early.expire(0, "1"));
        let mut timeless = Kept::from_stored("3|analytics |", false);
        timeless.terms.months = 24;
        assert!(timeless.expire(1_795_000_000_000, ""));
    }

    #[test]
    fn a_choice_ends_with_another_notice_of_the_site_or_of_the_collector() {
        assert!(granted().expire(1, "2"));
        assert!(!granted().expire(1, ""), "a site that names no notice has no other one");
        let tell =
            |notice: &str| granted().learn(Terms { notice: notice.to_owned(), ..granted().terms });
        assert!(tell("B"));
        assert!(!tell("A") && !tell(""));
        let mut untold = Kept { terms: Terms::default(), ..granted() };
        assert!(!untold.learn(Terms { notice: "B".to_owned(), months: 3, told_ms: 5 }));
        assert_eq!((untold.terms.months, untold.terms.notice.as_str()), (3, "B"));
    }

    #[test]
    fn a_later_choice_does_not_prolong_an_earlier_one() {
        let mut kept = granted();
        kept.said.set(Purpose::Advertising, Choice::Denied);
        kept.date(&[Purpose::Advertising], 5, "1");
        assert_eq!(kept.at_ms, 0);
        kept.said.set(Purpose::Analytics, Choice::Denied);
        kept.date(&[Purpose::Analytics, Purpose::Advertising], 9, "1");
        assert_eq!(kept.at_ms, 9);
    }

    #[test]
    fn the_stored_choices_read_back_and_unreadable_text_is_silence() {
        let mut kept = granted();
        kept.said.set(Purpose::SaleShare, Choice::Denied);
        kept.at_ms = 7;
        for gpc in [false, true] {
            kept.has_gpc = gpc;
            assert_eq!(Kept::from_stored(&kept.to_stored(), gpc), kept);
            let said = Kept::from_stored("\u{0}x|y|z|analytics", gpc).said;
            assert_eq!(said, ConsentState::default());
        }
    }
}
